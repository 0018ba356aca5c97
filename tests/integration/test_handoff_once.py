"""A conversation given back by `kn-fte tickets return`: who was told that a person answers is not told so again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.agent.contract import TurnInput, TurnResult
from shared.agent.database_conversation import DatabaseConversation
from shared.agent.draft import Draft, Handover
from shared.agent.escalation import Reason
from shared.agent.turn import open_agent, run_turn
from shared.agent.worker import Worker
from shared.channels.message import InboundMessage
from shared.channels.whatsapp.media import MediaClient
from shared.clock import SystemClock
from shared.conversations.waiting_files import WaitingFiles
from shared.db.pool import Database
from shared.errors import Retryable
from shared.events.envelope import CONVERSATION_WAKE, MESSAGE_RECEIVED
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.events.topics import create_topics
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.conftest import make_settings
from tests.integration.desk_side import Operator, operator
from tests.unit.test_agent_tools import Shelf
from tests.unit.test_agent_turn import PAGE

ASKED, REFUND = "How do I export my data?", "I want my money back"
CHANNELS = pytest.mark.parametrize("channel", [email, whatsapp, form])


@dataclass(frozen=True)
class World:
    """A worker with the offline agent, and an operator at a shell."""

    worker: Worker
    sam: Operator
    db: Database

    async def say(self, message: InboundMessage) -> None:
        """A message as fte.inbound brings it."""
        attributes = {"id": str(uuid4()), "type": MESSAGE_RECEIVED, "source": "fte/test"}
        await self.worker.handle(ReceivedEvent(attributes, "application/json", message.model_dump_json().encode()))

    async def give_back(self) -> None:
        """`kn-fte tickets return`, and the wake that it publishes."""
        assert (await self.sam.kn("tickets", "return", await self.ticket())).code == 0
        await self.wake()

    async def wake(self) -> None:
        """Look into the conversation."""
        row: Any = await self.db.fetchrow("SELECT id FROM conversations")
        attributes = {"id": str(uuid4()), "type": CONVERSATION_WAKE, "source": "fte/test"}
        data = json.dumps({"conversation_id": str(row["id"])}).encode()
        await self.worker.handle(ReceivedEvent(attributes, "application/json", data))

    async def ticket(self) -> str:
        """The one ticket."""
        row: Any = await self.db.fetchrow("SELECT id FROM tickets")
        return row["id"]

    async def sent(self) -> list[tuple[str, bool]]:
        """Author of each message to the customer, and whether it hands over; everything is out then."""
        await self.db.execute("UPDATE deliveries SET status = 'sent', finished_at = now() WHERE status = 'queued'")
        rows = await self.db.fetch("SELECT author, handoff FROM messages WHERE author <> 'customer' ORDER BY seq")
        return [(row["author"], row["handoff"]) for row in rows]

    async def outcomes(self) -> list[str | None]:
        """What became of the customer's messages."""
        rows = await self.db.fetch("SELECT outcome FROM messages WHERE author = 'customer' ORDER BY seq")
        return [row["outcome"] for row in rows]


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database; no customer is waited for."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka, whatsapp_quiet_s=0.0)


