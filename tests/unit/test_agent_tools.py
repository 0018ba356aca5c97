"""The tools: what they may see, what they leave behind, and that both exposures are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from mcp import Client
from prometheus_client import REGISTRY
from pydantic import ValidationError

from shared.agent.contract import HistoryMessage, TicketFacts, TurnInput, TurnMessage
from shared.agent.draft import Draft
from shared.agent.escalation import Reason
from shared.agent.sdk_tools import sdk_tools
from shared.agent.tools import MAX_NEW_TICKETS, TOOLS, Found, History, ToolRun, call
from shared.channels.message import Channel, Trust
from shared.conversations.codes import Kind, State
from shared.conversations.follow_ups import FollowUp
from shared.errors import Permanent, Retryable
from shared.knowledge.passage import Passage
from shared.mcp.server import build_server

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
PAGE = Passage(
    "exporting-data", 3, "Exporting", "https://help.example.com/exporting-data", "Exporting > How?", "So.", 0.8
)
BY_NAME = {one.name: one for one in TOOLS}


class Shelf:
    """A knowledge base of one page; `fault` is raised instead when given."""

    def __init__(self, *passages: Passage, fault: Exception | None = None) -> None:
        self.passages = passages
        self.fault = fault
        self.asked: list[tuple[str, int, str | None]] = []

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """The passages, whatever is asked."""
        self.asked.append((query, limit, language))
        if self.fault is not None:
            raise self.fault
        return self.passages[:limit]


class Desk:
    """A conversation that remembers what was applied."""

    def __init__(self, turn: TurnInput, fault: Exception | None = None) -> None:
        self.turn = turn
        self.fault = fault
        self.applied: list[Draft] = []

    async def load(self) -> TurnInput:
        """The turn."""
        return self.turn

    async def apply(self, draft: Draft) -> None:
        """Remember, or refuse."""
        if self.fault is not None:
            raise self.fault
        self.applied.append(draft)


def turn(trust: Trust = Trust.VERIFIED, history: tuple[HistoryMessage, ...] = ()) -> TurnInput:
    """A turn with one message."""
    return TurnInput(Channel.WEB, trust, "c", "here", "t", "Priya", (TurnMessage("how?", "", AT),), history)


def run(trust: Trust = Trust.VERIFIED, *passages: Passage, history: tuple[HistoryMessage, ...] = ()) -> ToolRun:
    """A run over a shelf."""
    return ToolRun(turn(trust, history), Shelf(*passages), Draft())


def past(number: int, conversation: str) -> HistoryMessage:
    """An earlier message."""
    return HistoryMessage("customer", Channel.EMAIL, f"message {number}", "", AT, conversation)


def counted(tool: str, result: str) -> float:
    """How often a tool ended so."""
    return REGISTRY.get_sample_value("fte_tool_calls_total", {"tool": tool, "result": result}) or 0.0


def test_there_are_nine_tools_and_none_takes_a_customer() -> None:
    """No text in a message can point a tool at somebody else."""
    assert [one.name for one in TOOLS] == [
        "search_knowledge", "get_history", "get_ticket", "update_ticket", "escalate", "create_ticket",
        "request_identity_link", "confirm_identity_link", "schedule_follow_up",
    ]  # fmt: skip
    for one in TOOLS:
        assert not {name for name in one.arguments.model_fields if "customer" in name or name.endswith("id")}
        assert one.description


async def test_a_search_leaves_its_passages_in_the_draft() -> None:
    """What may be cited is what a search of this very run returned."""
    made = run(Trust.VERIFIED, PAGE)
    before = counted("search_knowledge", "ok")
    found = await call(made, BY_NAME["search_knowledge"], {"query": "export"})
    assert isinstance(found, Found)
    assert found.passages[0].url == PAGE.url
    assert list(made.draft.passages) == ["exporting-data@3#Exporting > How?"]
    assert counted("search_knowledge", "ok") == before + 1


async def test_a_call_is_recorded_without_its_words() -> None:
    """Name, hash and size of the arguments, and how it ended."""
    made = run()
    await call(made, BY_NAME["search_knowledge"], {"query": "my secret question"})
    (recorded,) = made.draft.calls
    assert recorded.ok
    assert len(recorded.arguments_hash) == 64
    assert recorded.arguments_size == len('{"query": "my secret question"}')
    assert counted("search_knowledge", "empty") >= 1


@pytest.mark.parametrize(
    ("trust", "seen"),
    [(Trust.VERIFIED, ["message 1", "message 2"]), (Trust.CLAIMED, ["message 2"]), (Trust.HELD, ["message 2"])],
)
async def test_history_is_read_as_far_as_trust_goes(trust: Trust, seen: list[str]) -> None:
    """Only a verified turn sees beyond its own conversation."""
    made = run(trust, history=(past(1, "elsewhere"), past(2, "here")))
    found = await call(made, BY_NAME["get_history"], {})
    assert isinstance(found, History)
    assert [message.text for message in found.messages] == seen


async def test_history_gives_the_latest_first_asked() -> None:
    """`limit` cuts the oldest."""
    made = run(history=tuple(past(number, "here") for number in range(30)))
    found = await call(made, BY_NAME["get_history"], {"limit": 2})
    assert isinstance(found, History)
    assert [message.text for message in found.messages] == ["message 28", "message 29"]


async def test_changes_are_collected_and_nothing_is_written() -> None:
    """The draft becomes the result: what is not committed with the reply never happened."""
    made = run()
    await call(made, BY_NAME["update_ticket"], {"category": "technical", "subject": "Export fails"})
    await call(made, BY_NAME["update_ticket"], {"priority": "high"})
    for number in range(MAX_NEW_TICKETS + 2):
        await call(made, BY_NAME["create_ticket"], {"subject": f"matter {number}"})
        await call(made, BY_NAME["create_ticket"], {"subject": f"Matter {number}"})
    await call(made, BY_NAME["escalate"], {"reason": "legal", "summary": "a lawyer wrote"})
    await call(made, BY_NAME["escalate"], {"reason": "human", "summary": "later"})
    change = made.draft.change
    assert (change.category, change.priority, change.subject) == ("technical", "high", "Export fails")
    assert [ticket.subject for ticket in change.new_tickets] == ["matter 0", "matter 1", "matter 2"]
    assert made.draft.escalation is not None
    assert made.draft.escalation.reason is Reason.LEGAL


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("search_knowledge", {"query": ""}),
        ("search_knowledge", {"query": "x", "limit": 99}),
        ("search_knowledge", {"query": "x", "customer_id": "other"}),
        ("escalate", {"reason": "because", "summary": "x"}),
        ("update_ticket", {"priority": "now"}),
        ("request_identity_link", {"address": ""}),
        ("request_identity_link", {"address": "a@example.org", "customer_id": "other"}),
        ("confirm_identity_link", {"code": "12345"}),
        ("confirm_identity_link", {"code": "123456 234567"}),
        ("schedule_follow_up", {"hours": 0, "purpose": "did_it_work"}),
        ("schedule_follow_up", {"hours": 337, "purpose": "did_it_work"}),
        ("schedule_follow_up", {"hours": 5, "purpose": "tell them we refund"}),
        ("get_ticket", {"ticket_id": "another"}),
    ],
)
async def test_wrong_arguments_are_refused_and_counted(name: str, arguments: dict[str, Any]) -> None:
    """Pydantic is the same guard for every caller."""
    made = run()
    with pytest.raises(ValidationError):
        await call(made, BY_NAME[name], arguments)
    assert [recorded.ok for recorded in made.draft.calls] == [False]


async def test_a_fault_of_ours_is_kept_for_the_turn() -> None:
    """PostgreSQL away is not something to tell a model."""
    made = ToolRun(turn(), Shelf(fault=Retryable("away")), Draft())
    with pytest.raises(Retryable):
        await call(made, BY_NAME["search_knowledge"], {"query": "x"})
    assert isinstance(made.draft.fault, Retryable)


async def test_both_exposures_have_the_same_names_and_arguments() -> None:
    """One definition: the SDK's function tools and the MCP tools differ in nothing."""
    async with Client(build_server(Shelf(), Desk(turn()))) as client:
        offered = {one.name: one for one in (await client.list_tools()).tools}
    for one in sdk_tools():
        assert one.description == offered[one.name].description
        assert set(one.params_json_schema["properties"]) == set(offered[one.name].input_schema["properties"])
        assert one.strict_json_schema
    assert len(offered) == len(sdk_tools()) == 9


