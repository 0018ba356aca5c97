"""Dead letters and the sweep on a real PostgreSQL and Kafka: nothing refused is lost, nothing due is forgotten."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.clock import SystemClock
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.db.pool import Database
from shared.dead_letters.box import DeadLetterBox, cause_of
from shared.dead_letters.sweep import Sweep
from shared.errors import Rejected
from shared.events.envelope import MESSAGE_RECEIVED
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.events.signature import sign
from shared.events.topics import create_topics
from shared.privacy.vault import Vault
from shared.settings import Settings, key_list
from tests.builders import email, whatsapp
from tests.conftest import make_settings
from tests.fixtures_kafka import Topics


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka)


@pytest_asyncio.fixture
async def producer(settings: Settings) -> AsyncIterator[KafkaProducer]:
    """A producer, with the topics there."""
    await create_topics(settings, replication=1)
    opened = await KafkaProducer.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def box(db: Database, vault: Vault, producer: KafkaProducer, settings: Settings) -> DeadLetterBox:
    """The box of dlq-review."""
    return DeadLetterBox(db, vault, producer, key_list(settings.fte_event_key, "FTE_EVENT_KEY"))


def letter(box: DeadLetterBox, data: bytes = b'{"a": 1}', *, signed: bool = True, **more: str) -> ReceivedEvent:
    """An event as it reaches /events, with what Knative added."""
    attributes = {"id": more.pop("id", str(uuid4())), "type": MESSAGE_RECEIVED, "source": "fte/email"}
    if signed:
        attributes["ftesig"] = sign(box.event_keys[0], *attributes.values(), data)
    added = {"ftetopic": "fte.inbound", "knativeerrorcode": "422", "knereason": "bad-event-data"}
    return ReceivedEvent(
        {**attributes, "partitionkey": "k1", "specversion": "1.0", **added, **more}, "application/json", data
    )


async def records(settings: Settings, topic: str, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Records of a topic that fit."""
    found = await Topics(settings.kafka_bootstrap_servers).read_async(topic, 10_000, 3)
    return [record for record in found if wanted(record)]


async def test_a_replay_is_the_same_event(box: DeadLetterBox, settings: Settings) -> None:
    """Same id, key, data and signature on its topic; what Knative added is gone; a second replay is the same again."""
    event = letter(box, id="again")
    await box.keep(event)
    for _ in range(2):
        await box.replay("again", "mended")
    sent = await records(settings, "fte.inbound", lambda record: record["headers"]["ce_id"] == "again")
    assert len(sent) == 2
    assert (sent[0]["key"], sent[0]["value"]) == (b"k1", event.data)
    assert sent[0]["headers"]["ce_ftesig"] == event.attributes["ftesig"]
    assert not [
        name for name in sent[0]["headers"] if name.startswith(("ce_knative", "ce_kne")) or name == "ce_ftetopic"
    ]


async def test_a_failure_after_a_replay_waits_again(box: DeadLetterBox) -> None:
    """However soon it comes: the row ends as waiting, with one failure more."""
    event = letter(box, id="twice")
    await box.keep(event)
    await asyncio.gather(box.replay("twice", None), box.keep(event))
    await box.keep(event)
    [row] = await box.list(None, 10)
    assert row["status"] == "waiting"
    assert row["failures"] == 2


async def test_what_is_not_ours_can_be_discarded_only(box: DeadLetterBox) -> None:
    """No signature, no replay; and a forged copy takes nothing from a letter of ours."""
    await box.keep(letter(box, signed=False, id="strange"))
    with pytest.raises(Rejected) as refused:
        await box.replay("strange", None)
    assert refused.value.reason == "not-ours"
    assert (await box.discard("strange", "made by a stranger"))["status"] == "discarded"
    await box.keep(letter(box, id="ours"))
    await box.keep(letter(box, b"forged", signed=False, id="ours"))
    assert (await box.show("ours"))["signed"]
    assert (await box.replay("ours", None))["status"] == "replayed"


@pytest.mark.parametrize("more", [{"id": "nul\x00id"}, {"odd": "a\x00b"}, {"odd\x00": "x"}, {"odd": "\ud800"}])
async def test_any_attributes_can_be_kept(box: DeadLetterBox, more: dict[str, str]) -> None:
    """What could not be stored would come round and round: its own dead letter sink is this topic."""
    await box.keep(letter(box, b"\x00\xff", signed=False, **more))
    [row] = await box.list("waiting", 10)
    assert (await box.show(row["id"]))["cause"] == "bad-event-data"


