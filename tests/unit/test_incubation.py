"""The artefacts of incubation keep what they promise: documents, tickets, cases, log, spec, skills, checklist."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.agent import tools

ROOT = Path(__file__).parents[2]
CHANNELS = ("email", "whatsapp", "web")
MATTERS = {"refund", "pricing", "legal", "angry", "human"}
OUTCOMES = {"replied", "escalated", "ignored"}
TOOLS = {one.name for one in tools.TOOLS}
TICKET_KEYS = {"id", "channel", "from", "name", "body", "label", "language", "expected", "document", "notes"}
EXPECT_KEYS = {
    *("outcome", "reason", "document", "contains_any", "contains_none"),
    *("max_words", "max_chars", "min_words"),
    *("ticket", "follow_up", "link", "said"),
}
#: What the documents must cover, each by a word of the file name.
TOPICS = (
    *("signing-in", "invoices", "exporting", "inviting", "languages", "mobile", "plans", "refund", "integrations"),
    *("security", "time-tracking", "projects", "api", "importing", "notifications", "reports", "deleting"),
    *("troubleshooting", "portal", "seats", "status"),
    *("accessibility", "data-protection", "service-levels", "complaints", "glossary", "getting-started"),
    *("release-notes", "webhook", "single-sign-on", "tax", "whatsapp", "emails"),
)
_RESERVED_ADDRESS = re.compile(r"[\w.+-]+@(?:[\w-]+\.)*example\.(?:com|org|net)")
_ANY_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_FICTITIOUS_NUMBER = re.compile(r"\+1 ?201 ?555 ?01\d\d")
_ANY_NUMBER = re.compile(r"\+\d[\d ]{6,}\d")


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _documents() -> dict[str, tuple[dict[str, Any], str]]:
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for path in sorted((ROOT / "context" / "products").glob("*.md")):
        _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
        found[path.stem] = (yaml.safe_load(front), body)
    return found


def _pages() -> dict[str, str]:
    """Every page that can be cited, in any language, by its id."""
    folder = ROOT / "context" / "products"
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.md") if path.parent.name != "superseded"]
    parts = [text.split("---\n", 2) for text in texts]
    return {yaml.safe_load(front)["id"]: body for _, front, body in parts}


def _tickets() -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for channel in CHANNELS
        for line in _text(f"context/sample-tickets/{channel}.jsonl").splitlines()
    ]


def _cases() -> list[dict[str, Any]]:
    return yaml.safe_load(_text("tests/evals/cases.yaml"))["cases"]


def _sections(text: str, heading: str) -> dict[str, str]:
    """Sections by their heading's text; `heading` is the marks of the level, such as `###`."""
    parts = re.split(rf"^{heading} (.+)$", text, flags=re.MULTILINE)[1:]
    return {title: re.split(r"^#{1,3} ", body, maxsplit=1, flags=re.MULTILINE)[0] for title, body in _pairs(parts)}


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(parts[::2], parts[1::2], strict=True))


# -- context/ ------------------------------------------------------------------------------------


def test_documents_cover_every_subject_with_complete_front_matter() -> None:
    """At least 50 documents in English, each subject among them, each with what the knowledge base stores of it."""
    documents = _documents()
    assert len(documents) >= 50
    assert [topic for topic in TOPICS if not any(topic in name for name in documents)] == []
    for name, (front, _) in documents.items():
        assert set(front) == {"id", "title", "version", "product", "language", "audience", "url"}, name
        assert front["id"] == name
        assert front["url"] == f"https://help.example.com/{name}"
        assert front["language"] == "en"
        assert isinstance(front["version"], int)


@pytest.mark.parametrize("name", sorted(_documents()))
def test_document_can_be_quoted(name: str) -> None:
    """A document is 250 to 600 words under question-like headings, and the first sentence of each answers briefly."""
    front, body = _documents()[name]
    assert 250 <= len(body.split()) <= 600
    assert body.lstrip().startswith(f"# {front['title']}\n")
    sections = _sections(body, "##")
    assert len(sections) >= 5
    for heading, text in sections.items():
        opening = " ".join(text.strip().split("\n\n")[0].split())
        first = re.split(r"(?<=[.:?]) (?=[A-Z])", opening, maxsplit=1)[0]
        assert len(first) <= 200, heading


