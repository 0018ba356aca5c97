"""Ranking: how well a passage fits a text, from its words, its pairs of words and its vectors.

`ts_rank` knows neither how rare a word is nor how long a passage is; on a help centre where every page says "open
Settings", that decides. So PostgreSQL stems and counts, and BM25F (Robertson and Zaragoza, 2009) is made of its counts.
Words that say nothing by themselves stay in: on short questions "what is" and "how do I" tell passages apart.

One set of weights serves every corpus: chosen over eight public sets of questions, each time leaving one out; how they
do is in specs/decisions/0022-how-passages-are-ranked.md. What ranks and what is certain are two numbers: a
passage may be the best of all and still no answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: BM25's k1; its b stands in sql/queries/knowledge_search.sql.
SATURATION = 1.6
#: Keeps a single common word from looking like a whole question that was answered.
PRIOR = 0.3
#: What a word that no passage has counts for among the words to be found.
UNKNOWN = 0.3
#: What is taken off where a passage speaks of another standard or product than the text: its vector does not tell.
_ANOTHER = 0.35
#: What is taken off where all that the text is about stands on no page at all.
_STRANGE = 0.25
#: Of a message of several sentences: the part of its score that the message as a whole decides, its best sentence
#: decides the rest; and what makes up for the words around its question.
_WHOLE = 0.6
_LONG_MESSAGE = 1.1


@dataclass(frozen=True, slots=True)
class Fit:
    """How well one passage fits one text, each 0..1.

    `words`: BM25 of all words, `pairs`: of telling words next to each other. Of the telling words alone, weighted by
    how rare they are: `strength` as BM25, `coverage` what the passage has of them, `heading` what its headings have.
    `names`: the share of the abbreviations in the text that the passage has, 1 where there are none.
    `strange`: the share of the telling words that no passage of any page has.
    `passage`, `title`, `sentence` and `opening`: cosine of the text and the passage, its headings (None: it has none),
    its nearest sentence, its first.
    """

    words: float = 0.0
    pairs: float = 0.0
    strength: float = 0.0
    coverage: float = 0.0
    heading: float = 0.0
    passage: float = 0.0
    title: float | None = None
    sentence: float = 0.0
    opening: float = 0.0
    names: float = 1.0
    strange: float = 0.0

    @property
    def score(self) -> float:
        """What passages are ordered by; comparable within one search."""
        said = self.words + 0.25 * self.pairs + 0.2 * self.coverage
        if self.title is None:
            return said + 0.6 * self.passage + 0.2 * self.opening + 0.33 * self.sentence
        return said + 0.5 * self.passage + 0.375 * self.title + 0.33 * self.sentence

    @property
    def confidence(self) -> float:
        """How sure it is that the passage answers, 0..1, comparable between searches."""
        said = 0.3 * self.strength + 0.1 * self.coverage + 0.3 * self.heading
        sure = said + 0.8 * max(0.0, self.passage) - _ANOTHER * (1 - self.names) - _STRANGE * self.strange
        return min(1.0, max(0.0, sure))


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with what it is ordered by, and how sure it is that it answers (0..1)."""

    passage: int
    score: float
    confidence: float


def rarity(holders: int, passages: int) -> float:
    """BM25's inverse document frequency."""
    return math.log(1 + (passages - holders + 0.5) / (holders + 0.5))


def fuse(parts: Sequence[Mapping[int, Fit]]) -> list[Ranked]:
    """Passages, best first. The first part is the whole message, the others its sentences."""
    if not parts:
        return []
    whole, sentences = parts[0], parts[1:] or parts[:1]
    scale = _LONG_MESSAGE if len(parts) > 1 else 1.0
    none = Fit()
    ranked: list[Ranked] = []
    for passage in set().union(*parts):
        fits = [part.get(passage, none) for part in sentences]
        first = whole.get(passage, none)
        score = _WHOLE * first.score + (1 - _WHOLE) * max(fit.score for fit in fits)
        sure = scale * (_WHOLE * first.confidence + (1 - _WHOLE) * max(fit.confidence for fit in fits))
        ranked.append(Ranked(passage, score, min(1.0, sure)))
    return sorted(ranked, key=lambda one: (-one.score, one.passage))
