"""whatsapp-webhook: Twilio → fte.inbound, and its status callbacks → fte.outbound. Composition root.

It authenticates, parses and publishes; it answers once the brokers have acknowledged, and needs no
PostgreSQL. `POST` on a path that ends with `/status` is a status callback, with `/poll` an event of ours that asks
for messages that were missed, on any other a message.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import functions_framework.aio
import httpx
from starlette.requests import Request
from starlette.responses import Response

from shared.channels.message import Channel
from shared.channels.publish import publish_inbound
from shared.channels.status import publish_status
from shared.channels.whatsapp.callback import delivery_status, is_status_path
from shared.channels.whatsapp.message import inbound_message
from shared.channels.whatsapp.missed import Missed
from shared.channels.whatsapp.signature import WebhookGuard, WebhookRequest
from shared.clock import Clock, SystemClock
from shared.errors import Permanent, Rejected
from shared.events.data import ChannelPoll
from shared.events.envelope import CHANNEL_POLL
from shared.events.kafka import KafkaProducer
from shared.events.received import receive_event
from shared.observability.logs import logger
from shared.runtime.doorway import deps_of
from shared.runtime.health import ChannelHealth, Health, first_failure
from shared.runtime.serve import serve
from shared.settings import Settings, key_list

# Twilio asks for TwiML; an empty response sends nothing. Answers go out through send-reply.
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of whatsapp-webhook holds open."""

    settings: Settings
    producer: KafkaProducer
    guard: WebhookGuard
    clock: Clock
    missed: Missed
    event_keys: tuple[bytes, ...]

    async def health(self) -> Health:
        """Kafka answers; WhatsApp is degraded while its token or URL is missing.

        The other channels are unknown here: their marks stand in PostgreSQL, which this function does without.
        """
        failed = await first_failure([("kafka", self.producer.ping())])
        if failed is not None:
            return Health(serving=False, reason=f"{failed}-away")
        whatsapp = ChannelHealth() if self.guard.configured else ChannelHealth("degraded", "not-configured")
        return Health(serving=True, channels={"whatsapp": whatsapp})


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse."""
    guard, clock = WebhookGuard.from_settings(settings), SystemClock()
    event_keys = key_list(settings.fte_event_key, "FTE_EVENT_KEY")
    producer = await KafkaProducer.open(settings)
    try:
        async with httpx.AsyncClient(timeout=settings.provider_timeout_s) as http:
            missed = Missed(settings, http, producer, clock)
            yield Deps(settings, producer, guard, clock, missed, event_keys)
    finally:
        await producer.close()


@functions_framework.aio.http
async def whatsapp_webhook(request: Request) -> Response:
    """Empty TwiML after the acks; 403 for a wrong signature, 4xx naming the parameter, 503 without Kafka."""
    deps = deps_of(Deps)
    if request.method != "POST":
        raise Rejected("only POST is answered here", status=405, reason="bad-method")
    if request.scope["path"].rstrip("/").endswith("/poll"):
        await _poll(deps, request)
        return Response("OK")
    received = await WebhookRequest.read(request)
    if is_status_path(request.scope["path"]):
        await _take_status(deps, received)
    else:
        await _take_message(deps, received)
    return Response(_NOTHING_TO_SAY, media_type="text/xml")


async def _poll(deps: Deps, request: Request) -> None:
    event = await receive_event(request)
    event.require_ours(deps.event_keys)
    if event.type != CHANNEL_POLL:
        raise Permanent("only fte.channel.poll is answered here", reason="unknown-event-type")
    asked = event.parse(ChannelPoll)
    if asked.channel != Channel.WHATSAPP or asked.since is None or not deps.missed.configured:
        logger().info("poll_ignored")
        return
    await deps.missed.collect(asked.since, asked.known)


async def _take_message(deps: Deps, received: WebhookRequest) -> None:
    fields = deps.guard.inbound(received)
    message = inbound_message(fields, deps.clock.now(), deps.settings.twilio_whatsapp_from)
    await publish_inbound(deps.producer, deps.settings, message)
    logger().info("message_accepted", channel="whatsapp", ignored=message.ignored or None)


async def _take_status(deps: Deps, received: WebhookRequest) -> None:
    fields = deps.guard.status(received)
    status = delivery_status(received.query, fields, deps.clock.now())
    await publish_status(deps.producer, status)
    logger().info("status_accepted", channel="whatsapp", status=status.status, error_code=status.error_code)


app = serve("whatsapp_webhook", open_deps)
