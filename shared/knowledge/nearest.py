"""A question's vectors, and the passages nearest to them; without vectors the search goes on by words, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from shared.db.pool import Connection, Row
from shared.db.queries import load
from shared.errors import FteError
from shared.knowledge.asking import Scope
from shared.knowledge.embed import WIDTHS, Embedder, embedder_of, literals, width
from shared.observability.logs import logger
from shared.observability.metrics import SEARCHED_BY_WORDS

_SQL = load("knowledge_nearest")
_CANDIDATES = 30
_TIMEOUT_S = 3.0


async def embed_questions(embedder: Embedder, texts: Sequence[str], model: str) -> list[str | None]:
    """The vector of each text by the model that is searched; None for all while that can't be had."""
    chosen = embedder_of(embedder, model)
    if chosen is None:
        return _without(texts, "other-model")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return list(literals(await chosen.embed(texts)))
    except FteError as error:
        return _without(texts, error.reason)
    except TimeoutError:
        return _without(texts, "timeout")


async def nearest(connection: Connection, scope: Scope, vectors: Mapping[int, str]) -> list[Row]:
    """The passages nearest to each text's vector; all vectors are of one model, and so of one width."""
    if not vectors:
        return []
    given = list(vectors.values())
    size = width(given[0])
    statement = _SQL[f"hits_{size}"] if size in WIDTHS else _SQL["hits_any"]
    found = await connection.fetch(statement, *scope.filters, given, list(vectors), scope.model, _CANDIDATES)
    if not found and scope.passages:
        # None has its vectors yet, or the endpoint has another model under the same name, which gives another width.
        _without(given, "no-vectors-to-compare")
    return found


def _without(texts: Sequence[str], reason: str) -> list[str | None]:
    SEARCHED_BY_WORDS.labels(reason).inc()
    logger().warning("search_without_vectors", reason=reason)
    return [None for _ in texts]