@pytest_asyncio.fixture
async def world(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[World]:
    """Everything real; one page is known."""
    await create_topics(settings, replication=1)
    producer, media = await KafkaProducer.open(settings), MediaClient(settings)
    async with open_agent(settings, Shelf(PAGE)) as agent, operator(db, vault, settings, producer) as sam:

        async def turn(given: TurnInput) -> TurnResult:
            return await run_turn(agent, given)

        files = WaitingFiles(db, vault, media)
        yield World(Worker(settings, db, vault, producer, SystemClock(), turn, files), sam, db)
    await media.close()
    await producer.close()


def later(channel: Any, text: str) -> InboundMessage:
    """A further message of the same customer in the same matter."""
    message = first(channel, text)
    if message.channel != "web":
        return message
    return message.model_copy(update={"provider_message_id": f"PAGE.{uuid4()}", "form": None, "subject": ""})


def first(channel: Any, text: str) -> InboundMessage:
    """The message that begins it."""
    return form(text, ticket_id="PAGE") if channel is form else channel(text)


@CHANNELS
async def test_lines_after_a_handoff_bring_no_second_one(world: World, channel: Any) -> None:
    """A refund, handed over; a further line; returned unread: both are a person's again, and nothing more is said."""
    await world.say(first(channel, REFUND))
    assert await world.sent() == [("agent", True)]
    await world.say(later(channel, ASKED))
    await world.give_back()
    assert await world.outcomes() == ["escalated", "escalated"]
    assert await world.sent() == [("agent", True)]


async def test_a_return_says_what_stays_with_people(world: World) -> None:
    """A refund returned unanswered is no answer of the agent's: the operator is told so, and what to do, at once."""
    await world.say(email(REFUND))
    await world.sent()
    ticket = await world.ticket()
    said = await world.sam.kn("tickets", "return", ticket)
    assert said.code == 0
    assert "refund is for people by rule" in said.err
    assert f"kn-fte tickets reply {ticket}" in said.err
    await world.wake()
    assert await world.outcomes() == ["escalated"]
    told = await world.sam.kn("tickets", "return", ticket, "-o", "json")
    # Nobody looked into it meanwhile: it is the agent's.
    state = {"status": "open", "waits_for": "agent", "reason": "refund"}
    assert told.json == {"id": ticket, "reopened": 1, "for_people": ["refund"], **state}


async def test_a_return_shows_what_came_of_it(world: World) -> None:
    """The agent hands it over again at once: the command says so, and not that it is open."""
    await world.say(email(REFUND))
    await world.sent()
    ticket = await world.ticket()
    returning = asyncio.create_task(world.sam.kn("tickets", "return", ticket, "-o", "json"))
    for _ in range(200):
        if await world.outcomes() == [None]:
            break
        await asyncio.sleep(0.05)
    await world.wake()
    said = await returning
    state = {"status": "escalated", "waits_for": "person", "reason": "refund"}
    assert {name: said.json[name] for name in state} == state
    assert await world.sent() == [("agent", True)]


async def test_a_return_of_what_a_person_answered_says_nothing_of_people(world: World) -> None:
    """The refund was decided and said: what is returned is the rest, which the agent answers."""
    await world.say(email(REFUND))
    await world.sent()
    ticket = await world.ticket()
    assert (await world.sam.kn("tickets", "reply", ticket, "You have your money back. Sam")).code == 0
    await world.sent()
    await world.say(later(email, ASKED))
    said = await world.sam.kn("tickets", "return", ticket)
    assert (said.code, said.err) == (0, "")
    await world.wake()
    assert await world.outcomes() == ["escalated", "replied"]


@CHANNELS
async def test_what_a_page_answers_is_answered_once_after_a_return(world: World, channel: Any) -> None:
    """Taken over, and two questions come that nobody answers: after the return both get the one answer."""
    await world.say(first(channel, "I would like to talk to a person"))
    await world.sent()
    assert (await world.sam.kn("tickets", "reply", await world.ticket(), "Here I am. Sam")).code == 0
    await world.sent()
    await world.say(later(channel, ASKED))
    await world.say(later(channel, "And how do I export my data again?"))
    await world.give_back()
    assert await world.outcomes() == ["escalated", "replied", "replied"]
    assert await world.sent() == [("agent", True), ("human", False), ("agent", False)]
    await world.wake()
    assert len(await world.sent()) == 3


async def test_attempts_that_all_failed_repeat_no_handoff(world: World) -> None:
    """The model was away, a person was named, and it is away again after the return."""

    async def away(_turn: TurnInput) -> TurnResult:
        raise Retryable("model away")

    once = world.worker.settings.model_copy(update={"agent_max_attempts": 1})
    broken = replace(world, worker=replace(world.worker, run_turn=away, settings=once))
    await broken.say(email(ASKED))
    assert await world.sent() == [("agent", True)]
    await world.say(later(email, "and?"))
    await broken.give_back()
    assert await world.outcomes() == ["escalated", "escalated"]
    assert await world.sent() == [("agent", True)]


async def test_a_program_that_hands_over_repeats_no_handoff(world: World, vault: Vault, settings: Settings) -> None:
    """Returned, and handed over again over MCP before the agent looked."""
    await world.say(email(REFUND))
    await world.sent()
    assert (await world.sam.kn("tickets", "return", await world.ticket())).code == 0
    row: Any = await world.db.fetchrow("SELECT id FROM conversations")
    conversation = DatabaseConversation(world.db, vault, settings, row["id"])
    await conversation.apply(Draft(escalation=Handover(Reason.REFUND, "asks for money back")))
    assert await world.outcomes() == ["escalated"]
    assert await world.sent() == [("agent", True)]


async def test_a_handoff_that_never_arrived_was_not_said(world: World) -> None:
    """Its provider refused it: after the return the customer is told, for silence is worse."""
    await world.say(email(REFUND))
    await world.db.execute("UPDATE deliveries SET status = 'failed', finished_at = now()")
    await world.give_back()
    assert await world.outcomes() == ["escalated"]
    assert await world.sent() == [("agent", True), ("agent", True)]


async def test_a_program_and_a_turn_given_up_greet_once(world: World, vault: Vault, settings: Settings) -> None:
    """Answered before in this thread: a handoff over MCP, and one after the last attempt, greets nobody again."""

    async def away(_turn: TurnInput) -> TurnResult:
        raise Retryable("model away")

    await world.say(first(whatsapp, ASKED))
    assert await world.sent() == [("agent", False)]
    once = world.worker.settings.model_copy(update={"agent_max_attempts": 1})
    await replace(world, worker=replace(world.worker, run_turn=away, settings=once)).say(later(whatsapp, "and now?"))
    rows = await world.db.fetch("SELECT body_enc, handoff FROM messages WHERE author = 'agent' ORDER BY seq")
    assert [row["handoff"] for row in rows] == [False, True]
    async with world.db.transaction() as connection:
        keys = await vault.keys_for(connection, [row["body_enc"] for row in rows])
    answer, handed = (keys.unseal("message.body", row["body_enc"]) for row in rows)
    assert answer.startswith("Hi ")
    assert not handed.startswith("Hi ")
