"""An event of ours: a CloudEvent 1.0 in Kafka's binary mode.

The attributes travel as `ce_…` record headers and the data is the record's value, as the
CloudEvents Kafka protocol binding (v1.0.2, section 3.2) has it. Headers carry no personal data:
ids are random or keyed hashes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.errors import Permanent

INBOUND = "fte.inbound"
OUTBOUND = "fte.outbound"
CHANNELS = "fte.channels"
DEAD_LETTERS = "fte.dead-letters"

MESSAGE_RECEIVED = "fte.message.received"
CONVERSATION_WAKE = "fte.conversation.wake"
DELIVERY_REQUESTED = "fte.delivery.requested"
DELIVERY_STATUS = "fte.delivery.status"
CHANNEL_POLL = "fte.channel.poll"

#: A record above this size is refused before it reaches the brokers (their default limit is 1 MiB).
MAX_EVENT_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `key` is the partition key and `partitionkey`; `data` is UTF-8 JSON."""

    id: str
    type: str
    source: str
    data: bytes
    key: str
    time: datetime
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])

    def headers(self, signature: str, traceparent: str | None) -> list[tuple[str, bytes]]:
        """The record's headers, signature and trace context among them."""
        attributes = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": self.source,
            "ce_type": self.type,
            "ce_time": self.time.isoformat(),
            "ce_partitionkey": self.key,
            "ce_ftesig": signature,
            "content-type": "application/json",
        }
        if traceparent:
            attributes["ce_traceparent"] = traceparent
        attributes |= {f"ce_{name}": value for name, value in self.extensions.items()}
        return [(name, value.encode()) for name, value in attributes.items()]


def new_event(
    event_type: str, *, source: str, data: bytes, key: str, now: datetime, event_id: str | None = None
) -> Event:
    """Build an event; an id is made unless the caller has one that repeats must share.

    Raises Permanent when the data is larger than MAX_EVENT_BYTES.
    """
    if len(data) > MAX_EVENT_BYTES:
        raise Permanent(f"event data is {len(data)} bytes, the limit is {MAX_EVENT_BYTES}", reason="event-too-large")
    return Event(id=event_id or str(uuid.uuid4()), type=event_type, source=source, data=data, key=key, time=now)


def header_map(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Record headers as text; the last of a repeated name wins."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in headers}
