"""Answers too long for WhatsApp: what is said there, in whole sentences with its link, and the offer of the rest.

The offer is a fixed text of ours, put behind an answer that passed the gate; the whole goes by e-mail when the
customer says yes (shared.conversations.long_answers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.channels.language import language_of
from shared.channels.limits import MOST_UNITS, utf16_units, words
from shared.channels.message import Channel
from shared.channels.whatsapp.commands import plain
from shared.channels.whatsapp.texts import fixed

#: Fewer words more are not worth a mail.
WORTH_WORDS = 25
_ROOM = MOST_UNITS[Channel.WHATSAPP]
_LINK = re.compile(r"https?://[^\s<>\"'()\[\]{}]+")
_SENTENCE = re.compile(r"(?<=[.!?…؟۔])[\"”»)]*\s+|\n+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")

_YES = (
    "yes|yes please|yeah|yep|yup|sure|yes sure|please do|please send it|send it|yes send it|by e mail|by email|e mail|"
    "email|email please|e mail please|yes by email|yes by e mail|ja|ja bitte|ja gern|ja gerne|gern|gerne|bitte ja|"
    "per e mail|per email|si|si por favor|si claro|claro|por favor|por correo|oui|oui s il vous plait|oui svp|"
    "oui merci|volontiers|par e mail|par email|نعم|نعم من فضلك|اجل|ايوه|ہاں|جی|جی ہاں|ہاں جی|ہاں بھیج دیں"
)
_NO = (
    "no|nope|no thanks|no thank you|no need|nein|nein danke|no gracias|non|non merci|لا|لا شكرا|نہیں|جی نہیں|نہیں شکریہ"
)
YES = frozenset(plain(word) for word in _YES.split("|"))
NO = frozenset(plain(word) for word in _NO.split("|"))


@dataclass(frozen=True, slots=True)
class Offered:
    """What is said on WhatsApp, and all there is to say; `whole` is empty when nothing is offered."""

    text: str
    whole: str = ""


def accepts(said: Sequence[str]) -> bool:
    """Whether the words are a plain yes to the offer: "ok" and a thumb are thanks, not a wish."""
    return plain(" ".join(said)) in YES


def declines(said: Sequence[str]) -> bool:
    """Whether they are a plain no."""
    return plain(" ".join(said)) in NO


def with_offer(text: str, whole: str) -> Offered:
    """`text` as much of it as leaves room for the offer of `whole`; as it is, where even that does not fit.

    Of a text with several links nothing is left out: it answers more than one question.
    """
    offer = fixed("offer", language_of([text]))
    for said in islice(shorter(text), 1 if text.count("://") > 1 else None):
        if utf16_units(f"{said} {offer}") <= _ROOM:
            return Offered(f"{said} {offer}", whole)
    return Offered(text) if utf16_units(text) <= _ROOM else Offered("")


def worth_offering(text: str, whole: str) -> bool:
    """Whether the whole says clearly more than the text."""
    return words(whole) - words(text) >= WORTH_WORDS


def shorter(text: str) -> Iterator[str]:
    """The text, then without its last sentence, and so on; its first link stays, and one statement before it."""
    link = _LINK.search(text)
    url = link[0].rstrip(".,;:!?") if link else ""
    parts = [part.strip() for part in _SENTENCE.split(text) if part.strip()]
    parts = [part for part in parts if part.rstrip(".,;:!?") != url]
    yield " ".join(text.split())
    kept = len(parts) - 1
    while kept >= 1 and any(len(part.split()) > 2 for part in parts[:kept]):
        said = " ".join(_BULLET.sub("", part) for part in parts[:kept])
        yield said if not url or url in said else f"{said} {url}"
        kept -= 1
