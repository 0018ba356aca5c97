"""The desk's routes for what the agent knows, and `kn-fte knowledge` over them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from shared.cli.desk_client import DeskClient
from shared.cli.kn_fte import app
from shared.clock import SystemClock
from shared.db.pool import Database
from shared.dead_letters.api import build_api
from shared.dead_letters.office import Office
from shared.errors import Permanent
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.library import Library
from shared.knowledge.search import KnowledgeSearch
from shared.privacy.vault import Vault
from shared.settings import Settings

SHED = "---\nid: sheds\ntitle: Sheds\n---\n## How do I paint a shed?\n\n{}\n"


@pytest_asyncio.fixture
async def desk(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The desk's API over a database and the shipped model."""
    nothing, embedder = cast(Any, None), WordLlamaEmbedder()
    library = Library(db, embedder, KnowledgeSearch(db, embedder))
    office = Office(
        settings, db, vault, nothing, SystemClock(), box=nothing, sweep=nothing, desk=nothing, library=library
    )
    token = settings.fte_operator_token.get_secret_value()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build_api(office), raise_app_exceptions=False),
        base_url="http://desk",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


async def add(desk: httpx.AsyncClient, text: str, **more: object) -> dict[str, Any]:
    """Add one version of the document about sheds."""
    response = await desk.post("/knowledge", json={"name": "sheds", "content": SHED.format(text), **more})
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_dry_run_tells_and_stores_nothing(desk: httpx.AsyncClient) -> None:
    """What would be added, and what would be a new version."""
    assert (await add(desk, "With a brush.", dry_run=True))["change"] == "added"
    assert (await desk.get("/knowledge")).json() == []
    assert (await add(desk, "With a brush."))["change"] == "added"
    assert (await add(desk, "With a roller.", dry_run=True))["change"] == "updated"
    assert (await add(desk, "With a brush.", dry_run=True))["change"] == "unchanged"


async def test_an_earlier_version_can_still_be_read(desk: httpx.AsyncClient) -> None:
    """A decision cites `sheds@1`: its text is there after version 2 superseded it, and the search finds 2."""
    await add(desk, "With a brush.")
    await add(desk, "With a roller.")
    now = (await desk.get("/knowledge/documents/sheds")).json()
    assert [(one["version"], one["active"]) for one in now["versions"]] == [(2, True), (1, False)]
    assert now["passages"][0]["content"] == "With a roller."
    old = (await desk.get("/knowledge/documents/sheds", params={"version": 1})).json()
    assert old["passages"][0]["content"] == "With a brush."
    (found,) = (await desk.get("/knowledge/search", params={"q": "how do I paint a shed?"})).json()
    assert (found["document_id"], found["version"]) == ("sheds", 2)
    assert (await desk.get("/knowledge/documents/sheds", params={"version": 3})).status_code == 404


async def test_a_removed_document_is_found_no_more_and_comes_back_as_the_next_version(
    desk: httpx.AsyncClient, db: Database
) -> None:
    """Its text stays for what cited it; its words and vectors go."""
    await add(desk, "With a brush.")
    assert (await desk.post("/knowledge/documents/sheds/remove")).json()["change"] == "removed"
    assert (await desk.get("/knowledge/search", params={"q": "how do I paint a shed?"})).json() == []
    assert (await desk.get("/knowledge/documents/sheds")).json()["passages"][0]["content"] == "With a brush."
    assert await db.fetch("SELECT 1 FROM knowledge_terms") == await db.fetch("SELECT 1 FROM knowledge_vectors") == []
    assert (await desk.post("/knowledge/documents/sheds/remove")).status_code == 404
    assert await add(desk, "With a brush.") == {
        "document_id": "sheds", "version": 2, "change": "added", "passages": 1
    }  # fmt: skip


async def test_reindexing_makes_everything_anew_and_is_found_meanwhile(desk: httpx.AsyncClient, db: Database) -> None:
    """Words that were lost come back; a question in between is still answered by its vectors."""
    await add(desk, "With a brush.")
    await db.execute("DELETE FROM knowledge_terms")
    state = (await desk.post("/knowledge/reindex", json={"begin": True})).json()
    assert (state["passages"], state["waiting"]) == (1, 1)
    assert (await desk.get("/knowledge/search", params={"q": "how do I paint a shed?"})).json() != []
    assert (await desk.post("/knowledge/reindex", json={})).json()["waiting"] == 0
    assert await db.fetch("SELECT 1 FROM knowledge_terms WHERE lexeme = 'paint shed'") != []


