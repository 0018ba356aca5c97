"""TNEF (winmail.dat): what Outlook wraps a message and its files in, read as MS-OXTNEF describes it.

It is a wrapping of the mail like base64 is, not an archive of the customer's: files inside stay as they are.
Every count and length is held against what is there, so that no bytes make this raise or work for long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.channels.gmail import rtf
from shared.channels.gmail.charset import to_text
from shared.channels.gmail.compressed_rtf import unpack

SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_FILES = 50
#: Attributes of one wrapping, and properties of one attribute; Outlook writes some dozens.
_MOST = 2_000
_MAX_TEXT = 2_000_000
_HEAD = struct.Struct("<BHHI")  # level, id, type, length (section 2.1.3.1)
_U32, _U16X2 = struct.Struct("<I"), struct.Struct("<HH")
_BODY, _TITLE, _DATA, _RENDERING, _ATTACHMENT, _MESSAGE, _CODEPAGE = (
    0x800C, 0x8010, 0x800F, 0x9002, 0x9005, 0x9003, 0x9007,
)  # fmt: skip
# Properties (MS-OXPROPS): their ids and the fixed sizes of their types (MS-OXCDATA, section 2.11.1).
_PR_BODY, _PR_RTF, _PR_HTML, _PR_CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_PR_LONG_NAME, _PR_NAME, _PR_TYPE, _PR_DATA = 0x3707, 0x3704, 0x370E, 0x3701
_FIXED = {2: 4, 11: 4, 3: 4, 4: 4, 10: 4, 5: 8, 6: 8, 7: 8, 20: 8, 0x40: 8, 0x48: 16}
_UNICODE, _MULTIPLE, _NAMED = 0x1F, 0x1000, 0x8000


@dataclass(slots=True)
class WrappedFile:
    """A file inside; `content_type` as Outlook says, perhaps empty."""

    name: str = ""
    content_type: str = ""
    data: bytes = b""


@dataclass(slots=True)
class Unwrapped:
    """What was inside: `text` and `html` are the body, either perhaps empty; `packed_rtf` is its third form."""

    text: str = ""
    html: str = ""
    packed_rtf: bytes = b""
    files: list[WrappedFile] = field(default_factory=list[WrappedFile])


def unwrap(data: bytes) -> Unwrapped | None:
    """The contents, as far as they can be read; None for what is no TNEF or holds nothing."""
    if not data.startswith(SIGNATURE):
        return None
    found, codepage = Unwrapped(), "cp1252"
    for level, name, content in _attributes(data):
        if name == _CODEPAGE and len(content) >= 4:
            codepage = f"cp{_U32.unpack_from(content)[0]}"
        elif name == _RENDERING and level == 2:
            if len(found.files) >= MAX_FILES:
                break
            found.files.append(WrappedFile())
        elif level == 2 and found.files:
            _file(found.files[-1], name, content, codepage)
        elif level == 1:
            _body(found, name, content, codepage)
    found.files = [file for file in found.files if file.name or file.data]
    _speak_by_rich_text(found)
    return found if found.text or found.html or found.files else None


def _speak_by_rich_text(found: Unwrapped) -> None:
    """Outlook's "rich text" mails carry their words as compressed RTF alone."""
    if found.packed_rtf and not found.text.strip() and not found.html.strip():
        rich = rtf.read(unpack(found.packed_rtf))
        found.text, found.html = rich.text, rich.html


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 6
    for _ in range(_MOST):
        if at + _HEAD.size > len(data):
            return
        level, name, _, length = _HEAD.unpack_from(data, at)
        start = at + _HEAD.size
        yield level, name, data[start : start + length]
        at = start + length + 2  # a checksum, which some writers get wrong


def _body(found: Unwrapped, name: int, content: bytes, codepage: str) -> None:
    if name == _BODY:
        found.text = found.text or _string(content, codepage)
    elif name == _MESSAGE:
        properties = dict(_properties(content))
        page = properties.get(_PR_CODEPAGE, (0, b""))[1]
        declared = f"cp{_U32.unpack_from(page)[0]}" if len(page) >= 4 else codepage
        found.text = _property(properties, _PR_BODY, codepage) or found.text
        found.html = _property(properties, _PR_HTML, _codec(declared)) or found.html
        found.packed_rtf = properties.get(_PR_RTF, (0, b""))[1] or found.packed_rtf


def _file(file: WrappedFile, name: int, content: bytes, codepage: str) -> None:
    if name == _TITLE:
        file.name = file.name or _string(content, codepage)
    elif name == _DATA:
        file.data = content
    elif name == _ATTACHMENT:
        properties = dict(_properties(content))
        long = _property(properties, _PR_LONG_NAME, codepage) or _property(properties, _PR_NAME, codepage)
        file.name = long or file.name
        file.content_type = _property(properties, _PR_TYPE, codepage) or file.content_type
        file.data = file.data or properties.get(_PR_DATA, (0, b""))[1]


def _properties(content: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Id to type and first value, as far as they can be read."""
    try:
        count, at = min(_U32.unpack_from(content)[0], _MOST), 4
        for _ in range(count):
            kind, name = _U16X2.unpack_from(content, at)
            at = _after_name(content, at + 4) if name >= _NAMED else at + 4
            value, at = _value(content, at, kind)
            yield name, (kind, value)
    except (struct.error, ValueError):
        return


def _after_name(content: bytes, at: int) -> int:
    """Past the name of a named property: a GUID, a kind, and an id or a string."""
    if _U32.unpack_from(content, at + 16)[0] == 0:
        return at + 24
    return at + 24 + _padded(_U32.unpack_from(content, at + 20)[0])


def _value(content: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """The first value of one property and the place after all of them. Raises ValueError for what can't be there."""
    size = _FIXED.get(kind & ~_MULTIPLE)
    count = 1
    if kind & _MULTIPLE or size is None:
        count, at = _U32.unpack_from(content, at)[0], at + 4
    if count > (len(content) - at) // 4:
        raise ValueError("more values than bytes")
    first = b""
    for number in range(count):
        length = size
        if length is None:
            length, at = _U32.unpack_from(content, at)[0], at + 4
        if at + length > len(content):
            raise ValueError("a value without its end")
        first = first if number else content[at : at + length]
        at += _padded(length)
    return first, at


def _padded(length: int) -> int:
    return length + -length % 4


def _property(properties: dict[int, tuple[int, bytes]], name: int, codepage: str) -> str:
    kind, value = properties.get(name, (0, b""))
    return _string(value, "utf-16-le" if kind == _UNICODE else codepage)


def _codec(page: str) -> str:
    return {"cp65001": "utf-8", "cp28591": "iso-8859-1", "cp20127": "ascii", "cp50220": "iso-2022-jp"}.get(page, page)


def _string(value: bytes, charset: str) -> str:
    return to_text(value[:_MAX_TEXT], _codec(charset)).rstrip("\x00")
