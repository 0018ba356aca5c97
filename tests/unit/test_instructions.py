"""Instructions are known by their version: what a decision record names must be one text."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "agent" / "instructions"
#: Version and text (its CRC-32) of what runs now.
KNOWN = {
    "common": ("version: 4", 1814793776),
    "email": ("version: 1", 933725702),
    "web": ("version: 1", 2516242691),
    "whatsapp": ("version: 2", 3841469281),
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_another_text_has_another_version(path: Path) -> None:
    """Raise `version:` with each change of the text, then write both here."""
    version, _, text = path.read_text(encoding="utf-8").partition("\n")
    assert KNOWN[path.stem] == (version, zlib.crc32(text.encode()))
