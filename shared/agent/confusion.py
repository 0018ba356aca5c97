"""How well the check before the model tells matters apart, over labelled messages: the confusion matrix."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.agent.escalation import FOUND_HERE, Policy, check
from shared.channels.plain_text import clean
from shared.errors import Permanent

NONE = "none"
#: What a message may be labelled with, and what the check may say of it.
LABELS = (*(reason.value for reason in FOUND_HERE), NONE)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message and what a colleague would have called it; `line`, where it stands in its file."""

    text: str
    label: str
    line: int = 0


def read_labelled(lines: Iterable[str]) -> list[Labelled]:
    """JSONL of `{"text", "label"}`; other keys and empty lines are ignored. Raises Permanent and names the line.

    A text is cleaned as every channel cleans what it receives: the check never sees half a character.
    """
    found = [_labelled(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise Permanent('the file holds no message: each line is {"text": "…", "label": "…"}', reason="no-messages")
    return found


def _labelled(number: int, line: str) -> Labelled:
    try:
        row = json.loads(line)
        text, label = row["text"], row["label"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Permanent(f'line {number} is not {{"text": "…", "label": "…"}}', reason="bad-line") from None
    if not isinstance(text, str) or label not in LABELS:
        raise Permanent(f"line {number}: text is a string, label one of {', '.join(LABELS)}", reason="bad-line")
    return Labelled(clean(text), label, number)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A message that was told otherwise than it is labelled: `got` is a reason, or none."""

    message: Labelled
    got: str

    def row(self, *, text: bool) -> dict[str, Any]:
        """`line`, `label` and `got`; what it says only if `text`."""
        facts = {"line": self.message.line, "label": self.message.label, "got": self.got}
        return facts | ({"text": self.message.text} if text else {})


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label was given each reason; every label has a row, every reason a column."""

    matrix: Mapping[str, Mapping[str, int]]
    wrong: tuple[Wrong, ...] = ()

    @property
    def recall(self) -> float:
        """Share of the matters that reach a person, for whichever reason; 1 when there is none."""
        matters = [label for label in LABELS if label != NONE]
        total = sum(self._total(label) for label in matters)
        return 1 - sum(self.matrix[label][NONE] for label in matters) / total if total else 1.0

    @property
    def false_alarms(self) -> float:
        """Share of the ordinary messages that reach a person; 0 when there is none."""
        total = self._total(NONE)
        return 1 - self.matrix[NONE][NONE] / total if total else 0.0

    def _total(self, label: str) -> int:
        return sum(self.matrix[label].values())

    def rows(self) -> list[dict[str, Any]]:
        """One row a label that occurs: its counts, `reached` (share that a person sees), `recall` and `precision`."""
        return [self._row(label) for label in LABELS if self._total(label)]

    def _row(self, label: str) -> dict[str, Any]:
        given = sum(self.matrix[other][label] for other in LABELS)
        right, total = self.matrix[label][label], self._total(label)
        return {
            "label": label,
            **self.matrix[label],
            "messages": total,
            "reached": round(1 - self.matrix[label][NONE] / total, 4),
            "recall": round(right / total, 4),
            "precision": round(right / given, 4) if given else None,
        }

    def summary(self, *, texts: bool = False) -> dict[str, Any]:
        """Everything, for programs: see `fte eval escalation -o json`. `texts`: also of what was told wrongly."""
        return {
            "matrix": self.matrix,
            "labels": {row["label"]: {key: row[key] for key in _PER_LABEL} for row in self.rows()},
            "recall": round(self.recall, 4),
            "false_alarms": round(self.false_alarms, 4),
            "messages": sum(self._total(label) for label in LABELS),
            "wrong": [one.row(text=texts) for one in self.wrong],
        }


_PER_LABEL = ("messages", "reached", "recall", "precision")


def confusion(labelled: Sequence[Labelled], *, policy: Policy = "strict") -> Confusion:
    """Check every message. The reason counted is the one that would be recorded: the first of several."""
    told = [(one, _reason(one.text, policy)) for one in labelled]
    counts = Counter((one.label, got) for one, got in told)
    matrix = {label: {reason: counts[label, reason] for reason in LABELS} for label in LABELS}
    return Confusion(matrix, tuple(Wrong(one, got) for one, got in told if got != one.label))


def _reason(text: str, policy: Policy) -> str:
    found = check([text], policy=policy)
    return found.reason.value if found else NONE
