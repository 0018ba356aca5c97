"""form-submit: the web form → fte.inbound, and tickets' pages. Composition root; routes are shared.channels.web.api."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import functions_framework.aio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from shared.channels.health import health_with
from shared.channels.web.api import build_api, request_limit
from shared.channels.web.challenge import Challenge
from shared.channels.web.door import Door
from shared.channels.web.form import Form
from shared.channels.web.site import Site
from shared.clock import SystemClock
from shared.conversations.confirm import MailedLinks
from shared.conversations.survey_answers import MailedSurveys
from shared.conversations.ticket_page import TicketPage
from shared.db.pool import Database
from shared.events.kafka import KafkaProducer
from shared.privacy.vault import Vault
from shared.runtime.doorway import deps_of
from shared.runtime.health import ChannelHealth, Health, first_failure
from shared.runtime.serve import Mounted, serve
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of form-submit holds open."""

    settings: Settings
    producer: KafkaProducer
    db: Database
    api: FastAPI

    def request_limit(self, scope: Scope) -> int:
        """Bytes of a request: more where files are attached."""
        return request_limit(self.settings, scope)

    async def health(self) -> Health:
        """Kafka answers, and every channel's mark.

        Without PostgreSQL messages are taken but pages cannot be read: the web is degraded, the others unknown.
        """
        failed = await first_failure([("kafka", self.producer.ping())])
        if failed is not None:
            return Health(serving=False, reason=f"{failed}-away")
        known = await health_with(self.db)
        if known.serving:
            return known
        return Health(serving=True, channels={"web": ChannelHealth("degraded", known.reason)})


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse."""
    db = Database.from_settings(settings)
    vault = Vault.from_settings(settings)
    producer = await KafkaProducer.open(settings)
    try:
        async with Challenge.opened(settings) as challenge:
            site, clock = Site.from_settings(settings), SystemClock()
            tickets, links, surveys = TicketPage(db, vault), MailedLinks(db, vault), MailedSurveys(db, vault)
            form = Form(settings, producer, tickets, site, clock, Door(settings), challenge, links, surveys)
            yield Deps(settings, producer, db, build_api(form))
    finally:
        await producer.close()
        await db.close()


@functions_framework.aio.http
async def form_submit(request: Request) -> Response:
    """Everything is the API's: tickets, the page, the script, CORS."""
    return Mounted(deps_of(Deps).api, request)


app = serve("form_submit", open_deps)
