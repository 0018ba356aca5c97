"""Whether a reply says no more than its sources: sentence by sentence, by the words that carry meaning.

No understanding: a sentence that states something must be made of words of the pages that the reply
cites. What is said in other words than theirs is refused too; then a person answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.agent.figures import in_figures
from shared.agent.negation import is_negated, without_not
from shared.agent.plain import unwrapped
from shared.channels.fold import fold
from shared.channels.language import ENGLISH

_NEUTRAL = Path(__file__).parent / "phrases" / "neutral.txt"
_SENTENCE_END = re.compile(r"(?<=[.!?:؟۔])[\"”’)]*\s+|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SHOWN = re.compile(r"(?<=[^\W_] )[\"“‘(]?[^\W\d_][^\W_]+|(?<=, )[^\W\d_][^\W_]+")
_SUFFIXES = ("ations", "ation", "ings", "ing", "ions", "ion", "edly", "ers", "ies", "ed", "er", "es", "ly", "s")
_SHORTEST_STEM = 3
#: Share of a sentence's words that must stand in the pages cited.
_ENOUGH = 0.7
#: Words that a sentence needs to be compared with one of a page, and how near to the nearest counts as well.
_FEWEST_TO_DENY = 2
_NEARLY = 0.8
#: Words of a question back that nobody used before; more of them are a statement with a question mark.
_NEW_IN_QUESTION = 3
_ASKED = re.compile(
    r"^(?:and |or |so |also,? )?(?:which|what|where|when|who|whose|how|do|does|did|are|is|was|were|has|have|could|can"
    r"|would|will|shall|should|may)\b"
)
_PRESUMED = re.compile(
    r"\b(?:you (?:know|aware|realise|realize)|aware that|know that|now that|given that|because|seeing that)\b"
    r"|\bwhy (?:do|does|did|is|are|would|has|have)\b|\b(?:right|correct|isn't it|doesn't it|don't we) ?\?$"
)
#: What nobody may be asked for by message.
_SECRET = re.compile(r"\b(?:passwords?|passcodes?|pin|codes?|card numbers?|cvv|cvc|secrets?|iban)\b")
_RETOLD = re.compile(
    r"\byou (?:\w+ )?(?:wrote|asked|contacted|mentioned|told|reached|reported|described|got in touch)\b"
)
_OF_THEIRS = re.compile(r"^(?:for|about|regarding|as for|with|in) your (?:\w+ ){0,3}\w+\W*$")
_GREETED = re.compile(r"(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)) ((?:[^\W\d_]+\W{1,2}){1,5})$")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a reply may be made of: the pages cited (text and headings), the customer's own words, both sides' names."""

    pages: str = ""
    known: str = ""
    names: str = ""
    headings: str = ""
    #: The reply's language, and those of the pages cited; empty: not told.
    language: str = "en"
    languages: frozenset[str] = frozenset()


def sentences(text: str) -> list[str]:
    """Sentences and lines of a reply."""
    return [one.strip() for one in _SENTENCE_END.split(unwrapped(text)) if any(letter.isalnum() for letter in one)]


def foreign_name(text: str, held: Held) -> bool:
    """Whether something with a capital letter is named, a person or a street, that no source names."""
    known = held.pages | held.known | neutral()
    return any(stem(word) not in known for sentence in sentences(text) for word in _named(sentence))


def retold(sentence: str) -> bool:
    """Whether a sentence repeats what the customer wrote."""
    return bool(_RETOLD.search(fold(sentence)))


def asks_only(text: str, sources: Sources) -> bool:
    """Whether a text asks and states nothing: each sentence is a question, a greeting, thanks or a closing."""
    parts, names = sentences(text), stems(sources.names)
    asked = [part for part in parts if _is_question(part)]
    return bool(asked) and all(part in asked or not _content(part) - _salutation(part) - names for part in parts)


