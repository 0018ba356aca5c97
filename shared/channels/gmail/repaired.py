"""What programs make and leave of a part: a boundary that is not told, a comment on its encoding, a footer."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from itertools import takewhile
from typing import Any

from shared.channels.gmail.headers import unfold

# The first line of a multipart is its boundary, unless a preamble stands above it (RFC 2046, section 5.1.1).
_DELIMITER = re.compile(r"(?:\A|\n)--([!-~]{1,70})[ \t]*\r?\n(?=[A-Za-z-]{1,60}:|\r?\n)")
_HEAD = 4096
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_ENCODED_LINE = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_NAME = re.compile(r"[a-z0-9-]+")
# Words stand in short lines with spaces between them; encoders fill theirs.
_FULL_LINE = 40
_FOREIGN_SHARE = 0.02


def with_boundary(part: Message[Any, Any], payload: str) -> Message[Any, Any] | None:
    """A multipart whose parts the parser did not find, read by the delimiter that stands in it; None without one."""
    found = _DELIMITER.search(payload[:_HEAD])
    if found is None or f"--{found[1]}" not in payload[found.end() :]:
        return None
    head = f'Content-Type: {part.get_content_type()}; boundary="{found[1]}"\r\n\r\n'
    read = BytesParser(policy=part.policy).parsebytes((head + payload).encode("utf-8", "surrogateescape"))
    return read if read.is_multipart() else None


def transfer_encoding(part: Message[Any, Any]) -> str:
    """Its name alone: comments, quotes and spaces may stand around it (RFC 2045, sections 5.1 and 6.1)."""
    found = _NAME.search(_COMMENT.sub(" ", unfold(str(part.get("content-transfer-encoding", ""))).lower()))
    if found:
        # The library knows it by this name only.
        part.replace_header("content-transfer-encoding", found[0])
    return found[0] if found else ""


def encoded_until(raw: str) -> int | None:
    """How far a text is base64: all of it, up to what a list appended, or not at all (None)."""
    if _BASE64.fullmatch(raw[:_HEAD]) or _is_spoilt(raw):
        return len(raw)
    lines = raw.splitlines(keepends=True)
    above = list(takewhile(lambda line: _ENCODED_LINE.fullmatch(line.strip()), lines))
    words = [line.strip() for line in above]
    if not words or sum(map(len, words)) % 4:
        return None
    below = "".join(lines[len(above) : len(above) + 1]).strip()
    told = not below or words[-1].endswith("=") or max(map(len, words)) >= _FULL_LINE
    return sum(map(len, above)) if told else None


def _is_spoilt(raw: str) -> bool:
    """Base64 with a few signs that are none of its own, which a reader ignores (RFC 2045, section 6.8)."""
    lines = [line.strip() for line in raw[:_HEAD].splitlines()]
    joined = "".join(lines)
    if max(map(len, lines), default=0) < _FULL_LINE or re.search(r"[ \t]|://", joined):
        return False
    foreign = len(re.sub(r"[A-Za-z0-9+/=]", "", joined))
    return foreign <= len(joined) * _FOREIGN_SHARE
