"""The encoder of `sense` once more, taught on the labelled examples to tell the matters apart.

Its layers above the table of word pieces were moved by `training/tune.py` until the example's label could be read off
the sense; how far each was moved is kept in tuned.npz, in whole steps. The kernel of `model` compares with examples;
this has learned what they have in common, and the two are wrong about different sentences.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.agent.likeness.examples import LABELS, NONE
from shared.agent.likeness.sense import encoder, readable

Vector = npt.NDArray[np.float32]

MOVED = Path(__file__).with_name("tuned.npz")
#: The layers that were moved, by their names in the package; a name with numbers is a list of three.
LAYERS = (
    "proj_W",
    "proj_b",
    "ln_g_all",
    "ln_b_all",
    "ln_g",
    "ln_b",
    "cnn_W",
    "cnn_b",
    "d0",
    "d1",
    "d2",
    "d3",
    "p1",
    "p3",
)
BRANCHES = ("w1", "b1", "w2", "b2")
_BRANCHES = 3
#: Whole steps that a column's largest move is kept in, either way.
_STEPS = 127


@dataclass(frozen=True, slots=True)
class Tuned:
    """The moved encoder, and a column a label that reads its sense."""

    encoder: Any
    head: Vector
    bias: Vector

    def odds(self, texts: Sequence[str]) -> Vector:
        """A row a text, as it was written, a column a label: its logarithmic odds; NONE's against all others."""
        if not texts:
            return np.zeros((0, len(LABELS)), np.float32)
        return odds_of(self.encoder.encode([readable(text) for text in texts]) @ self.head + self.bias)


def odds_of(scores: Vector) -> Vector:
    """Scores with NONE's column set against all others together."""
    none = LABELS.index(NONE)
    others = np.logaddexp.reduce(np.delete(scores, none, axis=1), axis=1)
    found = scores.astype(np.float32)
    found[:, none] -= others
    return found


@cache
def tuned() -> Tuned:
    """The tuned encoder, read once."""
    return stored(MOVED)


def stored(path: Path) -> Tuned:
    """What `store` wrote; the table of word pieces is shared with `sense`."""
    with np.load(path) as content:
        return _with_layers({name: content[name].astype(np.float32) for name in content.files})


def layers(of: Any) -> dict[str, Vector]:
    """The layers of an encoder of the package, a name each."""
    found: dict[str, Vector] = {name: getattr(of, name) for name in LAYERS}
    for name in BRANCHES:
        found.update({f"{name}_{at}": layer for at, layer in enumerate(getattr(of, name))})
    return found


def _with_layers(moves: Mapping[str, Vector]) -> Tuned:
    """The package's encoder with each layer moved; `head` and `bias` are given as they are."""
    ours = copy.copy(encoder())
    moved = {name: layer + _unpacked(moves, name) for name, layer in layers(ours).items()}
    for name in LAYERS:
        setattr(ours, name, moved[name])
    for name in BRANCHES:
        setattr(ours, name, [moved[f"{name}_{at}"] for at in range(_BRANCHES)])
    return Tuned(ours, moves["head"], moves["bias"])


def _unpacked(moves: Mapping[str, Vector], name: str) -> Vector:
    return moves[name] * moves[f"{name}.step"]


def store(moved: Mapping[str, Vector], head: Vector, bias: Vector, path: Path = MOVED) -> None:
    """Write how far each layer was moved, in whole steps of a size for each column."""
    content: dict[str, Any] = {"head": head.astype(np.float16), "bias": bias.astype(np.float16)}
    content.update(packed for name, move in moved.items() for packed in _packed(name, move))
    np.savez_compressed(path, **content)


def _packed(name: str, move: Vector) -> Iterator[tuple[str, Any]]:
    largest = np.abs(move).max(axis=0, keepdims=True)
    step = np.where(largest == 0, 1, largest / _STEPS).astype(np.float32)
    yield name, np.rint(move / step).astype(np.int8)
    yield f"{name}.step", step
