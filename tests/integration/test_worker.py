"""agent-run's work on a real PostgreSQL and Kafka, with an agent that does what the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.agent.contract import TurnInput, TurnResult
from shared.agent.worker import Worker
from shared.channels.message import Attachment, InboundMessage
from shared.channels.whatsapp.media import MediaClient
from shared.clock import SystemClock
from shared.conversations.follow_ups import FollowUp
from shared.conversations.waiting_files import WaitingFiles
from shared.db.pool import Database
from shared.delivery.send import Sending
from shared.errors import Permanent, Retryable
from shared.events.envelope import CONVERSATION_WAKE, MESSAGE_RECEIVED
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.events.topics import create_topics
from shared.identity.link import link
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_folder
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp
from tests.conftest import make_settings
from tests.fixtures_kafka import Topics


@dataclass
class Agent:
    """Answers `ok`, after what `before` does; remembers its turns."""

    turns: list[TurnInput] = field(default_factory=list[TurnInput])
    before: Callable[[TurnInput], object] | None = None

    async def __call__(self, turn: TurnInput) -> TurnResult:
        self.turns.append(turn)
        if self.before is not None:
            result = self.before(turn)
            if asyncio.iscoroutine(result):
                await result
        return TurnResult("replied", f"ok {len(self.turns)}")


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka)


@pytest.fixture
def agent() -> Agent:
    """The agent of one test."""
    return Agent()


@pytest_asyncio.fixture
async def worker(db: Database, vault: Vault, settings: Settings, agent: Agent) -> AsyncIterator[Worker]:
    """A worker with everything real but the model."""
    await create_topics(settings, replication=1)
    producer = await KafkaProducer.open(settings)
    media = MediaClient(settings)
    yield Worker(settings, db, vault, producer, SystemClock(), agent, WaitingFiles(db, vault, media))
    await media.close()
    await producer.close()


def event(message: InboundMessage, event_id: str | None = None) -> ReceivedEvent:
    """The message as fte.inbound brings it."""
    attributes = {"id": event_id or str(uuid4()), "type": MESSAGE_RECEIVED, "source": "fte/test"}
    return ReceivedEvent(attributes, "application/json", message.model_dump_json().encode())


async def outcomes(db: Database) -> list[tuple[str | None, str | None]]:
    rows = await db.fetch("SELECT outcome, outcome_reason FROM messages WHERE author = 'customer' ORDER BY seq")
    return [(row["outcome"], row["outcome_reason"]) for row in rows]


async def replies(db: Database) -> int:
    return (await db.fetchrow("SELECT count(*) AS n FROM deliveries"))["n"]  # type: ignore[index]


async def insist(worker: Worker, received: ReceivedEvent) -> None:
    """Deliver as a KafkaSource does: again after each 503."""
    for _ in range(40):
        with suppress(Retryable):
            return await worker.handle(received)
        await asyncio.sleep(0.1)
    raise AssertionError("it was never done")


async def test_twenty_copies_of_one_event_make_one_reply(worker: Worker, agent: Agent, db: Database) -> None:
    """At once, with a model that takes longer than the copies wait: asked once, answered once."""
    message = email()
    agent.before = lambda _turn: asyncio.sleep(1.0)
    await asyncio.gather(*(insist(worker, event(message, "same")) for _ in range(20)))
    assert len(agent.turns) == 1
    assert await replies(db) == 1
    assert await outcomes(db) == [("replied", None)]


async def test_messages_that_come_during_a_turn_are_answered_by_its_worker(
    worker: Worker, agent: Agent, db: Database
) -> None:
    """The second event finds the lease held and is done with; the holder answers both, in order."""
    later: list[asyncio.Task[None]] = []

    async def another(turn: TurnInput) -> None:
        if len(agent.turns) == 1:
            later.append(asyncio.create_task(worker.handle(event(whatsapp("second")))))
            await later[0]

    agent.before = another
    await worker.handle(event(whatsapp("first")))
    assert [turn.messages[0].text for turn in agent.turns] == ["first", "second"]
    assert [outcome for outcome, _ in await outcomes(db)] == ["replied", "replied"]
    assert (await db.fetchrow("SELECT lease_token FROM conversations"))["lease_token"] is None  # type: ignore[index]


async def test_a_failed_turn_is_taken_up_by_the_redelivery(worker: Worker, agent: Agent, db: Database) -> None:
    """The event fails, keeps its lease, and its redelivery goes on at once."""
    message = email()

    def fail_once(turn: TurnInput) -> None:
        if len(agent.turns) == 1:
            raise Retryable("model away")

    agent.before = fail_once
    with pytest.raises(Retryable):
        await worker.handle(event(message, "e1"))
    await worker.handle(event(email(provider_id="another"), "e2"))
    assert len(agent.turns) == 1
    await worker.handle(event(message, "e1"))
    assert [outcome for outcome, _ in await outcomes(db)] == ["replied", "replied"]


async def test_the_nth_failure_goes_to_a_person(worker: Worker, agent: Agent, db: Database, settings: Settings) -> None:
    """Attempts are counted before the work, so even a turn that kills its process ends."""
    message = email()

    def always_fail(turn: TurnInput) -> None:
        raise Retryable("model away")

    agent.before = always_fail
    for _ in range(settings.agent_max_attempts - 1):
        with pytest.raises(Retryable):
            await worker.handle(event(message, "e1"))
    await worker.handle(event(message, "e1"))
    assert await outcomes(db) == [("escalated", "repeated-failure")]
    assert await replies(db) == 1
    (ticket,) = await db.fetch("SELECT summary_enc FROM tickets")
    async with db.transaction() as connection:
        keys = await worker.vault.keys_for(connection, [ticket["summary_enc"]])
    told = keys.unseal("ticket.summary", ticket["summary_enc"])
    assert [line.partition(":")[0] for line in told.splitlines()] == ["Who", "What", "Tried", "Mood", "Next"]
    assert f"What: repeated-failure: {message.text[:20]}" in told
    assert "every attempt failed" in told


async def test_a_reply_whose_event_was_lost_is_asked_for_again(
    worker: Worker, agent: Agent, db: Database, settings: Settings
) -> None:
    """Killed between commit and publish: the redelivery asks no model and publishes the same delivery."""
    message = email()
    dead = replace(worker, settings=settings.model_copy(update={"kafka_publish_timeout_s": 0.1}), producer=_Dead())  # type: ignore[arg-type]
    with pytest.raises(Retryable):
        await dead.handle(event(message, "e1"))
    assert await replies(db) == 1
    await worker.handle(event(message, "e1"))
    assert len(agent.turns) == 1
    assert await replies(db) == 1
    delivery = (await db.fetchrow("SELECT id, conversation_id FROM deliveries")) or {}
    records = await Topics(settings.kafka_bootstrap_servers).read_async("fte.outbound", 10_000, 3)
    asked = [r for r in records if r["key"] == str(delivery["conversation_id"]).encode()]
    assert [json.loads(r["value"])["delivery_id"] for r in asked] == [str(delivery["id"])]


class _Dead:
    """A producer whose brokers are away."""

    async def publish(self, topic: str, event: object) -> None:
        raise Retryable("Kafka is away")


async def test_after_two_turns_the_rest_is_left_to_a_wake_event(
    worker: Worker, agent: Agent, db: Database, settings: Settings
) -> None:
    """One request does not go on for ever: it hands the lease back and publishes a wake."""

    async def one_more(turn: TurnInput) -> None:
        if len(agent.turns) <= 3:
            await worker.handle(event(whatsapp(f"more {len(agent.turns)}")))

    agent.before = one_more
    await worker.handle(event(whatsapp("first")))
    assert len(agent.turns) == settings.turns_per_request
    conversation = (await db.fetchrow("SELECT id, lease_token FROM conversations")) or {}
    assert conversation["lease_token"] is None
    records = await Topics(settings.kafka_bootstrap_servers).read_async("fte.inbound", 10_000, 3)
    wakes = [r for r in records if r["key"] == str(conversation["id"]).encode()]
    assert [r["headers"]["ce_type"] for r in wakes] == [CONVERSATION_WAKE]
    wake = wakes[0]["headers"]
    attributes = {"id": wake["ce_id"], "type": wake["ce_type"], "source": wake["ce_source"]}
    await worker.handle(ReceivedEvent(attributes, "application/json", wakes[0]["value"]))
    assert all(outcome == "replied" for outcome, _ in await outcomes(db))


async def test_whatsapp_waits_for_a_short_silence(
    worker: Worker, agent: Agent, db: Database, settings: Settings
) -> None:
    """Lines that come within the pause are one turn; the web does not wait."""
    patient = replace(worker, settings=settings.model_copy(update={"whatsapp_quiet_s": 0.6}))
    first = asyncio.create_task(patient.handle(event(whatsapp("one"))))
    await asyncio.sleep(0.2)  # within the pause: what is tested is the pause itself
    await patient.handle(event(whatsapp("two")))
    await first
    assert [[m.text for m in turn.messages] for turn in agent.turns] == [["one", "two"]]
    await patient.handle(event(form("three")))
    assert len(agent.turns) == 2


async def test_words_and_the_files_sent_with_them_are_one_turn(worker: Worker, agent: Agent, db: Database) -> None:
    """A page announces its files, which come as a message of their own: both are answered once."""
    words, files = page_with_files()
    await worker.handle(event(words))
    assert agent.turns == []
    await worker.handle(event(files))
    assert [[m.text for m in turn.messages] for turn in agent.turns] == [["How do I export my data?", ""]]
    assert await outcomes(db) == [("replied", None)] * 2
    assert await replies(db) == 1


async def test_files_that_never_come_hold_up_no_answer(worker: Worker, agent: Agent, db: Database) -> None:
    """After a minute the sweep's wake has the words answered; the files are a message like any other then."""
    words, files = page_with_files()
    await worker.handle(event(words))
    await db.execute("UPDATE messages SET stored_at = now() - interval '61 seconds'")
    woken = json.dumps({"conversation_id": str((await db.fetch("SELECT id FROM conversations"))[0]["id"])}).encode()
    attributes = {"id": str(uuid4()), "type": CONVERSATION_WAKE, "source": "fte/test"}
    await worker.handle(ReceivedEvent(attributes, "application/json", woken))
    assert [[m.text for m in turn.messages] for turn in agent.turns] == [["How do I export my data?"]]
    await worker.handle(event(files))
    assert len(agent.turns) == 2


