"""How a customer sounds, from -1 (furious) to 1 (delighted): word lists, for the record and not for a verdict.

Lists stand in moods/*.txt, one a language of the form. A word is looked for in the language that the text is told to be
in, in all of them where that cannot be told. What denies a word turns it, what strengthens it weighs it. Nothing is
decided by the number: who must have a person is shared.agent.escalation's (specs/decisions/0030-…).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from shared.channels.fold import fold
from shared.channels.language import language_told
from shared.channels.lexicon import word_lists

_FOLDER = Path(__file__).with_name("moods")
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[\u2600-\u27bf\U0001f300-\U0001faff]")
#: What is denied in one clause is denied in no other.
_CLAUSE_ENDS = re.compile(r"[.,;:!?\n،؛؟۔]")
#: French words that stand before an apostrophe: `n'aime`, `c'est`.
_ELIDED = re.compile(r"^(n|l|d|j|c|qu|m|t|s)'")
#: And, the, with and similar, which Arabic writes in front of the word.
_ARABIC = re.compile(r"^(?:وال|فال|بال|كال|لل|ال|و|ف|ب|ل)(?=\w{3})")
_WEIGHTS = {"very good": 2.0, "good": 1.0, "courtesy": 0.25, "trouble": -0.25, "bad": -1.0, "very bad": -2.0}
_VERY, _SLIGHTLY = 1.5, 0.5
#: What a word is worth when it is denied: `not good` is bad, `not bad` is a little good, `no problem` is nothing.
_DENIED = {"very good": -0.75, "good": -1.0, "courtesy": 0.0, "trouble": 0.0, "bad": 0.75, "very bad": 0.0}
_BEFORE, _BEHIND, _LONGEST = 3, 2, 4
_SHIFT = 0.3
#: So many messages make a trend.
MOST_MOODS = 5

Trend = Literal["falling", "steady", "rising"]


class Mood(StrEnum):
    """A score's band, as the metric has it."""

    VERY_NEGATIVE = "very-negative"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


def sentiment(texts: Iterable[str]) -> float:
    """-1..1, two decimals; 0 where nothing tells."""
    text = "\n".join(texts)
    lists = _lists(language_told([text]))
    worths = [worth for clause in _CLAUSE_ENDS.split(fold(text)) for worth in _worths(lists, _tokens(clause))]
    good, bad = sum(one for one in worths if one > 0), -sum(one for one in worths if one < 0)
    return round((good - bad) / (good + bad + 1), 2)


def band(score: float) -> Mood:
    """The band of a score: one plain word for a feeling is enough to leave the middle."""
    if score <= -0.6:
        return Mood.VERY_NEGATIVE
    if score <= -0.4:
        return Mood.NEGATIVE
    return Mood.POSITIVE if score >= 0.4 else Mood.NEUTRAL


def trend(scores: Sequence[float]) -> Trend | None:
    """Where a customer's mood goes over their last messages, oldest first; None for fewer than two.

    Of the last five, the last two (of two, one) are held against what came before; the very last must point there too.
    """
    last = scores[-MOST_MOODS:]
    if len(last) < 2:
        return None
    late = last[-2:] if len(last) > 2 else last[-1:]
    early = last[: len(last) - len(late)]
    before = sum(early) / len(early)
    shift = sum(late) / len(late) - before
    if abs(shift) < _SHIFT or (last[-1] - before) * shift <= 0:
        return "steady"
    return "rising" if shift > 0 else "falling"


def _worths(lists: Mapping[str, frozenset[str]], tokens: Sequence[str]) -> Iterator[float]:
    place = 0
    while place < len(tokens):
        kind, length = _found(lists, tokens, place)
        if kind:
            yield _worth(lists, tokens, place, length, kind)
        place += length


def _tokens(folded: str) -> list[str]:
    found: list[str] = []
    for token in _TOKEN.findall(folded):
        elided = _ELIDED.match(token)
        found += (["ne"] if elided and elided[1] == "n" else []) + [token[elided.end() :] if elided else token]
    return found


def _worth(lists: Mapping[str, frozenset[str]], tokens: Sequence[str], place: int, length: int, kind: str) -> float:
    before = tokens[max(0, place - _BEFORE) : place]
    behind = tokens[place + length : place + length + _BEHIND]
    denied = not lists["not"].isdisjoint(before) or not lists["not after"].isdisjoint(behind)
    near = {*before[-2:], *behind[:1]}
    strength = _VERY if lists["very"] & near else _SLIGHTLY if lists["slightly"] & near else 1.0
    # `not very good` is a bad word, and no very bad one.
    return _DENIED[kind] if denied else _WEIGHTS[kind] * strength


def _found(lists: Mapping[str, frozenset[str]], tokens: Sequence[str], place: int) -> tuple[str, int]:
    """The heading of the longest entry that begins here, empty for none, and how many tokens it takes."""
    for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
        said = "_".join(tokens[place : place + length])
        for spelling in (said, _ARABIC.sub("", said)):
            kind = next((kind for kind in _WEIGHTS if spelling in lists[kind]), "")
            if kind:
                return kind, length
    return "", 1


@cache
def _lists(language: str | None) -> Mapping[str, frozenset[str]]:
    """By heading, in the letters of a folded text; of every language where it is not told, or not known."""
    every = [path.stem for path in sorted(_FOLDER.glob("*.txt"))]
    used = [language, "any"] if language in every else every
    headings = [*_WEIGHTS, "not", "not after", "very", "slightly"]
    return {heading: frozenset().union(*(_words(name, heading) for name in used)) for heading in headings}


def _words(name: str | None, heading: str) -> frozenset[str]:
    words = word_lists(_FOLDER / f"{name}.txt").get(heading, frozenset[str]())
    # Joined by a sign that folding leaves alone.
    return frozenset(fold(word) for word in words)
