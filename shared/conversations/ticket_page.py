"""What a ticket's page shows its customer: this thread alone, ours once it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.db.pool import Database
from shared.db.queries import load
from shared.privacy.vault import Vault

SQL = load("tickets")


@dataclass(frozen=True, slots=True)
class PageMessage:
    """`author` is customer, agent or human."""

    author: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TicketView:
    """`status` is open, answered, escalated or closed."""

    status: str
    messages: tuple[PageMessage, ...]


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Reads tickets for form-submit."""

    db: Database
    vault: Vault

    async def read(self, ticket_id: str) -> TicketView | None:
        """The page, or None while the ticket has not been stored yet. Raises Retryable without PostgreSQL."""
        async with self.db.transaction() as connection:
            rows = await connection.fetch(SQL["page"], ticket_id)
            keys = await self.vault.keys_for(connection, [row["body_enc"] for row in rows])
        if not rows:
            return None
        messages = tuple(
            PageMessage(row["author"], keys.unseal("message.body", row["body_enc"]), row["received_at"])
            for row in rows
            if row["body_enc"]
        )
        return TicketView(_status(rows), messages)


def _status(rows: list[Any]) -> str:
    first = rows[0]
    if first["status"] == "closed":
        return "closed"
    last = rows[-1]["author"]
    if last == "human":
        return "answered"
    if first["status"] == "escalated" or first["state"] == "human":
        return "escalated"
    return "answered" if last == "agent" else "open"
