"""Teach the encoder on the examples: `make escalation-encoder`, then `make escalation`.

Adam on all layers above the table of word pieces. Each time an example is shown it may be misspelt, joined to an
ordinary one, or want some words: the ways in which customers' own sentences will differ. Half an hour on two cores.
`--without N/M` leaves out the N-th of M parts of every language, reports on it, and stores nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from shared.agent.likeness.examples import LABELS, NONE, Example, load_examples
from shared.agent.likeness.sense import SIZE, readable
from shared.agent.likeness.tuned import odds_of, store
from training.blur import blurred
from training.encoder import HEAD, forward, package_layers, padded, read, same_as_package, tokens

_BATCH = 64
_RATE, _HEAD_RATE, _WARM, _LAST = 6e-4, 1e-3, 0.1, 0.05
#: How much of an example's label is spread over the others, since some labels are wrong.
_SPREAD = 0.05
#: How often an example is misspelt, joined to an ordinary one of its language, robbed of words; and of how many.
_BLURRED, _JOINED, _ROBBED, _WORDS = 0.3, 0.2, 0.5, 0.2
#: Word pieces of what is joined, at most; batches of about one length are made of as many batches.
_JOINABLE, _SORTED = 40, 30
_VARIANTS = 3
#: Shares of false alarms at which a report tells the recall.
_SHARES = (0.02, 0.03, 0.05, 0.08)

#: All layers by name, with `head` and `bias`.
Taught = dict[str, jax.Array]


@dataclass
class Lessons:
    """The examples in word pieces, and batches of them as they are shown."""

    examples: Sequence[Example]
    seed: int
    plain: list[np.ndarray] = field(init=False)
    variants: list[list[np.ndarray]] = field(init=False)

    def __post_init__(self) -> None:
        chance = Random(self.seed)  # noqa: S311 - a choice of misspellings, no secret
        self.chance = np.random.default_rng(self.seed)
        self.plain = tokens([readable(one.text) for one in self.examples])
        self.variants = [
            tokens([readable(blurred(one.text, chance)) for _ in range(_VARIANTS)]) for one in self.examples
        ]
        self.ordinary = {
            language: [at for at, one in enumerate(self.examples) if (one.label, one.language) == (NONE, language)]
            for language in {one.language for one in self.examples}
        }

    def batches(self) -> Iterator[np.ndarray]:
        """Every example once, in batches of about one length, in any order."""
        order = self.chance.permutation(len(self.examples))
        lengths = np.array([len(row) for row in self.plain])
        chunks = np.array_split(order, max(1, len(order) // (_BATCH * _SORTED)))
        order = np.concatenate([chunk[np.argsort(lengths[chunk], kind="stable")] for chunk in chunks])
        starts = range(0, len(order) - _BATCH + 1, _BATCH)
        for at in self.chance.permutation(len(starts)):
            yield order[starts[at] : starts[at] + _BATCH]

    def shown(self, at: int) -> np.ndarray:
        """One example as it is shown this time."""
        row = self.variants[at][self.chance.integers(_VARIANTS)] if self._by(_BLURRED) else self.plain[at]
        other = self.plain[self.chance.choice(self.ordinary[self.examples[at].language])]
        if self._by(_JOINED) and max(len(row), len(other)) < _JOINABLE:
            first, second = (row, other) if self._by(0.5) else (other, row)
            row = np.concatenate([first[:-1], second[1:]])
        if self._by(_ROBBED):
            kept = self.chance.random(len(row)) > _WORDS
            kept[[0, -1]] = True
            row = row[kept]
        return row

    def _by(self, share: float) -> bool:
        return bool(self.chance.random() < share)

    def wanted(self) -> np.ndarray:
        """A row an example, a column a label."""
        rows = np.full((len(self.examples), len(LABELS)), _SPREAD / len(LABELS), np.float32)
        rows[np.arange(len(rows)), [LABELS.index(one.label) for one in self.examples]] += 1 - _SPREAD
        return rows


def teach(examples: Sequence[Example], epochs: int, seed: int) -> Taught:
    """All layers, and the columns that read the sense, after as many times through the examples."""
    lessons = Lessons(examples, seed)
    own = package_layers() | {"head": jnp.zeros((SIZE, len(LABELS))), "bias": jnp.zeros(len(LABELS))}
    steps = optimiser(epochs * (len(examples) // _BATCH), own)
    state, wanted, key = steps.init(own), lessons.wanted(), jax.random.PRNGKey(seed)

    @jax.jit
    def step(own: Taught, state: Any, values: Any, mask: Any, wanted: Any, key: Any) -> tuple[Taught, Any, Any]:
        loss, slope = jax.value_and_grad(_loss)(own, values, mask, wanted, key)
        change, state = steps.update(slope, state, own)
        return optax.apply_updates(own, change), state, loss

    for epoch in range(epochs):
        losses: list[float] = []
        for batch in lessons.batches():
            key, chance = jax.random.split(key)
            values, mask = padded([lessons.shown(at) for at in batch])
            own, state, loss = step(own, state, values, mask, wanted[batch], chance)
            losses.append(float(loss))
        sys.stdout.write(f"epoch {epoch + 1} of {epochs}, loss {np.mean(losses):.3f}\n")
        sys.stdout.flush()
    return own


def _loss(own: Taught, values: jax.Array, mask: jax.Array, wanted: jax.Array, key: jax.Array) -> jax.Array:
    first, second = jax.random.split(key)
    senses = forward(own, values, mask, first)
    kept = senses * jax.random.bernoulli(second, 0.9, senses.shape) / 0.9
    return -(wanted * jax.nn.log_softmax(read(own, kept))).sum(-1).mean()


def optimiser(steps: int, own: Taught) -> optax.GradientTransformation:
    """Adam, its rate rising and falling; the columns that read the sense begin at nothing and move faster."""

    def rate(most: float) -> optax.Schedule:
        return optax.warmup_cosine_decay_schedule(0, most, int(steps * _WARM), steps, most * _LAST)

    kinds = {name: "head" if name in {"head", "bias"} else "layers" for name in own}
    moves = {"layers": optax.adam(rate(_RATE)), "head": optax.adamw(rate(_HEAD_RATE), weight_decay=1e-2)}
    return optax.chain(optax.clip_by_global_norm(1.0), optax.multi_transform(moves, kinds))


def keep(own: Taught) -> None:
    """Write what was learned beside the model."""
    before = package_layers()
    moved = {name: np.array(own[name] - layer) for name, layer in before.items()}
    store(moved, np.array(own["head"]) * HEAD, np.array(own["bias"]))


def odds(own: Taught, texts: Sequence[str]) -> np.ndarray:
    """How likely each text is a matter, as logarithmic odds."""
    found: list[np.ndarray] = []
    for start in range(0, len(texts), _BATCH):
        values, mask = padded(tokens([readable(one) for one in texts[start : start + _BATCH]]))
        found.append(np.array(read(own, forward(own, jnp.array(values), jnp.array(mask)))))
    return -odds_of(np.concatenate(found))[:, LABELS.index(NONE)]


def part(examples: Sequence[Example], number: int, parts: int) -> np.ndarray:
    """Which examples stand in the numbered one of as many parts of their language's file."""
    places: dict[str, int] = defaultdict(int)
    sizes, inside = Counter(one.language for one in examples), np.zeros(len(examples), bool)
    for at, one in enumerate(examples):
        inside[at] = places[one.language] * parts // sizes[one.language] == number - 1
        places[one.language] += 1
    return inside


