"""Whether two texts are nearly the same words, told without keeping a word of them: MinHash under a key.

Source: Broder, "On the resemblance and containment of documents" (1997). Of many orders of all words, each picked
by a key, a text's first word is kept, as two bytes of its keyed hash. Two texts agree in as large a part of them
as their sets of words have in common (Jaccard). Where a script leaves no space between words, each three characters
beside one another stand for one: of two, two questions of a person would have too much in common.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from shared.privacy.vault import Vault

_ORDERS = 128
_PRIME = (1 << 61) - 1
#: Of 128 orders; 0.8 of both texts' words are common, and a little less for what is estimated.
_ALIKE = 100
# Of fewer words a single other one makes another question; more would only cost time.
_FEWEST, _MOST = 8, 500
# Thai, Lao, Burmese, Khmer, kana and Han. A word there has about two characters.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_THREE = 0.5
# Fixed: what is stored today is compared with what comes tomorrow. The key is the hash's, not theirs.
_random = random.Random(1997)  # noqa: S311
_FACTORS = [(_random.randrange(1, _PRIME), _random.randrange(_PRIME)) for _ in range(_ORDERS)]


def signature(vault: Vault, words: str) -> bytes | None:
    """256 bytes of a normalised text, or None for one of few words."""
    weights = dict(_parts(words))
    distinct = list(weights)[:_MOST]
    if sum(weights.values()) < _FEWEST:
        return None
    hashes = [int.from_bytes(vault.lookup("word", word)[:8], "big") for word in distinct]
    minima = (min((a * value + b) % _PRIME for value in hashes) for a, b in _FACTORS)
    return b"".join((minimum & 0xFFFF).to_bytes(2, "big") for minimum in minima)


def alike(one: bytes, other: bytes) -> bool:
    """Whether two signatures stand for nearly the same words."""
    pairs = zip(range(0, len(one), 2), range(0, len(other), 2), strict=False)
    return sum(one[a : a + 2] == other[b : b + 2] for a, b in pairs) >= _ALIKE


def unspaced(word: str) -> bool:
    """Whether it is of a script that leaves no space between words: then it is a sentence, or a part of one."""
    return _UNSPACED.search(word) is not None


def _parts(words: str) -> Iterator[tuple[str, float]]:
    """What is compared, each with how much of a word it is."""
    for word in words.split():
        for rest in _UNSPACED.sub(" ", word).split():
            yield rest, 1.0
        for run in _UNSPACED.findall(word):
            yield from ((run[at : at + 3], _THREE) for at in range(max(1, len(run) - 2)))
