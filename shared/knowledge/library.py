"""The knowledge base as operators use it: list, search, add."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from shared.db.pool import Database
from shared.errors import Permanent, Rejected
from shared.knowledge.document import parse_document
from shared.knowledge.embed import Embedder, open_embedder
from shared.knowledge.ingest import ingest_document, list_documents
from shared.knowledge.search import KnowledgeSearch


@dataclass(frozen=True, slots=True)
class Library:
    """The documents, with JSON values."""

    db: Database
    embedder: Embedder
    passages: KnowledgeSearch

    async def documents(self) -> list[dict[str, Any]]:
        """The active documents, by id."""
        rows = [dict(row) for row in await list_documents(self.db)]
        return [row | {"created_at": row["created_at"].isoformat()} for row in rows]

    async def search(self, query: str, limit: int) -> list[dict[str, Any]]:
        """The passages the agent would be given, best first."""
        return [asdict(passage) for passage in await self.passages.search(query, limit=limit)]

    async def add(self, name: str, content: str) -> dict[str, Any]:
        """Store one Markdown document; again is nothing, changed is a new version. Raises Rejected (422)."""
        try:
            stored = await ingest_document(self.db, self.embedder, parse_document(content, name=name))
        except Permanent as error:
            raise Rejected(str(error), status=422, reason=error.reason, field="content") from None
        return asdict(stored)


@asynccontextmanager
async def open_library(db: Database) -> AsyncGenerator[Library]:
    """The library over this database, with the configured embedder."""
    async with open_embedder() as embedder:
        yield Library(db, embedder, KnowledgeSearch(db, embedder))
