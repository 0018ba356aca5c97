"""Any OpenAI-compatible endpoint embeds: without a key, with vectors of any width, and while it is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import FteError
from shared.knowledge.embed import WIDTHS, EmbeddingSettings, WordLlamaEmbedder, literal, open_embedder
from shared.knowledge.index import catch_up
from shared.knowledge.ingest import ingest_folder
from shared.knowledge.library import Library
from shared.knowledge.search import KnowledgeSearch
from shared.knowledge.space import Sheet, open_space
from shared.local.postgres import OWNER, EmbeddedPostgres
from shared.local.simulators.openai.embeddings import vector
from shared.local.system.home import Home
from shared.local.system.supervisor import Supervisor
from tests.integration.test_knowledge_ingest import write

ALL = (None, None, None)
EMBEDDER = WordLlamaEmbedder()
NEAREST = load("knowledge_nearest")
_MANY_PASSAGES = """INSERT INTO knowledge_base (document_id, version, ordinal, content, length)
SELECT 'fences', 1, 100 + n, 'text', 1 FROM generate_series(1, 1000) AS n"""
_MANY_VECTORS = """INSERT INTO knowledge_vectors (passage_id, model, embedding, sentences)
SELECT k.id, 'wide@full', array_agg(random() + 0 * k.id)::vector, '{}'
FROM knowledge_base k, generate_series(1, $1::int) WHERE k.ordinal > 100 GROUP BY k.id"""


class Wire:
    """An endpoint that gives its own width whatever is asked, as most open models do."""

    def __init__(self) -> None:
        self.width = 768
        self.cuts = False
        self.heads: list[str] = []
        self.asked: list[dict[str, object]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:"))
        asked = json.loads(await reader.readexactly(length))
        self.heads.append(head)
        self.asked.append(asked)
        size = int(asked.get("dimensions", self.width)) if self.cuts else self.width
        rows = [{"index": at, "embedding": vector(text, size)} for at, text in enumerate(asked["input"])]
        body = json.dumps({"data": rows}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """That endpoint on a port, named by the environment."""
    made = Wire()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    monkeypatch.setenv("EMBEDDING_BASE_URL", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    monkeypatch.setenv("EMBEDDING_MODEL", "wide")
    yield made
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents."""
    write(tmp_path, "vehicles", "## Vehicles\n\nEvery automobile has an engine and wheels.", title="Automobiles")
    write(tmp_path, "fences", "## How do I mend a fence?\n\nWith a hammer.", title="Fences")
    return tmp_path


async def stored(db: Database) -> set[tuple[str, int]]:
    """Models and their widths."""
    return {
        (row["model"], row["width"])
        for row in await db.fetch("SELECT DISTINCT model, vector_dims(embedding) AS width FROM knowledge_vectors")
    }


def without_vectors(reason: str) -> float:
    """How many searches had to do without."""
    return REGISTRY.get_sample_value("fte_searches_without_vectors_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize(
    ("width", "kept"), [(256, 256), (384, 768), (768, 768), (1536, 1536), (3072, 3072), (4096, 4096)]
)
async def test_a_model_of_any_width_is_searched(db: Database, folder: Path, wire: Wire, width: int, kept: int) -> None:
    """Without a key no header is sent, and no width is asked for: what the model gives is stored and found."""
    wire.width = width
    async with open_embedder() as embedder:
        await ingest_folder(db, embedder, folder)
        assert await stored(db) == {("wide@full", kept)}
        before = without_vectors("no-vectors-to-compare")
        found = await KnowledgeSearch(db, embedder, threshold=0.0).search("wheels of an automobile", limit=1)
        async with open_space(db, embedder, [Sheet("cars", "Cars", "Spray it.")], print) as inside:
            ((best,),) = await KnowledgeSearch(db, embedder).rank(inside, ["spray"], ALL)
    assert found[0].document_id == "vehicles"
    assert best.passage
    assert without_vectors("no-vectors-to-compare") == before
    assert "authorization" not in "".join(wire.heads).lower()
    assert all("dimensions" not in asked for asked in wire.asked)


