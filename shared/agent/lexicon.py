"""The agent's word lists: words/*.txt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.channels import lexicon

_FOLDER = Path(__file__).parent / "words"


def word_lists(name: str) -> Mapping[str, frozenset[str]]:
    """The lists of words/`name`.txt by heading; read once."""
    return lexicon.word_lists(_FOLDER / f"{name}.txt")
