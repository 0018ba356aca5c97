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

from pgvector import Vector

from shared.db.pool import Connection, Database, Row
from shared.db.queries import load
from shared.errors import Permanent
from shared.knowledge.chunk import Chunk, chunks
from shared.knowledge.document import Document, parse_document
from shared.knowledge.embed import Embedder, open_embedder
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
    """Store every *.md under `folder`, which must be there and hold at least one.

    Raises Permanent, naming the file, for a document that can't be read; nothing is stored then.
    """
    documents = await asyncio.to_thread(read_folder, folder)
    return Report(tuple([await ingest_document(db, embedder, document) for document in documents]))


def read_folder(folder: Path) -> list[Document]:
    """All documents of a folder, or the one of a file. Raises Permanent as `ingest_folder` does."""
    files = sorted(folder.rglob("*.md")) if folder.is_dir() else [folder]
    if not files or not files[0].is_file():
        raise Permanent(f"no Markdown document at {folder}", reason="no-documents")
    documents = [parse_document(_text(path), name=path.name) for path in files]
    ids = [document.id for document in documents]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise Permanent(f"two documents share an id: {', '.join(twice)}", reason="bad-document")
    return documents


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Permanent(f"{path.name}: is not UTF-8", reason="bad-document") from None


async def ingest_document(db: Database, embedder: Embedder, document: Document) -> Stored:
    """Store one document. Vectors are made before the transaction: a slow model holds no lock."""
    pieces = chunks(document)
    if not pieces:
        raise Permanent(f"{document.id}: has no text below its headings", reason="bad-document")
    current = await db.fetchrow(_SQL["active_document"], document.id, embedder.name)
    if current is not None and _same(current, document) and current["embedded"]:
        return Stored(document.id, current["version"], "unchanged", len(pieces))
    vectors = await embedder.embed([f"{piece.heading_path}\n{piece.content}" for piece in pieces])
    async with db.transaction() as connection:
        await connection.execute(_SQL["lock_document"], document.id)
        current = await connection.fetchrow(_SQL["active_document"], document.id, embedder.name)
        return await _store(connection, document, current, _Embedded(pieces, vectors, embedder.name))


@dataclass(frozen=True, slots=True)
class _Embedded:
    pieces: Sequence[Chunk]
    vectors: Sequence[Sequence[float]]
    model: str

    def rows(self) -> list[tuple[Chunk, str]]:
        return [
            (piece, Vector(list(vector)).to_text()) for piece, vector in zip(self.pieces, self.vectors, strict=True)
        ]


def _same(current: Row | None, document: Document) -> bool:
    return current is not None and current["content_hash"] == document.content_hash


async def _store(connection: Connection, document: Document, current: Row | None, new: _Embedded) -> Stored:
    stored = Stored(document.id, current["version"] if current else 0, "unchanged", len(new.pieces))
    if not _same(current, document):
        version = await _supersede(connection, document, new)
        return replace(stored, version=version, change="updated" if current else "added")
    if current is None or current["embedded"]:
        return stored
    await connection.executemany(
        _SQL["embed_passage"],
        [(document.id, stored.version, piece.ordinal, vector, new.model) for piece, vector in new.rows()],
    )
    return replace(stored, change="embedded")


async def _supersede(connection: Connection, document: Document, new: _Embedded) -> int:
    version = (await connection.fetchrow(_SQL["next_version"], document.id, document.version))["version"]
    await connection.execute(_SQL["retire_documents"], document.id)
    await connection.execute(_SQL["retire_passages"], document.id)
    facts = (document.title, document.url, document.product, document.language, document.audience)
    await connection.execute(_SQL["insert_document"], document.id, version, *facts, document.content_hash)
    await connection.executemany(
        _SQL["insert_passage"],
        [
            (document.id, version, piece.ordinal, piece.heading_path, piece.content, vector, new.model)
            for piece, vector in new.rows()
        ],
    )
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
