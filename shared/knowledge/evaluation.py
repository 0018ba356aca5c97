"""How well the search finds what answers: hit@1, hit@5, MRR and time, beside plain full text and plain BM25.

Questions go through `KnowledgeSearch.rank`, the code of every search, a hundred at a time. Every question counts as if
it had an answer: the threshold of "not found" is measured by tests/evals/retrieval.py.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.db.pool import Connection
from shared.db.queries import load
from shared.knowledge.search import KnowledgeSearch

_SQL = load("knowledge_eval")

#: Questions a statement, and passages looked at to find the first documents among them.
BATCH = 100
_PASSAGES = 50
_AT_ONCE = 500

Found = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the documents that answer it."""

    query: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Of each question the place of its first right document (0: not found), and the seconds it all took."""

    places: tuple[int, ...]
    seconds: float

    def __add__(self, other: Ranks) -> Ranks:
        return Ranks(self.places + other.places, self.seconds + other.seconds)

    def measures(self) -> dict[str, float]:
        """hit@1, hit@5 and mrr, 0..1, and milliseconds a question."""
        count = len(self.places) or 1
        return {
            "hit@1": round(sum(place == 1 for place in self.places) / count, 4),
            "hit@5": round(sum(0 < place <= 5 for place in self.places) / count, 4),
            "mrr": round(sum(1 / place for place in self.places if place) / count, 4),
            "ms": round(1000 * self.seconds / count, 2),
        }


async def measure(
    connection: Connection, search: KnowledgeSearch, questions: Sequence[Question], *, batch: int = BATCH
) -> dict[str, Ranks]:
    """Ranks of `ours`, `bm25` and `fulltext` over what this connection sees. In a transaction of the caller's.

    Ours are asked `batch` at a time, as many as fit into the memory of a statement; the plain ways all at once, since
    each of their statements reads every passage.
    """
    documents = {row["id"]: row["document_id"] for row in await connection.fetch(_SQL["documents"])}
    queries = [question.query for question in questions]

    async def ours() -> Found:
        parts = [queries[start : start + batch] for start in range(0, len(queries), batch)]
        ranked = [row for part in parts for row in await search.rank(connection, part, (None, None, None))]
        return [[one.passage for one in row] for row in ranked]

    ways: dict[str, Callable[[], Awaitable[Found]]] = {
        "ours": ours,
        "bm25": lambda: _plain(connection, _SQL["bm25"], queries),
        "fulltext": lambda: _plain(connection, _SQL["fulltext"], queries),
    }
    return {name: await _timed(way, questions, documents) for name, way in ways.items()}


async def measure_all(
    connection: Connection, search: KnowledgeSearch, questions: Sequence[Question], said: Callable[[int], None]
) -> dict[str, Any]:
    """The report over any number of questions; `said` is told how many were asked."""
    total: dict[str, Ranks] = {}
    for start in range(0, len(questions), _AT_ONCE):
        batch = questions[start : start + _AT_ONCE]
        ranks = await measure(connection, search, batch)
        total = {name: total[name] + rank for name, rank in ranks.items()} if total else ranks
        said(start + len(batch))
    return report(total)


async def _plain(connection: Connection, statement: str, queries: Sequence[str]) -> Found:
    found: list[list[int]] = [[] for _ in queries]
    for row in await connection.fetch(statement, list(queries), _PASSAGES):
        found[row["question"] - 1].append(row["passage_id"])
    return found


async def _timed(
    way: Callable[[], Awaitable[Found]], questions: Sequence[Question], documents: Mapping[int, str]
) -> Ranks:
    began = time.perf_counter()
    found = await way()
    seconds = time.perf_counter() - began
    places = tuple(
        _place([documents[passage] for passage in passages], question.relevant)
        for passages, question in zip(found, questions, strict=True)
    )
    return Ranks(places, seconds)


def _place(documents: Sequence[str], relevant: frozenset[str]) -> int:
    """Among the documents, each counted once, the place of the first right one; 0 for none."""
    once = list(dict.fromkeys(documents))
    return next((place for place, document in enumerate(once, 1) if document in relevant), 0)


def report(ranks: Mapping[str, Ranks]) -> dict[str, Any]:
    """What `-o json` prints: ours, how many questions, and the two baselines."""
    return {
        **ranks["ours"].measures(),
        "queries": len(ranks["ours"].places),
        "baselines": {name: ranks[name].measures() for name in ("bm25", "fulltext")},
    }
