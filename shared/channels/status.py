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

    `delivery_id` and `attempt` are ours: they stood in the callback's URL, under its signature.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delivery_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    attempt: int = Field(ge=1, le=10_000)
    sid: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="the provider's id of the message")
    status: str = Field(pattern=r"^[a-z_]{1,32}$")
    error_code: str | None = Field(default=None, pattern=r"^[0-9]{1,10}$", description="the provider's, such as 63016")
    at: datetime = Field(description="when the callback arrived, in UTC")


async def publish_status(producer: Publisher, status: DeliveryStatus) -> None:
    """Publish one `fte.delivery.status` on fte.outbound; returns after the acks.

    Raises Retryable while Kafka is away.
    """
    await producer.publish(OUTBOUND, status_event(status))


def status_event(status: DeliveryStatus) -> Event:
    """The event; the same status told twice is the same event twice."""
    said = f"{status.delivery_id}/{status.attempt}/{status.sid}/{status.status}/{status.error_code or ''}"
    return new_event(
        DELIVERY_STATUS,
        source="fte/whatsapp",
        data=status.model_dump_json().encode(),
        key=status.delivery_id,
        now=status.at,
        event_id=hashlib.sha256(said.encode()).hexdigest()[:40],
    )
