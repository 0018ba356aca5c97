"""The weights learned from the examples, and what they say of a text.

Three views of a text are added: its words, parts of words and ideas (`features`, linear), how near its sense lies to
that of each example (`sense`, a Gaussian of the distance), and what an encoder that was taught on the examples says
(`tuned`). The first two are trained by `train.py` and kept beside it: reading a message takes some milliseconds and no
network, and the same text always gets the same number.
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
from shared.agent.likeness.sense import one_thread, sense
from shared.agent.likeness.tuned import tuned
from shared.channels.fold import fold

Vector = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights.npz")
#: How much a group counts beside the others, each of length 1: ideas tell more than spellings.
GROUPS = {"w": 0.3, "b": 0.3, "c": 0.3, "i": 0.6, "p": 0.6}
#: How much sense counts beside them, and how fast likeness falls with the distance.
_SENSE = 4.0
_FALL = 0.8
_CONSTANT = 0.09
#: How much the logarithmic odds of the taught encoder count beside the other two, and by what all are then divided, so
#: that 1 stays a matter and -1 an ordinary question.
_TAUGHT = 0.1
_TOGETHER = 1.2
#: Examples are stored as whole numbers: this times a coordinate, which is seldom above a third.
_STEPS = 360


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


@dataclass(frozen=True, slots=True)
class Anchors:
    """The sense of each example, a row each, around the `middle` of all."""

    middle: Vector
    rows: Vector

    @classmethod
    def of(cls, vectors: Vector) -> Anchors:
        """The anchors of examples whose senses are given."""
        middle = vectors.mean(axis=0)
        return cls(middle, _around(vectors, middle))

    def near(self, vectors: Vector) -> Vector:
        """How near each of the senses is to each anchor, 0 to _SENSE: a row a sense, a column an anchor."""
        cosines = _around(vectors, self.middle) @ self.rows.T
        return (_SENSE * np.exp(-_FALL * (2 - 2 * cosines)) + _CONSTANT).astype(np.float32)


def _around(vectors: Vector, middle: Vector) -> Vector:
    moved = vectors - middle
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.where(lengths == 0, 1, lengths)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Model:
    """A vocabulary with a row of `weights` a feature, anchors with a row of `pulls` an anchor; a column a label."""

    vocabulary: Vocabulary
    weights: Vector
    anchors: Anchors
    pulls: Vector

    def read(self, text: str) -> list[tuple[str, Likeness]]:
        """Each sentence of a text, folded, with its likeness: half its own, half that of it and a neighbour."""
        parts = pieces(text)
        texts = list(dict.fromkeys(one for part in parts for one in (part.text, *part.wider)))
        judged = dict(zip(texts, map(_judged, self.scores(texts)), strict=True)) if texts else {}
        return [(fold(part.text), _blended(judged[part.text], [judged[one] for one in part.wider])) for part in parts]

    def scores(self, texts: Sequence[str]) -> Vector:
        """A row a text, as it was written; a column a label."""
        with one_thread():
            scores = self.anchors.near(sense(texts)) @ self.pulls + _TAUGHT * tuned().odds(texts)
        for row, text in enumerate(texts):
            columns, values = self.vocabulary.entries(features(fold(text)))
            scores[row] += values @ self.weights[list(columns)]
        return (scores / _TOGETHER).astype(np.float32)


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
        anchors = Anchors(stored["middle"].astype(np.float32), stored["rows"].astype(np.float32) / _STEPS)
        return Model(vocabulary, stored["weights"].astype(np.float32), anchors, stored["pulls"].astype(np.float32))


def store(trained: Model, digest: str, path: Path = WEIGHTS) -> None:
    """Write the model; `digest` says from which files it was trained."""
    content: dict[str, Any] = {
        "names": np.frombuffer("\n".join(trained.vocabulary.columns).encode(), np.uint8),
        "telling": trained.vocabulary.telling.astype(np.float16),
        "weights": trained.weights.astype(np.float16),
        "middle": trained.anchors.middle.astype(np.float16),
        "rows": np.clip(np.rint(trained.anchors.rows * _STEPS), -127, 127).astype(np.int8),
        "pulls": trained.pulls.astype(np.float16),
        "digest": np.frombuffer(digest.encode(), np.uint8),
    }
    np.savez_compressed(path, **content)


def stored_digest(path: Path = WEIGHTS) -> str:
    """From which files the stored model was trained."""
    with np.load(path) as stored:
        return bytes(stored["digest"]).decode()
