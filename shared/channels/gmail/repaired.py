"""What programs on the way leave of a part: a boundary that is not told, a footer below base64."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from typing import Any

# The first line of a multipart is its boundary, unless a preamble stands above it (RFC 2046, section 5.1.1).
_DELIMITER = re.compile(r"(?:\A|\n)--([!-~]{1,70})[ \t]*\r?\n(?=[A-Za-z-]{1,60}:|\r?\n)")
_HEAD = 4096
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_ENCODED_LINE = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_GAP = re.compile(r"\r?\n[ \t]*\r?\n")


def with_boundary(part: Message[Any, Any], payload: str) -> Message[Any, Any] | None:
    """A multipart whose parts the parser did not find, read by the delimiter that stands in it; None without one."""
    found = _DELIMITER.search(payload[:_HEAD])
    if found is None or f"--{found[1]}" not in payload[found.end() :]:
        return None
    head = f'Content-Type: {part.get_content_type()}; boundary="{found[1]}"\r\n\r\n'
    read = BytesParser(policy=part.policy).parsebytes((head + payload).encode("utf-8", "surrogateescape"))
    return read if read.is_multipart() else None


def encoded_until(raw: str) -> int | None:
    """How far a text is base64: all of it, up to the empty line above what a list appended, or not at all (None)."""
    if _BASE64.fullmatch(raw[:_HEAD]):
        return len(raw)
    gap = _GAP.search(raw)
    above = raw[: gap.start()].split() if gap else []
    whole = sum(map(len, above)) % 4 == 0
    return gap.start() if gap and above and whole and all(map(_ENCODED_LINE.fullmatch, above)) else None