@dataclass(frozen=True, slots=True)
class Held:
    """The stems of the sources, and each of their sentences by itself."""

    pages: frozenset[str]
    known: frozenset[str]
    own: frozenset[str]
    headings: tuple[str, ...]
    said: tuple[tuple[frozenset[str], bool], ...]
    #: In which "not" is looked for: the reply's, where a page cited is in it.
    language: str = ENGLISH

    @classmethod
    def of(cls, sources: Sources) -> Held:
        """The sources, read."""
        names = stems(f"{sources.names} {sources.headings}")
        language = sources.language if sources.language in sources.languages else ENGLISH
        said = tuple(
            (frozenset(_content(without_not(one, language))), is_negated(one, language))
            for one in sentences(sources.pages)
        )
        headings = tuple(heading for heading in map(fold, sources.headings.splitlines()) if heading)
        pages, known = stems(sources.pages), stems(sources.known)
        return cls(
            frozenset(pages | names),
            frozenset(known | names),
            frozenset(stems(sources.names)),
            headings,
            said,
            language,
        )

    def backs(self, sentence: str) -> bool:
        """Whether a sentence states no more than the pages, or nothing."""
        content = _content(self.without_headings(sentence)) - self.own
        if not content:
            return True
        if _is_question(sentence):
            return len(content - self.pages - self.known) <= _NEW_IN_QUESTION
        if retold(sentence) or _OF_THEIRS.match(fold(sentence)) or content <= _salutation(sentence):
            return _share(content, self.pages | self.known) >= _ENOUGH
        return _share(content, self.pages) >= _ENOUGH and self._agrees(sentence)

    def without_headings(self, sentence: str) -> str:
        """A page that is named says nothing."""
        plain = fold(sentence)
        for heading in self.headings:
            plain = plain.replace(heading, " ")
        return plain

    def _agrees(self, sentence: str) -> bool:
        """A "not" is never added to what a page says, and never dropped from it."""
        negated = is_negated(sentence, self.language)
        content = _content(without_not(self.without_headings(sentence), self.language)) - self.own
        near = [(_share(content, words), no) for words, no in self.said if words]
        best = max((share for share, _ in near), default=0.0)
        if best < _ENOUGH or len(content) < _FEWEST_TO_DENY:
            return True
        return any(no is negated for share, no in near if share >= _NEARLY * best)


def stem(word: str) -> str:
    """A word without its ending, roughly: `exports` and `exporting` are one."""
    plain = word.removesuffix("'s")
    suffix = next((one for one in _SUFFIXES if plain.endswith(one) and len(plain) - len(one) >= _SHORTEST_STEM), "")
    plain = plain.removesuffix(suffix)
    if len(plain) > _SHORTEST_STEM and plain[-1] == plain[-2]:
        plain = plain[:-1]
    return plain.rstrip("eiy") if len(plain) > _SHORTEST_STEM else plain


def _is_question(sentence: str) -> bool:
    plain = fold(sentence)
    asked = plain.endswith(("?", "؟")) and bool(_ASKED.match(plain))
    return asked and not _PRESUMED.search(plain) and not _SECRET.search(plain)


def _salutation(sentence: str) -> set[str]:
    """The name in `Dear Priya Okafor,`: not a statement, but it must be a name that we know."""
    greeted = _GREETED.match(fold(sentence))
    return _content(greeted[1]) if greeted else set()


def _share(content: Collection[str], source: Collection[str]) -> float:
    return sum(word in source for word in content) / len(content) if content else 1.0


def _content(text: str) -> set[str]:
    """Stems of the words that carry meaning."""
    return stems(in_figures(text, (ENGLISH,))) - neutral()


def stems(text: str) -> set[str]:
    """The stems of a text's words."""
    return {stem(word) for word in _WORD.findall(fold(text))}


def _named(sentence: str) -> Iterator[str]:
    """Words with a capital that do not begin the sentence."""
    for match in _SHOWN.finditer(sentence):
        word = match[0].strip('"“‘(')
        if word[0].isupper():
            yield fold(word)


@cache
def neutral() -> frozenset[str]:
    """Stems of the words that need no source; read once."""
    lines = _NEUTRAL.read_text(encoding="utf-8").splitlines()
    return frozenset(stem(word) for line in lines if not line.startswith("#") for word in line.split())
