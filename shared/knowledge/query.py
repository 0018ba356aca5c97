"""What a question asks for: its words, without pleasantries, each with other words for the same thing.

Stems and stop words are PostgreSQL's; here only what its dictionaries do not know: how people
write to a help desk, and that a colleague is a team member.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, islice, takewhile
from pathlib import Path

MAX_WORDS = 60
_ALTERNATIVE_WEIGHT = 0.8
_LONGEST_PHRASE = 3
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_JOINT = re.compile(r"['.-]")
_FOLDER = Path(__file__).parent / "vocabulary"


@dataclass(frozen=True, slots=True)
class Word:
    """A word to look for. Words with one `term` are alternatives for each other; `weight` is 0..1.

    `telling` is false for what is said around a matter: it helps to tell passages apart, and proves nothing found.
    `known`: our own vocabulary has it, so that it tells even where a dictionary takes it for a stop word ("down").
    `named`: it is written as an abbreviation is, such as a standard or a product, for which no other words stand.
    """

    term: int
    text: str
    weight: float
    telling: bool = True
    named: bool = False
    known: bool = False


def words(query: str) -> list[Word]:
    """The telling words of a query in its order, at most `MAX_WORDS` terms; empty when only noise is left."""
    return [word for word in every_word(query) if word.telling]


def every_word(query: str) -> list[Word]:
    """All words of a query in its order, each term once: at most `MAX_WORDS` telling ones, and those between them."""
    text = unicodedata.normalize("NFKC", query).replace("’", "'")
    phrases = _phrases(list(islice(_tokens(text.casefold()), 4 * MAX_WORDS)))
    telling = count(1)
    upto = takewhile(lambda phrase: phrase in _noise() or next(telling) <= MAX_WORDS, phrases)
    names = _names(text)
    return [word for term, phrase in enumerate(upto) for word in _alternatives(term, phrase, phrase in names)]


def _tokens(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        yield match[0].removesuffix("'s")


def _names(text: str) -> frozenset[str]:
    """Words of two capitals or more in one piece, of a text that is not written in capitals throughout."""
    tokens = list(_tokens(text))
    shouted = sum(len(token) for token in tokens if token.isupper())
    if 2 * shouted > sum(map(len, tokens)):
        return frozenset()
    return frozenset(token.casefold() for token in tokens if max(map(_capitals, _JOINT.split(token))) > 1)


def _capitals(piece: str) -> int:
    return sum(map(str.isupper, piece))


def _phrases(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of tokens that the vocabulary knows as one, else single tokens; each once."""
    seen: set[str] = set()
    position = 0
    while position < len(tokens):
        length = next((n for n in range(_LONGEST_PHRASE, 1, -1) if _known(tokens[position : position + n])), 1)
        phrase = " ".join(tokens[position : position + length])
        if phrase not in seen:
            seen.add(phrase)
            yield phrase
        position += length


def _known(tokens: Sequence[str]) -> bool:
    phrase = " ".join(tokens)
    return phrase in _synonyms() or phrase in _noise()


def _alternatives(term: int, phrase: str, named: bool) -> Iterator[Word]:
    if phrase in _noise():
        yield Word(term, phrase, 1.0, telling=False)
        return
    others = _synonyms().get(phrase, ())
    yield Word(term, phrase, 1.0, named=named, known=any(other not in _noise() for other in others))
    for other in others:
        yield Word(term, other, _ALTERNATIVE_WEIGHT, named=named)


@cache
def _synonyms() -> Mapping[str, tuple[str, ...]]:
    """Each phrase with the others of its lines in vocabulary/synonyms.txt."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines("synonyms.txt"):
        group = [phrase.strip() for phrase in line.split(",")]
        for phrase in group:
            found[phrase] = (*found.get(phrase, ()), *(other for other in group if other != phrase))
    return found


@cache
def _noise() -> frozenset[str]:
    """Words, and phrases of two or three, whose words a `_` joins in the file."""
    return frozenset(word.replace("_", " ") for line in _lines("noise.txt") for word in line.split())


def _lines(name: str) -> list[str]:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def near(word: str, other: str) -> bool:
    """Whether one slip of the fingers (two in a word of eight letters or more) turns one into the other."""
    return distance(word, other) <= (2 if len(word) >= 8 else 1)


def distance(left: str, right: str) -> int:
    """Letters added, dropped, changed or swapped with a neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before_last, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
    return row[-1]
