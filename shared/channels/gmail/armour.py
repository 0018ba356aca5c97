"""What stands armoured in a plain text: uuencoded files, and OpenPGP's signed or encrypted text."""

from __future__ import annotations

import binascii
import re

#: Stands for what only its recipient's key opens; a person sees it, and the agent finds no answer to it.
ENCRYPTED = "[This message is encrypted and cannot be read here.]"

_UUENCODED = re.compile(
    r"^begin [0-7]{3,4} ([^\n]{1,255})\n((?:[\x20-\x60]{1,90}\n)*?)(?:[`\x20]\n)?end[ \t]*$", re.MULTILINE
)
_MOST_FILES = 20
# RFC 9580, sections 6.2 and 7; older versions wrote the same.
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n)*\n"
    r"(.*?)\n-----BEGIN PGP SIGNATURE-----\n.*?-----END PGP SIGNATURE-----[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_SECRET = re.compile(
    r"^-----BEGIN PGP MESSAGE(?:, PART [^\n-]{1,20})?-----[ \t]*\n.*?-----END PGP MESSAGE[^\n]{0,30}-----[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_ESCAPED = re.compile(r"^- ", re.MULTILINE)


def files_in(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without its uuencoded files (POSIX uuencode), and these as (name, contents)."""
    files: list[tuple[str, bytes]] = []

    def take(found: re.Match[str]) -> str:
        contents = _uudecoded(found[2]) if len(files) < _MOST_FILES else None
        if contents is None:
            return found[0]
        files.append((found[1].strip(), contents))
        return ""

    if "\nend" not in text:
        return text, files
    return _UUENCODED.sub(take, text), files


def disarmoured(text: str) -> str:
    """Signed text without its armour, encrypted text as a note that says so."""
    if not 0 < text.count("-----BEGIN PGP ") <= _MOST_FILES:
        return text
    bare = _SIGNED.sub(lambda found: _ESCAPED.sub("", found[1]), text)
    return _SECRET.sub(ENCRYPTED, bare)


def _uudecoded(lines: str) -> bytes | None:
    """None for lines that only look like it."""
    rows = lines.splitlines()
    # A row begins with how many bytes it has, four letters for three; spaces at its end may be lost on the way.
    if any(len(row) < (ord(row[0]) - 32) % 64 * 2 // 3 for row in rows if row):
        return None
    try:
        return b"".join(binascii.a2b_uu(row.rstrip(" ") or " ") for row in rows) or None
    except (binascii.Error, ValueError):
        return None
