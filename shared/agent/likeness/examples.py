"""The labelled examples: examples/*.txt, one file a language.

A line is a label, a space and a message, in which `\\n` stands for a line break. A label with `?` asks about what the
company publishes (list prices, the refund policy), which ESCALATION_POLICY=published lets the agent answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: In the order of the columns of the weights.
LABELS = ("refund", "refund?", "pricing", "pricing?", "legal", "angry", "human", "none")
NONE = "none"
_FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """One message as a customer wrote it, with its label and the language's code."""

    label: str
    text: str
    language: str


def load_examples() -> list[Example]:
    """All of them, in a fixed order. Raises ValueError for a line without a known label."""
    return [example for path in sorted(_FOLDER.glob("*.txt")) for example in _read(path)]


def _read(path: Path) -> Iterator[Example]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        label, _, text = line.partition(" ")
        if label not in LABELS or not text.strip():
            raise ValueError(f"{path.name}, line {number}: begins with none of {', '.join(LABELS)}")
        yield Example(label, text.replace("\\n", "\n"), path.stem)
