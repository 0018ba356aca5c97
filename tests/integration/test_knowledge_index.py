"""What passages are found by: a change of model without a gap, filters in SQL, misspelt words, and the vector index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Retryable
from shared.knowledge.embed import Embedder, WordLlamaEmbedder, literal
from shared.knowledge.index import catch_up
from shared.knowledge.ingest import ingest_folder
from shared.knowledge.library import Library
from shared.knowledge.search import KnowledgeSearch
from shared.local.postgres import OWNER, EmbeddedPostgres
from tests.integration.test_knowledge_ingest import write

EMBEDDER = WordLlamaEmbedder()
SEARCH = load("knowledge_search")
ALL = (None, None, None)
_MANY_PASSAGES = """INSERT INTO knowledge_base (document_id, version, ordinal, content, length)
SELECT 'fences', 1, $1 + n, 'text', 1 FROM generate_series(1, 300) AS n"""
_MANY_VECTORS = """INSERT INTO knowledge_vectors (passage_id, model, embedding, sentences)
SELECT k.id, $2, array_agg(random() + 0 * k.id)::vector, '{}'
FROM knowledge_base k, generate_series(1, 256) WHERE k.ordinal > $1 GROUP BY k.id"""


class Turned(WordLlamaEmbedder):
    """Another model: the same vectors turned, so that they fit no others. It still can open the old model."""

    name = "turned"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See Embedder."""
        return [[*vector[128:], *vector[:128]] for vector in await EMBEDDER.embed(texts)]

    def sibling(self, model: str) -> Embedder | None:
        """The old one is still to be had."""
        return EMBEDDER if model == EMBEDDER.name else None


class Away(Turned):
    """That model, out of reach."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Refuse."""
        raise Retryable("away")


async def found_by_vector(db: Database, embedder: Embedder) -> str:
    """The document of a question that shares no word with it."""
    found = await KnowledgeSearch(db, embedder, threshold=0.0).search("car", limit=1)
    return found[0].document_id if found else ""


