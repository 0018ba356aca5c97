"""The encoder of `shared.agent.likeness.sense` as something that can be taught: the same layers, in JAX.

The package's own forward pass is numpy, which knows no gradients. `same_as_package` says whether the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from shared.agent.likeness.sense import encoder, sense
from shared.agent.likeness.tuned import layers

Layers = Mapping[str, jax.Array]
#: Words of each branch's window, and how many of them stand before the word.
_ORDERS = ((2, 0), (3, 1), (5, 2))
_WIDTH = 256
#: Lengths of a batch go up by as many word pieces, so that few shapes are compiled.
_STEP = 16
#: What the head is multiplied by while it is taught: senses are short, and Adam takes small steps.
HEAD = 10.0


def tokens(texts: Sequence[str]) -> list[np.ndarray]:
    """The word pieces of each text, as the package cuts them."""
    return [np.array(encoder().sp.encode(text, out_type=int, add_bos=True, add_eos=True)) for text in texts]


def padded(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the word pieces (texts x pieces x 512), and 1 where a piece stands (texts x pieces)."""
    ours = encoder()
    size = -(-max(len(row) for row in rows) // _STEP) * _STEP
    values = np.zeros((len(rows), size, ours.table.shape[1]), np.float32)
    mask = np.zeros((len(rows), size), np.float32)
    for at, row in enumerate(rows):
        chunk = row % len(ours.scale)
        values[at, : len(row)] = ours.table[row] * ours.scale[chunk][:, None] + ours.lo[chunk][:, None]
        mask[at, : len(row)] = 1
    return values, mask


def package_layers() -> dict[str, jax.Array]:
    """The layers as the package has them."""
    return {name: jnp.array(layer, jnp.float32) for name, layer in layers(encoder()).items()}


def forward(
    own: Layers, values: jax.Array, mask: jax.Array, key: jax.Array | None = None, drop: float = 0.1
) -> jax.Array:
    """The sense of each text, of length 1; with a `key` parts of the layers are left out by chance, for teaching."""
    keys = (None, None) if key is None else jax.random.split(key)
    there = mask[..., None]
    count = mask.sum(1, keepdims=True)
    found = _normal(jnp.concatenate([values, *_branches(own, values, there)], -1), own["ln_g"], own["ln_b"])
    found = _some(found, keys[0], drop)
    mean = ((found * there).sum(1) @ own["cnn_W"] + count * own["cnn_b"]) / jnp.sqrt(count)
    first = jax.nn.relu(mean @ own["d0"])
    second = _some(jax.nn.relu(mean @ own["p1"] + first @ own["d1"]), keys[1], drop)
    sense_of = jnp.tanh(second @ own["p3"] + jax.nn.relu(second @ own["d2"]) @ own["d3"])
    return sense_of / jnp.sqrt(jnp.clip((sense_of**2).sum(-1, keepdims=True), encoder().eps, None))


def read(own: Layers, senses: jax.Array) -> jax.Array:
    """A column a label, of the senses."""
    return senses @ own["head"] * HEAD + own["bias"]


def same_as_package(texts: Sequence[str]) -> bool:
    """Whether both forward passes give the same senses."""
    ours = forward(package_layers(), *map(jnp.array, padded(tokens(texts))))
    return bool(np.abs(np.array(ours) - sense(texts)).max() < 1e-3)


def _branches(own: Layers, values: jax.Array, there: jax.Array) -> list[jax.Array]:
    inside = _normal(values @ own["proj_W"] + own["proj_b"], own["ln_g_all"], own["ln_b_all"]) * there
    found: list[jax.Array] = []
    for at, (words, before) in enumerate(_ORDERS):
        one = inside[..., at * _WIDTH : (at + 1) * _WIDTH]
        two = (jax.nn.relu(_windows(one, words, before) @ own[f"w1_{at}"] + own[f"b1_{at}"]) + one) * there
        found.append((jax.nn.relu(_windows(two, words, before) @ own[f"w2_{at}"] + own[f"b2_{at}"]) + two) * there)
    return found


def _windows(values: jax.Array, words: int, before: int) -> jax.Array:
    """Each piece with its neighbours beside it."""
    size = values.shape[1]
    wider = jnp.pad(values, ((0, 0), (before, words - 1 - before), (0, 0)))
    return jnp.concatenate([wider[:, at : at + size] for at in range(words)], -1)


def _normal(values: jax.Array, gain: jax.Array, shift: jax.Array) -> jax.Array:
    middle = values.mean(-1, keepdims=True)
    spread = ((values - middle) ** 2).mean(-1, keepdims=True)
    return (values - middle) / jnp.sqrt(spread + encoder().eps) * gain + shift


def _some(values: jax.Array, key: jax.Array | None, drop: float) -> jax.Array:
    if key is None:
        return values
    return values * jax.random.bernoulli(key, 1 - drop, values.shape) / (1 - drop)
