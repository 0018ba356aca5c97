"""What a message says about linking, read without a model: an address to link, a code, a mention of the other side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.channels.fold import fold, letters
from shared.channels.message import Channel
from shared.conversations.codes import Kind

_FILE = Path(__file__).with_name("link_phrases.txt")
#: Bounded, and begun at a word's beginning, so that no text makes it slow.
_EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<!\w)(?:\+|00)\d[\d ()./-]{6,18}\d")
_CODE = re.compile(r"(?<![\w.,+/-])(?<!\d )(\d{3})[ -]?(\d{3})(?![\w.,/-]*\d)(?! \d)")
#: Words beside an address that say nothing more, and beside a code.
_BARE_WORDS = 4
_FEW_WORDS = 14
_SENTENCE = re.compile(r"(?<=[.!?؟۔])\s+|\n+")
_QUESTION = re.compile("[?؟]")


def other_side(channel: Channel) -> Kind:
    """What a customer on this channel may link: the kind of address that the channel does not prove."""
    return "email" if channel is Channel.WHATSAPP else "phone"


def wanted_address(text: str, channel: Channel, *, offered: bool) -> str | None:
    """The address or number, as typed, that a message asks to link; None when it asks for something else."""
    pattern = _EMAIL if other_side(channel) == "email" else _PHONE
    found = {match[0].strip(" .-") for match in pattern.finditer(text)}
    if len(found) != 1:
        return None
    # Beside the address itself: a number below a letter, or a client's address, is nothing to link.
    around = fold(" ".join(pattern.sub(" ", part) for part in _SENTENCE.split(text) if pattern.search(part)))
    if _says("wrote", around) or _says("link", around):
        return found.pop()
    rest = fold(pattern.sub(" ", text))
    words = len(re.findall(r"[^\W\d_]+", rest))
    bare = words <= _BARE_WORDS or offered
    mine = _says("mine", rest) or bare
    return found.pop() if mine and words <= _FEW_WORDS and not _QUESTION.search(rest) else None


def said_code(text: str) -> str | None:
    """The six digits of a message that says little else; in any script's digits."""
    plain = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)
    found = {"".join(match.groups()) for match in _CODE.finditer(plain)}
    words = len(re.findall(r"[^\W\d_]+", plain))
    return found.pop() if len(found) == 1 and words <= _FEW_WORDS else None


def mentions_other_side(text: str, channel: Channel) -> bool:
    """Whether the customer says that they wrote by the other side before."""
    return _says("mailed" if other_side(channel) == "email" else "texted", fold(text))


def _says(kind: str, folded: str) -> bool:
    return any(pattern.search(folded) for pattern in _patterns()[kind])


@cache
def _patterns() -> Mapping[str, list[re.Pattern[str]]]:
    found: dict[str, list[re.Pattern[str]]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, _, pattern = line.split(" ", 2)
            found.setdefault(kind, []).append(re.compile(letters(pattern)))
    return found
