"""What proves whose an address or a number is, hidden from whoever reads a customer's matters.

The link in our verification mail and the code that we send may be used by whoever has them, so no operator is
shown them: neither in our notices nor where a customer, or a mail server, sends our words back.
"""

from __future__ import annotations

import base64
import re

HIDDEN = "[hidden]"

#: The token is 32 bytes in base64url (shared.conversations.verification, shared.conversations.surveys).
_LINK = re.compile(r"((?:verify|/rate)(?:\?|%3F)token(?:=|%3D))[\w-]{43}", re.IGNORECASE)
#: The same as quoted-printable has it, where a soft line break may stand anywhere (RFC 2045, section 6.7).
_SOFT = rb"(?:=\r?\n)?"


def _spelled(word: bytes) -> bytes:
    return _SOFT.join(re.escape(word[at : at + 1]) for at in range(len(word)))


_RAW = re.compile(
    rb"(?P<path>"
    + _spelled(b"verify")
    + rb"|"
    + _spelled(b"/rate")
    + rb")"
    + _SOFT
    + _spelled(b"?token")
    + _SOFT
    + rb"=(?:3D)?"
    + rb"(?:"
    + _SOFT
    + rb"[\w-]){43}",
    re.IGNORECASE,
)
_BASE64 = re.compile(rb"(?:^[A-Za-z0-9+/]{40,}={0,2}\r?\n?)+[A-Za-z0-9+/]*={0,2}", re.MULTILINE)
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


def masked(text: str) -> str:
    """`text` with the token of each link of ours hidden."""
    return _LINK.sub(rf"\1{HIDDEN}", text)


def masked_notice(text: str) -> str:
    """The same of a notice of ours, in which six digits are a code."""
    return _CODE.sub(HIDDEN, masked(text))


def masked_mail(raw: bytes) -> bytes:
    """A mail as it came, but for such tokens; one that holds none stays byte for byte."""
    return _BASE64.sub(_encoded, _RAW.sub(_cut, raw))


def _cut(found: re.Match[bytes]) -> bytes:
    path = re.sub(_SOFT, b"", found["path"])
    return path + b"?token=" + (b"3D" if b"=3D" in found[0] else b"") + HIDDEN.encode()


def _encoded(found: re.Match[bytes]) -> bytes:
    """A run of base64, encoded anew only if there was something to hide in it."""
    block = found[0]
    try:
        plain = base64.b64decode(block, validate=False)
    except ValueError:
        return block
    hidden = _RAW.sub(_cut, plain)
    if hidden == plain:
        return block
    ending = b"\r\n" if b"\r\n" in block else b"\n"
    return base64.encodebytes(hidden).replace(b"\n", ending)
