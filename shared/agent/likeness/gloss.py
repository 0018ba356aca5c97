"""Urdu in English words, one by one, since the encoder of `sense` was not taught Urdu.

No translation: the order stays, and what is unknown stays as it is. It is enough to tell "my money back do" from "my
password new do". Urdu written in Latin letters is read only where a sentence has words that no other language has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.channels.fold import letters

_WORDS = Path(__file__).with_name("urdu.txt")
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
#: Letters that Urdu has and Arabic does not.
_URDU_LETTERS = re.compile("[ٹڈڑںےۓہگچپ]")
#: Latin words that are Urdu's alone, of which a sentence needs as many.
_SIGNS = 2


def glossed(text: str) -> str:
    """The text, with its Urdu words in English if it is Urdu."""
    if _URDU_LETTERS.search(text):
        return _TOKEN.sub(_english, text)
    signs = sum(token.lower() in _signs() for token in _TOKEN.findall(text))
    return _TOKEN.sub(_english, text) if signs >= _SIGNS else text


def _english(match: re.Match[str]) -> str:
    return _lexicon().get(letters(match[0].lower()), match[0])


@cache
def _lexicon() -> Mapping[str, str]:
    """Each Urdu word, in its spellings, with its English."""
    found: dict[str, str] = {}
    for line in _WORDS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            english, _, spellings = line.partition(" = ")
            found.update((letters(one.lstrip("*")), english) for one in spellings.split())
    return found


@cache
def _signs() -> frozenset[str]:
    """The Latin spellings that are marked with a star: only Urdu has them."""
    text = _WORDS.read_text(encoding="utf-8")
    return frozenset(one[1:] for line in text.splitlines() if line[:1] != "#" for one in line.split() if one[:1] == "*")
