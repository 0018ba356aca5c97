"""`kn-fte` as an operator uses it: a real desk, a real PostgreSQL, a process and sometimes a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.conversations import inbox
from shared.db.pool import Database
from shared.events.kafka import KafkaProducer
from shared.events.topics import create_topics
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email
from tests.conftest import make_settings
from tests.integration.desk_side import Operator, operator

ADDRESS, PHONE = "ada@example.org", "+12015550123"


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka)


@pytest_asyncio.fixture
async def sam(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Operator]:
    """An operator."""
    await create_topics(settings, replication=1)
    producer = await KafkaProducer.open(settings)
    async with operator(db, vault, settings, producer) as found:
        yield found
    await producer.close()


async def test_a_number_nobody_wrote_from_is_asked_about_and_can_be_taken_away(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """No: nothing is done. Yes, or --yes, or a program: linked, and said what it was. Unlinked: gone."""
    stored = await inbox.store(db, vault, settings, email(), "e1")
    refused = await sam.kn("customers", "link", ADDRESS, PHONE, answer="n")
    assert refused.code == 1
    assert f"Nobody has written from {PHONE}" in refused.err
    shown = (await sam.kn("customers", "show", ADDRESS, "-o", "json")).json
    assert [one["value"] for one in shown["identifiers"]] == [ADDRESS]

    agreed = await sam.kn("customers", "link", ADDRESS, PHONE, answer="y")
    assert agreed.code == 0
    assert f"kn-fte customers unlink {PHONE}" in agreed.out
    again = (await sam.kn("customers", "link", ADDRESS, PHONE, "-o", "json")).json
    assert [one["was"] for one in again["identifiers"]] == ["theirs", "theirs"]

    taken = (await sam.kn("customers", "unlink", PHONE, "-o", "json")).json
    assert [(row["identifier"], row["customer_id"], row["moved_to"]) for row in taken] == [
        (PHONE, str(stored.customer_id), None)
    ]
    gone = await sam.kn("customers", "show", PHONE)
    assert gone.code == 1
    linked = (await sam.kn("customers", "link", ADDRESS, PHONE, "-o", "json")).json
    assert [one["was"] for one in linked["identifiers"]] == ["theirs", "unknown"]
    last = await sam.kn("customers", "unlink", ADDRESS, PHONE)
    assert (last.code, len(last.err.splitlines())) == (1, 1)
