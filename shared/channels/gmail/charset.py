"""Bytes of a mail to text, whatever the mail says about them. Nothing here raises.

Declared character sets lie often enough: labels are read as browsers read them (WHATWG Encoding,
section 4.2), and a label that does not fit the bytes loses against UTF-8, which hardly fits by accident.
"""

from __future__ import annotations

import codecs

from shared.channels.html_charset import named_by_html

# What mailers write, and the superset they mean.
_MEANT = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "8bit": "utf-8",
    "binary": "utf-8",
    "utf8mb4": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "big5": "big5hkscs",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "cp-850": "cp850",
    "koi8-ru": "koi8-u",
}
# UTF-8 that is nearly right stays UTF-8, with marks where it broke.
_BROKEN_SHARE = 0.1
# Seven-bit Japanese tells itself by what switches to it (RFC 1468); no other text holds these.
_TO_JAPANESE = (b"\x1b$B", b"\x1b$@")


def to_text(data: bytes, declared: str | None) -> str:
    """`data` as text; `declared` is the charset parameter, or None."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    charset = _codec(declared)
    if charset in (None, "utf-8", "cp1252"):
        return _japanese(data) or _utf8_or_western(data)
    return _strictly(data, charset) or _strictly(data, "utf-8") or data.decode(charset, "replace")


def header_text(value: str) -> str:
    """A raw header as the parser holds it: bytes beyond ASCII, kept as surrogates, become text."""
    if value.isascii():
        return _japanese(value.encode()) or value
    return _utf8_or_western(value.encode("utf-8", "surrogateescape"))


def told_by_html(data: bytes) -> str | None:
    """The charset that a meta element names, of HTML that is no UTF-8."""
    named = named_by_html(data[:2048])
    if not named or named.lower().startswith("utf") or _strictly(data, "utf-8") is not None:
        return None
    return named


def reads_as_text(data: bytes) -> bool:
    """Whether the beginning of `data` is UTF-8 that a person could read."""
    try:
        head = data[:4096].decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if error.start < len(data[:4096]) - 4:
            return False
        head = data[: error.start].decode("utf-8", "replace")
    return bool(head.strip()) and "\x00" not in head


def _codec(declared: str | None) -> str | None:
    """The name of a codec that makes text of bytes, or None for a label that means nothing."""
    label = (declared or "").strip().strip("\"'").lower()
    label = _MEANT.get(label, label)
    try:
        # Of nothing, Python says that every codec makes text.
        "x".encode(label)
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    # Codecs of Python's own, not of any mail.
    return None if name in {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined"} else label


def _japanese(data: bytes) -> str | None:
    """Text in ISO-2022-JP that says nothing of it, or another name; None for any other."""
    if not any(switch in data for switch in _TO_JAPANESE):
        return None
    return _strictly(data, "iso2022_jp_ext")


def _strictly(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (ValueError, LookupError):
        return None


def _utf8_or_western(data: bytes) -> str:
    text = _strictly(data, "utf-8")
    if text is not None:
        return text
    text = data.decode("utf-8", "replace")
    beyond_ascii = sum(byte > 127 for byte in data)
    if text.count("\ufffd") <= beyond_ascii * _BROKEN_SHARE:
        return text
    return data.decode("cp1252", "replace")
