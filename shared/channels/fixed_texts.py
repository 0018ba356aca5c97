"""Fixed texts of ours: blocks under [NAME] in a text file, wrapped there and not in what is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_BLOCK = re.compile(r"^\[([\w.]+)\]$", re.MULTILINE)


@cache
def fixed_texts(file: Path) -> Mapping[str, str]:
    """The blocks of a file by name; read once."""
    _, *parts = _BLOCK.split(file.read_text(encoding="utf-8"))
    return {name: _paragraphs(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _paragraphs(text: str) -> str:
    """Lines of one paragraph joined: the file is wrapped, the message is not."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))
