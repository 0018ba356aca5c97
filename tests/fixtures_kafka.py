"""Kafka for contract tests: Apache Kafka and librdkafka's in-memory cluster, each started once a run on free ports.

tests/conftest.py takes them in, so that every test has them.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from shared.local.kafka.apache import ApacheKafka
from shared.local.kafka.broker import KafkaBroker
from shared.local.kafka.java import what_java_lacks
from shared.local.kafka.memory import MemoryKafka
from shared.local.server_process import free_port

_PATIENCE_S = 20.0


@pytest.fixture(scope="session")
def apache_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """One Apache Kafka for the whole run; skips, saying why, where Java or Maven are missing."""
    if lacking := asyncio.run(what_java_lacks()):
        pytest.skip(lacking)
    broker = ApacheKafka(tmp_path_factory.mktemp("apache-kafka"), free_port())
    asyncio.run(broker.start())
    yield broker
    asyncio.run(broker.stop())


@pytest.fixture(scope="session")
def memory_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """One in-memory cluster for the whole run, in a process of its own."""
    broker = MemoryKafka(tmp_path_factory.mktemp("memory-kafka"))
    asyncio.run(broker.start())
    yield broker
    asyncio.run(broker.stop())


@pytest.fixture(scope="session")
def apache_kafka(apache_broker: KafkaBroker) -> str:
    """The address of a real Kafka."""
    return apache_broker.address


@pytest.fixture(scope="session")
def memory_kafka(memory_broker: KafkaBroker) -> str:
    """The address of an in-memory Kafka."""
    return memory_broker.address


@pytest.fixture(params=["apache", "memory"])
def kafka_broker(request: pytest.FixtureRequest) -> KafkaBroker:
    """Each of the two in turn: what a test says must hold on both."""
    return request.getfixturevalue(f"{request.param}_broker")


@pytest.fixture
def topics(kafka_broker: KafkaBroker) -> Topics:
    """Topics of the test's own on that broker."""
    return Topics(kafka_broker.address)


@dataclass
class Topics:
    """What a test does to Kafka from outside: make topics, write records, read them, look at commits."""

    address: str
    _made: list[str] = field(default_factory=list)

    def make(self, prefix: str, partitions: int = 4) -> str:
        """A new topic; the in-memory cluster gives each four partitions."""
        name = f"{prefix}.{uuid.uuid4().hex[:8]}"
        admin = AdminClient(self._client())
        if partitions != 4 or not self._is_memory(admin, name):
            admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])[name].result(10)
        return name

    def write(
        self,
        topic: str,
        values: Sequence[bytes],
        *,
        key: bytes | None = None,
        partition: int = -1,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Write records and wait for their acks."""
        producer = Producer(self._client() | {"acks": "all", "linger.ms": 0})
        for value in values:
            producer.produce(topic, value=value, key=key, partition=partition, headers=list(headers))
        assert producer.flush(_PATIENCE_S) == 0

    def read(self, topic: str, count: int, patience_s: float = _PATIENCE_S) -> list[dict[str, Any]]:
        """The first `count` records of a topic as {key, value, headers, partition, offset}, fewer when time is up."""
        consumer = Consumer(self._client() | {"group.id": uuid.uuid4().hex, "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, each, 0) for each in self._partitions(consumer, topic)])
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + patience_s
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                found.append(_as_dict(message))
        consumer.close()
        return found

    async def read_async(self, topic: str, count: int, patience_s: float = _PATIENCE_S) -> list[dict[str, Any]]:
        """`read` beside a running event loop."""
        return await asyncio.to_thread(self.read, topic, count, patience_s)

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Partition to committed offset of a group; partitions it never committed are left out."""
        consumer = Consumer(self._client() | {"group.id": group, "enable.auto.commit": False})
        partitions = [TopicPartition(topic, each) for each in self._partitions(consumer, topic)]
        found = {each.partition: each.offset for each in consumer.committed(partitions, timeout=5) if each.offset >= 0}
        consumer.close()
        return found

    def _client(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.address, "log_level": 0}

    def _is_memory(self, admin: AdminClient, name: str) -> bool:
        # The in-memory cluster makes a topic when it is asked for one; Apache Kafka is set not to.
        return admin.list_topics(topic=name, timeout=5).topics[name].error is None

    def _partitions(self, consumer: Consumer, topic: str) -> list[int]:
        try:
            return list(consumer.list_topics(topic, timeout=5).topics[topic].partitions)
        except KafkaException:
            return []


def _as_dict(message: Any) -> dict[str, Any]:
    headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
    return {
        "key": message.key(),
        "value": message.value(),
        "headers": headers,
        "partition": message.partition(),
        "offset": message.offset(),
    }
