"""The sweep: one PingSource every five minutes finds what is due and wakes that alone.

What it finds should have been done already, so it is counted, and alarmed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.channels.message import Channel
from shared.clock import Clock
from shared.conversations.desk import SQL as _TICKETS
from shared.conversations.desk import return_idle
from shared.conversations.mailbox import FILES_FOLLOW_S
from shared.db.pool import Database
from shared.db.queries import load
from shared.events.data import ChannelPoll, ConversationWake, DeliveryRequested
from shared.events.envelope import (
    CHANNEL_POLL,
    CHANNELS,
    CONVERSATION_WAKE,
    DELIVERY_REQUESTED,
    INBOUND,
    OUTBOUND,
    new_event,
)
from shared.events.kafka import KafkaProducer
from shared.observability.logs import logger
from shared.observability.metrics import SWEPT, WAITING_FOR_PERSON
from shared.privacy.blobs import SQL as BLOBS

SQL = load("dead_letters")
_LEDGER = load("ledger")
_CURSORS = load("channel_cursors")
_NUMBERS = load("numbers")
_FILES = load("waiting_files")
_LETTERS = load("letters")
_FOLLOW_UPS = load("follow_ups")
SOURCE = "fte/dlq-review"

#: A message without outcome and without a worker for this long is due, also one whose files did not follow it.
MESSAGE_DUE_S = FILES_FOLLOW_S
#: Contents whose message never came are kept for longer than dead letters wait in their topic.
ORPHAN_DAYS = 60
#: Ids of stored messages that one poll carries: with them it stays far below an event's limit.
MOST_KNOWN = 5_000
_CLOCKS_DIFFER = timedelta(minutes=5)
#: A channel that was due is due again after this long.
POLL_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Finds what is due and publishes wake events."""

    db: Database
    producer: KafkaProducer
    clock: Clock
    #: What a person answered and left is the agent's again after this long, and who waits for one is alarmed of; 0: no.
    human_idle_s: float = 0.0

    async def run(self) -> dict[str, int]:
        """How much of each kind was due: messages, deliveries, channels, files to fetch, long answers to mail,
        follow-ups; what was given back to the agent, and how many customers wait too long for a person."""
        async with self.db.transaction() as connection:
            if not await connection.fetchval(SQL["sweep_lock"]):
                return _Due().counts()
            due = replace(await _look(connection), **await self._of_people(connection))
        for conversation_id in {*due.messages, *due.files, *due.letters, *due.follow_ups}:
            data = ConversationWake(conversation_id=conversation_id)
            await self._wake(INBOUND, CONVERSATION_WAKE, data.encoded(), str(conversation_id))
        for delivery_id, conversation_id in due.deliveries:
            data = DeliveryRequested(delivery_id=delivery_id)
            await self._wake(OUTBOUND, DELIVERY_REQUESTED, data.encoded(), str(conversation_id))
        for poll in due.polls:
            await self._wake(CHANNELS, CHANNEL_POLL, poll.encoded(), poll.channel)
        found = due.counts()
        for kind, count in found.items():
            SWEPT.labels(kind).inc(count)
        log = logger().warning if due.messages or due.deliveries else logger().info
        log("swept", **found)
        return found

    async def _of_people(self, connection: Any) -> dict[str, int]:
        if not self.human_idle_s:
            return {}
        returned = await return_idle(connection, self.human_idle_s)
        overdue = await connection.fetchrow(_TICKETS["overdue"], self.human_idle_s)
        WAITING_FOR_PERSON.set(overdue["n"])
        if overdue["n"]:
            logger().error("person_overdue", count=overdue["n"], oldest_h=round(overdue["oldest_s"] / 3600, 1))
        return {"returned": returned, "overdue": overdue["n"]}

    async def _wake(self, topic: str, event_type: str, data: bytes, key: str) -> None:
        await self.producer.publish(
            topic, new_event(event_type, source=SOURCE, data=data, key=key, now=self.clock.now())
        )


@dataclass(frozen=True, slots=True)
class _Due:
    """What one look found: conversations with open messages, files to fetch, mails to write or customers to ask
    again; deliveries; polls."""

    messages: Sequence[UUID] = ()
    deliveries: Sequence[tuple[UUID, UUID]] = ()
    polls: Sequence[ChannelPoll] = ()
    files: Sequence[UUID] = ()
    letters: Sequence[UUID] = ()
    follow_ups: Sequence[UUID] = ()
    returned: int = 0
    overdue: int = 0

    def counts(self) -> dict[str, int]:
        """By kind."""
        return {
            "messages": len(self.messages),
            "deliveries": len(self.deliveries),
            "channels": len(self.polls),
            "files": len(self.files),
            "letters": len(self.letters),
            "follow_ups": len(self.follow_ups),
            "returned": self.returned,
            "overdue": self.overdue,
        }


async def _look(connection: Any) -> _Due:
    channels = [row["channel"] for row in await connection.fetch(SQL["due_channels"], POLL_EVERY_S)]
    found = _Due(
        messages=[row["conversation_id"] for row in await connection.fetch(SQL["due_conversations"], MESSAGE_DUE_S)],
        deliveries=[(row["id"], row["conversation_id"]) for row in await connection.fetch(_LEDGER["due"])],
        polls=[await _poll(connection, channel) for channel in channels],
        files=[row["conversation_id"] for row in await connection.fetch(_FILES["due"])],
        letters=[row["conversation_id"] for row in await connection.fetch(_LETTERS["due"])],
        follow_ups=[row["conversation_id"] for row in await connection.fetch(_FOLLOW_UPS["due"])],
    )
    await connection.execute(BLOBS["forget_orphans"], ORPHAN_DAYS)
    return found


async def _poll(connection: Any, channel: str) -> ChannelPoll:
    """What to look for: WhatsApp's listing is told where to begin and what it need not hand on."""
    if channel != Channel.WHATSAPP:
        return ChannelPoll(channel=Channel(channel).value)
    since = await connection.fetchval(_CURSORS["listing_since"])
    known = await connection.fetch(_NUMBERS["seen_since"], since - _CLOCKS_DIFFER, MOST_KNOWN)
    return ChannelPoll(channel="whatsapp", since=since, known=tuple(row["provider_message_id"] for row in known))
