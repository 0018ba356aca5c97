"""Searching the knowledge base: words and vectors, fused; nothing rather than something unrelated.

Candidates come from the words' index and from the vectors' (HNSW); each is then looked at in full (`rank.py`). Several
texts are searched by the same few statements, so that an evaluation of thousands runs the very code of one question.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.db.pool import Connection, Database, Row
from shared.db.queries import load
from shared.errors import FteError
from shared.knowledge.asking import Scope, Sought, sought
from shared.knowledge.embed import Embedder, embedder_of, literal
from shared.knowledge.passage import Passage
from shared.knowledge.query import Word, every_word, words
from shared.knowledge.rank import SATURATION, Fit, Ranked, fuse
from shared.knowledge.spelling import Spelling
from shared.observability.logs import logger

_SQL = load("knowledge_search")

#: Below this confidence a passage is not an answer: tests/evals/retrieval.py measures where to cut.
FOUND_ABOVE = 0.42

_WORD_CANDIDATES = 40
_VECTOR_CANDIDATES = 30
_EMBED_TIMEOUT_S = 3.0
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


class KnowledgeSearch:
    """Searches the active version of every document."""

    def __init__(self, db: Database, embedder: Embedder, *, threshold: float = FOUND_ABOVE) -> None:
        self._db = db
        self._embedder = embedder
        self._threshold = threshold
        self._spelling = Spelling()

    async def search(
        self,
        query: str,
        *,
        limit: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str | None = None,
    ) -> list[Passage]:
        """The passages that answer `query`, best first; empty when none does.

        `language` is a document's language (`en`); `product` and `audience` leave out documents for another one. None
        searches all. Raises Retryable while PostgreSQL is away.
        """
        if not words(query):
            return []
        async with self._db.transaction() as connection:
            (ranked,) = await self.rank(connection, [query], (product, language, audience))
            best = [one for one in ranked if one.confidence >= self._threshold][:limit]
            rows = await connection.fetch(_SQL["passages"], [one.passage for one in best])
        return _passages(best, rows)

    async def rank(
        self, connection: Connection, queries: Sequence[str], filters: tuple[str | None, str | None, str | None]
    ) -> list[list[Ranked]]:
        """Of each query the passages looked at, best first, however unsure. In a transaction of the caller's."""
        await connection.execute(_SQL["filtered_scan"])
        scope = _scope(filters, await connection.fetchrow(_SQL["scope"], *filters))
        texts = [_texts(query) for query in queries]
        flat = [text for part in texts for text in part]
        vectors = await self._vectors(flat, scope.model)
        parts = [Part(every_word(text), vector) for text, vector in zip(flat, vectors, strict=True)]
        asked = await sought(connection, scope, [part.words for part in parts], self._spelling)
        groups = _groups(texts)
        fits = await _fits(connection, scope, parts, asked, groups)
        return [fuse([fits.get(part, {}) for part in group]) for group in groups]

    async def _vectors(self, texts: Sequence[str], model: str) -> list[str | None]:
        embedder = embedder_of(self._embedder, model)
        try:
            if embedder is None:
                return [None for _ in texts]
            async with asyncio.timeout(_EMBED_TIMEOUT_S):
                return [literal(vector) for vector in await embedder.embed(texts)]
        except (FteError, TimeoutError) as error:
            logger().warning("search_without_vectors", error_type=type(error).__name__)
            return [None for _ in texts]


def _scope(filters: tuple[str | None, str | None, str | None], row: Row) -> Scope:
    return Scope(
        filters,
        row["passages"],
        row["mean_length"],
        tuple(row["dictionaries"]),
        row["model"] or "",
        row["revision"] or 0,
    )


def _texts(query: str) -> list[str]:
    """The message, and when it is a long one its sentences: the greeting must not dilute the question."""
    text = _GREETING.sub("", query[:_MAX_CHARACTERS].replace("\0", " "))
    sentences = [sentence for sentence in _SENTENCE.split(text) if words(sentence)]
    if len(text.split()) <= _LONG or len(sentences) < 2:
        return [text]
    return [text, *sentences[:_MAX_SENTENCES]]


