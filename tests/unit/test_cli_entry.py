"""The command line's own errors: one line, and what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text

from shared.cli import fte, kn_fte

_CASES: dict[tuple[str, ...], str] = {
    ("kn-fte", "tickets", "list", "--state", "foo"): "'--state': 'foo' is not one of 'open', 'escalated', 'closed'",
    ("kn-fte", "tickets", "list", "--limit", "0"): "'--limit' should be greater than or equal to 1",
    ("kn-fte", "tickets", "show"): "Missing argument 'ID'",
    ("kn-fte", "tickets", "shw"): "No such command 'shw'. Did you mean 'show'?",
    ("kn-fte", "knowledge", "add", "no/such.md"): "no/such.md",
    ("fte", "try", "--wait", "foo"): "'--wait' should be a valid number",
    ("fte", "up", "--detatch"): "No such option: --detatch",
}


@pytest.mark.parametrize("line", _CASES, ids=" ".join)
def test_a_wrong_command_line_ends_in_one_line(
    line: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2; the line names what is wrong and the help that says what is right."""
    monkeypatch.setattr(sys, "argv", list(line))
    with pytest.raises(SystemExit) as ended:
        (kn_fte if line[0] == "kn-fte" else fte).main()
    said = capfd.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    [only] = said.err.splitlines()
    assert only.startswith("error: ")
    assert _CASES[line] in only
    assert "--help` " in only + " "


@pytest.mark.parametrize(("verb", "what"), [("attachment", "an attachment's id"), ("raw", "a message's id")])
def test_an_id_that_is_none_is_refused_in_our_words(
    verb: str, what: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It says where such ids stand, and nobody is asked."""
    monkeypatch.setattr(sys, "argv", ["kn-fte", "tickets", verb, "T7", "nope", "--to", str(tmp_path / "file")])
    with pytest.raises(SystemExit) as ended:
        kn_fte.main()
    [line] = capfd.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert line.startswith(f"error: 'nope' is not {what}: `kn-fte tickets show` names ")


def _every_command(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for verb, each in getattr(command, "commands", {}).items():
        yield from _every_command(each, f"{name} {verb}")


def test_no_help_loses_its_brackets() -> None:
    """The help of commands and of their options is rich's markup: a bracket that is text is escaped."""
    apps = {"fte": fte.app, "kn-fte": kn_fte.app}
    commands = [each for name, app in apps.items() for each in _every_command(typer.main.get_command(app), name)]
    assert len(commands) > 30
    for name, command in commands:
        for text in (command.help, *(getattr(parameter, "help", None) for parameter in command.params)):
            assert Text.from_markup(text or "").plain == (text or "").replace("\\[", "["), name


def test_what_an_evaluation_reads_is_seen_in_its_help(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line of the questions, whole."""
    monkeypatch.setattr(sys, "argv", ["kn-fte", "knowledge", "eval", "--help"])
    with pytest.raises(SystemExit):
        kn_fte.main()
    assert "{query, relevant: [document ids]}" in " ".join(capfd.readouterr().out.replace("│", " ").split())


def test_no_command_shows_the_help(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of commands and no error."""
    monkeypatch.setattr(sys, "argv", ["kn-fte"])
    with pytest.raises(SystemExit):
        kn_fte.main()
    said = capfd.readouterr()
    assert "dead-letters" in said.out + said.err
    assert "error" not in said.err


def test_libraries_do_not_speak_on_a_person_s_screen() -> None:
    """A library that asks for INFO on the root logger (wordllama does) gets warnings all the same."""
    program = (
        "import sys, logging, typer; from shared.cli import entry; app = typer.Typer()\n"
        "@app.command()\n"
        "def ask():\n"
        "    logging.basicConfig(level=logging.INFO)\n"
        "    logging.getLogger('httpx').info('HTTP Request'); logging.getLogger('httpx').warning('slow')\n"
        "entry.run(app, 'ask')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "httpx: slow\n")