def page_with_files() -> tuple[InboundMessage, InboundMessage]:
    """The form's first message, and the one file that was sent with it."""
    words = form()
    assert words.form is not None
    words = words.model_copy(update={"form": words.form.model_copy(update={"files": 1})})
    file = Attachment(name="a.txt", content_type="text/plain", size=3, text="abc")
    later = {
        "provider_message_id": f"{words.thread}.1",
        "text": "",
        "subject": "",
        "form": None,
        "attachments": (file,),
    }
    return words, words.model_copy(update=later)


async def test_an_event_that_fits_nothing_is_permanent(worker: Worker) -> None:
    """An unknown type, data of no schema, an unknown conversation: 422, so straight to the dead letters."""
    for kind, data in [
        ("fte.other", b"{}"),
        (MESSAGE_RECEIVED, b'{"channel": "pigeon"}'),
        (CONVERSATION_WAKE, json.dumps({"conversation_id": str(uuid4())}).encode()),
    ]:
        attributes = {"id": "x", "type": kind, "source": "s"}
        with pytest.raises(Permanent):
            await worker.handle(ReceivedEvent(attributes, "application/json", data))


async def refund(turn: TurnInput) -> TurnResult:
    """An agent that hands over."""
    return TurnResult("escalated", "A colleague will reply.", reason="refund")


