"""The command line's own errors: one line, and what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
