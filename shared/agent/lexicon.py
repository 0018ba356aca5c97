"""Word lists: words/*.txt, words under headings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"
_HEADING = re.compile(r"^\[(.+)\]$", re.MULTILINE)


@cache
def word_lists(name: str) -> Mapping[str, frozenset[str]]:
    """The lists of words/`name`.txt by heading; read once."""
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(text)
    return {heading: frozenset(words.split()) for heading, words in zip(parts[::2], parts[1::2], strict=True)}
