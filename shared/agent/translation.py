"""A reply in another language than the page's: held against the page by its figures, its labels and a glossary.

No understanding here either. Each word of a sentence that the glossary knows must have its English on the page, what it
does not know must be the smaller part, and a "not" stays a "not". Where the glossary cannot tell, a person answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from shared.agent.backing import neutral, stem
from shared.agent.figures import in_figures
from shared.agent.language import OTHERS, in_one_script
from shared.agent.negation import is_negated
from shared.channels.fold import fold
from shared.channels.language import ENGLISH, common_words, language_told

_FILE = Path(__file__).parent / "words" / "glossary.txt"
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_ARABIC_PREFIX = re.compile(r"^(?:[وبلكف]?(?:ال|لل)|[وبلكف])(?=\w{2})")
#: What a reply names: a quoted label, or a path through menus.
_LABEL = re.compile(r"[\"“„«»‚‘]([^\"”“»«’\n]{1,60})[\"”“»«’]|([^\s›>→]+(?: ?[›→] ?[^\s›>→.,;:!?]+)+)")
_SHOWN = re.compile(r"(?<=[^\W_] )[A-ZÀ-Þ][^\W\d_]+|(?<=[›→] )[A-ZÀ-Þ][^\W\d_]+")
_LATIN_WORD = re.compile(r"(?<![^\W_])[A-Z][A-Za-z]+")
_FEWEST_TO_DENY = 2
#: Share of the words known that may be missing on the page, and share of all that the glossary may not know.
_STRANGE = 0.2
_UNKNOWN = 0.6
#: Share of its words that a sentence must have in common with the nearest of the page to be compared by its "not".
_NEAR = 0.5
_NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class Page:
    """What a translation is held against: stems of pages and names, and of each sentence with whether it denies."""

    stems: frozenset[str]
    names: frozenset[str]
    said: Sequence[tuple[Collection[str], bool]]


@dataclass(slots=True)
class _Terms:
    """One language of the glossary: English stems by whole word and by beginning; words that state nothing."""

    whole: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    begins: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def note(self, word: str, meaning: frozenset[str]) -> None:
        """Take one entry; several meanings add up."""
        known = self.begins if word.endswith("*") else self.whole
        key = word.removesuffix("*")
        known[key] = known.get(key, frozenset()) | meaning if meaning else known.get(key, meaning)

    def meaning(self, token: str) -> frozenset[str] | None:
        """English stems, empty for a word that states nothing, None for an unknown one."""
        if token in self.whole:
            return self.whole[token]
        starts = (token[:end] for end in range(len(token), 1, -1))
        return next((self.begins[start] for start in starts if start in self.begins), None)


def tongue(text: str) -> str:
    """The language of a reply; where its small words do not tell, the one that has most of its words."""
    told = language_told([in_one_script(text)])
    if told is not None:
        return told
    tokens = _tokens(text)
    english = sum(token in common_words()[ENGLISH] or stem(token) in neutral() for token in tokens)
    read = {language: sum(_meaning(token, language) is not None for token in tokens) for language in OTHERS}
    best = max(read, key=lambda language: read[language])
    return best if read[best] > max(english, _NEAR * len(tokens)) else ENGLISH


def states_nothing(sentence: str, language: str, names: Collection[str]) -> bool:
    """Whether a sentence is a greeting, thanks or a closing: words of courtesy and names alone."""
    return all(stem(token) in names or _meaning(token, language) == frozenset() for token in _tokens(sentence))


def translates(sentence: str, language: str, page: Page) -> bool:
    """Whether a sentence says what the page says, as far as words tell."""
    known, strange, unknown = _weighed(sentence, language, page)
    if not known and not strange and not unknown:
        return True
    if not known or len(strange) > _STRANGE * (len(known) + len(strange)):
        return False
    if len(unknown) > _UNKNOWN * (len(known) + len(strange) + len(unknown)):
        return False
    return _agrees(known, is_negated(sentence, language), page)


def foreign_label(sentence: str, language: str, page: Page, said: Collection[str]) -> bool:
    """Whether a label or a name stands in a sentence that no source names, in English or by the glossary.

    `said` are stems of the customer's own words.
    """
    labels = [token for match in _LABEL.finditer(sentence) for token in _tokens(match[1] or match[2])]
    if any(not _is_named(token, language, page, said) for token in labels):
        return True
    # German writes each noun with a capital, Arabic and Urdu write a label in Latin letters.
    shown = {"de": None, "ar": _LATIN_WORD, "ur": _LATIN_WORD}.get(language, _SHOWN)
    named = [fold(match[0]) for match in shown.finditer(sentence)] if shown else []
    return any(not _is_named(token, language, page, said) and _meaning(token, language) is None for token in named)


def _is_named(token: str, language: str, page: Page, said: Collection[str]) -> bool:
    known, meaning = stem(token), _meaning(token, language)
    return known in page.stems or known in page.names or known in said or bool((meaning or set()) & page.stems)


@cache
def load_glossary() -> Mapping[str, _Terms]:
    """The glossary by language; read once. Raises ValueError for a line without its six parts."""
    found = {language: _Terms() for language in OTHERS}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        english, *others = (part.split() for part in line.split("|"))
        if len(others) != len(OTHERS):
            raise ValueError(f"glossary.txt: line without its six parts: {line[:40]}")
        meaning = frozenset[str]() if english == ["-"] else frozenset(stem(word) for word in english)
        for language, words in zip(OTHERS, others, strict=True):
            for word in words:
                found[language].note(fold(word), meaning)
    return found


def _weighed(sentence: str, language: str, page: Page) -> tuple[list[frozenset[str]], list[str], list[str]]:
    """Words that the page has (as what they mean), that it has not, and that nobody knows; each once."""
    known: list[frozenset[str]] = []
    strange: list[str] = []
    unknown: list[str] = []
    for token in dict.fromkeys(_tokens(in_figures(sentence, (language,)))):
        meaning = _meaning(token, language)
        if stem(token) in page.names or meaning == frozenset():
            continue
        if stem(token) in page.stems:
            known.append(frozenset({stem(token)}))
        elif meaning is None:
            unknown.append(token)
        elif meaning & page.stems:
            known.append(meaning)
        else:
            strange.append(token)
    return known, strange, unknown


def _agrees(known: Sequence[frozenset[str]], negated: bool, page: Page) -> bool:
    """A "not" is neither added nor dropped, against the sentences of the page that are nearest."""
    near = [(sum(bool(one & set(words)) for one in known) / len(known), no) for words, no in page.said if words]
    best = max((share for share, _ in near), default=0.0)
    if best < _NEAR or len(known) < _FEWEST_TO_DENY:
        return not negated or any(no for _, no in near)
    return any(no is negated for share, no in near if share >= _NEARLY * best)


def _meaning(token: str, language: str) -> frozenset[str] | None:
    terms = load_glossary()[language]
    forms = [token, _ARABIC_PREFIX.sub("", token)] if language == "ar" else [token, *token.split("-")]
    found = next((one for one in map(terms.meaning, forms) if one is not None), None)
    if found is None and token in common_words().get(language, frozenset()):
        return frozenset()
    return found


def _tokens(text: str) -> list[str]:
    return _WORD.findall(fold(text).replace("'", " "))
