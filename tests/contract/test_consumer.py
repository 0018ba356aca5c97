"""The consumer beside others of its group: what it was given is its own, and what it lost it no longer commits."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.errors import Retryable
from shared.events.consumer import KafkaConsumer
from shared.events.records import Flow, Partition, Record, Revoked
from shared.settings import Settings
from tests.contract.dispatching import until
from tests.fixtures_kafka import Topics


@dataclass
class Member:
    """A consumer and what it was handed."""

    consumer: KafkaConsumer
    records: list[Record] = field(default_factory=list)
    lost: set[Partition] = field(default_factory=set)
    ended_by: Retryable | None = None

    async def read(self) -> None:
        try:
            async for item in self.consumer:
                if isinstance(item, Revoked):
                    self.lost |= item.partitions
                else:
                    self.records.append(item)
        except Retryable as error:
            self.ended_by = error


@asynccontextmanager
async def joining(
    topics: Topics, topic: str, group: str, member: str, flow: Flow | None = None
) -> AsyncGenerator[Member]:
    settings = Settings(_env_file=None, kafka_bootstrap_servers=topics.address)  # type: ignore[call-arg]
    consumer = await KafkaConsumer.open(
        settings, group=group, topics=[topic], member=member, flow=flow or Flow(), on_trouble=lambda _name: None
    )
    made = Member(consumer)
    reading = asyncio.create_task(made.read())
    try:
        yield made
    finally:
        await consumer.close()
        await reading


async def test_a_revoked_partition_is_not_committed_by_who_lost_it(topics: Topics) -> None:
    """What is under way when a second member joins is read again by it; a late finish by the first changes nothing."""
    topic, group = topics.make("t"), uuid.uuid4().hex
    for partition in range(4):
        topics.write(topic, [b"x"], partition=partition)
    async with joining(topics, topic, group, "one") as one:
        await until(lambda: len(one.records) == 4)
        async with joining(topics, topic, group, "two") as two:
            await until(lambda: len(two.records) >= 2 and len(one.lost) >= 2)
            for record in one.records[:4]:
                one.consumer.finish(record, record.offset + 1)
            mine = {record.partition.number for record in two.records}
            two.consumer.finish(two.records[0], 1)
            kept = two.records[0].partition.number
            await until(lambda: kept in topics.committed(group, topic))
            assert not (mine - {kept}) & set(topics.committed(group, topic))


async def test_what_is_finished_is_committed_once_and_the_rest_is_lag(topics: Topics) -> None:
    """Lag counts what is written and not committed, whether or not it was read."""
    topic, group = topics.make("t"), uuid.uuid4().hex
    topics.write(topic, [b"%d" % each for each in range(10)], partition=0)
    async with joining(topics, topic, group, "one") as one:
        await until(lambda: len(one.records) == 10)
        assert await one.consumer.lag() == 10
        one.consumer.finish(one.records[0], 7)
        await until(lambda: topics.committed(group, topic) == {0: 7})
        assert await one.consumer.lag() == 3


async def test_reading_stops_at_the_bound_and_goes_on_below_it(topics: Topics) -> None:
    """No more than bound + batch - 1 records are handed out unfinished; finishing one lets reading go on."""
    topic, group = topics.make("t"), uuid.uuid4().hex
    topics.write(topic, [b"%d" % each for each in range(40)], partition=0)
    async with joining(topics, topic, group, "one", Flow(bound=5, batch=3)) as one:
        await until(lambda: len(one.records) >= 5)
        await asyncio.sleep(0.5)  # long enough for a reader without a bound to read on
        assert len(one.records) <= 7
        done = 0
        while done < 40:
            await until(lambda: len(one.records) > done)  # noqa: B023 - read while it holds
            one.consumer.finish(one.records[done], done + 1)
            done += 1
        await until(lambda: topics.committed(group, topic) == {0: 40})
        assert [record.offset for record in one.records] == list(range(40))


async def test_a_namesake_puts_the_older_member_out(
    apache_kafka: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Two dispatchers under one name: the older is fenced and says so, instead of both delivering for ever.

    librdkafka's word for it is a line of our log, and not one of its own among them.
    """
    topics = Topics(apache_kafka)
    topic, group = topics.make("t"), uuid.uuid4().hex
    async with joining(topics, topic, group, "same") as older:
        await until(lambda: older.consumer.assigned == 4)
        async with joining(topics, topic, group, "same") as newer:
            await until(lambda: newer.consumer.assigned == 4)
            await until(lambda: older.ended_by is not None)
            assert older.ended_by is not None
            assert older.ended_by.reason == "kafka-fenced"
    assert "rdkafka#" not in capfd.readouterr().err
    assert "librdkafka" in {record.name for record in caplog.records}


@pytest.mark.parametrize("initial", ["earliest", "latest"])
async def test_the_first_offset_of_a_new_group(topics: Topics, initial: str) -> None:
    """`earliest` reads what was there before, `latest` only what comes after."""
    topic, group = topics.make("t"), uuid.uuid4().hex
    topics.write(topic, [b"before"], partition=0)
    settings = Settings(_env_file=None, kafka_bootstrap_servers=topics.address)  # type: ignore[call-arg]
    consumer = await KafkaConsumer.open(
        settings, group=group, topics=[topic], member="one", flow=Flow(), on_trouble=lambda _name: None,
        initial_offset=initial,
    )  # type: ignore[arg-type]  # fmt: skip
    member = Member(consumer)
    reading = asyncio.create_task(member.read())
    await until(lambda: consumer.assigned > 0)
    if initial == "latest":
        await asyncio.sleep(1)  # the end is looked up after the assignment
    topics.write(topic, [b"after"], partition=0)
    await until(lambda: bool(member.records) and member.records[-1].value == b"after")
    assert len(member.records) == (2 if initial == "earliest" else 1)
    await consumer.close()
    await reading
