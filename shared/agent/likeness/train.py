"""Learn the weights from the examples: `python -m shared.agent.likeness.train` (or `make escalation`).

Kernel ridge regression, one column a label, solved in closed form: no chance, no steps to tune. Prints what five-fold
cross-validation says of the examples that were left out, then writes weights.npz.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

import numpy as np

from shared.agent.likeness.examples import LABELS, NONE, Example, load_examples
from shared.agent.likeness.features import features
from shared.agent.likeness.model import Anchors, Model, Vector, Vocabulary, store
from shared.agent.likeness.sense import sense
from shared.channels.fold import fold

#: A feature must occur in as many examples to be learned.
_SEEN = 2
#: A column in so few examples is added pair by pair.
_RARE = 200
#: How strongly large weights are avoided; chosen by cross-validation (specs/decisions/0029).
_RIDGE = 1.0
_FOLDS = 5
#: Lines that are left out together.
_RUN = 20


def train(examples: Sequence[Example], senses: Vector | None = None) -> Model:
    """The model of these examples; `senses`, their rows of `sense`, if they are known already."""
    return _learned(examples, sense([example.text for example in examples]) if senses is None else senses)[0]


def _learned(examples: Sequence[Example], senses: Vector) -> tuple[Model, Vector]:
    """The model, and how alike each two of the examples are."""
    counted = [features(fold(example.text)) for example in examples]
    vocabulary = _vocabulary(counted)
    rows = [vocabulary.entries(counts) for counts in counted]
    anchors = Anchors.of(senses)
    kernel = anchors.near(senses)
    _add_words(kernel, rows, len(vocabulary.columns))
    pulls = _solved(kernel, _wanted(examples))
    weights = np.zeros((len(vocabulary.columns), len(LABELS)), np.float32)
    for (columns, values), pull in zip(rows, pulls, strict=True):
        weights[list(columns)] += np.outer(values, pull)
    return Model(vocabulary, weights, anchors, pulls), kernel


def _add_words(kernel: Vector, rows: Sequence[tuple[Sequence[int], Vector]], size: int) -> None:
    """Add the product of each two rows. Most columns are rare and touch few pairs: only the others are multiplied."""
    where, what = np.concatenate([np.array(row[0], np.intp) for row in rows]), np.concatenate([row[1] for row in rows])
    order = np.argsort(where, kind="stable")
    examples = np.repeat(np.arange(len(rows)), [len(row[0]) for row in rows])[order]
    ends = np.cumsum(np.bincount(where, minlength=size))
    columns = list(zip(np.split(examples, ends[:-1]), np.split(what[order], ends[:-1]), strict=True))
    for inside, values in (column for column in columns if len(column[0]) <= _RARE):
        kernel[np.ix_(inside, inside)] += np.outer(values, values)
    often = [column for column in columns if len(column[0]) > _RARE]
    dense = np.zeros((len(rows), len(often)), np.float32)
    for at, (inside, values) in enumerate(often):
        dense[inside, at] = values
    kernel += dense @ dense.T


def _wanted(examples: Sequence[Example]) -> Vector:
    return np.array([[1 if one.label == label else -1 for label in LABELS] for one in examples], np.float32)


def _solved(kernel: Vector, wanted: Vector) -> Vector:
    return np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel), dtype=np.float32), wanted).astype(np.float32)


def _vocabulary(counted: Sequence[Mapping[str, int]]) -> Vocabulary:
    seen = Counter(name for counts in counted for name in counts)
    names = sorted(name for name, count in seen.items() if count >= _SEEN)
    telling = [log((1 + len(counted)) / (1 + seen[name])) + 1 for name in names]
    return Vocabulary({name: at for at, name in enumerate(names)}, np.array(telling, np.float32))


def left_out(examples: Sequence[Example], kernel: Vector) -> Vector:
    """The value of each example by a model that was trained without its fold.

    Lines that stand together were often written together, so that a run of them is left out as one.
    """
    values = np.zeros(len(examples), np.float32)
    folds = np.arange(len(examples)) // _RUN % _FOLDS
    wanted = _wanted(examples)
    for number in range(_FOLDS):
        inside, outside = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        pulls = _solved(kernel[np.ix_(inside, inside)], wanted[inside])
        values[outside] = -(kernel[np.ix_(outside, inside)] @ pulls)[:, LABELS.index(NONE)]
    return values


def report(examples: Sequence[Example], values: Vector) -> str:
    """Recall and false alarms at some thresholds, of the likeness alone."""
    person = np.array([example.label != NONE for example in examples])
    lines = ["threshold  recall  false alarms"]
    for threshold in np.arange(-0.2, 0.9, 0.1):
        above = values > threshold
        lines.append(f"{threshold:9.1f}  {above[person].mean():6.3f}  {above[~person].mean():12.3f}")
    return "\n".join(lines)


def digest() -> str:
    """Of the files that the weights follow from: examples, ideas, Urdu words, and how they are read."""
    folder = Path(__file__).parent
    files = [*folder.glob("examples/*.txt"), *folder.glob("ideas/*.txt"), folder / "urdu.txt", Path(__file__)]
    files += [folder / name for name in ("features.py", "gloss.py", "model.py", "sense.py")]
    files.append(folder.parents[1] / "channels" / "fold.py")
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()


def _main() -> None:
    examples = load_examples()
    learned, kernel = _learned(examples, sense([example.text for example in examples]))
    store(learned, digest())
    sys.stdout.write(f"{len(examples)} examples\n{report(examples, left_out(examples, kernel))}\n")


if __name__ == "__main__":
    _main()
