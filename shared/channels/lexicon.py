"""Word lists: words under headings, in text files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_HEADING = re.compile(r"^\[(.+)\]$", re.MULTILINE)


@cache
def word_lists(file: Path) -> Mapping[str, frozenset[str]]:
    """The lists of a file by heading; read once."""
    _, *parts = _HEADING.split(file.read_text(encoding="utf-8"))
    return {heading: frozenset(words.split()) for heading, words in zip(parts[::2], parts[1::2], strict=True)}
