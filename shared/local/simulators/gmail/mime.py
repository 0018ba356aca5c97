"""Reading RFC 5322 messages as they are: nothing is repaired, nothing raises."""

from __future__ import annotations

import html
import re
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from functools import lru_cache
from typing import Any, TypeAlias

Mail: TypeAlias = "Message[Any, Any]"

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@lru_cache(maxsize=256)
def parse(raw: bytes) -> Mail:
    """The message; shared, so callers only read it."""
    return message_from_bytes(raw, policy=policy.compat32)


def headers(mail: Mail) -> list[tuple[str, str]]:
    """Every header in order, unfolded and decoded to text (RFC 2047)."""
    return [(name, readable(str(value))) for name, value in mail.raw_items()]


def header(mail: Mail, name: str) -> str:
    """The first header of that name, or nothing."""
    return next((value for key, value in headers(mail) if key.lower() == name.lower()), "")


def readable(value: str) -> str:
    unfolded = _FOLD.sub("", value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(unfolded)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return unfolded


def message_ids(value: str) -> tuple[str, ...]:
    """The msg-ids of a Message-ID, In-Reply-To or References header (RFC 5322, 3.6.4)."""
    return tuple(_MESSAGE_ID.findall(value))


def content(part: Mail) -> bytes:
    """A leaf's content without its transfer encoding; text in UTF-8, as the API gives it."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if part.get_content_maintype() != "text":
        return data
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace").encode()
    except LookupError:
        return data.decode("utf-8", "replace").encode()


def text(mail: Mail) -> str:
    """What a person reads in it: its first plain text, else its HTML without tags."""
    leaves = [part for part in mail.walk() if not part.is_multipart() and part.get_filename() is None]
    for kind in ("text/plain", "text/html"):
        for part in leaves:
            if part.get_content_type() == kind:
                words = content(part).decode()
                return words if kind == "text/plain" else html.unescape(_TAG.sub(" ", words))
    return ""