async def test_a_handoff_whose_event_was_lost_is_asked_for_again(
    worker: Worker, db: Database, settings: Settings
) -> None:
    """Killed between commit and publish of an escalation: the lease is gone, the redelivery publishes all the same."""
    message = email()
    with pytest.raises(Retryable):
        await replace(worker, producer=_Dead(), run_turn=refund).handle(event(message, "e1"))  # type: ignore[arg-type]
    await worker.handle(event(message, "e1"))
    delivery = (await db.fetchrow("SELECT id, conversation_id FROM deliveries")) or {}
    records = await Topics(settings.kafka_bootstrap_servers).read_async("fte.outbound", 10_000, 3)
    asked = [r for r in records if r["key"] == str(delivery["conversation_id"]).encode()]
    assert [json.loads(r["value"])["delivery_id"] for r in asked] == [str(delivery["id"])]


async def test_a_merge_during_a_turn_has_its_event_come_back(
    worker: Worker, agent: Agent, db: Database, vault: Vault
) -> None:
    """The commit is stale; the event is not acknowledged, and its redelivery answers with the merged history."""
    await worker.handle(event(email("the export stops at 50 %")))
    agent.turns.clear()

    async def linked(turn: TurnInput) -> None:
        if len(agent.turns) == 1:
            await link(db, vault, "ada@example.org", "+12015550123")

    agent.before = linked
    message = whatsapp("hello there")
    with pytest.raises(Retryable):
        await worker.handle(event(message, "w1"))
    await worker.handle(event(message, "w1"))
    assert [outcome for outcome, _ in await outcomes(db)] == ["replied", "replied"]
    assert "the export stops at 50 %" in [said.text for said in agent.turns[-1].history]


