"""The producer's contract, on Apache Kafka and on the in-memory cluster: acks, keys, headers, honest failures."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from confluent_kafka import Consumer
from structlog.testing import capture_logs

from shared.errors import Permanent, Retryable
from shared.events.envelope import MESSAGE_RECEIVED, Event, header_map, new_event
from shared.events.kafka import KafkaProducer
from shared.events.signature import is_ours
from shared.events.topics import TOPICS, create_topics
from shared.local.kafka.broker import KafkaBroker
from shared.local.server_process import free_port
from shared.settings import Settings
from tests.conftest import make_settings


@pytest.fixture
def kafka_settings(kafka_broker: KafkaBroker) -> Settings:
    """Settings for the broker under test; a short wait, so that an outage is told soon."""
    return make_settings(kafka_bootstrap_servers=kafka_broker.address, kafka_publish_timeout_s=3.0)


@pytest_asyncio.fixture
async def producer(kafka_settings: Settings) -> AsyncIterator[KafkaProducer]:
    """A producer, with the project's topics there."""
    await create_topics(kafka_settings, replication=1)
    opened = await KafkaProducer.open(kafka_settings)
    yield opened
    await opened.close()


def an_event(event_id: str, key: str = "k", data: bytes = b'{"a": 1}') -> Event:
    return new_event(MESSAGE_RECEIVED, source="fte/test", data=data, key=key, now=datetime.now(UTC), event_id=event_id)


def read(address: str, topic: str, ids: set[str]) -> dict[str, tuple[int, bytes, bytes, dict[str, str]]]:
    """Records with these event ids: partition, key, value, headers."""
    settings = {
        "bootstrap.servers": address,
        "group.id": f"read-{time.monotonic_ns()}",
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer({**settings, "enable.auto.commit": False})
    consumer.subscribe([topic])
    found: dict[str, tuple[int, bytes, bytes, dict[str, str]]] = {}
    deadline = time.monotonic() + 20
    while set(found) != ids and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None or message.error():
            continue
        headers = header_map(message.headers() or [])
        if headers["ce_id"] in ids:
            found[headers["ce_id"]] = (message.partition(), message.key(), message.value(), headers)
    consumer.close()
    return found


async def test_a_published_event_is_there_as_it_was_signed(producer: KafkaProducer, kafka_settings: Settings) -> None:
    """Binary mode: key, value, attributes, a signature over the very bytes, and a partition by key."""
    for number in range(6):
        await producer.publish("fte.inbound", an_event(f"p{number}", key=f"key-{number % 2}"))
    ids = {f"p{number}" for number in range(6)}
    found = await asyncio.to_thread(read, kafka_settings.kafka_bootstrap_servers, "fte.inbound", ids)
    assert set(found) == ids
    partition, key, value, headers = found["p0"]
    assert (key, value) == (b"key-0", b'{"a": 1}')
    assert headers["ce_partitionkey"] == "key-0"
    assert headers["content-type"] == "application/json"
    event_key = base64.b64decode(kafka_settings.fte_event_key.get_secret_value())
    assert is_ours([event_key], headers["ce_ftesig"], "p0", MESSAGE_RECEIVED, "fte/test", value)
    assert {found[f"p{number}"][0] for number in (0, 2, 4)} == {partition}


async def test_creating_topics_twice_creates_them_once(kafka_settings: Settings) -> None:
    """A second run finds them all."""
    await create_topics(kafka_settings, replication=1)
    assert await create_topics(kafka_settings, replication=1) == []
    assert {topic.name for topic in TOPICS} == {"fte.inbound", "fte.outbound", "fte.channels", "fte.dead-letters"}


async def test_an_unsigned_producer_publishes_nothing(kafka_broker: KafkaBroker) -> None:
    """Without FTE_EVENT_KEY the error names the setting."""
    settings = make_settings(kafka_bootstrap_servers=kafka_broker.address, fte_event_key="")
    opened = await KafkaProducer.open(settings)
    with pytest.raises(Permanent, match="FTE_EVENT_KEY"):
        await opened.publish("fte.inbound", an_event("u1"))
    await opened.close()


async def test_brokers_away_is_said_and_not_swallowed(kafka_broker: KafkaBroker, kafka_settings: Settings) -> None:
    """No acks, no success: Retryable within the time-out; back again, the next publish arrives."""
    opened = await KafkaProducer.open(kafka_settings)
    await opened.publish("fte.inbound", an_event("a1"))
    await kafka_broker.suspend()
    try:
        started = time.monotonic()
        with pytest.raises(Retryable) as away, capture_logs() as lines:
            await opened.publish("fte.inbound", an_event("a2"))
        assert time.monotonic() - started < 8
        assert (str(away.value), away.value.reason) == ("Kafka is away", "kafka-away"), "no word of librdkafka's"
        assert [line["code"] for line in lines if line["event"] == "kafka_not_acknowledged"] == ["_MSG_TIMED_OUT"]
        with pytest.raises(Retryable):
            await opened.ping()
    finally:
        await kafka_broker.resume()
    async with asyncio.timeout(30):
        while True:
            try:
                await opened.publish("fte.inbound", an_event("a3"))
                break
            except Retryable:
                await asyncio.sleep(0.5)
    await opened.close()
    found = await asyncio.to_thread(read, kafka_settings.kafka_bootstrap_servers, "fte.inbound", {"a3"})
    assert "a3" in found


async def test_topics_without_kafka_fail_in_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """Not in a page of librdkafka's lines between ours, as `fte topics` and its Job printed them."""
    nobody = make_settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises(Retryable, match="Kafka does not answer"):
        await create_topics(nobody, timeout_s=1.0)
    assert capfd.readouterr().err == ""
