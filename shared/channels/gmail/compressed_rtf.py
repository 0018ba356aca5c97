"""Compressed RTF, the form in which Outlook keeps a body (MS-OXRTFCP): LZ77 over a dictionary of 4,096 bytes.

Lengths and checksum in the header are the sender's word and are not believed: what is there is unpacked, up to a limit.
"""

from __future__ import annotations

#: Bytes that are unpacked at most; text that somebody wrote is far shorter.
MAX_RTF = 2_000_000
_COMPRESSED, _STORED, _HEADER = b"LZFu", b"MELA", 16
_SIZE = 4096
#: What the dictionary holds at the beginning (section 2.1.2.1).
_COMMON = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def unpack(data: bytes) -> bytes:
    """The RTF inside, as far as it can be read; empty for what is neither of the two forms."""
    kind, rest = data[8:12], data[_HEADER:]
    if kind == _STORED:
        return rest[: min(int.from_bytes(data[4:8], "little"), MAX_RTF)]
    return _inflated(rest) if kind == _COMPRESSED else b""


def _inflated(packed: bytes) -> bytes:
    """Runs of eight: one byte of flags, and for each a byte as it is, or a reference of two bytes."""
    # The dictionary is a ring. Kept as one growing text it needs no wrapping: place p of the ring is the last
    # byte written there.
    text = bytearray(_SIZE - len(_COMMON)) + _COMMON
    at, size = 0, len(packed)
    while at < size and len(text) < MAX_RTF:
        flags, at = packed[at], at + 1
        for bit in range(8):
            if not flags >> bit & 1:
                text += packed[at : at + 1]
                at += 1
                continue
            place, length = _reference(packed[at : at + 2])
            back = (len(text) - (_SIZE - len(_COMMON)) - place) % _SIZE
            if length == 0 or back == 0:
                # A reference to where writing stands is the end (section 2.2.2.3).
                return _written(text)
            _copy(text, back, length)
            at += 2
    return _written(text)


def _reference(pair: bytes) -> tuple[int, int]:
    """Place in the ring and length; no length where the pair is torn."""
    word = int.from_bytes(pair, "big")
    return (word >> 4, (word & 15) + 2) if len(pair) == 2 else (0, 0)


def _copy(text: bytearray, back: int, length: int) -> None:
    """The last `length` of what lies `back`; where they overlap, the copy is read as it is written."""
    piece = bytes(text[len(text) - back : len(text) - back + length])
    while len(piece) < length:
        piece = (piece * 2)[:length]
    text += piece


def _written(text: bytearray) -> bytes:
    return bytes(text[_SIZE:][:MAX_RTF])