async def test_mcp_without_a_conversation_offers_the_search_alone() -> None:
    """Nobody's history can be read, nothing can be changed."""
    async with Client(build_server(Shelf(PAGE))) as client:
        assert [one.name for one in (await client.list_tools()).tools] == ["search_knowledge"]
        found = await client.call_tool("search_knowledge", {"query": "export"})
        assert found.structured_content["passages"][0]["title"] == "Exporting"
        refused = await client.call_tool("escalate", {"reason": "human", "summary": "x"})
        assert refused.is_error


async def test_mcp_applies_what_a_tool_writes_and_nothing_else() -> None:
    """Each writing call is one transaction of the port; reading calls apply nothing."""
    desk = Desk(turn(history=(past(1, "here"),)))
    async with Client(build_server(Shelf(PAGE), desk)) as client:
        read = await client.call_tool("get_history", {})
        await client.call_tool("search_knowledge", {"query": "export"})
        assert desk.applied == []
        await client.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})
        await client.call_tool("update_ticket", {"priority": "urgent"})
    assert json.loads(read.content[0].text)["messages"][0]["text"] == "message 1"  # type: ignore[union-attr]
    assert [(draft.escalation is not None, draft.change.priority) for draft in desk.applied] == [
        (True, None),
        (False, "urgent"),
    ]


