"""gmail-push: Gmail's news → fte.inbound. Composition root; the work is shared.channels.gmail.intake.

`POST` on a path that ends with `/poll` is an event of ours that asks for a look, on any other a push
of Pub/Sub. Both answer once the brokers have acknowledged what was found.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import functions_framework.aio
import httpx
from starlette.requests import Request
from starlette.responses import Response

from shared.channels.cursors import read_cursor
from shared.channels.gmail.client import GmailClient
from shared.channels.gmail.intake import Intake
from shared.channels.gmail.push import PushGuard, notification
from shared.channels.gmail.push_keys import PushKeys
from shared.channels.health import health_with
from shared.channels.message import Channel
from shared.clock import SystemClock
from shared.db.pool import Database
from shared.errors import Permanent, Rejected
from shared.events.data import ChannelPoll
from shared.events.envelope import CHANNEL_POLL
from shared.events.kafka import KafkaProducer
from shared.events.received import receive_event
from shared.observability.logs import logger
from shared.observability.metrics import WATCH_EXPIRES
from shared.runtime.doorway import deps_of
from shared.runtime.health import Health
from shared.runtime.serve import serve
from shared.settings import Settings, key_list


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of gmail-push holds open."""

    settings: Settings
    db: Database
    producer: KafkaProducer
    guard: PushGuard
    intake: Intake
    event_keys: tuple[bytes, ...]

    async def health(self) -> Health:
        """PostgreSQL and Kafka answer."""
        return await health_with(self.db, ("kafka", self.producer.ping()))

    async def measure(self) -> None:
        """The watch's end, from the database: known after a restart too, and to every copy."""
        expires = (await read_cursor(self.db, Channel.EMAIL)).watch_expires
        WATCH_EXPIRES.set(expires.timestamp() if expires else 0)


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse; nothing is called yet."""
    event_keys = key_list(settings.fte_event_key, "FTE_EVENT_KEY")
    clock = SystemClock()
    db = Database.from_settings(settings)
    client = GmailClient(settings)
    producer = await KafkaProducer.open(settings)
    try:
        async with httpx.AsyncClient(timeout=settings.provider_timeout_s) as http:
            guard = PushGuard(settings, PushKeys(http, settings.gmail_certs_url, clock))
            yield Deps(settings, db, producer, guard, Intake(settings, db, client, producer, clock), event_keys)
    finally:
        await producer.close()
        await client.close()
        await db.close()


@functions_framework.aio.http
async def gmail_push(request: Request) -> Response:
    """204 for a push and 200 for a poll; 401 unless Google or we sent it, 400 naming the field, 503 to come again."""
    deps = deps_of(Deps)
    if request.method != "POST":
        raise Rejected("only POST is answered here", status=405, reason="bad-method")
    if request.scope["path"].rstrip("/").endswith("/poll"):
        await _poll(deps, request)
        return Response("OK")
    await _take_push(deps, request)
    return Response(status_code=204)


async def _poll(deps: Deps, request: Request) -> None:
    event = await receive_event(request)
    event.require_ours(deps.event_keys)
    if event.type != CHANNEL_POLL:
        raise Permanent("only fte.channel.poll is answered here", reason="unknown-event-type")
    asked = event.parse(ChannelPoll)
    if asked.channel != Channel.EMAIL:
        logger().info("poll_ignored")
        return
    if asked.message is not None:
        await deps.intake.take(asked.message)
        return
    # The watch comes second, so that what it says of the channel stands.
    await deps.intake.collect(None)
    await deps.intake.keep_watch()


async def _take_push(deps: Deps, request: Request) -> None:
    await deps.guard.admit(request.headers.get("authorization"))
    news = notification(await request.body())
    if not news.is_ours(deps.settings):
        logger().info("push_ignored", channel="email", reason="other-mailbox")
        return
    await deps.intake.collect(news.history_id)


app = serve("gmail_push", open_deps)
