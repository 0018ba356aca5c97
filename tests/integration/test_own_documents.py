"""A document without front matter and without an address is answered from, and cited by its title."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ReadResourceRequestParams

from shared.channels.message import Channel, Trust
from shared.db.pool import Database
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.library import Library
from shared.knowledge.search import KnowledgeSearch
from shared.mcp.documents import listed, opened
from shared.settings import Settings
from tests.evals.cases import Case
from tests.evals.run_cases import agents, run_case

_OCTOPUS = """# Octopus view

## How do I switch on the octopus view?

Open Settings › Views and choose Octopus. The octopus view shows all projects around one centre.

## Who may see the octopus view?

Admins and planners see it; guests do not.
"""


@pytest.mark.parametrize("channel", list(Channel))
async def test_a_document_without_an_address_is_answered_from(
    db: Database, settings: Settings, tmp_path: Path, channel: Channel
) -> None:
    (tmp_path / "octopus.md").write_text(_OCTOPUS, encoding="utf-8")
    case = Case("own", channel, Trust.VERIFIED, "View", (("How do I switch on the octopus view?",),), {}, {})
    async with agents(db, settings, tmp_path) as both:
        got = (await run_case(case, both.by_production)).got
    assert (got.outcome, got.reason) == ("replied", "")
    assert "choose Octopus" in got.text
    assert "“Octopus view”" in got.text
    assert got.documents == {"octopus"}


_RUNBOOK = """---
id: octopus-runbook
title: Octopus runbook
audience: internal
---

## How do I restart the octopus server?

Open the rack in the cellar and press the octopus server's red button twice.
"""


async def test_what_is_for_colleagues_is_told_to_no_customer(db: Database, settings: Settings, tmp_path: Path) -> None:
    """Neither by the agent nor as a resource over MCP; a colleague's search that names the audience finds it."""
    (tmp_path / "runbook.md").write_text(_RUNBOOK, encoding="utf-8")
    (tmp_path / "octopus.md").write_text(_OCTOPUS, encoding="utf-8")
    question = "How do I restart the octopus server?"
    case = Case("own", Channel.EMAIL, Trust.VERIFIED, "Server", ((question,),), {}, {})
    async with agents(db, settings, tmp_path) as both:
        got = (await run_case(case, both.by_production)).got
        assert "red button" not in got.text
        assert "octopus-runbook" not in got.documents
        embedder = WordLlamaEmbedder()
        library = Library(db, embedder, KnowledgeSearch(db, embedder))
        [found, *_] = await library.search(question, 3, audience="internal")
        assert found["document_id"] == "octopus-runbook"
        assert [one.name for one in (await listed(library, None)).resources] == ["octopus"]
        with pytest.raises(MCPError, match="colleagues"):
            await opened(library, ReadResourceRequestParams(uri="knowledge://documents/octopus-runbook"))