def report(examples: Sequence[Example], values: np.ndarray) -> str:
    """Recall at some shares of false alarms."""
    person = np.array([one.label != NONE for one in examples])
    recalls = {share: (values[person] > np.quantile(values[~person], 1 - share)).mean() for share in _SHARES}
    lines = [f"{share:12.2f}  {recall:6.3f}" for share, recall in recalls.items()]
    return "\n".join([f"{len(examples)} left out", "false alarms  recall", *lines])


def _main() -> None:
    asked = argparse.ArgumentParser(description="Teach the encoder of the escalation check on its examples.")
    asked.add_argument("--epochs", type=int, default=7)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--without", metavar="N/M", help="leave out the N-th of M parts, report on it, store nothing")
    given = asked.parse_args()
    examples = load_examples()
    if not same_as_package([one.text for one in examples[:50]]):
        raise SystemExit("this JAX calculates another sense than the package: nothing was written")
    if not given.without:
        keep(teach(examples, given.epochs, given.seed))
        return
    left_out = part(examples, *map(int, given.without.split("/")))
    own = teach([one for one, out in zip(examples, left_out, strict=True) if not out], given.epochs, given.seed)
    rest = [one for one, out in zip(examples, left_out, strict=True) if out]
    sys.stdout.write(report(rest, odds(own, [one.text for one in rest])) + "\n")


if __name__ == "__main__":
    _main()
