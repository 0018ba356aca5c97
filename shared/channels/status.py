"""What a provider says later about a message it took: the data of `fte.delivery.status`.

It goes to fte.outbound beside the deliveries themselves, keyed by the delivery, so that send-reply
alone writes the ledger. Statuses may arrive out of order: the ledger only moves forward.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.channels.publish import Publisher
from shared.events.envelope import DELIVERY_STATUS, OUTBOUND, Event, new_event


class DeliveryStatus(BaseModel):
    """One status of one attempt. `status` is the provider's word in lower case, such as `delivered`.

    `delivery_id` and `attempt` are ours: they stood in the callback's URL, under its signature. A delivery report
    by e-mail names the delivery alone, by its Message-ID.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivery_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    attempt: int | None = Field(default=None, ge=1, le=10_000, description="None: whichever went out")
    sid: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="the provider's id of the message; None: not told"
    )
    status: str = Field(pattern=r"^[a-z_]{1,32}$")
    error_code: str | None = Field(
        default=None, pattern=r"^[0-9]{1,10}(\.[0-9]{1,3}){0,2}$", description="63016, or RFC 3463's 5.1.1"
    )
    at: datetime = Field(description="when it was told, in UTC")


async def publish_status(producer: Publisher, status: DeliveryStatus, source: str = "fte/whatsapp") -> None:
    """Publish one `fte.delivery.status` on fte.outbound; returns after the acks.

    Raises Retryable while Kafka is away.
    """
    await producer.publish(OUTBOUND, status_event(status, source))


def status_event(status: DeliveryStatus, source: str = "fte/whatsapp") -> Event:
    """The event; the same status told twice is the same event twice."""
    said = f"{status.delivery_id}/{status.attempt or ''}/{status.sid or ''}/{status.status}/{status.error_code or ''}"
    return new_event(
        DELIVERY_STATUS,
        source=source,
        data=status.model_dump_json().encode(),
        key=status.delivery_id,
        now=status.at,
        event_id=hashlib.sha256(said.encode()).hexdigest()[:40],
    )
