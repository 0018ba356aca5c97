"""What a person does with a conversation: take it over, reply, give it back, close it.

Each act bumps the epoch, so a turn under way writes nothing: the agent never talks over a person.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.conversations.mailbox import SQL as MAILBOX
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.privacy.vault import Vault

SQL = load("tickets")
_IDENTITY = load("identity")

#: Withdraws the agent's unsent replies; given by the floor above, which owns the ledger.
Supersede = Callable[[Any, UUID], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Desk:
    """The operator's acts on conversations, by ticket id."""

    db: Database
    vault: Vault
    supersede: Supersede

    async def reply(self, ticket_id: str, text: str) -> tuple[UUID, UUID]:
        """Take over and answer as a person: (delivery id, conversation id).

        The reply goes where the customer last wrote. Raises Rejected: 404 unknown, 409 closed, 422 longer
        than the channel allows; nothing changes then.
        """
        async with self.db.transaction() as connection:
            found = await self._lock(connection, ticket_id)
            await self._take_over(connection, found["id"])
            route = await connection.fetchrow(SQL["latest_route"], found["id"])
            _require_fit(Channel(route["channel"]), text)
            message_id = await self._insert(connection, found, route, text)
            await connection.execute(SQL["mark_answered"], found["id"], message_id)
            delivery_id = uuid.uuid4()
            await connection.execute(
                MAILBOX["insert_delivery"],
                delivery_id,
                message_id,
                found["id"],
                route["route_id"],
                route["channel"],
                "human",
                await connection.fetchval("SELECT now()"),
            )
            await _record(connection, "tickets.reply", ticket_id)
        return delivery_id, found["id"]

    async def give_back(self, ticket_id: str) -> tuple[UUID, int]:
        """Return a conversation to the agent: (conversation id, how many messages it will answer now).

        Raises Rejected: 404 unknown, 409 unless a person has it.
        """
        async with self.db.transaction() as connection:
            found = await self._lock(connection, ticket_id)
            if found["state"] != "human":
                raise Rejected(
                    f"the conversation is {found['state']}, not with a person", status=409, reason="not-human"
                )
            if found["trust"] == "held":
                raise Rejected("a held message stays with a person", status=409, reason="held")
            await connection.execute(SQL["give_back"], found["id"])
            reopened = await connection.fetch(SQL["reopen_unanswered"], found["id"])
            await connection.execute(SQL["open_tickets"], found["id"])
            await _record(connection, "tickets.return", ticket_id)
        return found["id"], len(reopened)

    async def close(self, ticket_id: str, reason: str | None) -> None:
        """Close the conversation and its tickets.

        Raises Rejected: 404 unknown, 409 closed already or something unanswered. What waits for a
        person may be closed with a reason; what has no outcome yet, or is not delivered, may not.
        """
        async with self.db.transaction() as connection:
            found = await self._lock(connection, ticket_id)
            open_ = await connection.fetchrow(SQL["unanswered"], found["id"])
            if open_["without_outcome"] or open_["undelivered"]:
                raise Rejected("something is still unanswered or undelivered", status=409, reason="unanswered")
            if open_["waiting_for_person"] and not reason:
                raise Rejected(
                    "the customer waits for a person: reply first, or close with --reason",
                    status=409,
                    reason="unanswered",
                )
            await connection.execute(SQL["close"], found["id"])
            await connection.execute(SQL["close_tickets"], found["id"], reason)
            await _record(connection, "tickets.close", ticket_id)

    async def _lock(self, connection: Any, ticket_id: str) -> Any:
        found = await connection.fetchrow(SQL["lock_conversation"], ticket_id)
        if found is None:
            raise Rejected("no such ticket", status=404, reason="unknown-ticket")
        if found["state"] == "closed":
            raise Rejected("the ticket is closed", status=409, reason="closed")
        return found

    async def _take_over(self, connection: Any, conversation_id: UUID) -> None:
        await self.supersede(connection, conversation_id)
        await connection.execute(SQL["take_over"], conversation_id)
        await connection.execute(SQL["escalate_ticket"], conversation_id, "takeover")

    async def _insert(self, connection: Any, found: Any, route: Any, text: str) -> UUID:
        message_id = uuid.uuid4()
        keys = await self.vault.keys(connection, [found["customer_id"]])
        await connection.execute(
            MAILBOX["insert_reply"],
            message_id,
            found["id"],
            found["customer_id"],
            route["route_id"],
            route["channel"],
            "human",
            route["trust"],
            None,
            keys.seal(found["customer_id"], "message.body", text),
            False,
        )
        return message_id


def _require_fit(channel: Channel, text: str) -> None:
    """A person's reply keeps the channel's limit too (R1.3)."""
    too_long = over_limit(channel, text)
    if too_long:
        raise Rejected(f"the reply has {too_long}", status=422, reason="too-long", field="text")


async def _record(connection: Any, action: str, ticket_id: str) -> None:
    await connection.execute(_IDENTITY["record_action"], action, ticket_id, json.dumps({}))
