"""What a person does with a conversation: take it over, reply, note, assign, give it back, close it.

Each act bumps the epoch, so a turn under way writes nothing: the agent never talks over a person.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.conversations.mailbox import SQL as MAILBOX
from shared.conversations.reasons import HandedOver
from shared.conversations.surveys import Asking, Surveys
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.observability.metrics import SURVEYS
from shared.privacy.vault import Vault

SQL = load("tickets")
_IDENTITY = load("identity")

#: Why a message is a person's by rule, whatever a model could say: shared.agent.escalation finds it again each time.
PEOPLES_MATTERS = ("refund", "pricing", "legal", "angry", "human")

#: Seconds within which the same reply is taken for a slip: a second press of the key, or two people at one ticket.
_TWICE_S = 60.0

#: Withdraws the agent's unsent replies; given by the floor above, which owns the ledger.
Supersede = Callable[[Any, UUID], Awaitable[int]]


class Returned(NamedTuple):
    """What was given back: how many messages nobody answered, and for which matters the agent will not either."""

    conversation_id: UUID
    reopened: int
    for_people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """The operator's acts on conversations, by ticket id."""

    db: Database
    vault: Vault
    supersede: Supersede
    surveys: Surveys

    async def reply(self, ticket_id: str, text: str, by: str = "", *, again: bool = False) -> tuple[UUID, UUID]:
        """Take over and answer as a person: (delivery id, conversation id). A ticket nobody had is `by`'s now.

        The reply goes where the customer last wrote. Raises Rejected: 404 unknown, 409 closed, nobody wrote in it, or
        this very text was said within the last minute and `again` does not mean it, 422 longer than the channel
        allows; nothing changes then.
        """
        async with self.db.transaction() as connection:
            found = await self._lock(connection, ticket_id)
            route = await _route(connection, found["id"])
            if not again:
                await self._require_new(connection, found["id"], text)
            await self._take_over(connection, found["id"])
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
            await connection.execute(SQL["assign_if_free"], found["id"], by or None)
            await _record(connection, "tickets.reply", ticket_id, by)
        return delivery_id, found["id"]

    async def note(self, ticket_id: str, text: str, by: str = "") -> None:
        """Keep what people tell each other: no customer and no model is ever shown it. Raises Rejected (404)."""
        async with self.db.transaction() as connection:
            found = await self._find(connection, ticket_id)
            owner = found["customer_id"]
            sealed = (await self.vault.keys(connection, [owner])).seal(owner, "note.text", text)
            note = (uuid.uuid4(), ticket_id, found["id"], owner, by, sealed)
            await connection.execute(SQL["insert_note"], *note)
            await _record(connection, "tickets.note", ticket_id, by)

    async def assign(self, ticket_id: str, to: str | None, by: str = "") -> None:
        """Say who sees to a ticket; None: nobody. The agent goes on until somebody replies.

        Raises Rejected: 404 unknown, 409 closed.
        """
        async with self.db.transaction() as connection:
            await self._lock(connection, ticket_id)
            await connection.execute(SQL["assign"], ticket_id, to)
            await _record(connection, "tickets.assign", ticket_id, by, to=to)

    async def give_back(self, ticket_id: str, by: str = "") -> Returned:
        """Return a conversation to the agent, with what no person answered.

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
            reopened = await _give_back(connection, found["id"])
            await _record(connection, "tickets.return", ticket_id, by)
        known = set(reopened)
        return Returned(found["id"], len(reopened), tuple(one for one in PEOPLES_MATTERS if one in known))

    async def close(
        self, ticket_id: str, reason: str | None, by: str = "", *, survey: bool = True
    ) -> tuple[UUID, Asking]:
        """Close the conversation and its tickets; the reason is kept beside that of the escalation.

        Its customer is asked how content they are, unless `survey` is False or something speaks against it:
        (conversation id, what came of that).

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
            owner = found["customer_id"]
            keys = await self.vault.keys(connection, [owner] if reason else [])
            sealed = keys.seal(owner, "ticket.close_reason", reason) if reason else None
            await connection.execute(SQL["close"], found["id"])
            await connection.execute(SQL["close_tickets"], found["id"], sealed)
            asking = await self.surveys.ask(connection, found["id"], ticket_id, wanted=survey)
            await _record(connection, "tickets.close", ticket_id, by)
        SURVEYS.labels(asking.channel, asking.result).inc()
        return found["id"], asking

    async def _find(self, connection: Any, ticket_id: str) -> Any:
        found = await connection.fetchrow(SQL["lock_conversation"], ticket_id)
        if found is None:
            raise Rejected("no such ticket", status=404, reason="unknown-ticket")
        return found

    async def _lock(self, connection: Any, ticket_id: str) -> Any:
        found = await self._find(connection, ticket_id)
        if found["state"] == "closed":
            raise Rejected("the ticket is closed", status=409, reason="closed")
        return found

    async def _require_new(self, connection: Any, conversation_id: UUID, text: str) -> None:
        rows = await connection.fetch(SQL["said_lately"], conversation_id, _TWICE_S)
        keys = await self.vault.keys_for(connection, [row["body_enc"] for row in rows])
        if any(keys.unseal("message.body", row["body_enc"]).strip() == text.strip() for row in rows):
            raise Rejected(
                "this very text was sent a moment ago: --again sends it once more", status=409, reason="said-twice"
            )

    async def _take_over(self, connection: Any, conversation_id: UUID) -> None:
        await self.supersede(connection, conversation_id)
        await connection.execute(SQL["take_over"], conversation_id)
        await connection.execute(SQL["escalate_ticket"], conversation_id, HandedOver.TAKEOVER)

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


async def _route(connection: Any, conversation_id: UUID) -> Any:
    route = await connection.fetchrow(SQL["latest_route"], conversation_id)
    if route is None:
        raise Rejected(
            "no customer wrote in this ticket, so there is nobody to reply to: close it", status=409, reason="no-route"
        )
    return route


def _require_fit(channel: Channel, text: str) -> None:
    """A person's reply keeps the channel's limit too (R1.3)."""
    too_long = over_limit(channel, text)
    if too_long:
        raise Rejected(f"the reply has {too_long}", status=422, reason="too-long", field="text")


async def _give_back(connection: Any, conversation_id: UUID) -> list[str]:
    """To the agent, with what no person answered: why each of those had come to one."""
    await connection.execute(SQL["give_back"], conversation_id)
    reopened = await connection.fetch(SQL["reopen_unanswered"], conversation_id)
    await connection.execute(SQL["open_tickets"], conversation_id)
    return [row["outcome_reason"] for row in reopened]


async def return_idle(connection: Any, after_s: float) -> int:
    """Give back what people answered and left: nobody wrote for `after_s` seconds, and the last word was a person's.

    The customer's next message is the agent's again. Where the last word is the customer's a person owes an answer:
    that stays theirs. How many were given back; nothing needs to be woken for them.
    """
    returned = 0
    for row in await connection.fetch(SQL["idle"], after_s):
        if await connection.fetchval(SQL["lock_human"], row["id"]) is None:
            continue
        # The customer may have written while we waited for the lock.
        if await connection.fetchval(SQL["is_idle"], row["id"], after_s):
            await _give_back(connection, row["id"])
            await _record(connection, "conversations.idle-return", str(row["id"]), "")
            returned += 1
    return returned


async def _record(connection: Any, action: str, subject: str, by: str, **more: str | None) -> None:
    details = {name: value for name, value in {"by": by, **more}.items() if value}
    await connection.execute(_IDENTITY["record_action"], action, subject, json.dumps(details))
