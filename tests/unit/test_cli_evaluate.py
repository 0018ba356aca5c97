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
    assert set(found) == {"matrix", "labels", "recall", "false_alarms", "messages"}
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
