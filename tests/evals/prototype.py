"""The prototype: one customer's conversation, driven by hand-written steps through the tools of the MCP server.

What came before the production agent: no Agents SDK, no gate; a client of the MCP protocol that checks,
searches, composes or hands over. What it knows and what it decided come from the tools alone: the history is what
get_history returns, a handoff is what escalate had applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mcp import Client

from shared.agent.compose import Source
from shared.agent.contract import HistoryMessage, TicketChange, TurnInput, TurnResult
from shared.agent.draft import Draft
from shared.agent.escalation import Reason
from shared.agent.linking import link_text
from shared.agent.offline_plan import Say, plan
from shared.agent.offline_reading import Reading, Search, read
from shared.agent.outcome import escalated, settled_without_model
from shared.agent.ports import LinkPort, SearchPort
from shared.agent.prompt import conversation, load_instructions, system_prompt
from shared.agent.tools import Escalate, ToolRun
from shared.channels.message import Channel, Trust
from shared.mcp.server import build_server
from shared.settings import Settings
from tests.evals.cases import Call, Outcome

_MAX_STEPS = 8
#: What the tool takes; every other reason is one that code gives.
_REASONS = frozenset(Escalate.model_json_schema()["properties"]["reason"]["enum"])


class ToolFailed(Exception):
    """A tool said that it failed."""


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

    @property
    def sum(self) -> Draft:
        """Everything that was applied, as one turn would commit it."""
        found = Draft()
        for one in self.applied:
            change, new = one.change, (*found.change.new_tickets, *one.change.new_tickets)
            found.change = TicketChange(
                change.category or found.change.category,
                change.priority or found.change.priority,
                change.subject or found.change.subject,
                new,
            )
            found.escalation = found.escalation or one.escalation
            found.link, found.follow_up = found.link or one.link, one.follow_up or found.follow_up
        return found


@dataclass(slots=True)
class Desk:
    """One turn: the client of the server, the conversation behind it, and what each tool said."""

    client: Client
    conversation: MemoryConversation
    settings: Settings
    said: list[Call]

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool; its structured answer. Raises ToolFailed."""
        result = await self.client.call_tool(tool, dict(arguments))
        text = "\n".join(getattr(part, "text", "") for part in result.content)
        if result.is_error:
            raise ToolFailed(f"{tool}: {text}")
        self.said.append(Call(tool, text))
        return result.structured_content

    def replied(self, text: str, documents: frozenset[str] = frozenset()) -> Outcome:
        """An answer, with what the tools had applied beside it."""
        done = self.conversation.sum
        said, link = tuple(self.said), done.link.state if done.link else ""
        return Outcome("replied", "", text, documents, "", done.change, done.follow_up, link, said)

    def handed_over(self) -> Outcome:
        """What escalate had applied; nothing of it is taken from what was asked for."""
        turn, done = self.conversation.turn, self.conversation.sum
        if done.escalation is None:
            raise ToolFailed("escalate: nothing was handed over")
        result = escalated(ToolRun(turn, _NoSearch(), done), done.escalation.reason, self.settings)
        return _decided(result, tuple(self.said))


async def answer(
    settings: Settings,
    search: SearchPort,
    turn: TurnInput,
    *,
    links: LinkPort | None = None,
    script: Sequence[Mapping[str, Any]] = (),
) -> Outcome:
    """Take one turn through the tools; `script` is what a model would do, step by step, instead of the plan."""
    if turn.trust is Trust.HELD:
        settled = settled_without_model(turn, settings)
        assert settled is not None
        return _decided(settled)  # no tool may act for a sender who failed the check
    memory = MemoryConversation(turn, [])
    async with Client(build_server(search, memory, links)) as client:
        desk = Desk(client, memory, settings, [])
        try:
            return await (_scripted(desk, script) if script else _planned(desk))
        except ToolFailed as error:
            return Outcome("failed", str(error))


