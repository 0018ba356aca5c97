"""The knowledge base as operators use it: add, list, show, remove, reindex, search, measure."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import FteError, Permanent, Rejected
from shared.knowledge.document import parse_document
from shared.knowledge.embed import Embedder, open_embedder
from shared.knowledge.evaluation import Question, measure
from shared.knowledge.index import catch_up
from shared.knowledge.ingest import ingest_document, list_documents
from shared.knowledge.passage import Passage
from shared.knowledge.search import KnowledgeSearch
from shared.observability.logs import logger

_SQL = load("knowledge")

#: How long one call works on the index: a request and a sweep must end, what is left is done by the next.
WORK_S = 15.0


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

    async def document(self, document_id: str, version: int | None = None) -> dict[str, Any]:
        """A document's versions, the newest first, and the passages of one: the active one unless another is named.

        Raises Rejected (404).
        """
        rows = [dict(row) for row in await self.db.fetch(_SQL["show_document"], document_id)]
        chosen = [row for row in rows if (row["active"] if version is None else row["version"] == version)] or rows
        if not rows or (version is not None and chosen[0]["version"] != version):
            raise Rejected("no such document", status=404, reason="unknown-document")
        passages = await self.db.fetch(_SQL["document_passages"], document_id, chosen[0]["version"])
        facts = chosen[0] | {"created_at": chosen[0]["created_at"].isoformat()}
        versions = [
            {"version": row["version"], "active": row["active"], "created_at": row["created_at"].isoformat()}
            for row in rows
        ]
        return facts | {"versions": versions, "passages": [dict(row) for row in passages]}

    async def search(self, query: str, limit: int, **filters: str | None) -> list[dict[str, Any]]:
        """The passages the agent would be given, best first; `filters`: language, product, audience.

        `score` is what they are ordered by, comparable within one search; `confidence` how sure each answers, 0..1.
        """
        return [_shown(one) for one in await self.passages.search(query, limit=limit, **filters)]

    async def add(self, name: str, content: str, *, dry_run: bool = False) -> dict[str, Any]:
        """Store one Markdown document; again is nothing, changed is a new version. Raises Rejected (422)."""
        try:
            stored = await ingest_document(self.db, self.embedder, parse_document(content, name=name), dry_run=dry_run)
        except Permanent as error:
            raise Rejected(str(error), status=422, reason=error.reason, field="content") from None
        return asdict(stored)

    async def remove(self, document_id: str) -> dict[str, Any]:
        """Search a document no more; its text stays for what cited it. Raises Rejected (404)."""
        async with self.db.transaction() as connection:
            await connection.execute(_SQL["lock_document"], document_id)
            version = await connection.fetchval(_SQL["retire"], document_id)
            if version is None:
                raise Rejected("no such document is searched", status=404, reason="unknown-document")
            await connection.execute(_SQL["touch_index"], self.embedder.name)
        return {"document_id": document_id, "version": version, "change": "removed"}

    async def begin_reindex(self, document_id: str | None) -> dict[str, Any]:
        """Mark a document's passages, or all, to be indexed anew; until they are, they are found as before."""
        await self.db.execute(_SQL["forget_vectors"], document_id, self.embedder.name)
        return await self.index()

    async def index(self) -> dict[str, Any]:
        """How many passages are searched, how many wait to be indexed, by which model they are searched, and by which
        they will be."""
        row = await self.db.fetchrow(_SQL["index_state"], self.embedder.name)
        return {**dict(row or {}), "next_model": self.embedder.name}

    async def work(self) -> dict[str, Any]:
        """Index what waits, for `WORK_S` at most; the state after it. Raises Retryable while the model is away."""
        ends = time.monotonic() + WORK_S
        async for _ in catch_up(self.db, self.embedder):
            if time.monotonic() > ends:
                break
        return await self.index()

    async def work_quietly(self) -> None:
        """The same behind the sweep: what fails is logged, and tried again by the next one."""
        try:
            state = await self.index()
            if state["waiting"] or state["model"] != state["next_model"]:
                logger().info("knowledge_indexed", **await self.work())
        except FteError as error:
            logger().warning("knowledge_not_indexed", reason=error.reason)

    async def measure(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Of each way to search (ours, bm25, fulltext) the first right document's place by question, and seconds."""
        async with self.db.transaction() as connection:
            ranks = await measure(connection, self.passages, questions)
        return {name: asdict(rank) for name, rank in ranks.items()}


@asynccontextmanager
async def open_library(db: Database) -> AsyncGenerator[Library]:
    """The library over this database, with the configured embedder."""
    async with open_embedder() as embedder:
        yield Library(db, embedder, KnowledgeSearch(db, embedder))


def _shown(passage: Passage) -> dict[str, Any]:
    facts = asdict(passage)
    score = facts.pop("fit")
    return facts | {"score": score, "confidence": passage.score}
