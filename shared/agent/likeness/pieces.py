"""A message in pieces, since a matter often stands in one sentence among others that are about something else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_END = re.compile(r"(?<=[.?!؟।۔])\s+|\n+")
#: Words of a piece; a sentence of fewer than the least goes with its neighbour, one of more than the most is cut.
_LEAST = 3
_MOST = 40
#: A text of more sentences is read sentence by sentence only: pairs would double the work.
_PAIRED = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, and the same with the one before and the one after it, which say how it is meant."""

    text: str
    wider: tuple[str, ...] = ()


def pieces(text: str) -> list[Piece]:
    """The sentences of a text in order, each once."""
    sentences = _sentences(text)
    if len(sentences) > _PAIRED:
        return [Piece(sentence) for sentence in dict.fromkeys(sentences)]
    return list(dict.fromkeys(Piece(sentence, _wider(sentences, at)) for at, sentence in enumerate(sentences)))


def _wider(sentences: Sequence[str], at: int) -> tuple[str, ...]:
    before, after = sentences[max(at - 1, 0) : at + 1], sentences[at : at + 2]
    return tuple(" ".join(pair) for pair in (before, after) if len(pair) > 1)


def _sentences(text: str) -> list[str]:
    """Runs of words that end with a sentence or a line."""
    found: list[list[str]] = []
    for words in _cut(part.split() for part in _END.split(text)):
        if found and (len(words) < _LEAST or len(found[-1]) < _LEAST):
            found[-1] += words
        elif words:
            found.append(words)
    return [" ".join(words) for words in found]


def _cut(parts: Iterable[list[str]]) -> Iterable[list[str]]:
    for words in parts:
        for start in range(0, len(words), _MOST):
            yield words[start : start + _MOST]
