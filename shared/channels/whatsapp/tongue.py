"""The language of a short text among those of texts.txt: by script, then by its commonest words; else English.

Enough to choose among our own fixed texts; what the agent may write is checked elsewhere and by more.
"""

from __future__ import annotations

import re

_URDU = frozenset("ٹڈڑںےگچپژھہ")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_WORD = re.compile(r"[^\W\d_]+")
_TELLING = {
    "en": "the a is to and of in my i how do you can it for on not what please with this we your",
    "de": "ich ist nicht und wie kann mein meine der die das ein eine bitte habe wir sie zu auf mit für danke",
    "es": "que el la los las como puedo mi no por para una un es está gracias hola quiero con del cuenta",
    "fr": "je le la les est pas comment mon ma mes pour une un des vous nous merci bonjour avec que sur dans",
}
_WORDS = {language: frozenset(words.split()) for language, words in _TELLING.items()}


def tongue(text: str) -> str:
    """ISO 639-1 of the language; `en` where nothing tells."""
    head = text[:2000]
    letters = [one for one in head if one.isalpha()]
    if letters and len(_ARABIC.findall(head)) * 2 > len(letters):
        return "ur" if _URDU & set(head) else "ar"
    tokens = _WORD.findall(head.casefold())
    scores = {language: sum(token in words for token in tokens) for language, words in _WORDS.items()}
    best = max(scores, key=lambda language: (scores[language], language == "en"))
    return best if scores[best] >= 2 else "en"
