"""Bytes of a document to text: UTF-8, else what a page or its server says; nothing is guessed."""

from __future__ import annotations

import codecs

from shared.channels.html_charset import named_by_html

#: Bytes in which browsers look for it too.
_PRESCAN = 1024
#: What pages call Latin-1 is Windows' (WHATWG Encoding, section 4.2).
_WESTERN = {"iso8859-1", "ascii"}


def decoded(data: bytes, charset: str = "") -> str:
    """`data` as text; `charset` is the server's word, where there is one. Raises UnicodeError.

    Bytes that are UTF-8 are read as it, whatever is said: servers call every page Latin-1.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _codec(charset) or _codec(named_by_html(data[:_PRESCAN]))
        if named is None:
            raise
        return data.decode(named)


def _codec(charset: str) -> str | None:
    try:
        found = codecs.lookup(charset)
        # Also among Python's codecs, and none of a text: base64, idna, zip.
        "a".encode(found.name)
    except (LookupError, UnicodeError, ValueError):
        return None
    return "cp1252" if found.name in _WESTERN else found.name
