"""The sweep: one PingSource every five minutes finds what is due and wakes that alone.

What it finds should have been done already, so it is counted, and alarmed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.clock import Clock
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
from shared.observability.metrics import SWEPT
from shared.privacy.blobs import SQL as BLOBS

SQL = load("dead_letters")
_LEDGER = load("ledger")
SOURCE = "fte/dlq-review"

#: A message without outcome and without a worker for this long is due.
MESSAGE_DUE_S = 60.0
#: Contents whose message never came are kept for longer than dead letters wait in their topic.
ORPHAN_DAYS = 60
#: A channel that was due is due again after this long.
POLL_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Finds what is due and publishes wake events."""

    db: Database
    producer: KafkaProducer
    clock: Clock

    async def run(self) -> dict[str, int]:
        """How much of each kind was due: messages, deliveries, channels."""
        conversations: list[UUID] = []
        async with self.db.transaction() as connection:
            if not await connection.fetchval(SQL["sweep_lock"]):
                return {"messages": 0, "deliveries": 0, "channels": 0}
            conversations = [
                r["conversation_id"] for r in await connection.fetch(SQL["due_conversations"], MESSAGE_DUE_S)
            ]
            deliveries = await connection.fetch(_LEDGER["due"])
            channels = [r["channel"] for r in await connection.fetch(SQL["due_channels"], POLL_EVERY_S)]
            await connection.execute(BLOBS["forget_orphans"], ORPHAN_DAYS)
        for conversation_id in conversations:
            data = ConversationWake(conversation_id=conversation_id)
            await self._wake(INBOUND, CONVERSATION_WAKE, data.encoded(), str(conversation_id))
        for row in deliveries:
            data = DeliveryRequested(delivery_id=row["id"])
            await self._wake(OUTBOUND, DELIVERY_REQUESTED, data.encoded(), str(row["conversation_id"]))
        for channel in channels:
            await self._wake(CHANNELS, CHANNEL_POLL, ChannelPoll(channel=channel).encoded(), channel)
        found = {"messages": len(conversations), "deliveries": len(deliveries), "channels": len(channels)}
        for kind, count in found.items():
            SWEPT.labels(kind).inc(count)
        log = logger().warning if conversations or deliveries else logger().info
        log("swept", **found)
        return found

    async def _wake(self, topic: str, event_type: str, data: bytes, key: str) -> None:
        await self.producer.publish(
            topic, new_event(event_type, source=SOURCE, data=data, key=key, now=self.clock.now())
        )
