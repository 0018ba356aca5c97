"""The documentation says what is there: every name it uses is looked up in the code."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from shared.agent.escalation import Reason
from shared.cli import fte, kn_fte
from shared.conversations.reasons import HandedOver
from shared.db.queries import load
from shared.events import envelope
from shared.events.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("specs/**/*.md")),
]
PROGRAMS = {"fte": fte.app, "kn-fte": kn_fte.app}
EVENT_TYPES = {value for value in vars(envelope).values() if isinstance(value, str) and value.startswith("fte.")}
#: Settings that no operator sets, each with why not.
INTERNAL = {
    "MAX_REQUEST_BYTES": "far above what any channel sends",
    "DATABASE_TIMEOUT_S": "fits into the times that nest",
    "KAFKA_PUBLISH_TIMEOUT_S": "fits into the times that nest",
    "GMAIL_API_BASE_URL": "other than Google's for the simulator alone",
    "GMAIL_CERTS_URL": "other than Google's for the simulator alone",
    "TWILIO_API_BASE_URL": "other than Twilio's for the simulator alone",
    "FORM_DIST_DIR": "set by the image and by `fte up`",
    "FORM_CHALLENGE_TIMEOUT_S": "a visitor waits for it",
    "TURNS_PER_REQUEST": "fits into the times that nest",
    "WHATSAPP_QUIET_MAX_S": "bounds WHATSAPP_QUIET_S",
    "HISTORY_MESSAGES": "the specification's number",
    "DELIVERY_CLAIM_MARGIN_S": "fits into the times that nest",
    "EMBEDDING_TIMEOUT_S": "search gives up on the model before it",
}
_PATH = re.compile(r"(?:functions|shared|knative|sql|specs|tests|context|webform|requirements|\.ci)/[\w./-]*")
_PLACEHOLDER = re.compile(r"NNNN|my[-_]name|webform/dist")
_ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_QUERY_FILES = {path.stem for path in (ROOT / "sql/queries").glob("*.sql")}


def _named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=_named)


def _fences(text: str) -> list[str]:
    """The contents of the code blocks, diagrams apart."""
    return re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _spans(text: str) -> list[str]:
    """What stands between single backquotes, on one line."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def _commands(text: str) -> Iterator[list[str]]:
    """Every call of `make` and of our programs, as words without the program's folder."""
    lines = [line for block in _fences(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in (*lines, *_spans(text)):
        for part in re.split(r"\||;|&&|\bdo\b|(?:^|\s)#", line):
            words = _words(part)
            words[:1] = [words[0].removeprefix(".venv/bin/")] if words else []
            if words[:2] == ["kn", "fte"]:
                words[:2] = ["kn-fte"]
            if words and words[0] in {*PROGRAMS, "make"}:
                yield words


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part.strip().removeprefix("$ "))
    except ValueError:  # half of a quoted text: no call
        return []


def _wrong(words: list[str]) -> str | None:
    """What is wrong with a call, or None."""
    program, *rest = words
    if program == "make":
        unknown = [word for word in rest if "=" not in word and word not in _targets()]
        return f"make: no target {unknown[0]}" if unknown else None
    command: Any = typer.main.get_command(PROGRAMS[program])
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        return f"{program}: no command {rest[0]}"
    known = {"--help", "-"} | {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return next(
        (f"{program}: no option {word}" for word in rest if word[0:1] == "-" and word.split("=")[0] not in known), None
    )


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@cache
def _sources() -> str:
    """Everything that runs, as one text."""
    files = [
        ROOT / "Makefile",
        *(ROOT / ".ci").glob("*"),
        *(path for path in (ROOT / "knative").rglob("*") if path.is_file()),
    ]
    files += [path for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")]
    files += (ROOT / "sql").rglob("*.sql")
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def _settings() -> dict[str, Any]:
    """The fields of every settings class of the functions, by environment name; simulators have their own."""
    found: dict[str, Any] = {}
    for path in (ROOT / "shared").rglob("*.py"):
        if "local" in path.parts or "(BaseSettings)" not in path.read_text(encoding="utf-8"):
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind.__module__ == module.__name__:
                found |= {name.upper(): field for name, field in kind.model_fields.items()}
    return found


def _slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


# -- commands -------------------------------------------------------------------------------------------


@every_page
def test_commands_exist(page: Path) -> None:
    """What a reader types is there: make targets, commands of fte and kn-fte, and their options."""
    calls = [*_commands(page.read_text(encoding="utf-8"))]
    assert [wrong for words in calls if (wrong := _wrong(words))] == []


def test_calls_are_found_and_judged() -> None:
    """The check above sees calls in blocks, spans and pipes, and tells right from wrong."""
    text = (
        "`make nothing`\n```\n.venv/bin/fte up --detach  # and\nkn fte tickets shout 1 | jq\nkn-fte sweep --fast\n```\n"
    )
    assert [_wrong(words) for words in _commands(text)] == [
        None,
        "kn-fte: no command shout",
        "kn-fte: no option --fast",
        "make: no target nothing",
    ]


# -- names ----------------------------------------------------------------------------------------------


@every_page
def test_settings_named_exist(page: Path) -> None:
    """A name in capitals is a setting, or is read by something that runs."""
    names = {name for span in _spans(page.read_text(encoding="utf-8")) if (name := span.split("=")[0])}
    unknown = {name for name in names if _ENVIRONMENT.fullmatch(name) and name not in _settings()}
    assert {name for name in unknown if not re.search(rf"\b{name}\b", _sources())} == set()


@every_page
def test_topics_event_types_metrics_and_roles_named_exist(page: Path) -> None:
    """`fte.…` is a topic or an event type, `fte_…` a metric or a role."""
    spans = set(_spans(page.read_text(encoding="utf-8")))
    dotted = {span for span in spans if re.fullmatch(r"fte\.[a-z.-]+", span)}
    assert dotted <= EVENT_TYPES | {topic.name for topic in TOPICS}
    metrics = {span for span in spans if re.fullmatch(r"fte_[a-z_]+", span)}
    assert {name for name in metrics if not re.search(rf"\b{name}\b", _sources())} == set()


@every_page
def test_paths_named_exist(page: Path) -> None:
    """A path between backquotes leads somewhere."""
    paths = {span for span in _spans(page.read_text(encoding="utf-8")) if _PATH.fullmatch(span)}
    assert {path for path in paths if not _PLACEHOLDER.search(path) and not (ROOT / path).exists()} == set()


@every_page
def test_statements_named_exist(page: Path) -> None:
    """`inbox.arrive` is the statement `arrive` in sql/queries/inbox.sql."""
    for span in _spans(page.read_text(encoding="utf-8")):
        file, dot, name = span.partition(".")
        if dot and file in _QUERY_FILES and re.fullmatch(r"(?!py$|sql$)[a-z_]+", name):
            assert name in load(file), span


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    """Links between pages name a file, and a heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(_slug, headings), target


# -- settings -------------------------------------------------------------------------------------------


def _example() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def test_every_setting_is_explained_or_internal() -> None:
    """An operator finds every setting in .env.example; the rest is listed above with its reason."""
    assert set(_example()) | set(INTERNAL) == set(_settings())
    assert set(_example()) & set(INTERNAL) == set()


def test_the_example_shows_the_defaults_and_no_secret() -> None:
    """Everything in .env.example is commented out and has the code's default; secrets are empty."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    for name, shown in _example().items():
        assert shown == _as_text(_settings()[name].default), name


def _as_text(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return ",".join(default) if isinstance(default, tuple) else str(default)


# -- decisions and rules --------------------------------------------------------------------------------


def test_decisions_are_numbered_complete_and_listed() -> None:
    """Numbers have no gaps, each page has Nygard's headings, and the index links each with its title."""
    index = (ROOT / "specs/decisions/README.md").read_text(encoding="utf-8")
    pages = sorted((ROOT / "specs/decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        title, *headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert f"[{title}]({page.name})" in index
        assert {"Status", "Context", "Decision", "Consequences"} <= set(headings), page.name


def test_the_constitution_has_the_version_of_its_last_amendment() -> None:
    """The version at the top is the last of the list, and every amendment names its decision."""
    text = (ROOT / "specs/constitution.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+)\.(\d+)\.(\d+) \|.*\| (.+) \|$", text, re.MULTILINE)
    assert f"Version {'.'.join(rows[-1][:3])}," in text
    assert all("](decisions/" in row[3] for row in rows)
    assert all(list(map(int, earlier[:3])) < list(map(int, later[:3])) for earlier, later in pairwise(rows))


def test_the_layers_shown_are_those_that_are_checked() -> None:
    """The picture of the layers is the contract of import-linter, floor by floor."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    section = (ROOT / "specs/architecture.md").read_text(encoding="utf-8").split("## The layers")[1]
    shown = [set(re.findall(r"functions|shared\.\w+", line)) for line in _fences(section)[0].splitlines()]
    assert shown == [set(layer.split(" | ")) for layer in layers]


def _codes(text: str) -> set[str]:
    """What stands first in the rows of the tables of a text."""
    cells = [line.strip("|").split("|")[0].strip() for line in text.splitlines() if line.startswith("|")]
    return {code.strip("` ") for cell in cells if cell.strip("-") not in ("", "reason") for code in cell.split(",")}


def test_the_runbook_tells_every_reason() -> None:
    """What `kn-fte` shows as a ticket's or a message's reason is in the tables of takeover.md, and nothing else is."""
    page = (ROOT / "specs/runbooks/takeover.md").read_text(encoding="utf-8")
    escalated, ignored = page.split("`reason` says why:")[1].split("`show` has the summary")[0].split("`ignored`")
    told = {code for code in _codes(escalated) if not code.startswith("delivery-failed")}
    assert told == {*map(str, Reason), *map(str, HandedOver)}
    in_code = {
        *re.findall(r'ignored\(turn, "([a-z-]+)"\)', _source("agent/outcome.py")),
        *re.findall(r'(?:return|else) "([a-z-]+)"', _source("channels/gmail/automated.py")),
        *re.findall(r'return "([a-z-]+)"', _source("channels/whatsapp/message.py")),
    }
    assert in_code <= _codes(ignored)
    assert {code for code in _codes(ignored) if f'"{code}"' not in _sources()} == set()
    # A fault that no retry mends gives its own reason.
    sealed = _source("privacy/vault.py") + _source("privacy/blobs.py")
    assert set(re.findall(r'Permanent\(.*reason="([a-z-]+)"', sealed)) <= set(map(str, HandedOver))


def _source(path: str) -> str:
    return (ROOT / "shared" / path).read_text(encoding="utf-8")


def test_the_table_of_failures_names_every_part() -> None:
    """R3.6: each function, store, provider, the model, the sweep, a node and a zone has a row, and no cell is empty."""
    section = (
        (ROOT / "specs/architecture.md").read_text(encoding="utf-8").split("## What may fail")[1].split("\n## ")[0]
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    assert all(len(row) == 4 and all(row) for row in rows)
    parts = {path.parent.name.replace("_", "-") for path in (ROOT / "functions").glob("*/main.py")}
    parts |= {"Kafka", "PostgreSQL", "Gmail's API", "Pub/Sub", "Twilio", "the model", "the sweep", "a node", "a zone"}
    assert {part for part in parts if not any(row[0].startswith(part) for row in rows)} == set()
