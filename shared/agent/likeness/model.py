"""The weights learned from the examples, and what they say of a text.

A linear model over `features` and WordLlama's embedding, trained by `train.py` and kept beside it: reading a message
takes about a millisecond and no network, and the same text always gets the same number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.agent.likeness.examples import LABELS, NONE
from shared.agent.likeness.features import features
from shared.agent.likeness.pieces import pieces
from shared.knowledge.embed import DIMENSIONS, load_wordllama

Vector = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights.npz")
#: How much a group counts beside the others, each of length 1: ideas tell more than spellings.
GROUPS = {"w": 1.0, "b": 1.0, "c": 1.0, "i": 2.0, "p": 2.0}
_EMBEDDING = 2.0
_CONSTANT = 0.3


@dataclass(frozen=True, slots=True)
class Likeness:
    """`value` is about 1 for a matter of a person and about -1 for an ordinary question; `label` the likest matter."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features known from the examples, each with its column and how telling it is (inverse document frequency)."""

    columns: Mapping[str, int]
    telling: Vector

    def entries(self, counts: Mapping[str, int]) -> tuple[Sequence[int], Vector]:
        """Columns and values of one text; every group has the length of GROUPS."""
        grouped: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for name, count in counts.items():
            column = self.columns.get(name)
            if column is not None:
                grouped[name[0]].append((column, count))
        columns = [column for group in grouped.values() for column, _ in group]
        parts = [self._scaled(GROUPS[name], group) for name, group in grouped.items()]
        return columns, np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _scaled(self, weight: float, group: Sequence[tuple[int, int]]) -> Vector:
        columns, counts = zip(*group, strict=True)
        values = (1 + np.log(np.array(counts, np.float32))) * self.telling[list(columns)]
        length = float(np.linalg.norm(values))
        return (values * (weight / length)).astype(np.float32)


def dense(folded: Sequence[str]) -> Vector:
    """The embedding of each text, of length _EMBEDDING, and a constant: a row a text."""
    vectors = np.asarray(load_wordllama().embed(list(folded)), np.float32).reshape(len(folded), DIMENSIONS)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = _EMBEDDING * vectors / np.where(lengths == 0, 1, lengths)
    return np.hstack([scaled.astype(np.float32), np.full((len(folded), 1), _CONSTANT, np.float32)])


@dataclass(frozen=True, slots=True)
class Model:
    """A vocabulary, and the weights: a row a feature, then the rows of `dense`; a column a label."""

    vocabulary: Vocabulary
    weights: Vector

    def read(self, folded: str) -> list[tuple[str, Likeness]]:
        """Each sentence of a folded text with its likeness: half its own, half that of it and a neighbour."""
        parts = pieces(folded)
        texts = list(dict.fromkeys(text for part in parts for text in (part.text, *part.wider)))
        judged = dict(zip(texts, map(_judged, self.scores(texts)), strict=True)) if texts else {}
        return [(part.text, _blended(judged[part.text], [judged[text] for text in part.wider])) for part in parts]

    def scores(self, folded: Sequence[str]) -> Vector:
        """A row a text, a column a label."""
        known = len(self.vocabulary.columns)
        scores = dense(folded) @ self.weights[known:]
        for row, text in enumerate(folded):
            columns, values = self.vocabulary.entries(features(text))
            scores[row] += values @ self.weights[list(columns)]
        return scores


def _judged(row: Vector) -> Likeness:
    none = LABELS.index(NONE)
    best = int(np.argmax(row[:none]))
    return Likeness(-float(row[none]), LABELS[best])


def _blended(own: Likeness, wider: Sequence[Likeness]) -> Likeness:
    if not wider:
        return own
    best = max(wider, key=lambda one: one.value)
    return Likeness((own.value + best.value) / 2, max(own, best, key=lambda one: one.value).label)


@cache
def model() -> Model:
    """The trained model, read once."""
    with np.load(WEIGHTS) as stored:
        names = bytes(stored["names"]).decode().split("\n")
        vocabulary = Vocabulary({name: at for at, name in enumerate(names)}, stored["telling"].astype(np.float32))
        return Model(vocabulary, stored["weights"].astype(np.float32))


def store(trained: Model, digest: str, path: Path = WEIGHTS) -> None:
    """Write the model; `digest` says from which files it was trained."""
    content: dict[str, Any] = {
        "names": np.frombuffer("\n".join(trained.vocabulary.columns).encode(), np.uint8),
        "telling": trained.vocabulary.telling.astype(np.float16),
        "weights": trained.weights.astype(np.float16),
        "digest": np.frombuffer(digest.encode(), np.uint8),
    }
    np.savez_compressed(path, **content)


def stored_digest(path: Path = WEIGHTS) -> str:
    """From which files the stored model was trained."""
    with np.load(path) as stored:
        return bytes(stored["digest"]).decode()
