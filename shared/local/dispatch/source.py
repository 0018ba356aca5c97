"""One KafkaSource at work: read, deliver, commit.

Unordered, up to 99 records are under way at once (50 is where reading stops, and one reading brings
up to 50), each of them alone. Ordered, each partition has one under way and the rest of what was
read waits in its line.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

from shared.errors import Retryable
from shared.events.consumer import KafkaConsumer
from shared.events.records import Flow, Partition, Record, Revoked
from shared.local.dispatch.cloudevent import from_record
from shared.local.dispatch.counts import SourceCounts
from shared.local.dispatch.courier import Courier, StoppingError
from shared.local.dispatch.manifest import KafkaSource
from shared.local.dispatch.offsets import Offsets
from shared.observability.logs import logger
from shared.settings import Settings

_MEMBER = "fte-dispatcher"
_REOPEN_S = 2.0
_DRAIN_S = 5.0
#: The same trouble is told of again after this long.
_QUIET_S = 30.0


class SourceRunner:
    """Runs one source until `stop`; a consumer that is out for good is replaced."""

    def __init__(self, source: KafkaSource, settings: Settings, courier: Courier, counts: SourceCounts) -> None:
        self.source = source
        self.counts = counts
        self._settings = settings
        self._courier = courier
        self._consumer: KafkaConsumer | None = None
        self._offsets = Offsets()
        self._quiet_until: dict[str, float] = {}
        self._lines: dict[tuple[Partition, int], deque[Record]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def ready(self) -> bool:
        """Whether the group has given us partitions."""
        return self._consumer is not None and self._consumer.assigned > 0

    async def run(self) -> None:
        """Consume until cancelled; `stop` then ends what was begun."""
        while True:
            self._forget_everything()
            consumer = self._consumer = await self._open()
            try:
                async for item in consumer:
                    self._accept(item)
            except Retryable as error:
                self._trouble(str(error))
                logger().error("consumer_out", source=self.source.name, exc_info=error)
            await consumer.close()
            await asyncio.sleep(_REOPEN_S)

    async def stop(self) -> None:
        """Let requests that are under way be answered for a few seconds, then commit and leave the group.

        What is cut off stays uncommitted and is read again by the next dispatcher.
        """
        self._courier.stop()
        for task in self._tasks - self._courier.posting:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_DRAIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.close()

    async def stats(self) -> dict[str, Any]:
        """The counts, with the group's lag: records not yet committed, None while Kafka does not tell."""
        lag = None if self._consumer is None else await self._consumer.lag()
        return self.counts.as_json() | {
            "lag": lag,
            "topics": list(self.source.topics),
            "group": self.source.group,
            "sink": f"{self.source.sink.service or ''}{self.source.sink.uri}",
        }

    async def _open(self) -> KafkaConsumer:
        return await KafkaConsumer.open(
            self._settings,
            group=self.source.group,
            topics=self.source.topics,
            member=_MEMBER,
            flow=Flow(per_partition=self.source.ordering == "ordered"),
            on_trouble=self._trouble,
            initial_offset=self.source.initial_offset,
        )

    def _accept(self, item: Record | Revoked) -> None:
        if isinstance(item, Revoked):
            self._offsets.revoked(item.partitions)
            self._forget_lines(item.partitions)
            return
        self._offsets.received(item)
        self.counts.in_flight += 1
        if self.source.ordering == "unordered":
            self._start(self._deliver(item))
            return
        assignment = (item.partition, item.generation)
        if assignment in self._lines:
            self._lines[assignment].append(item)
        else:
            self._lines[assignment] = deque([item])
            self._start(self._deliver_in_line(assignment))

    def _forget_lines(self, partitions: frozenset[Partition]) -> None:
        for line in [each for each in self._lines if each[0] in partitions]:
            self.counts.in_flight -= len(self._lines.pop(line))

    def _forget_everything(self) -> None:
        self._offsets = Offsets()
        self._forget_lines(frozenset(partition for partition, _ in self._lines))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_in_line(self, assignment: tuple[Partition, int]) -> None:
        line = self._lines[assignment]
        while line and assignment in self._lines:
            if not await self._deliver(line.popleft()):
                break
        self._lines.pop(assignment, None)

    async def _deliver(self, record: Record) -> bool:
        """Whether the record was brought to its end; False when the dispatcher ends first."""
        consumer, offsets = self._consumer, self._offsets
        try:
            await self._deliver_surely(record)
        except StoppingError:
            return False
        finally:
            self.counts.in_flight -= 1
        if consumer is not None:
            consumer.finish(record, offsets.finished(record))
        return True

    async def _deliver_surely(self, record: Record) -> None:
        """A fault of our own must not lose an event either: it is logged, and the event offered again."""
        while True:
            try:
                return await self._courier.deliver(from_record(record, self.source))
            except StoppingError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the event must stay
                self._trouble(type(error).__name__)
                logger().error("dispatcher_fault", source=self.source.name, exc_info=error)
            await asyncio.sleep(_REOPEN_S)

    def _trouble(self, name: str) -> None:
        # A broker that is away is told of many times a second.
        self.counts.last_error = name
        if time.monotonic() >= self._quiet_until.get(name, 0.0):
            self._quiet_until[name] = time.monotonic() + _QUIET_S
            logger().warning("trouble", source=self.source.name, error=name)