async def _planned(desk: Desk) -> Outcome:
    known = _with_history(desk.conversation.turn, await desk.call("get_history", {}))
    settled = settled_without_model(known, desk.settings)
    if settled is None:
        return await _steps(desk, known)
    if settled.outcome != "escalated":
        return _decided(settled)
    reason = settled.reason if settled.reason in _REASONS else Reason.NOT_FOUND
    await desk.call("escalate", {"reason": reason, "summary": "nothing, by rule"})
    return desk.handed_over()


def _with_history(turn: TurnInput, told: Any) -> TurnInput:
    """The turn with the earlier messages that the tool returned, in place of those it was made with."""
    messages = tuple(
        HistoryMessage(
            one["author"],
            Channel(one["channel"]),
            one["text"],
            one["subject"],
            datetime.fromisoformat(one["at"]),
            turn.conversation_id,
        )
        for one in told["messages"]
    )
    here = any(one.author != "customer" and one.channel is turn.channel for one in messages)
    return replace(turn, history=messages, answered_here=here)


async def _steps(desk: Desk, turn: TurnInput) -> Outcome:
    instructions = load_instructions()[turn.channel]
    reading = read(system_prompt(instructions, turn, desk.settings), conversation(turn))
    for _ in range(_MAX_STEPS):
        for step in plan(reading):
            if isinstance(step, Say):
                return desk.replied(step.text, _documents(reading.searches, step.text))
            told = await desk.call(step.tool, step.arguments)
            if step.tool == "escalate":
                return desk.handed_over()
            if step.tool.endswith("_identity_link"):
                if desk.conversation.sum.link is not None:
                    return desk.replied(_of_link(desk))
                reading = replace(reading, linking=True)
            else:
                reading = _with(reading, str(step.arguments["query"]), told)
    raise AssertionError("the prototype did not come to an end")


async def _scripted(desk: Desk, script: Sequence[Mapping[str, Any]]) -> Outcome:
    searches: list[Search] = []
    for step in script:
        for wanted in step.get("tool_calls", ()):
            told = await desk.call(wanted["name"], wanted["arguments"])
            if wanted["name"] == "escalate":
                return desk.handed_over()
            if wanted["name"] == "search_knowledge":
                searches.append(_found(wanted["arguments"]["query"], told))
        if "content" in step:
            return desk.replied(step["content"], _documents(searches, step["content"]))
    raise AssertionError("the script says nothing in the end")


def _of_link(desk: Desk) -> str:
    """Our words for what a link tool had applied."""
    act, turn, settings = desk.conversation.sum.link, desk.conversation.turn, desk.settings
    assert act is not None
    act = replace(act, company=settings.company_name, team=settings.support_team_name)
    return link_text(turn.channel, act, turn.customer_name, greet=not turn.answered_here)


def _with(reading: Reading, query: str, told: Any) -> Reading:
    return replace(reading, searches=(*reading.searches, _found(query, told)))


def _found(query: str, told: Any) -> Search:
    sources = tuple(
        Source(one["title"], one["heading"], one["url"], one["text"], query, one["language"], one["score"])
        for one in told["passages"]
    )
    return Search(query, sources)


def _documents(searches: Sequence[Search], text: str) -> frozenset[str]:
    urls = {source.url for search in searches for source in search.sources if source.url and source.url in text}
    return frozenset(_id(url) for url in urls)


def _id(url: str) -> str:
    """`https://help.example.com/de/mobile-app` is `mobile-app-de`."""
    slug, *language = reversed(url.rstrip("/").split("/")[3:])
    return "-".join([slug, *language])


def _decided(result: TurnResult, said: tuple[Call, ...] = ()) -> Outcome:
    """A result that no model wrote, or that a tool brought about."""
    return Outcome(result.outcome, result.reason, result.text, summary=result.summary, ticket=result.ticket, said=said)


class _NoSearch:
    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> list[Any]:
        raise AssertionError("nothing is searched after a handover")
