"""Searching the knowledge base: full text and vectors, fused; nothing rather than something unrelated."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgvector import Vector

from shared.db.pool import Connection, Database, Row
from shared.db.queries import load
from shared.errors import FteError
from shared.knowledge.embed import Embedder
from shared.knowledge.passage import Passage
from shared.knowledge.query import Word, near, words
from shared.knowledge.rank import Corpus, Hit, Match, fuse, matches
from shared.observability.logs import logger

_SQL = load("knowledge")

#: Below this confidence a passage is not an answer: tests/evals/retrieval.py measures where to cut.
FOUND_ABOVE = 0.4

_VECTOR_CANDIDATES = 30
_EMBED_TIMEOUT_S = 3.0
_MISSPELT_WEIGHT = 0.9
_LONG = 12  # words, from which a message is also searched sentence by sentence
_MAX_SENTENCES = 6
_MAX_CHARACTERS = 4000
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[^,!.?\n]{0,30}[,!.\n]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Part:
    """A message or one of its sentences: its words, and its vector (None while the model is away)."""

    words: Sequence[Word]
    vector: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Where one search looks: in which corpus, in documents of which language, by the vectors of which model."""

    connection: Connection
    corpus: Corpus
    language: str | None
    model: str


class KnowledgeSearch:
    """Searches the active version of every document."""

    def __init__(self, db: Database, embedder: Embedder, *, threshold: float = FOUND_ABOVE) -> None:
        self._db = db
        self._embedder = embedder
        self._threshold = threshold

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> list[Passage]:
        """The passages that answer `query`, best first; empty when none does.

        `language` is a document's language (`en`); None searches all. Raises Retryable while PostgreSQL is away.
        """
        parts = await self._parts(query)
        if not parts:
            return []
        async with self._db.transaction() as connection:
            await connection.execute(_SQL["filtered_scan"])
            row = await connection.fetchrow(_SQL["corpus"], language)
            asked = Asked(connection, Corpus(row["passages"], row["mean_length"]), language, self._embedder.name)
            ranked = fuse([await _matches(asked, part) for part in parts])
            best = [(passage, score) for passage, score in ranked if score >= self._threshold][:limit]
            rows = await connection.fetch(_SQL["passages"], [passage for passage, _ in best])
        return _passages(best, rows)

    async def _parts(self, query: str) -> list[Part]:
        texts = _texts(query)
        found = [words(text) for text in texts]
        vectors = await self._vectors(texts) if any(found) else []
        return [Part(asked, vector) for asked, vector in zip(found, vectors, strict=False) if asked]

    async def _vectors(self, texts: Sequence[str]) -> list[str | None]:
        try:
            async with asyncio.timeout(_EMBED_TIMEOUT_S):
                return [Vector(vector).to_text() for vector in await self._embedder.embed(texts)]
        except (FteError, TimeoutError) as error:
            logger().warning("search_without_vectors", error_type=type(error).__name__)
            return [None for _ in texts]


async def _matches(asked: Asked, part: Part) -> list[Match]:
    hits = await _text_hits(asked, part.words)
    return matches(hits, await _similarities(asked, part, hits), asked.corpus)


async def _similarities(asked: Asked, part: Part, hits: Sequence[Hit]) -> dict[int, float]:
    """How near the passages are that the words or the vector found."""
    if part.vector is None:
        return {}
    where = (part.vector, asked.model)
    nearest = await asked.connection.fetch(_SQL["vector_hits"], *where, asked.language, _VECTOR_CANDIDATES)
    named = list({hit.passage for hit in hits if hit.passage is not None})
    others = await asked.connection.fetch(_SQL["similarities"], *where, named)
    return {row["id"]: row["similarity"] for row in [*nearest, *others]}


def _texts(query: str) -> list[str]:
    """The message, and when it is a long one its sentences: the greeting must not dilute the question."""
    text = _GREETING.sub("", query[:_MAX_CHARACTERS].replace("\0", " "))
    sentences = [sentence for sentence in _SENTENCE.split(text) if words(sentence)]
    if len(text.split()) <= _LONG or len(sentences) < 2:
        return [text]
    return [text, *sentences[:_MAX_SENTENCES]]


async def _text_hits(asked: Asked, wanted: Sequence[Word]) -> list[Hit]:
    hits = await _hits(asked, wanted)
    known = {hit.term for hit in hits if hit.passage is not None}
    misspelt = [word for word in wanted if word.term not in known and _correctable(word)]
    corrected = await _corrected(asked.connection, misspelt) if misspelt else []
    if not corrected:
        return hits
    fixed = {word.term for word in corrected}
    return [hit for hit in hits if hit.term not in fixed] + await _hits(asked, corrected)


async def _hits(asked: Asked, wanted: Sequence[Word]) -> list[Hit]:
    columns = ([word.text for word in wanted], [word.term for word in wanted], [word.weight for word in wanted])
    rows = await asked.connection.fetch(_SQL["text_hits"], *columns, asked.language)
    return [
        Hit(row["term"], row["choice"], row["weight"], row["id"], row["length"] or 0, row["in_heading"] or 0,
            row["in_body"] or 0)
        for row in rows
    ]  # fmt: skip


def _correctable(word: Word) -> bool:
    return word.weight == 1.0 and len(word.text) >= 5 and word.text.isascii() and word.text.isalpha()


async def _corrected(connection: Connection, misspelt: Sequence[Word]) -> list[Word]:
    """For each word that no passage has, the commonest stem it may be a slip of."""
    lengths = [len(word.text) for word in misspelt]
    rows = await connection.fetch(_SQL["vocabulary"], min(lengths) - 3, max(lengths) + 1)
    corrected: list[Word] = []
    for word in misspelt:
        meant = [row for row in rows if _meant(word.text, row["word"])]
        if meant:
            best = max(meant, key=lambda row: row["ndoc"])["word"]
            corrected.append(Word(word.term, best, _MISSPELT_WEIGHT))
    return corrected


def _meant(word: str, stem: str) -> bool:
    """A stem has lost its ending: compare it with the word and with the word cut to the same length."""
    if len(stem) < 4 or word[0] != stem[0]:
        return False
    return near(word, stem) or (len(word) > len(stem) >= 5 and near(word[: len(stem)], stem))


def _passages(best: Sequence[tuple[int, float]], rows: Sequence[Row]) -> list[Passage]:
    by_id = {row["id"]: row for row in rows}
    return [
        Passage(
            document_id=row["document_id"],
            version=row["version"],
            title=row["title"],
            url=row["url"],
            heading_path=row["heading_path"],
            text=row["content"],
            score=round(score, 4),
        )
        for passage, score in best
        if (row := by_id.get(passage)) is not None
    ]
