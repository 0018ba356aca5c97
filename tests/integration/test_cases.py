"""R2.2: the production agent does what the prototype did, on every case of tests/evals/cases.yaml."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic import BaseModel

from shared.agent.promises import promises
from shared.agent.tools import TOOLS, Tool
from shared.channels.message import Channel, Trust
from shared.db.pool import Database
from shared.errors import Retryable
from shared.mcp import server
from shared.mcp.server import Served
from shared.settings import Settings
from tests.evals.cases import Call, Case, load_cases
from tests.evals.run_cases import DOCUMENTS, Ran, agents, baseline, run_all, run_case, table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def template(documents_template: str) -> str:
    """With the company's documents in it: `agents` finds them stored."""
    return documents_template


async def test_cases_pass_through_the_tools_and_in_production_with_the_same_outcome(
    db: Database, settings: Settings, endpoint: str
) -> None:
    """Every expectation holds in both, and each case ends the same: reason, pages, ticket, what is asked later."""
    async with agents(db, settings, endpoint=endpoint) as both:
        pairs = await run_all(both, load_cases())
    shown = f"\n{table(pairs)}\n{baseline(pairs)}"
    assert not [ran.case.id for pair in pairs for ran in pair if ran.broken], shown
    assert [(tools.case.id, tools.got.decided) for tools, _ in pairs] == [
        (made.case.id, made.got.decided) for _, made in pairs
    ], shown
    said = [[_said(ran) for ran in pair] for pair in pairs if pair[0].case.model]
    assert [by_tools for by_tools, _ in said] == [in_production for _, in_production in said]


def _said(ran: Ran) -> list[Call]:
    """What tools answered, but escalate, which ends the turn unread, and get_history: in it stands our own wording."""
    return [one for one in ran.got.said if one.tool not in {"escalate", "get_history"}]


async def test_the_suite_fails_without_any_of_the_tools(
    db: Database, settings: Settings, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that fails at the server must be seen by each case that uses it: else the suite says nothing of it."""
    called = server._call  # pyright: ignore[reportPrivateUsage]

    def without(name: str) -> Callable[..., Awaitable[BaseModel]]:
        async def call(served: Served, one: Tool, arguments: dict[str, Any]) -> BaseModel:
            if one.name == name:
                raise Retryable("this tool is broken", reason="broken")
            return await called(served, one, arguments)

        return call

    unseen: dict[str, list[str]] = {}
    async with agents(db, settings, endpoint=endpoint) as both:
        cases = [case for case in load_cases() if case.model or "link" in case.expect]
        used = [{one.tool for one in (await run_case(case, both.by_tools)).got.said} for case in cases]
        for name in (one.name for one in TOOLS):
            monkeypatch.setattr(server, "_call", without(name))
            using = [case for case, tools in zip(cases, used, strict=True) if name in tools]
            assert using, f"no case uses {name}"
            unseen[name] = [one.id for one in using if not (await run_case(one, both.by_tools)).broken]
    assert unseen == {one.name: [] for one in TOOLS}


@pytest.mark.parametrize("policy", ["strict", "published"])
async def test_the_sample_tickets_need_a_person_for_less_than_a_quarter(
    db: Database, settings: Settings, policy: str
) -> None:
    """R7.3: escalation under 25 % over ordinary traffic; by default what a person must see reaches one."""
    tickets = [
        json.loads(line)
        for channel in ("email", "whatsapp", "web")
        for line in (ROOT / "context" / "sample-tickets" / f"{channel}.jsonl").read_text("utf-8").splitlines()
    ]
    wrong: list[str] = []
    escalated = 0
    async with agents(db, settings.model_copy(update={"escalation_policy": policy})) as both:
        for ticket in tickets:
            outcome = (await run_case(_as_case(ticket), both.by_production)).got.outcome
            escalated += outcome == "escalated"
            if ticket["expected"] == "escalated" and outcome != "escalated":
                wrong.append(ticket["id"])
    assert policy == "published" or wrong == []
    assert escalated / len(tickets) < 0.25


@pytest.mark.parametrize(("policy", "outcome"), [("strict", "escalated"), ("published", "replied")])
async def test_a_published_price_is_answered_where_the_company_wants_it(
    db: Database, settings: Settings, policy: str, outcome: str
) -> None:
    """ESCALATION_POLICY, through the whole turn: from the page of prices, with its link; a demand is a person's."""
    async with agents(db, settings.model_copy(update={"escalation_policy": policy})) as both:
        ticket = {
            "id": "price",
            "channel": "web",
            "subject": "Price",
            "body": "How much does the Team plan cost a month?",
        }
        asked = (await run_case(_as_case(ticket), both.by_production)).got
        demand = {**ticket, "body": "I want my money back for the Team plan."}
        demanded = (await run_case(_as_case(demand), both.by_production)).got
    assert (asked.outcome, demanded.outcome) == (outcome, "escalated")
    assert ("https://help.example.com/plans-and-limits" in asked.text) is (outcome == "replied")


async def test_a_suggestion_is_promised_nothing(db: Database, settings: Settings) -> None:
    """F6: web-10 over the real documents: nobody says when, or that, it comes."""
    lines = (ROOT / "context" / "sample-tickets" / "web.jsonl").read_text("utf-8").splitlines()
    ticket = next(one for one in map(json.loads, lines) if one["id"] == "web-10")
    async with agents(db, settings) as both:
        got = (await run_case(_as_case(ticket), both.by_production)).got
    assert got.outcome in {"replied", "escalated"}
    assert promises(got.text) == []


def _as_case(ticket: dict[str, Any]) -> Case:
    return Case(
        id=ticket["id"],
        channel=Channel(ticket["channel"]),
        trust=Trust.CLAIMED if ticket["channel"] == "web" else Trust.VERIFIED,
        subject=ticket.get("subject", ""),
        turns=((ticket["body"],),),
        headers=ticket.get("headers", {}),
        expect={},
    )


async def test_the_tools_are_served_over_standard_input_and_output(db: Database, dsn: str, settings: Settings) -> None:
    """The official client starts the server as its own process and searches through it."""
    async with agents(db, settings):
        pass
    code = (
        "import asyncio, sys\n"
        "from shared.db.pool import Database\n"
        "from shared.knowledge.embed import WordLlamaEmbedder\n"
        "from shared.knowledge.search import KnowledgeSearch\n"
        "from shared.mcp.server import build_server, serve_stdio\n"
        "db = Database(sys.argv[1], 2, 10)\n"
        "asyncio.run(serve_stdio(build_server(KnowledgeSearch(db, WordLlamaEmbedder()))))\n"
    )
    process = StdioServerParameters(command=sys.executable, args=["-c", code, dsn], cwd=ROOT)
    async with Client(stdio_client(process)) as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["search_knowledge"]
        found = await client.call_tool("search_knowledge", {"query": "how do I reset my password"})
    assert found.structured_content["passages"][0]["url"].endswith("/signing-in-and-passwords")


def test_the_documents_are_where_the_cases_expect_them() -> None:
    """A case that names a document names one that exists."""
    named = {case.expect["document"] for case in load_cases() if "document" in case.expect}
    stored = {path.stem for path in DOCUMENTS.glob("*.md")}
    translated = {f"{path.stem}-{path.parent.name}" for path in DOCUMENTS.glob("??/*.md")}
    assert named <= stored | translated
