"""A space for an evaluation over documents that are not ours.

Its tables are temporary: PostgreSQL looks there first in this session alone, so that the statements of every search run
unchanged, nobody else can see a row, and nothing is left behind, not even after a crash.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.db.pool import Connection, Database
from shared.db.queries import load
from shared.knowledge.chunk import Chunk, cut
from shared.knowledge.embed import Embedder
from shared.knowledge.index import Text, embed_passages, store_index
from shared.knowledge.languages import dictionary

_SQL = load("knowledge_eval")
_STORE = load("knowledge")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document to be searched in a space: any id, and its text as Markdown or plain."""

    id: str
    title: str
    text: str


@asynccontextmanager
async def open_space(
    db: Database, embedder: Embedder, sheets: Sequence[Sheet], said: Callable[[int], None]
) -> AsyncGenerator[Connection]:
    """A connection that sees these documents instead of ours, in a transaction; `said` is told how many are stored."""
    async with db.transaction() as connection:
        await connection.execute(_SQL["open_space"])
        pieces = [(sheet.id, piece) for sheet in sheets for piece in cut(sheet.title, sheet.text)]
        for start in range(0, len(pieces), _BATCH):
            await _store(connection, embedder, pieces[start : start + _BATCH])
            said(min(start + _BATCH, len(pieces)))
        await connection.execute(_STORE["touch_index"], embedder.name)
        await connection.execute(_SQL["close_loading"])
        yield connection


async def _store(connection: Connection, embedder: Embedder, pieces: Sequence[tuple[str, Chunk]]) -> None:
    columns = (
        [owner for owner, _ in pieces],
        [1] * len(pieces),
        [piece.ordinal for _, piece in pieces],
        [piece.heading_path for _, piece in pieces],
        [piece.content for _, piece in pieces],
    )
    rows = await connection.fetch(_STORE["insert_passages"], *columns, "", "en", "", dictionary("en"))
    vectors = await embed_passages(embedder, [Text(piece.heading_path, piece.content) for _, piece in pieces])
    await store_index(connection, [row["id"] for row in rows], vectors)
