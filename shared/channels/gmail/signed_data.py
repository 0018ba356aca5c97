"""The message inside an opaque S/MIME signature: CMS signed-data (RFC 5652, section 5) in BER or DER.

The signature itself is not checked: who wrote is Authentication-Results' matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_OID, _OCTETS, _FIRST = 0x06, 0x04, 0xA0
_DEEPEST = 20
_MOST = 20_000


class _Malformed(ValueError):
    """No BER."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One tag with the place of its contents; `after` is the place behind it."""

    tag: int
    start: int
    end: int
    after: int


def content(data: bytes) -> bytes | None:
    """The signed MIME entity; None for anything else, such as an enveloped one. Never raises."""
    try:
        reader = _Reader(data)
        kind, wrapped = reader.inside(reader.at(0), 2)
        if kind.tag != _OID or data[kind.start : kind.end] != _SIGNED_DATA or wrapped.tag != _FIRST:
            return None
        signed = reader.inside(wrapped, 1)[0]
        _, _, enclosed = reader.inside(signed, 3)
        _, explicit = reader.inside(enclosed, 2)
        return b"".join(reader.octets(reader.inside(explicit, 1)[0])) or None
    except (_Malformed, IndexError, ValueError):
        return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._seen = 0

    def at(self, place: int, depth: int = 0) -> _Value:
        """The value that begins at `place`. Raises _Malformed or IndexError."""
        self._seen += 1
        tag, length, start = self._data[place], self._data[place + 1], place + 2
        if self._seen > _MOST or depth > _DEEPEST or tag & 0x1F == 0x1F:
            raise _Malformed
        if length == 0x80:
            end = self._end_of_indefinite(start, depth)
            return _Value(tag, start, end, end + 2)
        if length > 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(self._data[start : start + size], "big"), start + size
        if start + length > len(self._data):
            raise _Malformed
        return _Value(tag, start, start + length, start + length)

    def inside(self, value: _Value, least: int) -> list[_Value]:
        """The first values inside a constructed one. Raises _Malformed when there are fewer than `least`."""
        found: list[_Value] = []
        place = value.start
        while place < value.end and len(found) < least:
            found.append(self.at(place, 1))
            place = found[-1].after
        if len(found) < least or not value.tag & 0x20:
            raise _Malformed
        return found

    def octets(self, value: _Value, depth: int = 0) -> Iterator[bytes]:
        """An octet string, also one in pieces."""
        if value.tag == _OCTETS:
            yield self._data[value.start : value.end]
        elif value.tag == _OCTETS | 0x20 and depth < _DEEPEST:
            place = value.start
            while place < value.end:
                piece = self.at(place, depth + 1)
                yield from self.octets(piece, depth + 1)
                place = piece.after
        else:
            raise _Malformed

    def _end_of_indefinite(self, place: int, depth: int) -> int:
        while self._data[place : place + 2] != b"\0\0":
            place = self.at(place, depth + 1).after
        return place
