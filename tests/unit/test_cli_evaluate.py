"""`fte eval escalation`: a table for people, JSON for programs, one line for a mistake."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shared.cli import fte

LINES = [{"text": "I want my money back", "label": "refund"}, {"text": "How do I export?", "label": "none"}]


def _run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["fte", "eval", "escalation", *arguments])
    with pytest.raises(SystemExit) as ended:
        fte.main()
    return int(ended.value.code or 0)


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    """A file of two messages."""
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    return str(path)


def test_json_holds_the_matrix_and_the_two_figures(
    labelled: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing but the object on standard output."""
    assert _run(labelled, "-o", "json", monkeypatch=monkeypatch) == 0
    found = json.loads(capfd.readouterr().out)
    assert set(found) == {"matrix", "labels", "recall", "false_alarms", "messages", "wrong"}
    assert (found["recall"], found["false_alarms"], found["messages"]) == (1.0, 0.0, 2)
    assert found["matrix"]["refund"] == {"refund": 1, "pricing": 0, "legal": 0, "angry": 0, "human": 0, "none": 0}
    assert set(found["labels"]["none"]) == {"messages", "reached", "recall", "precision"}


def test_the_table_has_a_row_a_label(
    labelled: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Labels down, reasons across, the figures below."""
    assert _run(labelled, monkeypatch=monkeypatch) == 0
    out = capfd.readouterr().out
    assert out.splitlines()[0].split()[:2] == ["LABEL", "REFUND"]
    assert "100.0%" in out


def test_a_wrong_file_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line of the file is named."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "x", "label": "none"}\noops\n', encoding="utf-8")
    assert _run(str(path), monkeypatch=monkeypatch) == 1
    assert capfd.readouterr().err.startswith("error: line 2 is not ")


FOREIGN = [
    ("\ufeff", {"text": "I want my money back", "label": "refund"}),
    ("", {"text": "I want my money\u2028back, the lawyer said", "label": "refund"}),
    ("", {"text": "I want my money back \ud83d", "label": "refund"}),
    ("", {"text": "I want\0 my money back", "label": "refund"}),
]


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(("mark", "row"), FOREIGN)
def test_a_file_that_another_program_wrote_is_read(
    mark: str,
    row: dict[str, str],
    ascii_only: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A byte order mark, a line separator inside a string, half a character and NUL."""
    line = mark + json.dumps(row, ensure_ascii=ascii_only or "\ud83d" in row["text"])
    path = tmp_path / "foreign.jsonl"
    path.write_text(line + "\r\n\n", encoding="utf-8")
    assert _run(str(path), "-o", "json", monkeypatch=monkeypatch) == 0
    assert json.loads(capfd.readouterr().out)["matrix"]["refund"]["refund"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"text": "Gr\xfc\xdfe", "label": "none"}', "foreign.jsonl is not UTF-8 text"),
        (b'{"text": "x", "label": "none"}\n' + b"[" * 100_000, "line 2 is not "),
        (b"1" * 10_000, "line 1 is not "),
    ],
)
def test_what_cannot_be_read_ends_in_one_line(
    content: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Another encoding, brackets without an end, a number without one."""
    path = tmp_path / "foreign.jsonl"
    path.write_bytes(content)
    assert _run(str(path), monkeypatch=monkeypatch) == 1
    assert capfd.readouterr().err.startswith(f"error: {said}")


WRONG = [
    {"text": "How do I export?", "label": "none"},
    {"text": "I want my money back", "label": "angry"},
    {"text": "How do I export?", "label": "legal"},
]


@pytest.fixture
def mistaken(tmp_path: Path) -> str:
    """A right message, an empty line, and two that are told otherwise than labelled."""
    path = tmp_path / "mistaken.jsonl"
    path.write_text("\n".join([json.dumps(WRONG[0]), "", *map(json.dumps, WRONG[1:])]), encoding="utf-8")
    return str(path)


def test_json_names_the_lines_that_were_told_wrongly(
    mistaken: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """By their place in the file, without their text unless it is asked for."""
    told = [{"line": 3, "label": "angry", "got": "refund"}, {"line": 4, "label": "legal", "got": "none"}]
    assert _run(mistaken, "-o", "json", monkeypatch=monkeypatch) == 0
    assert json.loads(capfd.readouterr().out)["wrong"] == told
    assert _run(mistaken, "-o", "json", "--show-wrong", monkeypatch=monkeypatch) == 0
    shown = [row | {"text": given["text"]} for row, given in zip(told, WRONG[1:], strict=True)]
    assert json.loads(capfd.readouterr().out)["wrong"] == shown


def test_the_table_lists_what_was_told_wrongly_when_asked(
    mistaken: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Else it says how many and by which option."""
    assert _run(mistaken, monkeypatch=monkeypatch) == 0
    quiet = capfd.readouterr()
    assert "money" not in quiet.out
    assert "2 messages were told otherwise than labelled: --show-wrong lists them" in quiet.err
    assert _run(mistaken, "--show-wrong", monkeypatch=monkeypatch) == 0
    assert "I want my money back" in capfd.readouterr().out


def test_help_explains_the_columns(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """REACHED is not recall: any reason brings a message to a person."""
    assert _run("--help", monkeypatch=monkeypatch) == 0
    assert "REACHED" in capfd.readouterr().out
