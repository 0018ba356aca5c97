"""The agent's tools over MCP: the same definitions, for any MCP client.

With a conversation all tools are offered and act on it; without one only the help centre can be searched. A tool that
changes something is applied at once, in one transaction of the conversation's port. The help centre's documents are
resources, the agent's instructions a prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
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
from shared.mcp.documents import DocumentsPort, listed, opened, templates
from shared.mcp.prompts import prompted, prompts
from shared.observability.logs import logger
from shared.settings import Settings

NAME = "customer-success-fte"

#: What a search without a conversation runs in: nobody's turn, with nothing to read and nothing to change.
_NOBODY = TurnInput(Channel.WEB, Trust.CLAIMED, "", "", "", "", ())


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: the search always; tools of a conversation, documents and the prompt as far as they are given."""

    search: SearchPort
    conversation: ConversationPort | None = None
    links: LinkPort | None = None
    documents: DocumentsPort | None = None
    settings: Settings | None = None

    @property
    def tools(self) -> Sequence[Tool]:
        """All with a conversation; without one the help centre's alone."""
        return [one for one in TOOLS if self.conversation is not None or one.name == "search_knowledge"]


def build_server(
    search: SearchPort, conversation: ConversationPort | None = None, links: LinkPort | None = None, **more: Any
) -> Server[Any]:
    """The server, ready for any transport of the official SDK; `more` as in Served."""
    served = Served(search, conversation, links, **more)
    return Server(
        NAME, version=_version(), **_tool_handlers(served), **_document_handlers(served), **_prompt_handlers(served)
    )


def _version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:  # run from a folder, not installed
        return "unknown"


def _tool_handlers(served: Served) -> dict[str, Any]:
    tools = served.tools
    # Two writes at once to one conversation would make one of them stale.
    one_write = asyncio.Lock()

    async def list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_described(one) for one in tools])

    async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
        chosen = next((one for one in tools if one.name == params.name), None)
        if chosen is None:
            return _failed(f"there is no tool {params.name[:80]!r}; there are: {_names(tools)}")
        try:
            async with one_write if chosen.writes else nullcontext():
                return _succeeded(await _call(served, chosen, params.arguments or {}))
        except ValidationError as error:
            return _failed(complaint(error))
        except FteError as error:
            logger().warning("tool_failed", tool=chosen.name, reason=error.reason)
            return _failed(str(error))

    return {"on_list_tools": list_tools, "on_call_tool": call_tool}


def _document_handlers(served: Served) -> dict[str, Any]:
    documents = served.documents
    if documents is None:
        return {}

    async def list_resources(_context: Any, params: PaginatedRequestParams | None) -> ListResourcesResult:
        return await listed(documents, params)

    async def list_templates(_context: Any, _params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return templates()

    async def read_resource(_context: Any, params: ReadResourceRequestParams) -> ReadResourceResult:
        return await opened(documents, params)

    return {
        "on_list_resources": list_resources,
        "on_list_resource_templates": list_templates,
        "on_read_resource": read_resource,
    }


def _prompt_handlers(served: Served) -> dict[str, Any]:
    settings, conversation = served.settings, served.conversation
    if settings is None:
        return {}

    async def list_prompts(_context: Any, _params: PaginatedRequestParams | None) -> ListPromptsResult:
        return prompts(of_conversation=conversation is not None)

    async def get_prompt(_context: Any, params: GetPromptRequestParams) -> GetPromptResult:
        return prompted(settings, await conversation.load() if conversation else None, params)

    return {"on_list_prompts": list_prompts, "on_get_prompt": get_prompt}


async def serve_stdio(server: Server[Any]) -> None:
    """Serve on standard input and output until the client closes them. Nothing else may write to stdout."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _call(served: Served, one: Tool, arguments: dict[str, Any]) -> BaseModel:
    conversation = served.conversation
    turn = _NOBODY if conversation is None else await conversation.load()
    draft = Draft()
    result = await call(ToolRun(turn, served.search, draft, served.links or NoLinks()), one, arguments)
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
