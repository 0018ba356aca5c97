"""Documents into PostgreSQL: idempotent, versioned, one transaction a document."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.db.pool import Database
from shared.errors import Permanent, Retryable
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_document, ingest_folder, list_documents
from shared.knowledge.library import Library
from shared.knowledge.reading import read_sources
from shared.knowledge.search import KnowledgeSearch

EMBEDDER = WordLlamaEmbedder()
HEAD = "---\nid: {id}\ntitle: {title}\nurl: https://help.example.com/{id}\nlanguage: {language}\n---\n"


def write(folder: Path, name: str, body: str, *, title: str = "Sheds", language: str = "en") -> None:
    """A document in a file."""
    head = HEAD.format(id=name, title=title, language=language)
    (folder / f"{name}.md").write_text(f"{head}# {title}\n\n{body}", encoding="utf-8")


class Other(WordLlamaEmbedder):
    """The same vectors under another name: a change of model."""

    name = "another-model"


class Away:
    """An embedder that can't be reached."""

    name = "away"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Refuse."""
        raise Retryable("away")


async def test_a_folder_is_stored_once(db: Database, tmp_path: Path) -> None:
    """A second run changes nothing: the Job may run as often as it likes."""
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    write(tmp_path, "fences", "## How do I mend a fence?\n\nWith a hammer.", title="Fences")
    first = await ingest_folder(db, EMBEDDER, tmp_path)
    assert str(first) == "2 added, 0 updated, 0 embedded, 0 unchanged"
    assert str(await ingest_folder(db, EMBEDDER, tmp_path)) == "0 added, 0 updated, 0 embedded, 2 unchanged"
    assert [(row["id"], row["version"], row["passages"]) for row in await list_documents(db)] == [
        ("fences", 1, 1),
        ("sheds", 1, 1),
    ]


async def test_a_change_is_a_new_version_and_the_old_is_not_found(db: Database, tmp_path: Path) -> None:
    """The old text stays for the decisions that cite it, and answers nobody."""
    search = KnowledgeSearch(db, EMBEDDER)
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    await ingest_folder(db, EMBEDDER, tmp_path)
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a roller.")
    assert str(await ingest_folder(db, EMBEDDER, tmp_path)) == "0 added, 1 updated, 0 embedded, 0 unchanged"
    (found,) = await search.search("how do I paint a shed?")
    assert (found.version, found.text) == (2, "With a roller.")
    old = await db.fetchrow("SELECT id, content, active FROM knowledge_base WHERE version = 1")
    assert (old["content"], old["active"]) == ("With a brush.", False)
    assert await db.fetch("SELECT 1 FROM knowledge_vectors WHERE passage_id = $1", old["id"]) == []
    assert await db.fetch("SELECT 1 FROM knowledge_terms WHERE passage_id = $1", old["id"]) == []


async def test_a_folder_may_hold_the_versions_before(db: Database, tmp_path: Path) -> None:
    """The newest is found and cited by its number, the others are there to read; a second run brings none back."""
    search = KnowledgeSearch(db, EMBEDDER)
    (tmp_path / "history").mkdir()
    for version, how, name in ((1, "brush", "history/sheds.1.md"), (3, "sprayer", "sheds.md"), (2, "roller", "a.md")):
        text = f"---\nid: sheds\ntitle: Sheds\nversion: {version}\n---\n## How do I paint a shed?\n\nWith a {how}.\n"
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert str(await ingest_folder(db, EMBEDDER, tmp_path)) == "1 added, 2 updated, 0 embedded, 0 unchanged"
    (found,) = await search.search("how do I paint a shed?")
    assert (found.version, found.text) == (3, "With a sprayer.")
    shown = await Library(db, EMBEDDER, search).document("sheds", 1)
    assert [one["version"] for one in shown["versions"]] == [3, 2, 1]
    assert shown["passages"][0]["content"] == "With a brush."
    assert str(await ingest_folder(db, EMBEDDER, tmp_path)) == "0 added, 0 updated, 0 embedded, 3 unchanged"
    (again,) = await search.search("how do I paint a shed?")
    assert again.version == 3


async def test_another_model_embeds_the_same_text_again(db: Database, tmp_path: Path) -> None:
    """Vectors of two models are never compared: the version stays, its vectors are made anew."""
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    await ingest_folder(db, EMBEDDER, tmp_path)
    assert str(await ingest_folder(db, Other(), tmp_path)) == "0 added, 0 updated, 1 embedded, 0 unchanged"
    rows = await db.fetch("SELECT version, model FROM knowledge_base k JOIN knowledge_vectors v ON v.passage_id = k.id")
    assert [tuple(row) for row in rows] == [(1, "another-model")]
    assert await db.fetchrow("SELECT model FROM knowledge_index") == ("another-model",)


async def test_two_ingests_at_once_make_one_version(db: Database, tmp_path: Path) -> None:
    """Two Jobs of two rollouts meet: the same document is stored once."""
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    (document,) = await read_sources([tmp_path])
    stored = await asyncio.gather(*(ingest_document(db, EMBEDDER, document) for _ in range(4)))
    assert sorted(one.change for one in stored) == ["added", "unchanged", "unchanged", "unchanged"]
    assert (await db.fetchrow("SELECT count(*) FROM knowledge_documents"))["count"] == 1


async def test_nothing_is_stored_while_the_model_is_away(db: Database, tmp_path: Path) -> None:
    """A document without vectors would be found by half."""
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    with pytest.raises(Retryable):
        await ingest_folder(db, Away(), tmp_path)
    assert await list_documents(db) == []


async def test_one_bad_file_stops_the_folder_before_anything_is_stored(db: Database, tmp_path: Path) -> None:
    """The file is named; an id used twice too."""
    write(tmp_path, "sheds", "## How?\n\nSo.")
    (tmp_path / "bad.md").write_text("---\nid: [\n---\nno front matter", encoding="utf-8")
    with pytest.raises(Permanent, match=r"bad\.md"):
        await ingest_folder(db, EMBEDDER, tmp_path)
    (tmp_path / "bad.md").write_text((tmp_path / "sheds.md").read_text(), encoding="utf-8")
    with pytest.raises(Permanent, match="sheds"):
        await ingest_folder(db, EMBEDDER, tmp_path)
    with pytest.raises(Permanent, match="nowhere"):
        await ingest_folder(db, EMBEDDER, tmp_path / "nowhere")
    assert await list_documents(db) == []