def test_documents_link_only_to_places_that_exist_in_the_story() -> None:
    """Links stay with reserved hosts, and a link into the help centre names a document or a fixed page."""
    pages = {*_documents(), "contact", "videos", "introduction"}
    for name, (_, body) in _documents().items():
        for host, path in re.findall(r"https://([\w.-]+)/?([\w-]*)", body):
            assert host.rstrip(".").endswith("example.com"), name
            assert host.rstrip(".") != "help.example.com" or path in pages, (name, path)


def test_company_profile_says_how_to_speak_and_when_to_hand_over() -> None:
    """The profile holds tone on each channel, the rules of escalation, hours and voice."""
    sections = _sections(_text("context/company-profile.md"), "##")
    assert {"Brand voice", "Tone on each channel", "When a person takes over", "Support hours"} <= set(sections)
    assert all(f"| {matter} |" in sections["When a person takes over"] for matter in MATTERS)
    assert all(limit in sections["Tone on each channel"] for limit in ("500 words", "300 characters", "300 words"))


def test_tickets_are_complete_and_enough_on_each_channel() -> None:
    """At least 22 tickets a channel and 66 in all, with known labels, outcomes and documents."""
    tickets = _tickets()
    assert len(tickets) >= 66
    assert min(Counter(ticket["channel"] for ticket in tickets).values()) >= 22
    assert len({ticket["id"] for ticket in tickets}) == len(tickets)
    documents = _pages()
    for ticket in tickets:
        assert set(ticket) >= TICKET_KEYS
        assert set(ticket) <= TICKET_KEYS | {"subject", "category", "headers"}, ticket["id"]
        assert ticket["id"].startswith(f"{ticket['channel']}-")
        assert ticket["label"] in {"none", *MATTERS}
        assert ticket["expected"] in OUTCOMES
        assert ticket["document"] is None or ticket["document"] in documents, ticket["id"]
        assert ticket["label"] == "none" or ticket["expected"] == "escalated", ticket["id"]


def test_ordinary_traffic_needs_a_person_clearly_less_often_than_one_time_in_four() -> None:
    """Matters for a person and all other escalations together stay under 22 %, on each channel under 25 %."""
    tickets = _tickets()
    assert _share_escalated(tickets) < 0.22
    for channel in CHANNELS:
        assert _share_escalated([ticket for ticket in tickets if ticket["channel"] == channel]) < 0.25, channel


def _share_escalated(tickets: list[dict[str, Any]]) -> float:
    return sum(ticket["expected"] == "escalated" for ticket in tickets) / len(tickets)


@pytest.mark.parametrize("matter", sorted(MATTERS))
def test_every_matter_for_a_person_occurs(matter: str) -> None:
    """The tickets and the cases both hold each reason for which a person must decide."""
    assert any(ticket["label"] == matter for ticket in _tickets())
    assert any(case["expect"].get("reason") == matter for case in _cases())


def test_only_reserved_addresses_and_numbers_occur() -> None:
    """Nobody real is written to: RFC 2606 domains and the 555-01xx numbers alone, in all that incubation made."""
    files = [
        *(path for path in (ROOT / "context").rglob("*") if path.is_file()),
        *(ROOT / "specs" / name for name in ("discovery-log.md", "customer-success-fte-spec.md")),
        ROOT / "specs" / "transition-checklist.md",
        ROOT / "tests" / "evals" / "cases.yaml",
    ]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert [found for found in _ANY_ADDRESS.findall(text) if not _RESERVED_ADDRESS.fullmatch(found)] == [], path
        assert [found for found in _ANY_NUMBER.findall(text) if not _FICTITIOUS_NUMBER.fullmatch(found)] == [], path


def test_every_ticket_is_sent_from_an_address_of_its_channel() -> None:
    """WhatsApp tickets come from numbers, the others from e-mail addresses."""
    for ticket in _tickets():
        shape = _FICTITIOUS_NUMBER if ticket["channel"] == "whatsapp" else _RESERVED_ADDRESS
        assert shape.fullmatch(ticket["from"]), ticket["id"]


