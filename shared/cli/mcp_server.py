"""`fte mcp`: the agent's tools over MCP, for one conversation of the CRM or for none.

On standard input and output, as a client starts it, or over streamable HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mcp.server import Server

from shared.agent.database_conversation import DatabaseConversation
from shared.agent.database_links import DatabaseLinks
from shared.cli.local_settings import local_settings
from shared.cli.output import say
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Permanent
from shared.knowledge.library import Library, open_library
from shared.mcp.http import Door, door, serve_http
from shared.mcp.server import build_server, serve_stdio
from shared.observability.logs import configure_logging, logger
from shared.privacy.vault import Vault
from shared.settings import Settings


async def serve(conversation: str | None, http: str | None = None, allow_host: Sequence[str] = ()) -> None:
    """Serve until standard input ends, or with `http` (HOST:PORT) until SIGTERM or SIGINT.

    `conversation` is a conversation's or a ticket's id; `allow_host` are names that clients call us by. Raises
    Permanent when it is neither or closed, and for a door that is open to others and has no token.
    """
    settings = local_settings()
    where = door(http, settings.mcp_token.get_secret_value(), allow_host) if http is not None else None
    configure_logging("mcp", settings.log_level, stdout_is_taken=where is None)
    db = Database.from_settings(settings)
    try:
        async with open_library(db) as library:
            server = await _server(settings, library, conversation)
            if where is None:
                await serve_stdio(server)
            else:
                logger().info("mcp_serving", port=where.port)
                await serve_http(server, where, lambda: say(how_to_connect(where)))
    finally:
        await db.close()


def how_to_connect(where: Door) -> str:
    """One line for whoever started it: the address, and what a client needs; the token itself is not shown."""
    token = ", with the header `Authorization: Bearer` and MCP_TOKEN" if where.token else ""
    return f"serving MCP at {where.url}: add it to your client as a server over streamable HTTP{token}; Ctrl-C ends it"


async def _server(settings: Settings, library: Library, conversation: str | None) -> Server[Any]:
    db, chosen, links = library.db, None, None
    if conversation is not None:
        vault = Vault.from_settings(settings)
        links = DatabaseLinks(db, vault, settings)
        chosen = DatabaseConversation(db, vault, settings, await conversation_of(db, conversation))
    return build_server(library.passages, chosen, links, documents=library, settings=settings)


async def conversation_of(db: Database, given: str) -> UUID:
    """The conversation of a conversation's or a ticket's id that tools can work on. Raises Permanent for any other."""
    found = await db.fetchrow(load("mailbox")["named"], given.upper(), _uuid(given))
    if found is None:
        raise Permanent(
            f"{given} is neither a conversation nor a ticket: `kn-fte tickets list` shows them",
            reason="unknown-conversation",
        )
    if found["state"] == "closed":
        raise Permanent(
            f"{given}: the conversation is closed; without --conversation the help centre is open",
            reason="closed-conversation",
        )
    if not found["written_in"]:
        raise Permanent(f"{given}: no customer wrote in it, so the tools have nothing to work on", reason="no-route")
    return found["id"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
