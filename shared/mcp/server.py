"""The agent's tools over MCP: the same definitions, for any MCP client.

With a conversation all tools are offered and act on it; without one only the help centre can be
searched. A tool that changes something is applied at once, in one transaction of the conversation's port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as McpTool
from pydantic import BaseModel, ValidationError

from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.agent.ports import ConversationPort, LinkPort, NoLinks, SearchPort
from shared.agent.tool_run import ToolRun
from shared.agent.tools import TOOLS, Tool, call, complaint
from shared.channels.message import Channel, Trust
from shared.errors import FteError
from shared.observability.logs import logger

NAME = "customer-success-fte"

#: What a search without a conversation runs in: nobody's turn, with nothing to read and nothing to change.
_NOBODY = TurnInput(Channel.WEB, Trust.CLAIMED, "", "", "", "", ())


def build_server(
    search: SearchPort, conversation: ConversationPort | None = None, links: LinkPort | None = None
) -> Server[Any]:
    """The server, ready for any transport of the official SDK."""
    tools = [one for one in TOOLS if conversation is not None or one.name == "search_knowledge"]
    ports = (search, conversation, links or NoLinks())
    # Two writes at once to one conversation would make one of them stale.
    one_write = asyncio.Lock()

    async def list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_described(one) for one in tools])

    async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
        chosen = next((one for one in tools if one.name == params.name), None)
        if chosen is None:
            return _failed(f"there is no tool {params.name[:80]!r}; there are: {_names(tools)}")
        try:
            if chosen.writes:
                async with one_write:
                    return _succeeded(await _call(ports, chosen, params.arguments or {}))
            return _succeeded(await _call(ports, chosen, params.arguments or {}))
        except ValidationError as error:
            return _failed(complaint(error))
        except FteError as error:
            logger().warning("tool_failed", tool=chosen.name, reason=error.reason)
            return _failed(str(error))

    return Server(NAME, on_list_tools=list_tools, on_call_tool=call_tool)


async def serve_stdio(
    search: SearchPort, conversation: ConversationPort | None = None, links: LinkPort | None = None
) -> None:
    """Serve on standard input and output until the client closes them. Nothing else may write to stdout."""
    server = build_server(search, conversation, links)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _call(
    ports: tuple[SearchPort, ConversationPort | None, LinkPort], one: Tool, arguments: dict[str, Any]
) -> BaseModel:
    search, conversation, links = ports
    turn = _NOBODY if conversation is None else await conversation.load()
    draft = Draft()
    result = await call(ToolRun(turn, search, draft, links), one, arguments)
    if one.writes and conversation is not None:
        await conversation.apply(draft)
    return result


def _described(one: Tool) -> McpTool:
    return McpTool(
        name=one.name,
        description=one.description,
        input_schema=one.arguments.model_json_schema(),
        annotations=ToolAnnotations(read_only_hint=not one.writes, destructive_hint=False, open_world_hint=False),
    )


def _succeeded(result: BaseModel) -> CallToolResult:
    text = TextContent(type="text", text=result.model_dump_json())
    return CallToolResult(content=[text], structured_content=result.model_dump(mode="json"))


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)


def _names(tools: Sequence[Tool]) -> str:
    return ", ".join(one.name for one in tools)