async def test_the_current_knowledge_is_measured(desk: httpx.AsyncClient) -> None:
    """Places of the first right document, by each way to search."""
    await add(desk, "With a brush.")
    asked = [{"query": "painting sheds", "relevant": ["sheds"]}, {"query": "painting sheds", "relevant": ["nothing"]}]
    ranks = (await desk.post("/knowledge/eval", json={"questions": asked})).json()
    assert {name: rank["places"] for name, rank in ranks.items()} == {
        "ours": [1, 0], "bm25": [1, 0], "fulltext": [1, 0]
    }  # fmt: skip


async def test_the_command_line_goes_through_the_desk(
    desk: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of several kinds is added with progress on stderr and bare JSON on stdout; again changes nothing."""
    loop = asyncio.get_running_loop()

    async def call(_self: DeskClient, method: str, path: str, **more: Any) -> Any:
        ours = asyncio.run_coroutine_threadsafe(desk.request(method, path, **more), loop)
        response = await asyncio.wrap_future(ours)
        if response.status_code >= 400:
            raise Permanent(response.json()["error"]["message"])
        return response.json()

    monkeypatch.setattr(DeskClient, "_call", call)
    monkeypatch.setenv("FTE_DESK_URL", "http://desk")
    monkeypatch.setenv("FTE_OPERATOR_TOKEN", "made-up")
    (tmp_path / "sheds.md").write_text(SHED.format("With a brush."), encoding="utf-8")
    (tmp_path / "fences.html").write_text("<h1>Fences</h1><p>With a hammer.</p>", encoding="utf-8")
    questions = tmp_path / "q.jsonl"
    questions.write_text('{"query": "paint a shed", "relevant": ["sheds"], "more": 1}\n')
    unknown = tmp_path / "unknown.jsonl"
    unknown.write_text('{"query": "paint a shed", "relevant": ["no-such"]}\n')
    said = ""

    async def run(*arguments: str) -> Any:
        nonlocal said
        result = await asyncio.to_thread(CliRunner().invoke, app, ["knowledge", *arguments, "-o", "json"])
        assert result.exit_code == 0, result.output
        said = result.stderr
        return json.loads(result.stdout or "null")

    added = await run("add", str(tmp_path))
    assert [(row["document_id"], row["change"]) for row in added] == [("fences", "added"), ("sheds", "added")]
    assert {row["change"] for row in await run("add", str(tmp_path))} == {"unchanged"}
    linked = await run("add", str(tmp_path / "fences.html"), "--url", "https://help.example.com/fences")
    assert [(row["document_id"], row["change"]) for row in linked] == [("fences", "updated")]
    assert (await run("show", "fences"))["url"] == "https://help.example.com/fences"
    assert [row["id"] for row in await run("list")] == ["fences", "sheds"]
    assert (await run("reindex", "sheds"))["waiting"] == 0
    measured = await run("eval", str(questions))
    assert set(measured) == {"hit@1", "hit@5", "mrr", "ms", "queries", "baselines"}
    assert (measured["hit@1"], measured["queries"]) == (1.0, 1)
    assert "warning" not in said
    assert (await run("eval", str(unknown)))["hit@1"] == 0.0
    assert "warning: 1 question names no document that is there, the first 'no-such'" in said
    (tmp_path / "gates.md").write_text(SHED.replace("sheds", "gates").format("Oil them."), encoding="utf-8")
    (tmp_path / "bare.md").write_text("---\nid: bare\ntitle: Bare\n---\n## Nothing below\n", encoding="utf-8")
    for more in (["--dry-run"], []):
        result = await asyncio.to_thread(CliRunner().invoke, app, ["knowledge", "add", str(tmp_path), *more])
        assert result.exit_code == 1
        assert f"gates: {'would be ' if more else ''}added" in result.stderr
        assert "error: 1 of 4 documents were refused: bare; the others are as shown" in result.stderr
    (tmp_path / "bad.md").write_text("---\nid: [\n---\n", encoding="utf-8")
    (tmp_path / "worse.html").write_text("<p></p>", encoding="utf-8")
    result = await asyncio.to_thread(CliRunner().invoke, app, ["knowledge", "add", str(tmp_path)])
    assert "error: nothing was added: " in result.stderr
    assert "bad.md" in result.stderr
    assert "worse.html" in result.stderr
    result = await asyncio.to_thread(CliRunner().invoke, app, ["knowledge", "remove", "nope"])
    assert (result.exit_code, "no such document" in result.stderr, "--yes" in result.stderr) == (1, True, False)
    assert (await run("remove", "fences", "--yes"))["change"] == "removed"
    assert (await run("show", "sheds"))["version"] == 1