async def test_mcp_says_what_was_wrong() -> None:
    """Arguments that do not fit, and a conversation that is closed, come back as errors a model can read."""
    desk = Desk(turn(), fault=Permanent("a person has this conversation"))
    async with Client(build_server(Shelf(), desk)) as client:
        wrong = await client.call_tool("update_ticket", {"priority": "now"})
        closed = await client.call_tool("update_ticket", {"priority": "low"})
    assert wrong.is_error
    assert "priority" in wrong.content[0].text  # type: ignore[union-attr]
    assert closed.is_error
    assert "a person has this conversation" in closed.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "module", ["shared.agent.escalation", "shared.agent.gate", "shared.agent.handoff", "shared.mcp.server"]
)
def test_what_needs_no_model_does_not_load_the_sdk(module: str) -> None:
    """The Agents SDK costs seconds: a check, the gate and the MCP server do without."""
    code = f"import sys, {module}; sys.exit('agents' in sys.modules or 'openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Links:
    """A port where every request may go out, and one code is right."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def standing(self, turn: TurnInput, kind: Kind, address: str) -> State | None:
        """A code may go out."""
        self.asked.append(address)
        return "sent"

    async def judged(self, turn: TurnInput, code: str) -> State | None:
        """Linked for one code alone."""
        self.asked.append(code)
        return "linked" if code == "123456" else "wrong"


async def test_one_message_with_many_codes_is_one_guess() -> None:
    """However often a model calls the tool: the first counts, the others are refused unread."""
    made = ToolRun(turn(), Shelf(), Draft(), Links())
    for code in ("111111", "123 456", "123456"):
        await call(made, BY_NAME["confirm_identity_link"], {"code": code})
    assert made.draft.link is not None
    assert (made.draft.link.state, made.draft.link.code) == ("wrong", "111111")


@pytest.mark.parametrize("trust", [Trust.CLAIMED, Trust.HELD])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("request_identity_link", {"address": "+1 201 555 0123"}), ("confirm_identity_link", {"code": "123456"})],
)
async def test_who_is_not_verified_links_nothing(trust: Trust, name: str, arguments: dict[str, Any]) -> None:
    """Nothing is asked of the port, nothing is put down."""
    links = Links()
    made = ToolRun(turn(trust), Shelf(), Draft(), links)
    noted = await call(made, BY_NAME[name], arguments)
    assert "refused" in str(noted)
    assert (made.draft.link, links.asked) == (None, [])


@pytest.mark.parametrize("address", ["ada@example.org", "555 0123", "hello"])
async def test_only_the_other_side_is_linked(address: str) -> None:
    """A web visitor has proven an address: what they may link is a number, with its country code."""
    made = ToolRun(turn(), Shelf(), Draft(), Links())
    assert "refused" in str(await call(made, BY_NAME["request_identity_link"], {"address": address}))
    assert made.draft.link is None


async def test_the_ticket_is_read_as_it_stands() -> None:
    """Its facts, and nothing where there is none."""
    facts = TicketFacts("Export stops", "open", "technical", "high", AT, AT)
    seen = await call(ToolRun(replace(turn(), ticket=facts), Shelf(), Draft()), BY_NAME["get_ticket"], {})
    assert seen.model_dump() == {
        "subject": "Export stops", "status": "open", "category": "technical", "priority": "high", "opened_at": AT,
        "follow_up_at": AT,
    }  # fmt: skip
    assert (await call(run(), BY_NAME["get_ticket"], {})).model_dump()["status"] == ""


@pytest.mark.parametrize(
    ("channel", "trust", "hours", "noted"),
    [
        (Channel.EMAIL, Trust.VERIFIED, 336, True),
        (Channel.WHATSAPP, Trust.VERIFIED, 20, True),
        (Channel.WHATSAPP, Trust.VERIFIED, 21, False),
        (Channel.WEB, Trust.CLAIMED, 5, False),
        (Channel.EMAIL, Trust.HELD, 5, False),
    ],
)
async def test_a_follow_up_is_put_down_within_bounds(channel: Channel, trust: Trust, hours: int, noted: bool) -> None:
    """Within WhatsApp's window, and only to somebody who surely wrote; nothing is written by the tool."""
    made = ToolRun(replace(turn(trust), channel=channel), Shelf(), Draft())
    told = await call(made, BY_NAME["schedule_follow_up"], {"hours": hours, "purpose": "still_open"})
    assert ("refused" not in str(told)) is noted
    assert made.draft.follow_up == (FollowUp(hours, "still_open", "en") if noted else None)
