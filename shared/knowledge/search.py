"""Searching the knowledge base: words and vectors, fused; nothing rather than something unrelated.

Candidates come from the words' index and from the vectors' (HNSW); each is then looked at in full (`rank.py`). Several
texts are searched by the same few statements, so that an evaluation of thousands runs the very code of one question.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.channels.language import ENGLISH, every_common_word, language_told, without_region
from shared.db.pool import Connection, Database, Row
from shared.db.queries import load
from shared.knowledge.asking import Asked, Holders, Scope, Sought, held, sought
from shared.knowledge.embed import Embedder, WordLlamaEmbedder
from shared.knowledge.nearest import embed_questions, nearest
from shared.knowledge.order import in_order
from shared.knowledge.passage import Passage
from shared.knowledge.query import Word, every_word, words
from shared.knowledge.rank import SATURATION, Fit, Ranked, fuse
from shared.knowledge.spelling import Spelling

_SQL = load("knowledge_search")

#: Below this confidence a passage is not an answer: tests/evals/retrieval.py measures where to cut.
FOUND_ABOVE = 0.44

_WORD_CANDIDATES = 40
_MAIN_LEAD = 0.1
#: Passages looked at, among which a section's place in its page counts.
_LOOKED_AT = 10
#: The vectors that are shipped know English: any two texts in another language are near each other.
_FOREIGN_DOUBT = 0.08
_LONG = 12  # words, from which a message is also searched sentence by sentence
_MAX_SENTENCES = 6
_MAX_CHARACTERS = 4000
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[^,!.?\n]{0,30}[,!.\n]", re.IGNORECASE
)


#: Product, language and audience, None for all.
Filters = tuple[str | None, str | None, str | None]


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
        self._holders: dict[Filters, Holders] = {}

    async def search(
        self,
        query: str,
        *,
        limit: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str | None = None,
    ) -> list[Passage]:
        """The passages that answer `query`, best first and all in one language; empty when none does.

        `language` is a document's language (`en`): only documents in it. Without one the language that the query is
        written in is searched first, and others only if that has no answer. `product` and `audience` leave out
        documents for another one. Raises Retryable while PostgreSQL is away.
        """
        if not words(query):
            return []
        async with self._db.transaction() as connection:
            best = (await self._surest(connection, query, (product, language, audience)))[: max(limit, _LOOKED_AT)]
            rows = await connection.fetch(_SQL["passages"], [one.passage for one in best])
        return _passages(in_order(query, best, {row["id"]: row for row in rows})[:limit], rows)

    async def _surest(self, connection: Connection, query: str, filters: Filters) -> list[Ranked]:
        """What is certain enough, in the first of the languages to try that has anything."""
        product, language, audience = filters
        written = [language] if language else [row["language"] for row in await connection.fetch(_SQL["languages"])]
        asked_in, others = _to_try(written, query)
        best = await self._best_of(connection, query, [(product, one, audience) for one in asked_in])
        if best or not others:
            return best
        ways = [(product, one, audience) for one in others]
        if not asked_in:
            return await self._best_of(connection, query, ways)
        # What remains in another language are names: the words around them are not looked for in vain, and one that
        # stands on pages in the language asked in was found there.
        own = {word for one in asked_in for word in await self._held(connection, query, (product, one, audience))}
        named = [(way, [word for word in await self._held(connection, query, way) if word not in own]) for way in ways]
        return max([await self._best_of(connection, " ".join(text), [way]) for way, text in named], key=_lead)

    async def _best_of(self, connection: Connection, query: str, ways: Sequence[Filters]) -> list[Ranked]:
        """The surest of several languages; what looks the same in each is taken for the first one's."""
        found = [await self._sure(connection, query, way) for way in ways]
        main = _MAIN_LEAD if query.isascii() else -_MAIN_LEAD
        return max(found, key=lambda ranked: _lead(ranked) + (main if ranked is found[0] else 0), default=[])

    async def _held(self, connection: Connection, query: str, filters: Filters) -> list[str]:
        scope = _scope(filters, await connection.fetchrow(_SQL["scope"], *filters))
        # What is common in any language is no name: the "per" of a German question is on English pages too.
        telling = [word for word in words(query) if word.text not in every_common_word()]
        return await held(connection, scope, telling)

    async def _sure(self, connection: Connection, query: str, filters: Filters) -> list[Ranked]:
        (ranked,) = await self.rank(connection, [query], filters)
        english = without_region(filters[1] or ENGLISH) == ENGLISH or self._embedder.name != WordLlamaEmbedder.name
        least = self._threshold if english else self._threshold + _FOREIGN_DOUBT
        return [one for one in ranked if one.confidence >= least]

    async def rank(self, connection: Connection, queries: Sequence[str], filters: Filters) -> list[list[Ranked]]:
        """Of each query the passages looked at, best first, however unsure. In a transaction of the caller's."""
        await connection.execute(_SQL["filtered_scan"])
        scope = _scope(filters, await connection.fetchrow(_SQL["scope"], *filters))
        texts = [_texts(query) for query in queries]
        flat = [text for part in texts for text in part]
        vectors = await embed_questions(self._embedder, flat, scope.model)
        parts = [Part(every_word(text), vector) for text, vector in zip(flat, vectors, strict=True)]
        holders = self._holders.setdefault(filters, Holders())
        asked = await sought(connection, scope, [part.words for part in parts], self._spelling, holders)
        groups = _groups(texts)
        fits = await _fits(connection, scope, parts, asked, groups)
        return [fuse([fits.get(part, {}) for part in group]) for group in groups]