# -- tests/evals/cases.yaml ----------------------------------------------------------------------


def test_cases_are_enough_and_well_formed() -> None:
    """At least 24 cases, eight a channel, each with an outcome and a limit that is its channel's."""
    cases = _cases()
    assert len(cases) >= 24
    assert len({case["id"] for case in cases}) == len(cases)
    assert min(Counter(case["channel"] for case in cases).values()) >= 8
    tickets = {ticket["id"] for ticket in _tickets()}
    for case in cases:
        expect = case["expect"]
        assert case["channel"] in CHANNELS
        assert case["trust"] in {"verified", "claimed", "held"}
        assert all(isinstance(message, str) for message in case["messages"])
        assert expect["outcome"] in OUTCOMES
        assert set(expect) <= EXPECT_KEYS, case["id"]
        assert expect.get("reason", "refund") in MATTERS
        assert case.get("ticket") is None or case["ticket"] in tickets, case["id"]


def test_cases_hold_replies_to_document_and_limit() -> None:
    """A document named exists, and whatever is replied has the limit of its channel."""
    documents = _pages()
    most = {"email": ("max_words", 500), "whatsapp": ("max_chars", 300), "web": ("max_words", 300)}
    for case in _cases():
        expect = case["expect"]
        assert expect.get("document") is None or expect["document"] in documents, case["id"]
        key, limit = most[case["channel"]]
        assert expect["outcome"] != "replied" or expect[key] == limit, case["id"]


def test_what_a_case_looks_for_stands_in_the_document_it_names() -> None:
    """A reply can contain what is asked for, since the document does."""
    documents = _pages()
    for case in _cases():
        expect = case["expect"]
        if "document" in expect and "contains_any" in expect:
            body = " ".join(documents[expect["document"]].split()).casefold()
            missing = [words for words in expect["contains_any"] if words.casefold() not in body]
            assert missing == [], case["id"]


# -- specs/ --------------------------------------------------------------------------------------


def test_the_numbers_of_the_discovery_log_are_those_of_the_tickets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command in the log is run, and prints what the log says it prints."""
    log = _text("specs/discovery-log.md")
    command = tmp_path / "command.py"
    command.write_text(log.split("```python\n")[1].split("```")[0], encoding="utf-8")
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(command))
    assert capsys.readouterr().out == log.split("```text\n")[1].split("```")[0]


@pytest.mark.parametrize("title", ["E-mail", "WhatsApp", "Web form", "One customer", "The agent and what it knows"])
def test_edge_cases_of_a_channel(title: str) -> None:
    """R5.1: ten or more edge cases a channel name tests that exist; the others say that they come later."""
    text = _text("specs/discovery-log.md").split("## Edge cases")[1]
    rows = [line.strip("|").split("|") for line in _sections(text, "###")[title].splitlines() if line.startswith("|")]
    cases = {f"cases.yaml: {case['id']}" for case in _cases()}
    known = {*(ticket["id"] for ticket in _tickets()), *cases, "none"}
    tested = 0
    for row in rows[2:]:
        _, edge, seen, behaviour, tests = (cell.strip() for cell in row)
        assert edge
        assert behaviour
        assert set(seen.split(", ")) <= known, seen
        if tests != "planned, later":
            assert [name for name in tests.split(", ") if not _holds(name, cases)] == [], edge
            tested += 1
    assert tested >= 10


def test_each_edge_case_has_a_number_of_its_own() -> None:
    """Else a name in a review or a commit means two things."""
    numbers = re.findall(
        r"^\| ([A-Z]+[0-9]+) \|", _text("specs/discovery-log.md").split("## Edge cases")[1], re.MULTILINE
    )
    assert sorted(numbers) == sorted(set(numbers))


def _holds(name: str, cases: set[str]) -> bool:
    """Whether a name between backquotes is a case, or a test that is defined."""
    bare = name.removeprefix("`").removesuffix("`")
    return name == f"`{bare}`" and (bare in cases or _test_exists(bare))


def _test_exists(node: str) -> bool:
    """Whether `tests/….py::test_name` is defined, as a function of the module; of the form's tests, by its title."""
    path, _, name = node.partition("::")
    if path.startswith("webform/tests/"):
        return (ROOT / path).is_file() and re.search(rf"\(\s*'{re.escape(name)}'", _text(path)) is not None
    if not (node.startswith("tests/") and name.startswith("test_") and (ROOT / path).is_file()):
        return False
    return re.search(rf"^(?:async )?def {re.escape(name)}\(", _text(path), re.MULTILINE) is not None


