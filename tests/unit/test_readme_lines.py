"""The lines of JSONL that the README shows are lines that the commands read."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import TypeAdapter

from shared.agent.confusion import LABELS, read_labelled
from shared.cli.knowledge_eval import Asked, Sheet

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def shown(file: str) -> tuple[str, str]:
    """The line of a file, and what is said behind it."""
    found = re.search(rf"^\| `{re.escape(file)}` \| `(\{{.*?\}})`(.*)\|$", README, re.MULTILINE)
    assert found is not None, file
    return found[1], found[2]


def test_a_question_and_a_document_are_read_as_shown() -> None:
    """With every field that is shown, and the question names the document."""
    asked = TypeAdapter(Asked).validate_json(shown("questions.jsonl")[0])
    sheet = TypeAdapter(Sheet).validate_json(shown("docs.jsonl")[0])
    assert asked.relevant == [sheet.id]
    assert sheet.title


def test_a_labelled_message_is_read_as_shown_and_all_labels_are_named() -> None:
    """Those that the command takes, and no other."""
    line, labels = shown("messages.jsonl")
    assert read_labelled([line])[0].label == "refund"
    assert set(re.split(r", | and ", labels.split("labels are ")[1].strip())) == set(LABELS)
