"""agent-run and WhatsApp: files before the turn, deliveries that a message made due, long answers mailed afterwards."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.agent.contract import TurnInput, TurnResult
from shared.agent.worker import Worker
from shared.channels.provider import ProviderDown
from shared.channels.whatsapp.media import Fetched
from shared.clock import SystemClock
from shared.conversations.waiting_files import WaitingFiles
from shared.db.pool import Database
from shared.events.data import ConversationWake
from shared.events.envelope import CONVERSATION_WAKE
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.events.topics import create_topics
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, whatsapp
from tests.conftest import make_settings
from tests.integration.test_dead_letters import records
from tests.integration.test_worker import event
from tests.integration.whatsapp_files import Source, states, with_files
from tests.integration.whatsapp_side import twilio


@dataclass
class Agent:
    """Says what it is told to, and remembers its turns."""

    says: TurnResult = field(default_factory=lambda: TurnResult("replied", "ok"))
    turns: list[TurnInput] = field(default_factory=list[TurnInput])

    async def __call__(self, turn: TurnInput) -> TurnResult:
        self.turns.append(turn)
        return self.says


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka)


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def source() -> Source:
    """Twilio's media; gives a text file."""
    return Source([Fetched(b"error 17", "text/plain")])


@pytest_asyncio.fixture
async def worker(db: Database, vault: Vault, settings: Settings, agent: Agent, source: Source) -> AsyncIterator[Worker]:
    """A worker with everything real but the model and Twilio."""
    await create_topics(settings, replication=1)
    producer = await KafkaProducer.open(settings)
    yield Worker(settings, db, vault, producer, SystemClock(), agent, WaitingFiles(db, vault, source))
    await producer.close()


def wake(conversation_id: UUID) -> ReceivedEvent:
    attributes = {"id": "w1", "type": CONVERSATION_WAKE, "source": "fte/test"}
    return ReceivedEvent(attributes, "application/json", ConversationWake(conversation_id=conversation_id).encoded())


async def conversation(db: Database) -> UUID:
    row = await db.fetchrow("SELECT id FROM conversations ORDER BY created_at LIMIT 1")
    assert row is not None
    return row["id"]


async def test_the_turn_is_told_what_the_file_says(worker: Worker, agent: Agent) -> None:
    """Fetched before the turn, by the worker that has the lease."""
    await worker.handle(event(with_files("text/plain")))
    (file,) = agent.turns[0].messages[0].attachments
    assert (file.text, file.name) == ("error 17", "attachment-1.txt")


async def test_a_file_that_cannot_be_had_keeps_no_answer(
    worker: Worker, agent: Agent, source: Source, db: Database
) -> None:
    """Answered with its name alone; the sweep's wake fetches it later, and asks nobody again."""
    source.answers = [ProviderDown("away", code="503")]
    await worker.handle(event(with_files("text/plain")))
    assert [file.text for file in agent.turns[0].messages[0].attachments] == [""]
    source.answers = [Fetched(b"error 17", "text/plain")]
    await db.execute("UPDATE attachments SET next_at = now()")
    await worker.handle(wake(await conversation(db)))
    assert await states(db) == [("kept", None)]
    assert len(agent.turns) == 1


async def test_a_person_s_conversation_gets_its_files_too(worker: Worker, agent: Agent, db: Database) -> None:
    """The agent is silent, and whoever answers opens the file."""
    agent.says = TurnResult("escalated", "A person will answer.", reason="human")
    await worker.handle(event(whatsapp("a person please")))
    await worker.handle(event(with_files("text/plain")))
    assert await states(db) == [("kept", None)]
    assert len(agent.turns) == 1


async def test_what_a_message_made_due_is_asked_for(
    worker: Worker, agent: Agent, db: Database, settings: Settings
) -> None:
    """The farewell of STOP goes to send-reply, and no turn is taken."""
    await worker.handle(event(twilio("STOP")))
    delivery = await db.fetchrow("SELECT id FROM deliveries")
    assert delivery is not None
    asked = await records(settings, "fte.outbound", lambda record: str(delivery["id"]).encode() in record["value"])
    assert [json.loads(record["value"]) for record in asked] == [{"delivery_id": str(delivery["id"])}]
    assert agent.turns == []


async def test_the_rest_is_mailed_with_the_yes_or_after_the_link(
    worker: Worker, agent: Agent, db: Database, vault: Vault
) -> None:
    """Offered, wanted while no address is known, and mailed by the wake that the sweep sends after the link."""
    agent.says = TurnResult("replied", "So. Write YES.", whole="All of it, in many words.")
    await worker.handle(event(whatsapp("how?")))
    agent.says = TurnResult("replied", "Which address?", takes_offer=True)
    await worker.handle(event(whatsapp("yes")))
    assert (agent.turns[1].offered, agent.turns[1].mailable) == (True, False)
    mails = "SELECT count(*) AS n FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.channel = 'email'"
    agent.says = TurnResult("ignored", "", reason="test")
    await worker.handle(event(email("hello")))
    await link(db, vault, "ada@example.org", "+12015550123")
    assert (await db.fetchrow(mails))["n"] == 0  # type: ignore[index]
    for _ in range(2):
        await worker.handle(wake(await conversation(db)))
    assert (await db.fetchrow(mails))["n"] == 1  # type: ignore[index]
