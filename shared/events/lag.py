"""How far a consumer group is behind: records written to its partitions and not yet committed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from shared.events.kafka import client_config
from shared.events.records import Partition
from shared.events.topics import READERS
from shared.settings import Settings

_ASK_S = 1.0


class Lag:
    """Asks over connections of its own: a consumer's are busy with long fetches, and its calls with its poll."""

    def __init__(self, config: Mapping[str, Any], group: str) -> None:
        self._admin: Any = AdminClient(dict(config))
        self._group = group

    async def of(self, partitions: Sequence[Partition]) -> int | None:
        """The sum over these partitions; None while Kafka does not tell."""
        try:
            return await asyncio.to_thread(self._sum, partitions) if partitions else 0
        except (KafkaException, TimeoutError):
            return None

    def _sum(self, partitions: Sequence[Partition]) -> int:
        ends = self._at(partitions, OffsetSpec.latest())
        committed = self._committed(partitions)
        starts = self._at([each for each in partitions if each not in committed], OffsetSpec.earliest())
        return sum(end - max(committed.get(each, 0), starts.get(each, 0)) for each, end in ends.items())

    def _at(self, partitions: Sequence[Partition], where: Any) -> dict[Partition, int]:
        if not partitions:
            return {}
        wanted = {TopicPartition(each.topic, each.number): where for each in partitions}
        asked: dict[TopicPartition, Any] = self._admin.list_offsets(wanted, request_timeout=_ASK_S)
        return {Partition(each.topic, each.partition): answer.result(_ASK_S).offset for each, answer in asked.items()}

    def _committed(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        wanted = [TopicPartition(each.topic, each.number) for each in partitions]
        request = ConsumerGroupTopicPartitions(self._group, wanted)
        asked: dict[str, Any] = self._admin.list_consumer_group_offsets([request], request_timeout=_ASK_S)
        found = asked[self._group].result(_ASK_S).topic_partitions
        return {Partition(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def partitions(self, topic: str) -> list[Partition]:
        """Of a topic as Kafka has it; none for one that is not there. Blocks. Raises KafkaException without Kafka."""
        found = self._admin.list_topics(topic=topic, timeout=_ASK_S).topics[topic]
        return [Partition(topic, number) for number in found.partitions]


class Waiting:
    """How many events wait for each function, asked over connections that are opened when they are first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lags: dict[str, Lag] = {}

    async def by_function(self) -> dict[str, int | None]:
        """Written to the topic that a function reads and not yet settled; None while Kafka does not tell."""
        names = list(READERS)
        found = await asyncio.gather(*(self._of(name) for name in names))
        return dict(zip(names, found, strict=True))

    async def _of(self, function: str) -> int | None:
        if function not in self._lags:
            config = client_config(self._settings) | {"socket.timeout.ms": 6000, "log_level": 0}
            self._lags[function] = Lag(config, function)
        lag = self._lags[function]
        try:
            partitions = await asyncio.to_thread(lag.partitions, READERS[function])
        except KafkaException:
            return None
        return await lag.of(partitions)
