"""Documents into the knowledge base: `python -m shared.knowledge.ingest FOLDER` in the cluster's Job.

Idempotent by content hash: a file that did not change is left alone, one that did becomes the next
version, which supersedes the old one in the same transaction. Old versions keep their text, since
decisions cite them, and are not searched.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from shared.db.pool import Connection, Database, Row
from shared.db.queries import load
from shared.errors import Permanent
from shared.knowledge.chunk import Chunk, chunks
from shared.knowledge.document import Document
from shared.knowledge.embed import Embedder, open_embedder
from shared.knowledge.index import Text, Vectors, catch_up, embed_passages, searched_by, store_index
from shared.knowledge.languages import dictionary
from shared.knowledge.reading import read_sources
from shared.settings import Settings

_SQL = load("knowledge")

Change = Literal["added", "updated", "embedded", "unchanged"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one document. `embedded`: same text, new vectors."""

    document_id: str
    version: int
    change: Change
    passages: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a folder, in the order of its files."""

    documents: tuple[Stored, ...] = field(default=())

    def count(self, change: Change) -> int:
        """How many documents ended as `change`."""
        return sum(1 for document in self.documents if document.change == change)

    def __str__(self) -> str:
        kinds: tuple[Change, ...] = ("added", "updated", "embedded", "unchanged")
        return ", ".join(f"{self.count(kind)} {kind}" for kind in kinds)


async def ingest_folder(db: Database, embedder: Embedder, folder: Path) -> Report:
    """Store every document under `folder`, which must be there and hold at least one (see `reading`).

    Raises Permanent, naming the file, for a document that can't be read; nothing is stored then.
    """
    documents = await read_sources([folder])
    report = Report(tuple([await ingest_document(db, embedder, document) for document in documents]))
    async for _ in catch_up(db, embedder):
        pass
    return report


async def ingest_document(db: Database, embedder: Embedder, document: Document, *, dry_run: bool = False) -> Stored:
    """Store one document. Vectors are made before the transaction: a slow model holds no lock.

    A new version is searched by the model that the others are searched by, and by `embedder`'s once all are. One that
    is superseded already is stored where no later version is searched, and changes nothing elsewhere.
    """
    pieces = chunks(document)
    if not pieces:
        raise Permanent(f"{document.id}: has no text below its headings", reason="bad-document")
    current = await db.fetchrow(_SQL["active_document"], document.id, embedder.name)
    stored = Stored(document.id, current["version"] if current else 0, _change(current, document), len(pieces))
    if document.superseded and stored.version >= document.version:
        return replace(stored, change="unchanged")
    if dry_run or stored.change == "unchanged":
        return stored
    if stored.change == "embedded":
        async for _ in catch_up(db, embedder, document.id):
            pass
        return stored
    now = await searched_by(db, embedder)
    vectors = await embed_passages(now, [Text(piece.heading_path, piece.content) for piece in pieces])
    async with db.transaction() as connection:
        await connection.execute(_SQL["lock_document"], document.id)
        current = await connection.fetchrow(_SQL["active_document"], document.id, now.name)
        change = _change(current, document)
        if current is not None and change in ("unchanged", "embedded"):
            return replace(stored, version=current["version"], change="unchanged")
        version = await _supersede(connection, document, pieces, vectors)
    return replace(stored, version=version, change=change)


def _change(current: Row | None, document: Document) -> Change:
    if current is None:
        return "added"
    if current["content_hash"] != document.content_hash:
        return "updated"
    return "unchanged" if current["indexed"] else "embedded"


async def _supersede(connection: Connection, document: Document, pieces: Sequence[Chunk], vectors: Vectors) -> int:
    version = await connection.fetchval(_SQL["next_version"], document.id, document.version)
    await connection.execute(_SQL["retire"], document.id)
    facts = (document.product, document.language, document.audience)
    await connection.execute(
        _SQL["insert_document"], document.id, version, document.title, document.url, *facts, document.content_hash
    )
    columns = (
        [document.id] * len(pieces),
        [version] * len(pieces),
        [piece.ordinal for piece in pieces],
        [piece.heading_path for piece in pieces],
        [piece.content for piece in pieces],
    )
    rows = await connection.fetch(_SQL["insert_passages"], *columns, *facts, dictionary(document.language))
    await store_index(connection, [row["id"] for row in rows], vectors)
    await connection.execute(_SQL["touch_index"], vectors.model)
    return version


async def list_documents(db: Database) -> list[Row]:
    """The active documents: id, version, title, url, product, language, audience, created_at, passages."""
    return await db.fetch(_SQL["list_documents"])


async def _run(folder: Path) -> Report:
    db = Database.from_settings(Settings())
    try:
        async with open_embedder() as embedder:
            return await ingest_folder(db, embedder, folder)
    finally:
        await db.close()


def main() -> None:
    """Entry point of the Job; the database is DATABASE_URL."""
    parser = argparse.ArgumentParser(description="store a folder of Markdown documents in the knowledge base")
    parser.add_argument("folder", type=Path)
    print(asyncio.run(_run(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