async def test_what_cannot_be_read_goes_to_a_person_once(worker: Worker, agent: Agent, db: Database) -> None:
    """A row that does not open is no retry's business, nor every sweep's."""
    message = email()

    async def spoil(turn: TurnInput) -> None:
        await db.execute("UPDATE messages SET body_enc = substr(body_enc, 1, 29)")
        raise Retryable("model away")

    agent.before = spoil
    with pytest.raises(Retryable):
        await worker.handle(event(message, "e1"))
    await worker.handle(event(message, "e1"))
    assert await outcomes(db) == [("escalated", "bad-ciphertext")]
    ticket = (await db.fetchrow("SELECT status, reason FROM tickets")) or {}
    assert (ticket["status"], ticket["reason"]) == ("escalated", "bad-ciphertext")


async def test_the_same_handoff_is_not_sent_twice(worker: Worker, db: Database, vault: Vault) -> None:
    """Returned without a person's word and handed over again: the customer is not told so a second time."""
    handing_over = replace(worker, run_turn=refund)
    await handing_over.handle(event(email("refund")))
    await db.execute("UPDATE deliveries SET status = 'sent'")
    ticket = (await db.fetchrow("SELECT id FROM tickets")) or {}
    conversation_id, reopened, for_people = await desk_of(db, vault, worker.settings).give_back(ticket["id"])
    assert (reopened, for_people) == (1, ("refund",))
    attributes = {"id": str(uuid4()), "type": CONVERSATION_WAKE, "source": "s"}
    data = json.dumps({"conversation_id": str(conversation_id)}).encode()
    await handing_over.handle(ReceivedEvent(attributes, "application/json", data))
    assert await outcomes(db) == [("escalated", "refund")]
    assert await replies(db) == 1


async def test_an_answer_that_the_history_has_no_room_for_was_given_all_the_same(worker: Worker, agent: Agent) -> None:
    """So nobody is greeted again in a thread because of what they wrote elsewhere in between."""
    short = replace(worker, settings=worker.settings.model_copy(update={"history_messages": 3}))
    await short.handle(event(email(thread="t1")))
    for text in ("How do I invite a colleague?", "Where are my invoices kept?", "Which time zone do reports use?"):
        await short.handle(event(email(text, thread="t2", subject="Other")))
    await short.handle(event(email("and now?", thread="t1")))
    assert agent.turns[-1].own_history == ()
    assert [turn.answered_here for turn in agent.turns] == [False, False, True, True, True]


async def test_a_follow_up_is_said_when_the_sweep_wakes_it(
    worker: Worker, agent: Agent, db: Database, sending: Sending
) -> None:
    """The agent asks for it, the wake says it, and what the customer writes then is an ordinary message."""

    async def answers(turn: TurnInput) -> TurnResult:
        agent.turns.append(turn)
        wanted = FollowUp(20, "did_it_work", "en") if len(agent.turns) == 1 else None
        return TurnResult("replied", "Choose Export.", follow_up=wanted)

    asked = replace(worker, run_turn=answers)
    await asked.handle(event(email()))
    (row,) = await db.fetch("SELECT id, conversation_id FROM deliveries d")
    await sending.deliver(row["id"])
    await db.execute("UPDATE follow_ups SET due_at = now()")
    attributes = {"id": str(uuid4()), "type": CONVERSATION_WAKE, "source": "fte/test"}
    wake = json.dumps({"conversation_id": str(row["conversation_id"])}).encode()
    await asked.handle(ReceivedEvent(attributes, "application/json", wake))
    assert (await db.fetchrow("SELECT state FROM follow_ups"))["state"] == "said"  # type: ignore[index]
    assert len(agent.turns) == 1
    assert await replies(db) == 2
    await asked.handle(event(email("no, it still fails")))
    assert [said.author for said in agent.turns[1].history] == ["customer", "agent", "agent"]
    assert agent.turns[1].ticket is not None
    assert (agent.turns[1].ticket.subject, agent.turns[1].ticket.follow_up_at) == ("A question", None)


PAGE = """---
id: export
title: Daten exportieren
language: {language}
audience: {audience}
---

# Daten exportieren

## Wie exportiere ich?

Öffnen Sie die Einstellungen.
"""


@pytest.mark.parametrize(
    ("language", "audience", "found"),
    [("de", "everyone", True), ("de-AT", "admins", True), ("de", "internal", False), ("en", "everyone", False)],
)
async def test_a_turn_knows_whether_pages_are_in_the_customer_s_language(
    worker: Worker, agent: Agent, db: Database, tmp_path: Path, language: str, audience: str, found: bool
) -> None:
    """Whatever its region; what is for colleagues alone answers no customer."""
    (tmp_path / "page.md").write_text(PAGE.format(language=language, audience=audience), encoding="utf-8")
    await ingest_folder(db, WordLlamaEmbedder(), tmp_path)
    await worker.handle(event(email("Guten Tag, wie kann ich die Stunden unserer Mitarbeiter exportieren?")))
    assert [turn.has_pages for turn in agent.turns] == [found]
