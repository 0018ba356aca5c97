"""Ranking: BM25 over PostgreSQL's stems and cosine similarity of vectors, fused into one confidence.

`ts_rank` knows neither how rare a word is nor how long a passage is; on a help centre where every
page says "open Settings", that decides. So PostgreSQL finds and counts, and BM25F (Robertson and
Zaragoza, 2009) is computed here from its counts. The constants were chosen on the `dev` part of
tests/evals/retrieval.yaml; results change little around them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_K1 = 0.8
_B = 0.75
_HEADING_WEIGHT = 1.2
#: Keeps a single common word from looking like a whole question that was answered.
_PRIOR = 0.3
#: Of a message of several sentences: the part of its score that the message as a whole decides, its best sentence
#: decides the rest; and what makes up for the words around its question.
_WHOLE = 0.6
_LONG_MESSAGE = 1.1


@dataclass(frozen=True, slots=True)
class Hit:
    """A stem of one word in a passage; `passage` is None when no passage has it.

    `term` is what was asked for, `choice` the word for it; a word of several stems shares its weight among them.
    """

    term: int
    choice: int
    weight: float
    passage: int | None
    length: int = 0
    in_heading: int = 0
    in_body: int = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is searched: number of passages, and how many different stems one has on average."""

    passages: int
    mean_length: float


@dataclass(frozen=True, slots=True)
class Match:
    """How well one passage fits, each 0..1, terms weighted by how rare they are.

    `bm25`: how strongly its text has the terms; `coverage`: how much of the question it has at all;
    `heading`: how much of it the headings have; `similarity`: cosine of the vectors.
    """

    passage: int
    bm25: float = 0.0
    coverage: float = 0.0
    heading: float = 0.0
    similarity: float = 0.0

    @property
    def confidence(self) -> float:
        """One number, 0..1, comparable between questions."""
        words = 0.3 * self.bm25 + 0.1 * self.coverage + 0.3 * self.heading
        return min(1.0, words + 0.8 * max(0.0, self.similarity))


def matches(hits: Iterable[Hit], similarities: Mapping[int, float], corpus: Corpus) -> list[Match]:
    """Every passage that a word or a vector found, in no order."""
    terms = _by_term(hits)
    rarity = {term: _rarity(len(found), corpus.passages) for term, found in terms.items()}
    total = sum(rarity.values()) + _PRIOR
    shares = {term: one / total for term, one in rarity.items()}
    passages = {passage for found in terms.values() for passage in found} | set(similarities)
    return [
        _match(passage, [(shares[term], found.get(passage, ())) for term, found in terms.items()], similarities, corpus)
        for passage in passages
    ]


def fuse(parts: Sequence[Sequence[Match]]) -> list[tuple[int, float]]:
    """Passages with their confidence, best first. The first part is the whole message, the others its sentences."""
    if not parts:
        return []
    scores = [{match.passage: match.confidence for match in part} for part in parts]
    whole, sentences = scores[0], scores[1:] or scores[:1]
    scale = _LONG_MESSAGE if len(scores) > 1 else 1.0
    fused = {
        passage: min(1.0, scale * (_WHOLE * whole.get(passage, 0.0) + (1 - _WHOLE) * _most(sentences, passage)))
        for passage in set().union(*scores)
    }
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))


def _most(sentences: Sequence[Mapping[int, float]], passage: int) -> float:
    return max(one.get(passage, 0.0) for one in sentences)


def _by_term(hits: Iterable[Hit]) -> dict[int, dict[int, list[Hit]]]:
    terms: dict[int, dict[int, list[Hit]]] = defaultdict(lambda: defaultdict(list))
    for hit in hits:
        term = terms[hit.term]
        if hit.passage is not None:
            term[hit.passage].append(hit)
    return terms


def _rarity(holders: int, passages: int) -> float:
    """BM25's inverse document frequency, softened: one odd word must not outweigh the rest of a question."""
    return math.sqrt(math.log(1 + (passages - holders + 0.5) / (holders + 0.5)))


def _match(
    passage: int,
    shares: Sequence[tuple[float, Sequence[Hit]]],
    similarities: Mapping[int, float],
    corpus: Corpus,
) -> Match:
    bm25 = coverage = heading = 0.0
    for share, hits in shares:
        bm25 += share * _best({hit: hit.weight * _saturation(hit, corpus) for hit in hits})
        coverage += share * _best({hit: hit.weight for hit in hits})
        heading += share * _best({hit: hit.weight for hit in hits if hit.in_heading})
    return Match(passage, bm25, coverage, heading, similarities.get(passage, 0.0))


def _best(weights: Mapping[Hit, float]) -> float:
    """The best of the words for one term; the stems of one word add up."""
    words: dict[int, float] = defaultdict(float)
    for hit, weight in weights.items():
        words[hit.choice] += weight
    return max(words.values(), default=0.0)


def _saturation(hit: Hit, corpus: Corpus) -> float:
    """BM25F's term weight, 0..1: more occurrences help ever less, in a long passage a little less."""
    frequency = _HEADING_WEIGHT * hit.in_heading + hit.in_body
    stretch = 1 - _B + _B * hit.length / (corpus.mean_length or 1.0)
    return frequency / (frequency + _K1 * stretch)
