"""dlq-review: dead letters, the sweep and the operators' desk. Composition root; routes are shared.dead_letters.api."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import functions_framework.aio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from shared.channels.health import health_with
from shared.clock import SystemClock
from shared.conversations.desk import Desk
from shared.conversations.surveys import Surveys
from shared.db.pool import Database
from shared.dead_letters.api import build_api
from shared.dead_letters.box import DeadLetterBox
from shared.dead_letters.office import Office
from shared.dead_letters.roll_call import open_roll_call
from shared.dead_letters.sweep import Sweep
from shared.delivery.ledger import supersede
from shared.events.kafka import KafkaProducer
from shared.knowledge.library import open_library
from shared.privacy.vault import Vault
from shared.runtime.doorway import deps_of
from shared.runtime.health import Health
from shared.runtime.serve import Mounted, serve
from shared.settings import Settings, key_list


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of dlq-review holds open."""

    office: Office
    api: FastAPI

    async def health(self) -> Health:
        """PostgreSQL and Kafka answer."""
        return await health_with(self.office.db, ("kafka", self.office.producer.ping()))


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse."""
    db = Database.from_settings(settings)
    vault = Vault.from_settings(settings)
    producer = await KafkaProducer.open(settings)
    clock = SystemClock()
    try:
        async with open_library(db) as library, open_roll_call(settings) as roll_call:
            office = Office(
                settings=settings,
                db=db,
                vault=vault,
                producer=producer,
                clock=clock,
                box=DeadLetterBox(db, vault, producer, key_list(settings.fte_event_key, "FTE_EVENT_KEY")),
                sweep=Sweep(db, producer, clock, settings.human_idle_h * 3600),
                desk=Desk(db, vault, supersede, Surveys(vault, settings)),
                library=library,
                roll_call=roll_call,
            )
            yield Deps(office, build_api(office))
    finally:
        await producer.close()
        await db.close()


@functions_framework.aio.http
async def dlq_review(request: Request) -> Response:
    """Events on /events; everything else is the desk, behind the operator's token."""
    return Mounted(deps_of(Deps).api, request)


app = serve("dlq_review", open_deps)