def test_the_cause_is_read_from_where_it_stands() -> None:
    """Our reason word, else the one in the answer's body, else the status, else silence."""
    body = base64.b64encode(b'{"error": {"reason": "too-large"}}').decode()
    assert cause_of({"knereason": "unsigned-event", "knativeerrorcode": "401"}) == ("unsigned-event", 401)
    assert cause_of({"knativeerrordata": body, "knativeerrorcode": "413"}) == ("too-large", 413)
    assert cause_of({"knativeerrordata": "not base64!", "knativeerrorcode": "500"}) == ("http-500", 500)
    assert cause_of({}) == ("no-answer", None)


@pytest.fixture
def sweep(db: Database, producer: KafkaProducer) -> Sweep:
    """The sweep of dlq-review."""
    return Sweep(db, producer, SystemClock())


async def test_the_sweep_wakes_what_is_due_and_that_alone(
    sweep: Sweep, db: Database, vault: Vault, settings: Settings
) -> None:
    """A message nobody works on, a reply nobody sends, a channel nobody read: each is woken; fresh ones are not."""
    await db.execute("UPDATE channel_cursors SET next_due = NULL")
    stuck = await inbox.store(db, vault, settings, email("stuck"), "e1")
    answered = await inbox.store(db, vault, settings, whatsapp("answered"), "e2")
    assert answered.lease is not None
    turn = (await mailbox.look(db, vault, answered.lease)).turn
    assert turn is not None
    delivery_id = await commit_turn(db, vault, turn, Verdict("replied", None, "ok"))
    nothing = dict.fromkeys(
        ("messages", "deliveries", "channels", "files", "letters", "follow_ups", "returned", "overdue"), 0
    )
    assert await sweep.run() == nothing

    await db.execute("UPDATE messages SET stored_at = now() - interval '2 minutes'")
    await db.execute(
        "UPDATE conversations SET lease_expires = now() - interval '1 second' WHERE lease_token IS NOT NULL"
    )
    await db.execute("UPDATE deliveries SET created_at = now() - interval '2 minutes'")
    await db.execute("UPDATE channel_cursors SET next_due = now() - interval '1 second' WHERE channel = 'email'")
    assert await sweep.run() == {**nothing, "messages": 1, "deliveries": 1, "channels": 1}
    woken = await records(settings, "fte.inbound", lambda r: r["key"] == str(stuck.conversation_id).encode())
    assert [json.loads(record["value"]) for record in woken] == [{"conversation_id": str(stuck.conversation_id)}]
    asked = await records(settings, "fte.outbound", lambda r: r["key"] == str(answered.conversation_id).encode())
    assert [json.loads(record["value"]) for record in asked] == [{"delivery_id": str(delivery_id)}]
    assert (await sweep.run())["channels"] == 0


async def test_a_person_s_conversation_is_not_woken(
    sweep: Sweep, db: Database, vault: Vault, settings: Settings
) -> None:
    """The agent stays silent there, however long it takes."""
    stored = await inbox.store(db, vault, settings, email("refund"), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    await commit_turn(db, vault, turn, Verdict("escalated", "refund", ""))
    await inbox.store(db, vault, settings, email("hello?"), "e2")
    await db.execute("UPDATE messages SET stored_at = now() - interval '2 minutes'")
    assert (await sweep.run())["messages"] == 0


async def test_the_poll_of_whatsapp_says_where_to_begin_and_what_is_known(
    sweep: Sweep, db: Database, vault: Vault, settings: Settings
) -> None:
    """Not before we were there, not more than a day back; the ids of what is stored, and nobody's number."""
    message = whatsapp("known already")
    await inbox.store(db, vault, settings, message, "e1")
    await db.execute("UPDATE channel_cursors SET next_due = NULL")
    installed = "UPDATE channel_cursors SET next_due = now(), cursor = (now() - $1::interval)::text WHERE channel = $2"
    for hours, expected in ((2, 2), (72, 24)):
        await db.execute(installed, timedelta(hours=hours), "whatsapp")
        assert (await sweep.run())["channels"] == 1
        polls = await records(settings, "fte.channels", lambda r: r["key"] == b"whatsapp")
        told = json.loads(polls[-1]["value"])
        ago = datetime.now(UTC) - datetime.fromisoformat(told["since"])
        assert abs(ago - timedelta(hours=expected)) < timedelta(minutes=1)
        assert told["known"] == [message.provider_message_id]
        assert "2015550123" not in json.dumps(told)
