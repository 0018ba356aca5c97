"""Fixtures for every floor: a real PostgreSQL 16 for the run, a fresh copy of the schema for each test."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
import uuid
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.local.postgres import APP, OWNER, EmbeddedPostgres
from shared.local.server_process import free_port
from shared.privacy.vault import Vault
from shared.settings import Settings

#: Examples of each property in tests/fuzz: every run of the suite, and `make fuzz`.
hypothesis.settings.register_profile("suite", max_examples=1_000, deadline=None)
hypothesis.settings.register_profile("fuzz", max_examples=100_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

pytest_plugins = ("tests.fixtures_kafka", "tests.fixtures_system")


def pytest_configure() -> None:
    """A run that is told to end, as `make test` does when a check fails, stops what it started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def random_key() -> str:
    """Thirty-two random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server a run, with a migrated template database."""
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres"), free_port(), options={"fsync": "off", "full_page_writes": "off"}
    )

    async def begin() -> None:
        await server.start()
        await server.create_database("fte_template")
        await migrate(server.dsn(OWNER, "fte_template"))

    asyncio.run(begin())
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def template() -> str:
    """What a test's database begins as: migrated and empty."""
    return "fte_template"


@pytest_asyncio.fixture
async def dsn(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """The DSN of a database of this test's own, as the functions' role."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    await postgres.create_database(name, template=template)
    yield postgres.dsn(APP, name)
    await postgres.drop_database(name)


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Settings with keys made for this test, and a database of its own."""
    return make_settings(database_url=SecretStr(dsn))


def make_settings(**more: object) -> Settings:
    """Settings that read no .env and carry fresh keys."""
    keys: dict[str, object] = {
        "fte_master_key": SecretStr(f"test:{random_key()}"),
        "fte_lookup_key": SecretStr(random_key()),
        "fte_event_key": SecretStr(random_key()),
        "fte_ticket_key": SecretStr(random_key()),
        "fte_operator_token": SecretStr(secrets.token_urlsafe(12)),
        "whatsapp_quiet_s": 0.0,
    }
    return Settings(_env_file=None, **{**keys, **more})  # type: ignore[call-arg, arg-type]


@pytest_asyncio.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """A pool on this test's database."""
    database = Database.from_settings(settings)
    yield database
    await database.close()


@pytest.fixture
def vault(settings: Settings) -> Vault:
    """The vault of this test's keys."""
    return Vault.from_settings(settings)


@pytest.fixture(autouse=True)
def _no_inherited_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's exported settings must not steer a test."""
    for name in Settings.model_fields:
        if name.upper() in os.environ:
            monkeypatch.delenv(name.upper())