@pytest.mark.parametrize("page", ["discovery-log", "transition-checklist"])
def test_modules_and_tests_named_in_the_artefacts_exist(page: str) -> None:
    """A path between backquotes leads somewhere; a test is defined, also one that is named after its file."""
    prose = re.sub(r"^```.*?^```", "", _text(f"specs/{page}.md"), flags=re.MULTILINE | re.DOTALL)
    spans = [span for line in prose.splitlines() for span in re.findall(r"`([^`]+)`", line)]
    places = [span for span in spans if span.startswith(("shared/", "functions/", "tests/", "context/", "specs/"))]
    assert [span for span in places if "::" not in span and not (ROOT / span).exists()] == []
    assert [span for span in places if "::" in span and not _test_exists(span)] == []
    everything = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    bare = [span for span in spans if re.fullmatch(r"test_\w+", span)]
    assert [name for name in bare if f"def {name}(" not in everything] == []


def test_a_ticked_line_of_the_checklist_names_what_shows_it() -> None:
    """A tick is a claim: each names a test, a file or a command, and nothing that is not ticked stands without why."""
    lines = re.findall(r"^- \[(x| )\] (.+(?:\n  .+)*)", _text("specs/transition-checklist.md"), re.MULTILINE)
    assert lines
    for mark, claim in lines:
        assert "`" in claim if mark == "x" else "later" in claim, claim


def test_every_user_story_says_what_happens_on_each_channel() -> None:
    """Ten or more stories, each with E-mail, WhatsApp and Web, in this order and no other."""
    stories = {t: b for t, b in _sections(_text("specs/customer-success-fte-spec.md"), "###").items() if t[:3] == "US-"}
    assert len(stories) >= 10
    for title, body in stories.items():
        assert re.findall(r"^- \*\*(.+?)\*\*: \S", body, flags=re.MULTILINE) == ["E-mail", "WhatsApp", "Web"], title


def test_skills_use_known_tools_which_the_spec_describes() -> None:
    """Each skill is complete, and its tools are those of the manifest, of the spec and of the checklist."""
    manifest = yaml.safe_load(_text("specs/agent-skills.yaml"))
    assert set(manifest["tools"]) == TOOLS
    names = {skill["name"] for skill in manifest["skills"]}
    assert {"knowledge_retrieval", "sentiment", "escalation_decision"} <= names
    assert {"channel_adaptation", "customer_identification"} <= names
    for skill in manifest["skills"]:
        assert all(skill[key] for key in ("description", "when_to_use", "inputs", "outputs", "tools")), skill["name"]
        assert set(skill["tools"]) <= TOOLS
    assert {tool for skill in manifest["skills"] for tool in skill["tools"]} == TOOLS
    for path in ("specs/customer-success-fte-spec.md", "specs/transition-checklist.md"):
        assert all(f"| {tool} |" in _text(path) for tool in TOOLS), path


def test_the_checklist_carries_prompts_edge_cases_tools_and_the_map() -> None:
    """Nothing of the prototype is lost on the way: the instructions of each channel stand there in full."""
    text = _text("specs/transition-checklist.md")
    prompts = _sections(text, "###")
    assert all("```text\n" in prompts[title] for title in ("Common", "E-mail", "WhatsApp", "Web form"))
    assert all(f"shared/{module}" in text for module in ("mcp/server.py", "agent/tools.py", "agent/escalation.py"))
    assert f"{len(_cases())} cases" in text
