"""`fte mcp`: the tools over stdio, tried with the official client on a system that runs."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.system import System, eventually, new_number, stays

QUESTION = "how do i export my data?"
FOR_A_CONVERSATION = {
    *("search_knowledge", "get_history", "update_ticket", "escalate", "create_ticket"),
    *("request_identity_link", "confirm_identity_link", "get_ticket", "schedule_follow_up"),
}


@asynccontextmanager
async def client_of(system: System, *arguments: str) -> AsyncGenerator[Client]:
    """A client whose server is `fte mcp …`."""
    command = [sys.executable, "-m", "shared.cli.fte", "mcp", *arguments]
    server = StdioServerParameters(command=command[0], args=command[1:], env=system.environment)
    async with Client(stdio_client(server)) as client:
        yield client


async def names(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """The tool's result as JSON."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return json.loads(result.content[0].text)


async def test_without_a_conversation_only_the_help_centre_is_open(system: System) -> None:
    """One tool, and it finds."""
    async with client_of(system) as client:
        assert await names(client) == {"search_knowledge"}
        found = await call(client, "search_knowledge", query=QUESTION)
    assert "export" in found["passages"][0]["text"].lower()


async def test_with_a_conversation_the_tools_act_on_it(system: System) -> None:
    """History is read; a ticket is changed and then escalated, after which a person has the conversation."""
    number = new_number()
    system.whatsapp(QUESTION, sender=number)
    eventually(lambda: system.whatsapps_to(number))
    ticket = next(row for row in system.kn("tickets", "list") if row["address"] == number)
    async with client_of(system, "--conversation", ticket["id"]) as client:
        assert await names(client) == FOR_A_CONVERSATION
        history = await call(client, "get_history")
        assert [message["author"] for message in history["messages"]] == ["customer", "agent"]
        await call(client, "update_ticket", category="technical", priority="high")
        await call(client, "escalate", reason="human", summary="Wants to talk about the export.")
    shown = system.kn("tickets", "show", ticket["id"])
    assert (shown["status"], shown["reason"], shown["priority"]) == ("escalated", "human", "high")
    lines = dict(line.split(": ", 1) for line in shown["summary"].splitlines())
    assert list(lines) == ["Who", "What", "Tried", "Mood", "Next"]
    assert lines["Tried"] == "Wants to talk about the export."
    system.whatsapp("anybody there?", sender=number)
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4)
