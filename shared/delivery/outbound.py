"""The events of fte.outbound: a delivery is asked for, or a provider says how one went."""

from __future__ import annotations

from shared.channels.status import DeliveryStatus
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from shared.errors import Permanent
from shared.events.data import DeliveryRequested
from shared.events.envelope import DELIVERY_REQUESTED, DELIVERY_STATUS
from shared.events.received import ReceivedEvent


async def handle_outbound(sending: Sending, event: ReceivedEvent) -> None:
    """Work on one event. Raises Permanent for a type or data that fits nothing, Retryable for our faults."""
    if event.type == DELIVERY_REQUESTED:
        await sending.deliver(event.parse(DeliveryRequested).delivery_id)
    elif event.type == DELIVERY_STATUS:
        for route_id in await apply_status(sending.ledger, event.parse(DeliveryStatus), sending.wake_later):
            await sending.work_on(route_id)
    else:
        raise Permanent(f"send-reply does not know events of type {event.type[:80]!r}", reason="unknown-event-type")
