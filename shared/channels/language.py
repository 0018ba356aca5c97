"""Which language a message is in, as far as a text of ours needs it: by script, by its commonest words, by its letters.

Words tell English best, which customers mix with everything; `eld` tells the others by groups of letters, also where a
message has three words and none of them is common.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from shared.channels.fold import letters
from shared.channels.lexicon import word_lists

ENGLISH = "en"
OTHER = "other"

_FILE = Path(__file__).with_name("languages.txt")
_URDU_IN_LATIN = Path(__file__).with_name("urdu_in_latin.txt")
_BORROWED = Path(__file__).with_name("borrowed.txt")
_TOKEN = re.compile(r"[^\W\d_]+")
_URDU = set("ٹڈڑںےگچپژھہ")
_LATIN = "LATIN"
#: Written with a letter that is a word elsewhere: "e" is Portuguese and Italian.
_NO_WORD = re.compile(r"\be(?:[-\u2010\u2011](?=mail)|\. ?g\.)")
#: Common words that tell a language.
_TELLING = 2
#: By letters alone "vacation balance" is French: where English is so nearly as likely, a word must tell the other.
_NEARLY = 0.66
_ARABIC_LETTER = re.compile(r"[\u0621-\u06ff]")
#: Of a language that we do not know: the fewest words of plain letters, and what English must stay below.
_FEWEST = 3
_HARDLY = 0.5


def language_of(texts: Iterable[str]) -> str:
    """ISO 639-1 of the language, `other` for one we do not know, `en` where nothing tells."""
    return language_told(texts) or ENGLISH


def language_told(texts: Iterable[str]) -> str | None:
    """The same, but None where nothing tells: a few words that any language might hold."""
    text = "\n".join(texts)[:4000]
    scripts = Counter(unicodedata.name(one, "?").split()[0] for one in text if one.isalpha())
    if not scripts:
        return None
    script, _ = scripts.most_common(1)[0]
    if script == "ARABIC":
        return "ur" if _URDU & set(text) else "ar"
    if script != _LATIN:
        return OTHER
    return _by_words(text)


def language_written(texts: Iterable[str], subjects: Iterable[str]) -> str | None:
    """Of what stands below a subject, which tells it only where the texts do not: programs make subjects up."""
    bodies = list(texts)
    return language_told(bodies) or language_told([*subjects, *bodies])


def without_region(tag: str) -> str:
    """The language of a tag: `de` of `de-AT` (RFC 5646, section 2.1)."""
    return tag.partition("-")[0].lower()


def common_words() -> Mapping[str, frozenset[str]]:
    """The commonest words of each language, without accents."""
    return word_lists(_FILE)


@cache
def every_common_word() -> frozenset[str]:
    """The commonest words of all languages together: none of them says what a text is about."""
    return frozenset[str]().union(*common_words().values())


def _by_words(text: str) -> str | None:
    tokens = _TOKEN.findall(_NO_WORD.sub("", letters(text.casefold())))
    scores = {language: sum(token in known for token in tokens) for language, known in common_words().items()}
    # Words that several languages share must not outvote English: another needs a clear lead.
    best = max(scores, key=lambda language: (scores[language], language == ENGLISH))
    if _is_urdu(tokens, scores):
        return "ur"
    told = best if scores[best] >= _TELLING else None
    if told == ENGLISH:
        return told
    plain = _without_borrowed(text)
    found = _detector().detect(plain)
    return _by_letters(text, found, scores) or told or _unknown(plain, found, scores)


def _is_urdu(tokens: Sequence[str], scores: Mapping[str, int]) -> bool:
    """Whether words tell Urdu in Latin letters: more of them than of English, which may quote it, and no fewer than of
    any other language, some of whose short words Urdu has too."""
    found = len(word_lists(_URDU_IN_LATIN)["any"].intersection(tokens))
    return found >= _TELLING and found > scores[ENGLISH] and found >= max(scores.values())


def _by_letters(text: str, found: Any, scores: Mapping[str, int]) -> str | None:
    """Of the languages that we know, except English, the one that groups of letters tell clearly, or a word as well."""
    told = found.language
    if told == ENGLISH or told not in scores:
        return None
    clear = found.is_reliable() and not _is_nearly_english(text, found)
    return told if clear or scores[told] >= max(1, scores[ENGLISH]) else None


def _unknown(plain: str, found: Any, scores: Mapping[str, int]) -> str | None:
    """`other` where groups of letters tell clearly a language that we have no words of, such as Polish or Turkish."""
    few = len(_TOKEN.findall(plain)) < (_FEWEST if plain.isascii() else _TELLING)
    # A few words of Arabic are Persian to the detector as often as Arabic.
    if few or _ARABIC_LETTER.search(plain):
        return None
    likely = found.scores()
    if found.language is None or found.language in scores or not found.is_reliable():
        return None
    return OTHER if likely.get(ENGLISH, 0.0) < _HARDLY * likely[found.language] else None


def _is_nearly_english(text: str, found: Any) -> bool:
    """Whether words without an accent may as well be English, by their letters."""
    likely = found.scores()
    return text.isascii() and len(text.split()) > 1 and likely.get(ENGLISH, 0.0) >= _NEARLY * likely[found.language]


def _without_borrowed(text: str) -> str:
    """What remains without the words of screens: by its letters "mobile app" were German."""
    borrowed = word_lists(_BORROWED)["any"]
    return _TOKEN.sub(lambda word: " " if letters(word[0].casefold()) in borrowed else word[0], text)


@cache
def _detector() -> Any:
    """Its frequencies take 50 MB and a quarter of a second, once a process."""
    from eld import LanguageDetector

    return LanguageDetector()
