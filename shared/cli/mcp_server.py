"""`fte mcp`: the agent's tools over MCP on standard input and output, for one conversation of the CRM or for none."""

from __future__ import annotations

from uuid import UUID

from shared.agent.database_conversation import DatabaseConversation
from shared.agent.database_links import DatabaseLinks
from shared.cli.local_settings import local_settings
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Permanent
from shared.knowledge.embed import open_embedder
from shared.knowledge.search import KnowledgeSearch
from shared.mcp.server import serve_stdio
from shared.observability.logs import configure_logging
from shared.privacy.vault import Vault


async def serve(conversation: str | None) -> None:
    """Serve until standard input ends. `conversation` is a conversation's or a ticket's id.

    Raises Permanent when it names neither.
    """
    settings = local_settings()
    configure_logging("mcp", settings.log_level, stdout_is_taken=True)
    db = Database.from_settings(settings)
    try:
        async with open_embedder() as embedder:
            chosen, links = None, None
            if conversation is not None:
                vault = Vault.from_settings(settings)
                links = DatabaseLinks(db, vault, settings)
                chosen = DatabaseConversation(db, vault, settings, await _conversation_id(db, conversation))
            await serve_stdio(KnowledgeSearch(db, embedder), chosen, links)
    finally:
        await db.close()


async def _conversation_id(db: Database, given: str) -> UUID:
    ticket = await db.fetchrow(load("tickets")["show"], given)
    if ticket is not None:
        return ticket["conversation_id"]
    try:
        return UUID(given)
    except ValueError:
        raise Permanent(
            f"{given} is neither a conversation nor a ticket: `kn-fte tickets list` shows them",
            reason="unknown-conversation",
        ) from None
