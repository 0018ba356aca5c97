"""The prototype: one customer's conversation, driven by hand-written steps through the tools of the MCP server.

What came before the production agent: no Agents SDK, no gate; a client of the MCP protocol that checks,
searches, composes or hands over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mcp import Client

from shared.agent.compose import Source
from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.agent.offline_plan import Say, plan
from shared.agent.offline_reading import Reading, Search, read
from shared.agent.outcome import escalated, settled_without_model
from shared.agent.ports import SearchPort
from shared.agent.prompt import conversation, load_instructions, system_prompt
from shared.agent.tools import ToolRun
from shared.mcp.server import build_server
from shared.settings import Settings
from tests.evals.cases import Outcome

_MAX_STEPS = 8


@dataclass(slots=True)
class MemoryConversation:
    """A conversation of the CRM, in memory: what the tools of the MCP server work on."""

    turn: TurnInput
    applied: list[Draft]

    async def load(self) -> TurnInput:
        """The turn as it stands."""
        return self.turn

    async def apply(self, draft: Draft) -> None:
        """Keep what a tool asked for."""
        self.applied.append(draft)


async def answer(settings: Settings, search: SearchPort, turn: TurnInput) -> Outcome:
    """Take one turn through the tools."""
    settled = settled_without_model(turn, settings)
    if settled is not None and settled.outcome == "ignored":
        return Outcome("ignored", settled.reason)
    desk = MemoryConversation(turn, [])
    async with Client(build_server(search, desk)) as client:
        if settled is not None:
            told = {"reason": settled.reason, "summary": settled.summary or "see the message"}
            if settled.reason in {"refund", "pricing", "legal", "angry", "human", "not_found"}:
                await client.call_tool("escalate", told)
            return Outcome("escalated", settled.reason, settled.text)
        await client.call_tool("get_history", {})
        return await _steps(client, settings, desk)


async def _steps(client: Client, settings: Settings, desk: MemoryConversation) -> Outcome:
    instructions = load_instructions()[desk.turn.channel]
    reading = read(system_prompt(instructions, desk.turn, settings), conversation(desk.turn))
    for _ in range(_MAX_STEPS):
        for step in plan(reading):
            if isinstance(step, Say):
                return Outcome("replied", text=step.text, documents=_documents(reading, step.text))
            result = await client.call_tool(step.tool, step.arguments)
            if step.tool == "escalate":
                return _handed_over(settings, desk)
            reading = _with(reading, str(step.arguments["query"]), result.structured_content)
    raise AssertionError("the prototype did not come to an end")


def _with(reading: Reading, query: str, found: Any) -> Reading:
    sources = tuple(
        Source(one["title"], one["heading"], one["url"], one["text"], query, one["language"])
        for one in found["passages"]
    )
    return replace(reading, searches=(*reading.searches, Search(query, sources)))


def _documents(reading: Reading, text: str) -> frozenset[str]:
    urls = {source.url for search in reading.searches for source in search.sources if source.url in text}
    return frozenset(_id(url) for url in urls)


def _id(url: str) -> str:
    """`https://help.example.com/de/mobile-app` is `mobile-app-de`."""
    slug, *language = reversed(url.rstrip("/").split("/")[3:])
    return "-".join([slug, *language])


def _handed_over(settings: Settings, desk: MemoryConversation) -> Outcome:
    asked = desk.applied[-1]
    assert asked.escalation is not None
    result = escalated(ToolRun(desk.turn, _NoSearch(), asked), asked.escalation.reason, settings)
    return Outcome("escalated", result.reason, result.text)


class _NoSearch:
    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> list[Any]:
        raise AssertionError("nothing is searched after a handover")
