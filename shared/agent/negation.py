"""Whether a sentence says "not", in each language that the gate reads."""

from __future__ import annotations

import re

from shared.channels.fold import fold, letters
from shared.channels.language import ENGLISH

_ENGLISH = re.compile(r"\b(?:not|no|never|cannot|without|neither|nor|none|\w+n't)\b")
_OTHERS = {
    language: re.compile(letters(pattern))
    for language, pattern in {
        "de": r"\b(?:nicht|kein\w*|nie|niemals|nichts|ohne|weder)\b",
        "es": r"\b(?:no|nunca|jamas|sin|ni|ningun\w*|tampoco|nada)\b",
        "fr": r"\b(?:ne|n|pas|sans|jamais|aucune?|ni|rien)\b",
        "ar": r"(?<!\w)و?(?:لا|لن|لم|ليس\w*|غير|بدون|يتعذر)(?!\w)",
        "ur": r"(?<!\w)(?:نہیں|نہ|بغیر|مت|ناممکن)(?!\w)",
    }.items()
}
#: "If it does not arrive" denies nothing.
_ENGLISH_CONDITION = re.compile(r"\b(?:if|unless|in case|should) [^,.;:?!]*")
_CONDITION = re.compile(
    letters(r"(?<!\w)(?:wenn|falls|sollte|sofern|si|cuando|quand|lorsque|إذا|عندما|لو|اگر|جب)(?!\w)[^,.;:؟?!،]*")
)


def is_negated(sentence: str, language: str = ENGLISH) -> bool:
    """Whether a sentence denies something; one in a language that nobody reads is read as English."""
    condition = _CONDITION if language in _OTHERS else _ENGLISH_CONDITION
    return bool(_not_in(language).search(condition.sub(" ", fold(sentence))))


def without_not(sentence: str, language: str) -> str:
    """The sentence folded, without the words that deny: what it says yes or no to."""
    return _not_in(language).sub(" ", fold(sentence))


def _not_in(language: str) -> re.Pattern[str]:
    return _OTHERS.get(language, _ENGLISH)
