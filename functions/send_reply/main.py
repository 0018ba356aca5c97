"""send-reply: fte.outbound → the channel's provider. Composition root; the work is shared.delivery."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.channels.gmail.sender import GmailReplySender
from shared.channels.health import health_with
from shared.channels.message import Channel
from shared.channels.web.sender import WebReplySender
from shared.channels.whatsapp.sender import TwilioReplySender
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger
from shared.delivery.outbound import handle_outbound
from shared.delivery.send import Sending
from shared.events.received import receive_event
from shared.privacy.vault import Vault
from shared.runtime.doorway import deps_of
from shared.runtime.health import Health
from shared.runtime.serve import serve
from shared.settings import Settings, key_list


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of send-reply holds open."""

    sending: Sending
    event_keys: tuple[bytes, ...]

    async def health(self) -> Health:
        """PostgreSQL answers; a provider that is down degrades its channel alone."""
        return await health_with(self.sending.ledger.db)


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse."""
    db = Database.from_settings(settings)
    alarms = Alarms()
    gmail, whatsapp = GmailReplySender(settings), TwilioReplySender(settings)
    senders = {Channel.EMAIL: gmail, Channel.WHATSAPP: whatsapp, Channel.WEB: WebReplySender()}
    try:
        sending = Sending(Ledger(db, Vault.from_settings(settings), settings), senders, alarms)
        yield Deps(sending, key_list(settings.fte_event_key, "FTE_EVENT_KEY"))
    finally:
        await alarms.close()
        await whatsapp.close()
        await gmail.close()
        await db.close()


@functions_framework.aio.http
async def send_reply(request: Request) -> Response:
    """One event of fte.outbound; 200 once the ledger knows what is next for its delivery."""
    deps = deps_of(Deps)
    event = await receive_event(request)
    event.require_ours(deps.event_keys)
    await handle_outbound(deps.sending, event)
    return Response("OK")


app = serve("send_reply", open_deps)
