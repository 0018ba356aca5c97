"""One event on its way: offered, retried with backoff, and at last a dead letter. It never gives an event up.

The rules are those of eventing-kafka-broker's WebClientCloudEventSender and RecordDispatcherImpl,
with one difference: where Knative loses an event whose dead letter sink fails, this one keeps trying.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from shared.clock import Clock
from shared.errors import FteError
from shared.events.kafka import KafkaProducer
from shared.local.dispatch.attempt import Answer, EventClient
from shared.local.dispatch.cloudevent import CloudEvent
from shared.local.dispatch.counts import SourceCounts
from shared.local.dispatch.manifest import KafkaSink, KafkaSource
from shared.local.dispatch.routes import Routes
from shared.observability.logs import logger

_DEAD_LETTER_FIRST_WAIT_S = 0.5
_DEAD_LETTER_LONGEST_WAIT_S = 30.0


class StoppingError(Exception):
    """The dispatcher ends: what is not delivered yet is left for the next one to read again."""


class Courier:
    """Delivers the events of one source. `posting` holds the tasks with a request under way."""

    def __init__(
        self,
        source: KafkaSource,
        counts: SourceCounts,
        client: EventClient,
        producer: KafkaProducer,
        routes: Routes,
        clock: Clock,
    ) -> None:
        self._source = source
        self._counts = counts
        self._client = client
        self._producer = producer
        self._routes = routes
        self._clock = clock
        self._stopping = False
        self.posting: set[asyncio.Task[Any]] = set()

    def stop(self) -> None:
        """From now on a refused event raises StoppingError instead of waiting for its next turn."""
        self._stopping = True

    async def deliver(self, event: CloudEvent) -> None:
        """Return once the event is delivered or lies in the dead letter sink."""
        url, answer = await self._offer(event)
        if answer.delivered:
            self._counts.delivered += 1
            return
        sink = self._source.delivery.dead_letter
        if sink is None:
            self._counts.lost += 1
            logger().error("event_lost", source=self._source.name, cause=str(answer), why="no dead letter sink")
            return
        await self._bury(sink, event.plus(_error_extensions(url, answer)))
        self._counts.dead_lettered += 1
        logger().error("event_dead_lettered", source=self._source.name, cause=str(answer), topic=sink.topic)

    async def _offer(self, event: CloudEvent) -> tuple[str, Answer]:
        delivery = self._source.delivery
        retry = 0
        while True:
            url = await self._routes.resolve(self._source.sink)
            answer = await self._post(url, event)
            if answer.delivered:
                return url, answer
            self._note(answer, retry)
            if not answer.retryable or retry >= delivery.retry:
                return url, answer
            if self._stopping:
                raise StoppingError
            retry += 1
            await self._clock.sleep(delivery.delay_before(retry))
            self._counts.retried += 1

    async def _post(self, url: str, event: CloudEvent) -> Answer:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs
        self.posting.add(task)
        try:
            timeout_s, namespace = self._source.delivery.timeout_s, self._source.namespace
            return await self._client.post(url, event, timeout_s=timeout_s, namespace=namespace)
        finally:
            self.posting.discard(task)

    def _note(self, answer: Answer, retry: int) -> None:
        self._counts.last_error = f"{self._clock.now().isoformat(timespec='seconds')} {answer}"
        logger().warning("event_refused", source=self._source.name, answer=str(answer), retry=retry)

    async def _bury(self, sink: KafkaSink, event: CloudEvent) -> None:
        key, value, headers = event.kafka_record(sink.content_mode)
        wait_s = _DEAD_LETTER_FIRST_WAIT_S
        while True:
            try:
                await self._producer.publish_raw(sink.topic, key, value, headers)
            except (FteError, TimeoutError) as error:
                self._counts.dead_letter_error = f"{self._clock.now().isoformat(timespec='seconds')} {error}"
                logger().error("dead_letter_sink_fails", source=self._source.name, topic=sink.topic, exc_info=error)
            else:
                self._counts.dead_letter_error = None
                return
            await self._clock.sleep(wait_s)
            wait_s = min(wait_s * 2, _DEAD_LETTER_LONGEST_WAIT_S)


def _error_extensions(url: str, answer: Answer) -> dict[str, str]:
    """The extensions a dead letter carries (RecordDispatcherImpl.errorTransform)."""
    extensions = {"knativeerrordest": url}
    if answer.status is None:
        return extensions
    extensions["knativeerrorcode"] = str(answer.status)
    extensions |= answer.error_extensions
    if answer.body:
        extensions["knativeerrordata"] = base64.b64encode(answer.body).decode()
    return extensions