def _groups(texts: Sequence[Sequence[str]]) -> list[list[int]]:
    """The numbers of the parts of each query."""
    groups: list[list[int]] = []
    first = 0
    for parts in texts:
        groups.append(list(range(first, first + len(parts))))
        first += len(parts)
    return groups


async def _fits(
    connection: Connection,
    scope: Scope,
    parts: Sequence[Part],
    asked: Sequence[Sought],
    groups: Sequence[Sequence[int]],
) -> dict[int, dict[int, Fit]]:
    """Of each part the passages that any part of its query found."""
    vectors = {number: part.vector for number, part in enumerate(parts) if part.vector is not None}
    found = await _candidates(connection, scope, asked, vectors)
    pairs = [
        (part, passage)
        for group in groups
        for passage in sorted(set().union(*(found.get(part, set()) for part in group)))
        for part in group
    ]
    where = ([part for part, _ in pairs], [passage for _, passage in pairs])
    said = await connection.fetch(_SQL["word_features"], *where, *_columns(asked), scope.mean_length, SATURATION)
    near = await connection.fetch(_SQL["vector_features"], *where, list(vectors.values()), scope.model, list(vectors))
    return _merged(said, near)


async def _candidates(
    connection: Connection, scope: Scope, asked: Sequence[Sought], vectors: Mapping[int, str]
) -> dict[int, set[int]]:
    leads = [one for one in asked if one.leads]
    columns = ([one.part for one in leads], [one.lexeme for one in leads], [one.share for one in leads])
    by_words = await connection.fetch(
        _SQL["word_hits"], *scope.filters, *columns, scope.mean_length, SATURATION, _WORD_CANDIDATES
    )
    by_vectors = await connection.fetch(
        _SQL["vector_hits"], *scope.filters, list(vectors.values()), list(vectors), scope.model, _VECTOR_CANDIDATES
    )
    found: dict[int, set[int]] = {}
    for row in (*by_words, *by_vectors):
        found.setdefault(row["part"], set()).add(row["passage_id"])
    return found


def _columns(asked: Sequence[Sought]) -> tuple[list[object], ...]:
    names = ("part", "term", "choice", "lexeme", "pair", "among_all", "among_telling", "among_pairs")
    return tuple([getattr(one, name) for one in asked] for name in names)


def _merged(said: Sequence[Row], near: Sequence[Row]) -> dict[int, dict[int, Fit]]:
    fits: dict[int, dict[int, Fit]] = {}
    by_words = {(row["part"], row["passage_id"]): row for row in said}
    by_vectors = {(row["part"], row["passage_id"]): row for row in near}
    for key in by_words.keys() | by_vectors.keys():
        fits.setdefault(key[0], {})[key[1]] = _fit(by_words.get(key), by_vectors.get(key))
    return fits


def _fit(said: Row | None, near: Row | None) -> Fit:
    """What is missing of a passage's vectors is taken to be as near as the passage is."""
    words_ = {name: said[name] for name in ("words", "pairs", "strength", "coverage", "heading")} if said else {}
    if near is None:
        return Fit(**words_)
    passage = near["passage"]
    title, sentence = (passage if near[name] is None else near[name] for name in ("heading", "sentence"))
    return Fit(**words_, passage=passage, title=title, sentence=sentence)


def _passages(best: Sequence[Ranked], rows: Sequence[Row]) -> list[Passage]:
    by_id = {row["id"]: row for row in rows}
    return [
        Passage(
            document_id=row["document_id"],
            version=row["version"],
            title=row["title"],
            url=row["url"],
            heading_path=row["heading_path"],
            text=row["content"],
            score=round(one.confidence, 4),
        )
        for one in best
        if (row := by_id.get(one.passage)) is not None
    ]
