"""Bytes of a document to text: UTF-8, else what a page or its server says; nothing is guessed."""

from __future__ import annotations

import codecs
import re

#: Where browsers look for it too (HTML, "prescan a byte stream").
_PRESCAN = 1024
_META = re.compile(rb"<meta\b[^>]{0,200}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
#: What pages call Latin-1 is Windows' (WHATWG Encoding, section 4.2).
_WESTERN = {"iso8859-1", "ascii"}


def decoded(data: bytes, charset: str = "") -> str:
    """`data` as text; `charset` is the server's word, where there is one. Raises UnicodeError.

    Bytes that are UTF-8 are read as it, whatever is said: servers call every page Latin-1.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _codec(charset) or _codec(html_charset(data))
        if named is None:
            raise
        return data.decode(named)


def html_charset(data: bytes) -> str:
    """The character set that a page says it is written in, or nothing."""
    found = _META.search(data[:_PRESCAN])
    return found[1].decode("ascii", "replace") if found else ""


def _codec(charset: str) -> str | None:
    try:
        found = codecs.lookup(charset)
        # Also among Python's codecs, and none of a text: base64, idna, zip.
        "a".encode(found.name)
    except (LookupError, UnicodeError, ValueError):
        return None
    return "cp1252" if found.name in _WESTERN else found.name
