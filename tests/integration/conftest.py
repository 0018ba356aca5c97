"""send-reply's work on wires of its own, and an endpoint of OpenAI's; a module may have another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn

from shared.channels.message import Channel
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger
from shared.delivery.send import Sending
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_folder
from shared.local.postgres import APP, EmbeddedPostgres
from shared.local.simulators.openai.app import create_app
from shared.local.simulators.openai.config import OpenAIConfig
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.evals.run_cases import DOCUMENTS
from tests.integration.test_ledger import Wire
from tests.integration.whatsapp_side import (
    GERMAN,
    TEMPLATE,
)


@pytest.fixture(scope="session")
def documents_template(postgres: EmbeddedPostgres) -> str:
    """A database with the company's documents: storing them takes seconds, and copying them next to none."""
    name = "fte_documents"

    async def fill() -> None:
        await postgres.create_database(name, template="fte_template")
        db = Database(postgres.dsn(APP, name), size=2, timeout_s=30)
        await ingest_folder(db, WordLlamaEmbedder(), DOCUMENTS)
        await db.close()

    asyncio.run(fill())
    return name


@pytest_asyncio.fixture
async def sending(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """send-reply's work, each channel on a wire of its own."""
    alarms = Alarms()
    yield Sending(Ledger(db, vault, settings), {channel: Wire() for channel in Channel}, alarms)
    await alarms.close()


@pytest_asyncio.fixture
async def with_template(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """The same with an approved template in two languages."""
    more = settings.model_copy(update={"twilio_template_sid": TEMPLATE, "twilio_template_sids": (f"de:{GERMAN}",)})
    alarms = Alarms()
    yield Sending(Ledger(db, vault, more), {channel: Wire() for channel in Channel}, alarms)
    await alarms.close()


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[str]:
    """The endpoint's base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(OpenAIConfig()), log_level="warning", ws="none", lifespan="on", timeout_graceful_shutdown=1
        )
    )
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