async def models(db: Database) -> tuple[str, set[str]]:
    """The model that is searched, and those that have vectors."""
    live = await db.fetchrow("SELECT model FROM knowledge_index")
    return live["model"], {row["model"] for row in await db.fetch("SELECT DISTINCT model FROM knowledge_vectors")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents."""
    write(tmp_path, "vehicles", "## Vehicles\n\nEvery automobile has an engine and wheels.", title="Automobiles")
    write(tmp_path, "fences", "## How do I mend a fence?\n\nWith a hammer.", title="Fences")
    return tmp_path


async def test_the_old_vectors_are_searched_until_the_last_new_one_is_there(db: Database, folder: Path) -> None:
    """EMBEDDING_MODEL changes: no moment at which a question finds nothing, and the sweep does the work."""
    await ingest_folder(db, EMBEDDER, folder)
    turned = Turned()
    assert await found_by_vector(db, turned) == "vehicles"
    library = Library(db, turned, KnowledgeSearch(db, turned))
    assert (await library.index())["waiting"] == 2
    write(folder, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    await ingest_folder(db, EMBEDDER, folder)
    assert await models(db) == (EMBEDDER.name, {EMBEDDER.name})
    await library.work_quietly()
    assert await models(db) == ("turned", {"turned"})
    assert await found_by_vector(db, turned) == "vehicles"
    assert (await library.index()) == {"passages": 3, "waiting": 0, "model": "turned", "next_model": "turned"}


async def test_half_of_a_change_is_found_by_the_old_model(db: Database, folder: Path) -> None:
    """One document is embedded anew, the other not yet: both are compared by the vectors that both have."""
    await ingest_folder(db, EMBEDDER, folder)
    assert [done async for done in catch_up(db, Turned(), "fences")] == [1]
    assert await models(db) == (EMBEDDER.name, {EMBEDDER.name, "turned"})
    assert await found_by_vector(db, Turned()) == "vehicles"


async def test_a_model_that_is_away_changes_nothing(db: Database, folder: Path) -> None:
    """The sweep logs it and comes again; words and old vectors go on."""
    await ingest_folder(db, EMBEDDER, folder)
    away = Away()
    await Library(db, away, KnowledgeSearch(db, away)).work_quietly()
    assert await models(db) == (EMBEDDER.name, {EMBEDDER.name})
    assert await found_by_vector(db, away) == "vehicles"


async def test_passages_of_an_older_system_are_indexed_by_the_sweep(db: Database, folder: Path) -> None:
    """What an old copy stored has neither words nor vectors; it is found once the sweep came by."""
    await ingest_folder(db, EMBEDDER, folder)
    await db.execute("DELETE FROM knowledge_terms")
    await db.execute("UPDATE knowledge_base SET length = 0")
    await db.execute("DELETE FROM knowledge_vectors")
    search = KnowledgeSearch(db, EMBEDDER)
    assert await search.search("how do I mend a fence?") == []
    await Library(db, EMBEDDER, search).work_quietly()
    assert [one.document_id for one in await search.search("how do I mend a fence?")] == ["fences"]


async def test_filters_leave_out_what_is_for_others(db: Database, tmp_path: Path) -> None:
    """A document that names no product or audience is for all."""
    for name, facts in {"one": "product: one", "two": "product: two", "both": "audience: everyone"}.items():
        text = f"---\nid: {name}\ntitle: Painting\n{facts}\n---\n## How do I paint a shed?\n\nWith a brush.\n"
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    text = "---\nid: staff\ntitle: Painting\naudience: staff\n---\n## How do I paint a shed?\n\nWith a brush.\n"
    (tmp_path / "staff.md").write_text(text, encoding="utf-8")
    await ingest_folder(db, EMBEDDER, tmp_path)
    search = KnowledgeSearch(db, EMBEDDER)

    async def found(**filters: str) -> set[str]:
        return {one.document_id for one in await search.search("paint a shed", limit=10, **filters)}

    assert await found() == {"one", "two", "both", "staff"}
    assert await found(product="one") == {"one", "both", "staff"}
    assert await found(product="one", audience="customers") == {"one", "both"}
    assert await found(language="de") == set()


@pytest.mark.parametrize("typed", ["how do I mednd my fenec", "fences mening", "mending of the fennce??"])
async def test_misspelt_words_find_what_was_meant(db: Database, folder: Path, typed: str) -> None:
    """One slip in a word, against the stems that there are."""
    await ingest_folder(db, EMBEDDER, folder)
    found = await KnowledgeSearch(db, EMBEDDER, threshold=0.0).search(typed, limit=1)
    assert found[0].document_id == "fences"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("waranty", "warranty"),
        ("privcy polcy", "privacy"),
        ("my compnay", "company"),
        ("the curency", "currency"),
    ],
)
async def test_a_slip_is_found_where_the_stem_changes_its_end(
    db: Database, folder: Path, typed: str, meant: str
) -> None:
    """Policy is polici in the index, and a slip of it has a stem of its own."""
    for name in ("warranty", "privacy", "company", "currency"):
        write(folder, name, f"## Where is the {name}?\n\nThe {name} has a policy and a history.", title=name.title())
    await ingest_folder(db, EMBEDDER, folder)
    found = await KnowledgeSearch(db, EMBEDDER).search(typed, limit=1)
    assert [one.document_id for one in found] == [meant]


async def test_each_language_is_stemmed_by_its_own_dictionary(db: Database, tmp_path: Path) -> None:
    """`Rechnungen` finds `Rechnung`, beside English documents and without naming the language."""
    write(tmp_path, "rechnung", "## Wo finde ich eine Rechnung?\n\nIm Archiv.", title="Belege", language="de")
    write(tmp_path, "fences", "## How do I mend a fence?\n\nWith a hammer.", title="Fences")
    await ingest_folder(db, EMBEDDER, tmp_path)
    lexemes = {row["lexeme"] for row in await db.fetch("SELECT lexeme FROM knowledge_terms")}
    assert {"rechnung", "fenc", "mend fenc"} <= lexemes
    found = await KnowledgeSearch(db, EMBEDDER).search("meine Rechnungen")
    assert [one.document_id for one in found] == ["rechnung"]


async def test_the_nearest_vectors_come_from_the_index(
    db: Database, folder: Path, dsn: str, postgres: EmbeddedPostgres
) -> None:
    """HNSW, read on while a filter leaves rows out: never every vector."""
    await ingest_folder(db, EMBEDDER, folder)
    for start in range(100, 1600, 300):
        await db.execute(_MANY_PASSAGES, start)
        await db.execute(_MANY_VECTORS, start, EMBEDDER.name)
    owner = await asyncpg.connect(postgres.dsn(OWNER, dsn.rsplit("/", 1)[1]))
    await owner.execute("ANALYZE")
    await owner.close()
    (vector,) = await EMBEDDER.embed(["car"])
    async with db.transaction() as connection:
        await connection.execute(SEARCH["filtered_scan"])
        plan = await connection.fetch(
            f"EXPLAIN {load('knowledge_nearest')['hits_256']}", *ALL, [literal(vector)], [0], EMBEDDER.name, 30
        )
    assert "knowledge_vectors_embedding" in "\n".join(row[0] for row in plan)