async def test_a_change_to_another_width_leaves_no_gap(db: Database, folder: Path, wire: Wire) -> None:
    """From the shipped model to 768 numbers, half done, done, and on to a model that is cut to 100 when asked."""
    await ingest_folder(db, EMBEDDER, folder)
    async with open_embedder() as embedder:
        search = KnowledgeSearch(db, embedder, threshold=0.0)
        before = without_vectors("no-vectors-to-compare")
        assert [done async for done in catch_up(db, embedder, "fences")] == [1]
        assert await stored(db) == {(EMBEDDER.name, 256), ("wide@full", 768)}
        assert (await search.search("car", limit=1))[0].document_id == "vehicles"
        await Library(db, embedder, search).work_quietly()
        assert await stored(db) == {("wide@full", 768)}
        assert (await search.search("automobile wheels", limit=1))[0].document_id == "vehicles"
    wire.cuts = True
    async with open_embedder(EmbeddingSettings(embedding_dimensions=100)) as cut:
        assert [done async for done in catch_up(db, cut, "fences")] == [1]
        search = KnowledgeSearch(db, cut, threshold=0.0)
        assert (await search.search("automobile wheels", limit=1))[0].document_id == "vehicles"
        await Library(db, cut, search).work_quietly()
    assert await stored(db) == {("wide@100", 256)}
    assert without_vectors("no-vectors-to-compare") == before


async def test_vectors_from_before_widths_were_free_are_searched_until_they_are_replaced(
    db: Database, folder: Path, wire: Wire
) -> None:
    """They stand under the model's bare name and were asked for with 256 numbers."""
    wire.cuts = True
    async with open_embedder(EmbeddingSettings(embedding_dimensions=256)) as as_before:
        await ingest_folder(db, as_before, folder)
    assert await stored(db) == {("wide", 256)}
    async with open_embedder() as embedder:
        search = KnowledgeSearch(db, embedder, threshold=0.0)
        wire.asked.clear()
        assert (await search.search("automobile wheels", limit=1))[0].document_id == "vehicles"
        assert [asked["dimensions"] for asked in wire.asked] == [256]
        await Library(db, embedder, search).work_quietly()
    assert await stored(db) == {("wide@full", 768)}


async def test_another_model_under_the_same_name_is_no_error(db: Database, folder: Path, wire: Wire) -> None:
    """Words find alone, and the metric and the log say so, until somebody reindexes."""
    async with open_embedder() as embedder:
        await ingest_folder(db, embedder, folder)
        wire.width = 1024
        before = without_vectors("no-vectors-to-compare")
        found = await KnowledgeSearch(db, embedder, threshold=0.0).search("mend a fence", limit=1)
        assert found[0].document_id == "fences"
        assert without_vectors("no-vectors-to-compare") == before + 1


async def test_an_endpoint_that_is_away_leaves_the_words(
    db: Database, folder: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted, and the next questions do not wait for it."""
    async with open_embedder() as embedder:
        await ingest_folder(db, embedder, folder)
    monkeypatch.setenv("EMBEDDING_BASE_URL", "http://127.0.0.1:9/v1")
    async with open_embedder() as away:
        before = without_vectors("embedder-away")
        search = KnowledgeSearch(db, away, threshold=0.0)
        for _ in range(2):
            assert (await search.search("mend a fence", limit=1))[0].document_id == "fences"
        assert without_vectors("embedder-away") == before + 2


async def test_the_system_starts_while_the_endpoint_is_away(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is found by the vectors it has; without a document there is nothing to start with."""
    monkeypatch.setenv("EMBEDDING_MODEL", "wide")
    monkeypatch.setenv("EMBEDDING_BASE_URL", "http://127.0.0.1:9/v1")
    supervisor = Supervisor(Home(tmp_path), lambda _line: None)
    with pytest.raises(FteError, match="embedding endpoint is away"):
        await supervisor.store_knowledge(db)
    write(tmp_path, "fences", "## How do I mend a fence?\n\nWith a hammer.", title="Fences")
    await ingest_folder(db, EMBEDDER, tmp_path)
    assert (await supervisor.store_knowledge(db)).startswith("warning: the embedding endpoint is away")


@pytest.mark.parametrize("width", WIDTHS)
async def test_each_width_is_searched_by_its_index(
    db: Database, folder: Path, dsn: str, postgres: EmbeddedPostgres, width: int
) -> None:
    """HNSW of the very width: never every vector."""
    await ingest_folder(db, EMBEDDER, folder)
    await db.execute(_MANY_PASSAGES)
    owner = await asyncpg.connect(postgres.dsn(OWNER, dsn.rsplit("/", 1)[1]))
    await owner.execute(_MANY_VECTORS, width)
    await owner.execute("ANALYZE")
    await owner.close()
    async with db.transaction() as connection:
        await connection.execute(load("knowledge_search")["filtered_scan"])
        given = (*ALL, [literal([1.0] * width)], [0], "wide@full", 30)
        plan = await connection.fetch(f"EXPLAIN {NEAREST[f'hits_{width}']}", *given)
    assert f"knowledge_vectors_embedding_{width}" in "\n".join(row[0] for row in plan)
