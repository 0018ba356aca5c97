"""Measuring the search: over documents of its own, unseen by anybody, with the statements of every search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.cli.kn_fte import app
from shared.db.pool import Database
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.evaluation import Question, Ranks, measure_all, report
from shared.knowledge.ingest import ingest_folder, list_documents
from shared.knowledge.search import KnowledgeSearch
from shared.knowledge.space import Sheet, open_space
from tests.integration.test_knowledge_ingest import write

EMBEDDER = WordLlamaEmbedder()
EVALS = Path(__file__).parents[1] / "evals"
KEYS = {"hit@1", "hit@5", "mrr", "ms"}


def test_places_become_measures() -> None:
    """First of two, third, not at all, and seventh."""
    ranks = {name: Ranks((1, 3, 0, 7), 2.0) for name in ("ours", "bm25", "fulltext")}
    assert report(ranks)["baselines"]["bm25"] == {"hit@1": 0.25, "hit@5": 0.5, "mrr": 0.369, "ms": 500.0}
    assert report(ranks)["queries"] == 4


async def test_a_space_is_seen_by_nobody_and_leaves_nothing(db: Database, tmp_path: Path) -> None:
    """The agent goes on with our documents while others are measured, and no row of them is left."""
    write(tmp_path, "sheds", "## How do I paint a shed?\n\nWith a brush.")
    await ingest_folder(db, EMBEDDER, tmp_path)
    search = KnowledgeSearch(db, EMBEDDER)
    counts = (
        "SELECT (SELECT count(*) FROM knowledge_base), (SELECT count(*) FROM knowledge_terms), revision "
        "FROM knowledge_index"
    )
    before = await db.fetch(counts)
    async with open_space(db, EMBEDDER, [Sheet("cars", "Cars", "How to paint a car: spray it.")], print) as inside:
        asked = [Question("paint a car", frozenset({"cars"})), Question("paint a shed", frozenset({"sheds"}))]
        found = await measure_all(inside, search, asked, print)
        assert (found["hit@1"], found["baselines"]["bm25"]["hit@1"]) == (0.5, 0.5)
        assert [one.document_id for one in await search.search("how do I paint a shed?")] == ["sheds"]
        assert await search.search("paint a car with spray", language="en") == []
    assert await db.fetch(counts) == before
    assert [row["id"] for row in await list_documents(db)] == ["sheds"]
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == 0


async def test_documents_without_a_title_are_told_apart_by_their_first_sentence(db: Database) -> None:
    """Both say the same words of the question, at the same length; one of them begins with what it is about."""
    parts = ("Sending goods back takes a label.", "Our shops open at nine.", "The hat is made of wool.")
    sheets = [Sheet("hats", "", " ".join(parts[::-1])), Sheet("returns", "", " ".join(parts))]
    async with open_space(db, EMBEDDER, sheets, print) as inside:
        asked = [
            Question("Can I return what I ordered?", frozenset({"returns"})),
            Question("Which fabric is your headwear?", frozenset({"hats"})),
        ]
        assert (await measure_all(inside, KnowledgeSearch(db, EMBEDDER), asked, print))["hit@1"] == 1.0


def test_the_command_measures_documents_of_its_own_without_a_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly the keys that programs read; clearly better than plain BM25 and plain full text on questions of ours."""
    monkeypatch.setenv("FTE_HOME", str(tmp_path))
    arguments = ["knowledge", "eval", str(EVALS / "faq_questions.jsonl"), "--docs", str(EVALS / "faq_docs.jsonl")]
    result = CliRunner().invoke(app, [*arguments, "-o", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == KEYS | {"queries", "baselines"}
    assert set(found["baselines"]) == {"bm25", "fulltext"}
    assert all(set(one) == KEYS for one in found["baselines"].values())
    assert found["queries"] == 48
    assert found["hit@1"] >= found["baselines"]["bm25"]["hit@1"] + 0.1
    assert found["hit@5"] >= found["baselines"]["bm25"]["hit@5"]


def test_what_no_database_stores_is_measured_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs that JSON can write and PostgreSQL refuses; a line that measures nothing is told of."""
    monkeypatch.setenv("FTE_HOME", str(tmp_path))
    sheet = {"id": "paint\0", "title": "Paint \0", "text": "Paint a shed \0 with a brush \ud83d, twice."}
    asked = [{"query": "how to \0 paint a shed \udc00", "relevant": ["paint\0"]}, {"query": "sheds", "relevant": []}]
    (tmp_path / "d.jsonl").write_text(json.dumps(sheet))
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, asked)))
    arguments = ["knowledge", "eval", str(tmp_path / "q.jsonl"), "--docs", str(tmp_path / "d.jsonl"), "-o", "json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["hit@1"], found["queries"]) == (1.0, 1)
    assert "1 line has no question or no relevant document" in result.stderr


@pytest.mark.parametrize(
    ("questions", "docs", "said"),
    [
        ("no json", '{"id": "a", "text": "b"}', "q.jsonl, line 1: is not JSON"),
        ('{"query": "a"}', '{"id": "a", "text": "b"}', "q.jsonl, line 1: relevant"),
        ('{"query": "a", "relevant": ["a"]}', '{"id": "a"}', "d.jsonl, line 1: text"),
        ('{"query": "a", "relevant": []}', '{"id": "a", "text": "b"}', "no question with a relevant document"),
        ('{"query": "a", "relevant": ["a"]}', "\n", "d.jsonl has no document"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_its_line(tmp_path: Path, questions: str, docs: str, said: str) -> None:
    """One line, before anything is started."""
    (tmp_path / "q.jsonl").write_text(questions)
    (tmp_path / "d.jsonl").write_text(docs)
    arguments = ["knowledge", "eval", str(tmp_path / "q.jsonl"), "--docs", str(tmp_path / "d.jsonl")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert said in result.output
