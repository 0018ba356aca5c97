"""agent-run: fte.inbound → the agent → fte.outbound. Composition root; the work is shared.agent.worker."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared.agent.database_links import DatabaseLinks
from shared.agent.turn import open_agent, run_turn
from shared.agent.worker import Worker
from shared.channels.health import health_with
from shared.channels.whatsapp.media import MediaClient
from shared.clock import SystemClock
from shared.conversations.waiting_files import WaitingFiles
from shared.db.pool import Database
from shared.events.kafka import KafkaProducer
from shared.events.received import receive_event
from shared.knowledge.embed import open_embedder
from shared.knowledge.search import KnowledgeSearch
from shared.privacy.vault import Vault
from shared.runtime.doorway import deps_of
from shared.runtime.health import Health
from shared.runtime.serve import serve
from shared.settings import Settings, key_list


@dataclass(frozen=True, slots=True)
class Deps:
    """What one process of agent-run holds open."""

    worker: Worker
    event_keys: tuple[bytes, ...]

    async def health(self) -> Health:
        """PostgreSQL and Kafka answer."""
        return await health_with(self.worker.db, ("kafka", self.worker.producer.ping()))


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """Open in order, close in reverse."""
    db = Database.from_settings(settings)
    producer = await KafkaProducer.open(settings)
    clock, media = SystemClock(), MediaClient(settings)
    try:
        vault = Vault.from_settings(settings)
        links = DatabaseLinks(db, vault, settings)
        async with (
            open_embedder() as embedder,
            open_agent(settings, KnowledgeSearch(db, embedder), clock, links) as agent,
        ):
            files = WaitingFiles(db, vault, media)
            worker = Worker(settings, db, vault, producer, clock, partial(run_turn, agent), files)
            yield Deps(worker, key_list(settings.fte_event_key, "FTE_EVENT_KEY"))
    finally:
        await media.close()
        await producer.close()
        await db.close()


@functions_framework.aio.http
async def agent_run(request: Request) -> Response:
    """One event of fte.inbound; 200 once its message has an outcome, or another worker will see to it."""
    deps = deps_of(Deps)
    event = await receive_event(request)
    event.require_ours(deps.event_keys)
    await deps.worker.handle(event)
    return Response("OK")


app = serve("agent_run", open_deps)
