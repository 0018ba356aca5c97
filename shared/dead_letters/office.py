"""The operators' office: everything the desk's routes need, and what they read.

Addresses and texts leave the database here only, towards a holder of the operator's token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.sentiment import band, trend
from shared.clock import Clock
from shared.conversations.desk import Desk
from shared.conversations.files import files_of
from shared.db.pool import Database
from shared.db.queries import load
from shared.dead_letters.box import DeadLetterBox
from shared.dead_letters.roll_call import RollCall
from shared.dead_letters.shown import json_value, plain, unsealed
from shared.dead_letters.sweep import SOURCE, Sweep
from shared.errors import Rejected, Retryable
from shared.events.data import ConversationWake, DeliveryRequested
from shared.events.envelope import CONVERSATION_WAKE, DELIVERY_REQUESTED, INBOUND, OUTBOUND, new_event
from shared.events.kafka import KafkaProducer
from shared.knowledge.library import Library
from shared.observability.logs import logger
from shared.privacy.mask import masked, masked_notice
from shared.privacy.vault import Keyset, Vault
from shared.settings import Settings

TICKETS = load("tickets")
RATINGS = load("ratings")
SURVEYS = load("surveys")

#: Sealed columns of a ticket and their labels.
_TICKET = {
    "subject_enc": "ticket.subject",
    "summary_enc": "ticket.summary",
    "address_enc": "route.address",
    "close_reason_enc": "ticket.close_reason",
}
_DECISION = {"record_enc": "decision.record", "reply_enc": "message.body", "asked_enc": "message.body"}


@dataclass(frozen=True, slots=True)
class Office:
    """The desk's dependencies, and its reads."""

    settings: Settings
    db: Database
    vault: Vault
    producer: KafkaProducer
    clock: Clock
    box: DeadLetterBox
    sweep: Sweep
    desk: Desk
    library: Library
    roll_call: RollCall | None = None

    async def status(self) -> dict[str, Any]:
        """How many tickets, messages, deliveries and dead letters are in which state; how each function is, and what
        waits for it in Kafka."""
        row = await self.db.fetchrow(TICKETS["counts"])
        functions = await self.roll_call.call() if self.roll_call else {}
        return {**dict(row or {}), "functions": functions}

    async def tickets(
        self, state: str | None, limit: int, *, waits_for: str | None = None, assigned: str | None = None
    ) -> list[dict[str, Any]]:
        """Newest change first; `waits_for` is person, agent or customer, `assigned` a name, empty for nobody's."""
        async with self.db.transaction() as connection:
            rows = await connection.fetch(TICKETS["list"], state, waits_for, assigned, limit)
            sealed = [value for row in rows for value in (row["subject_enc"], row["address_enc"])]
            keys = await self.vault.keys_for(connection, sealed)
        return [plain(row, keys, _TICKET) for row in rows]

    async def ticket(self, ticket_id: str) -> dict[str, Any]:
        """One ticket with its messages over all channels and the decisions. Raises Rejected (404)."""
        async with self.db.transaction() as connection:
            row = await connection.fetchrow(TICKETS["show"], ticket_id)
            if row is None:
                raise Rejected("no such ticket", status=404, reason="unknown-ticket")
            thread = await connection.fetch(TICKETS["thread"], row["conversation_id"])
            decisions = await connection.fetch(TICKETS["decisions"], row["conversation_id"])
            notes = await connection.fetch(TICKETS["notes"], row["conversation_id"])
            files = await files_of(connection, [message["id"] for message in thread])
            rating = await connection.fetchrow(RATINGS["of_ticket"], ticket_id)
            survey = await connection.fetchrow(SURVEYS["of_ticket"], ticket_id)
            rows = [row, *thread, *decisions, *notes, *files, *([rating] if rating else ())]
            keys = await self.vault.keys_for(connection, [v for r in rows for n, v in r.items() if n.endswith("_enc")])
        shown = plain(row, keys, _TICKET)
        labels = {"subject_enc": "message.subject", "body_enc": "message.body"}
        shown["messages"] = [
            {
                **_said(message, plain(message, keys, labels, body="text")),
                "details": {**_aside(message, keys), "attachments": _files(files, message["id"], keys)},
            }
            for message in thread
        ]
        shown["mood"] = _mood([message["mood"] for message in thread if message["mood"] is not None])
        shown["rating"] = plain(rating, keys, {"comment_enc": "rating.comment"}) if rating else None
        shown["survey"] = plain(survey, keys, {}) if survey else None
        shown["notes"] = [plain(note, keys, {"text_enc": "note.text"}) for note in notes]
        shown["decisions"] = [plain(decision, keys, _DECISION) for decision in decisions]
        return shown

    async def request_delivery(self, delivery_id: UUID, conversation_id: UUID) -> None:
        """Ask send-reply for a committed reply; if Kafka is away the sweep will."""
        data = DeliveryRequested(delivery_id=delivery_id).encoded()
        await self._publish(OUTBOUND, DELIVERY_REQUESTED, data, conversation_id)

    async def wake(self, conversation_id: UUID) -> None:
        """Ask agent-run to look at a conversation; if Kafka is away the sweep will."""
        data = ConversationWake(conversation_id=conversation_id).encoded()
        await self._publish(INBOUND, CONVERSATION_WAKE, data, conversation_id)

    async def _publish(self, topic: str, kind: str, data: bytes, conversation_id: UUID) -> None:
        event = new_event(kind, source=SOURCE, data=data, key=str(conversation_id), now=self.clock.now())
        try:
            await self.producer.publish(topic, event)
        except Retryable:
            # The act is committed; failing now would make the operator do it twice.
            logger().warning("left_to_the_sweep", kind=kind)


def _mood(scores: Sequence[float]) -> dict[str, Any] | None:
    """How the customer sounds, last and over their last messages."""
    if not scores:
        return None
    return {"score": scores[-1], "band": band(scores[-1]), "trend": trend(scores)}


def _said(message: Any, shown: dict[str, Any]) -> dict[str, Any]:
    """A message without what proves an address or a number; a copy does not say the words again."""
    if message["kind"] == "copy":
        return {**shown, "text": "(the answer on the page, mailed too)"}
    text = str(shown["text"])
    return {**shown, "text": masked_notice(text) if message["kind"] == "notice" else masked(text)}


def _files(files: Sequence[Any], message_id: UUID, keys: Keyset) -> list[dict[str, Any]]:
    """A message's files as facts; their ids open their contents."""
    wanted = ("id", "content_type", "size", "pages", "state", "reason")
    return [
        {
            **{name: json_value(name, file[name]) for name in wanted},
            "name": unsealed(keys, "attachment.name", file["name_enc"]),
        }
        for file in files
        if file["message_id"] == message_id
    ]


def _aside(message: Any, keys: Keyset) -> dict[str, Any]:
    """Cc and Reply-To as a mail had them: to be seen, nobody is answered there."""
    text = unsealed(keys, "message.details", message["details_enc"])
    try:
        known = (json.loads(text) if text else {}).get("email") or {}
    except ValueError:  # erased
        known = {}
    return {name: known[name] for name in ("cc", "reply_to") if known.get(name)}
