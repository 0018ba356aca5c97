"""STOP, START and HELP, in the languages of the form.

A command is the whole message and nothing else: a sentence with "stop" in it is a sentence. Of Twilio's own
words CANCEL, END, YES and INFO are left out, since in a support chat they mean an order, a call, an answer
(specs/decisions/0017-stop-words-and-the-block-list.md); where Twilio itself took one for a command, it says so.
Sources: Twilio, "Advanced Opt-Out" and its parameter OptOutType; "Support for opt-out keywords".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, NamedTuple, cast

Word = Literal["stop", "start", "help"]


class Command(NamedTuple):
    """What was asked for; `language` is empty where the word is at home in several; `settled`: Twilio answered it."""

    word: Word
    language: str
    settled: bool


_LONGEST = 60
_NOT_LETTERS = re.compile(r"[^\w\s]|_")
_OPT_OUT_TYPE = "OptOutType"

_WORDS: Mapping[Word, Mapping[str, tuple[str, ...]]] = {
    "stop": {
        "": ("stop", "stop all", "stopall", "optout", "opt out"),
        "en": ("unsubscribe", "quit", "revoke", "stop messages", "stop messaging me"),
        "de": ("stopp", "abbestellen", "austragen"),
        "es": ("baja", "darme de baja", "darse de baja", "parar", "detener", "no mas mensajes"),
        "fr": ("arret", "arrets", "arreter", "arrete", "desabonner", "desinscription", "me desabonner"),
        "ar": ("توقف", "ايقاف", "قف", "الغاء الاشتراك", "اوقف"),
        "ur": ("بند کریں", "بند کرو", "بند کردیں", "روکیں", "روک دیں"),
    },
    "start": {
        "": ("start", "unstop", "optin", "opt in"),
        "en": ("resume", "subscribe"),
        "de": ("starten", "fortsetzen", "anmelden"),
        "es": ("alta", "iniciar", "reanudar", "empezar"),
        "fr": ("demarrer", "reprendre", "commencer", "reabonner"),
        "ar": ("ابدا", "بدء", "ابدء", "اشتراك", "استئناف"),
        "ur": ("شروع", "شروع کریں", "شروع کرو", "جاری رکھیں"),
    },
    "help": {
        "en": ("help",),
        "de": ("hilfe",),
        "es": ("ayuda",),
        "fr": ("aide",),
        "ar": ("مساعده", "المساعده"),
        "ur": ("مدد",),
    },
}


def command_of(fields: Mapping[str, str]) -> Command | None:
    """The command that a message is, or None. What Twilio calls it counts most."""
    found = _MEANING.get(plain(fields.get("Body", "")))
    said = fields.get(_OPT_OUT_TYPE, "").strip().lower()
    if said in _WORDS:
        return Command(cast(Word, said), found[1] if found else "", settled=True)
    return Command(found[0], found[1], settled=False) if found else None


def plain(text: str) -> str:
    """A short text in one shape: lower case, without marks, signs, emoji and double spaces; empty when it is long."""
    if len(text) > _LONGEST:
        return ""
    split = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(one for one in split if not unicodedata.combining(one) and unicodedata.category(one) != "Cf")
    # Final forms that Arabic writes with two dots or without: one word all the same.
    return " ".join(_NOT_LETTERS.sub(" ", letters).replace("ة", "ه").split())


_MEANING: Mapping[str, tuple[Word, str]] = {
    plain(phrase): (word, language)
    for word, languages in _WORDS.items()
    for language, phrases in languages.items()
    for phrase in phrases
}
