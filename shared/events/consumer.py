"""The consumer: librdkafka polled by one named thread, its records handed to the event loop.

It bounds what is under way by pausing partitions, not by ceasing to poll, so that the group keeps
this member however long an event is retried. Offsets are committed only when told to, and only
for the assignment they belong to: each record carries the generation of its assignment.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from shared.errors import Retryable
from shared.events.kafka import client_config
from shared.events.lag import Lag
from shared.events.records import Flow, Partition, Record, Revoked
from shared.settings import Settings

_IDLE_POLL_S = 0.1
_PAUSED_POLL_S = 0.02
_COMMIT_EVERY_S = 0.2
# Of the whole process, so that a record of a consumer that was replaced fits no assignment of its successor.
_GENERATIONS = itertools.count(1)


class KafkaConsumer:
    """A member of one consumer group; iterate over it for Records and Revoked, then `finish` each Record.

    `on_trouble` is called on the event loop with the name of an error that passes by itself (a broker away).
    """

    def __init__(self, config: Mapping[str, Any], lag: Lag, flow: Flow, on_trouble: Callable[[str], None]) -> None:
        self._consumer = Consumer({**config, "on_commit": self._committed, "error_cb": self._trouble})
        self._lag = lag
        self._flow = flow
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Record | Revoked | Retryable | None] = asyncio.Queue()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._assigned: dict[Partition, int] = {}
        self._under_way: Counter[Partition] = Counter()
        self._paused: set[Partition] = set()
        self._to_commit: dict[Partition, int] = {}
        self._fatal: KafkaError | None = None
        self._commit_due = 0.0
        self._thread = threading.Thread(target=self._run, name="kafka-consumer-poll", daemon=True)

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        group: str,
        topics: Sequence[str],
        member: str,
        flow: Flow,
        on_trouble: Callable[[str], None],
        initial_offset: Literal["earliest", "latest"] = "earliest",
    ) -> Self:
        """Join `group` and read `topics`; returns at once, also while Kafka is away.

        `member` is the group.instance.id: one who comes back under it after a kill -9 goes on at once, without
        waiting until its former self is given up.
        """
        ours = {"socket.timeout.ms": 6000, "log_level": 0}
        config = (
            client_config(settings)
            | ours
            | {
                "group.id": group,
                "group.instance.id": member,
                "auto.offset.reset": initial_offset,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 1500,
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 8192,
                "topic.metadata.refresh.interval.ms": 5000,
            }
        )
        opened = cls(config, Lag(client_config(settings) | ours, group), flow, on_trouble)
        opened._consumer.subscribe(
            list(topics), on_assign=opened._take, on_revoke=opened._give_up, on_lost=opened._lose
        )
        opened._thread.start()
        return opened

    async def __aiter__(self) -> AsyncIterator[Record | Revoked]:
        """Until closed. Raises Retryable when the member is out for good (fenced by a namesake): open another."""
        while (item := await self._queue.get()) is not None:
            if isinstance(item, Retryable):
                raise item
            yield item

    def finish(self, record: Record, commit_to: int | None) -> None:
        """`record` is no longer under way; commit its partition up to the offset `commit_to` (the next to read)."""
        with self._lock:
            if self._assigned.get(record.partition) != record.generation:
                return
            self._under_way[record.partition] -= 1
            if commit_to is not None:
                self._to_commit[record.partition] = commit_to
        self._wake.set()

    @property
    def assigned(self) -> int:
        """How many partitions are ours; 0 until the group has taken us in."""
        return len(self._assigned)

    async def lag(self) -> int | None:
        """Records of our partitions that are not yet committed; None while Kafka does not tell."""
        with self._lock:
            assigned = list(self._assigned)
        return await self._lag.of(assigned)

    async def close(self) -> None:
        """Commit what was finished, leave the group and stop the thread."""
        self._closing.set()
        self._wake.set()
        await asyncio.to_thread(self._thread.join)

    # -- the polling thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._throttle()
                self._send_commits()
                self._read()
                if self._fatal is not None:
                    raise KafkaException(self._fatal)
        except KafkaException as error:
            self._put(Retryable(f"the consumer is out: {error.args[0].name()}", reason="kafka-fenced"))
        finally:
            with suppress(KafkaException, RuntimeError):
                self._commit_now(list(self._assigned))
            self._consumer.close()
            self._put(None)

    def _read(self) -> None:
        wait_s = _IDLE_POLL_S if not self._paused else _PAUSED_POLL_S
        if self._paused and len(self._paused) == len(self._assigned):
            self._wake.wait(wait_s)
            wait_s = 0
        self._wake.clear()
        first = self._consumer.poll(wait_s)
        if first is None:
            return
        for message in (first, *self._consumer.consume(self._flow.batch - 1, timeout=0)):
            self._hand_over(message)

    def _hand_over(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            self._trouble(error)
            return
        partition = Partition(str(message.topic()), int(message.partition() or 0))
        with self._lock:
            generation = self._assigned.get(partition)
            if generation is None:
                return
            self._under_way[partition] += 1
        self._put(_record(message, partition, generation))

    def _throttle(self) -> None:
        with self._lock:
            busy = {partition for partition in self._assigned if self._under_way[partition] > 0}
            full = sum(self._under_way.values()) >= self._flow.bound
            halted = busy if self._flow.per_partition else set(self._assigned) if full else set[Partition]()
        if newly := halted - self._paused:
            self._consumer.pause([_native(partition) for partition in newly])
        if again := self._paused - halted:
            self._consumer.resume([_native(partition) for partition in again])
        self._paused = halted

    def _send_commits(self) -> None:
        if time.monotonic() < self._commit_due:
            return
        with self._lock:
            offsets, self._to_commit = self._to_commit, {}
        if not offsets:
            return
        self._commit_due = time.monotonic() + _COMMIT_EVERY_S
        try:
            self._consumer.commit(offsets=_offsets(offsets), asynchronous=True)
        except KafkaException as error:
            self._put_back(offsets)
            self._trouble(error.args[0])

    def _commit_now(self, partitions: Sequence[Partition]) -> None:
        with self._lock:
            offsets = {each: self._to_commit.pop(each) for each in partitions if each in self._to_commit}
        if offsets:
            self._consumer.commit(offsets=_offsets(offsets), asynchronous=False)

    def _committed(self, error: KafkaError | None, partitions: Sequence[TopicPartition]) -> None:
        failed = {Partition(each.topic, each.partition): each.offset for each in partitions if error or each.error}
        trouble = error or next((each.error for each in partitions if each.error), None)
        if trouble is not None:
            self._put_back(failed)
            self._trouble(trouble)

    def _put_back(self, offsets: dict[Partition, int]) -> None:
        with self._lock:
            for partition, offset in offsets.items():
                if partition in self._assigned:
                    self._to_commit[partition] = max(offset, self._to_commit.get(partition, 0))

    def _take(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        with self._lock:
            generation = next(_GENERATIONS)
            self._assigned |= {Partition(each.topic, each.partition): generation for each in partitions}

    def _give_up(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        with suppress(KafkaException):
            self._commit_now([Partition(each.topic, each.partition) for each in partitions])
        self._forget(partitions)

    def _lose(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        gone = frozenset(Partition(each.topic, each.partition) for each in partitions)
        with self._lock:
            for partition in gone:
                self._assigned.pop(partition, None)
                self._under_way.pop(partition, None)
                self._to_commit.pop(partition, None)
            self._paused -= gone
        self._put(Revoked(gone))

    def _trouble(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # pyright: ignore[reportPrivateUsage]
            self._fatal = error
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_trouble, error.name())

    def _put(self, item: Record | Revoked | Retryable | None) -> None:
        # RuntimeError: the loop is closed, so nobody is left to read.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


def _record(message: Message, partition: Partition, generation: int) -> Record:
    key, value = message.key(), message.value()
    return Record(
        partition=partition,
        offset=int(message.offset() or 0),
        generation=generation,
        timestamp_ms=max(message.timestamp()[1], 0),
        key=key.encode() if isinstance(key, str) else key,
        value=value.encode() if isinstance(value, str) else value,
        headers=tuple(message.headers() or ()),  # pyright: ignore[reportArgumentType]
    )


def _native(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.number)


def _offsets(offsets: dict[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(partition.topic, partition.number, offset) for partition, offset in offsets.items()]