def _to_try(written: Sequence[str], query: str) -> tuple[list[str], list[str]]:
    """The languages that documents are `written` in, those that the query is in before the others.

    Of a few words nothing may tell: then all are others, the one with most documents first.
    """
    told = language_told([query])
    asked_in = [one for one in written if without_region(one) == told]
    return asked_in, [one for one in written if one not in asked_in]


def _lead(ranked: Sequence[Ranked]) -> float:
    return ranked[0].confidence if ranked else 0.0


def _scope(filters: Filters, row: Row) -> Scope:
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
    asked: Asked,
    groups: Sequence[Sequence[int]],
) -> dict[int, dict[int, Fit]]:
    """Of each part the passages that any part of its query found."""
    vectors = {number: part.vector for number, part in enumerate(parts) if part.vector is not None}
    found = await _candidates(connection, scope, asked.terms, vectors)
    pairs = [
        (part, passage)
        for group in groups
        for passage in sorted(set().union(*(found.get(part, set()) for part in group)))
        for part in group
    ]
    where = ([part for part, _ in pairs], [passage for _, passage in pairs])
    said = await connection.fetch(_SQL["word_features"], *where, *_columns(asked.terms), scope.mean_length, SATURATION)
    near = await connection.fetch(_SQL["vector_features"], *where, list(vectors.values()), scope.model, list(vectors))
    naming = {part for part, one in enumerate(parts) if any(word.named for word in one.words)}
    # Around a question that takes several sentences much is told that no page is about.
    strange = {group[0]: asked.strange[group[0]] for group in groups if len(group) == 1}
    return _merged(said, near, naming, strange)


async def _candidates(
    connection: Connection, scope: Scope, asked: Sequence[Sought], vectors: Mapping[int, str]
) -> dict[int, set[int]]:
    leads = [one for one in asked if one.leads]
    columns = ([one.part for one in leads], [one.lexeme for one in leads], [one.share for one in leads])
    by_words = await connection.fetch(
        _SQL["word_hits"], *scope.filters, *columns, scope.mean_length, SATURATION, _WORD_CANDIDATES
    )
    by_vectors = await nearest(connection, scope, vectors)
    found: dict[int, set[int]] = {}
    for row in (*by_words, *by_vectors):
        found.setdefault(row["part"], set()).add(row["passage_id"])
    return found


def _columns(asked: Sequence[Sought]) -> tuple[list[object], ...]:
    names = ("part", "term", "choice", "lexeme", "pair", "among_all", "among_telling", "among_pairs", "among_names")
    return tuple([getattr(one, name) for one in asked] for name in names)


def _merged(
    said: Sequence[Row], near: Sequence[Row], naming: Collection[int], strange: Mapping[int, float]
) -> dict[int, dict[int, Fit]]:
    fits: dict[int, dict[int, Fit]] = {}
    by_words = {(row["part"], row["passage_id"]): row for row in said}
    by_vectors = {(row["part"], row["passage_id"]): row for row in near}
    for key in by_words.keys() | by_vectors.keys():
        said_of, part = (by_words.get(key), by_vectors.get(key)), key[0]
        fits.setdefault(part, {})[key[1]] = _fit(*said_of, naming=part in naming, strange=strange.get(part, 0.0))
    return fits


def _fit(said: Row | None, near: Row | None, *, naming: bool, strange: float) -> Fit:
    """A passage whose sentences have no vectors has sentences as near as itself. `naming`: the text has names."""
    words_ = {name: said[name] for name in ("words", "pairs", "strength", "coverage", "heading")} if said else {}
    words_ |= {"names": 1.0 if not naming else said["names"] if said else 0.0, "strange": strange}
    if near is None:
        return Fit(**words_)
    passage = near["passage"]
    sentence, opening = (passage if near[name] is None else near[name] for name in ("sentence", "opening"))
    return Fit(**words_, passage=passage, title=near["heading"], sentence=sentence, opening=opening)


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
            language=row["language"],
            fit=round(one.score, 4),
        )
        for one in best
        if (row := by_id.get(one.passage)) is not None
    ]
