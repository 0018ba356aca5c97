"""PingSources: the same event at every tick of a schedule.

As knative/eventing's pkg/adapter/mtping/runner.go: five retries from 50 ms on, doubling, and then
the tick is lost: it is the next one that repeats it. Ticks missed while nothing ran are not made up.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from shared.clock import Clock
from shared.errors import Permanent
from shared.local.dispatch.attempt import Answer, EventClient
from shared.local.dispatch.cloudevent import CloudEvent
from shared.local.dispatch.counts import PingCounts
from shared.local.dispatch.manifest import PingSource
from shared.local.dispatch.routes import Routes
from shared.observability.logs import logger

PING = "dev.knative.sources.ping"

_RETRIES = 5
_FIRST_WAIT_S = 0.05
_TIMEOUT_S = 60.0
# cloudevents/sdk-go, v2/protocol/http: defaultRetriableErrors.
_RETRIED = (404, 413, 425, 429, 502, 503, 504)
_FIELDS_WITH_SECONDS = 6


def next_tick(source: PingSource, after: datetime) -> datetime:
    """The first instant of the schedule later than `after`, in UTC.

    Five fields, or six with seconds first (robfig/cron). Raises Permanent naming a schedule that is none.
    """
    try:
        with_seconds = len(source.schedule.split()) == _FIELDS_WITH_SECONDS
        local = after.astimezone(ZoneInfo(source.timezone))
        ticks = croniter(source.schedule, local, second_at_beginning=with_seconds)
        return ticks.get_next(datetime).astimezone(UTC)
    except (ValueError, KeyError) as error:
        raise Permanent(f"{source.name}: spec.schedule: {error}", reason="bad-manifest") from None


def make_event(source: PingSource, now: datetime) -> CloudEvent:
    """The event of one tick, with an id of its own."""
    attributes = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/apis/v1/namespaces/{source.namespace}/pingsources/{source.name}",
        "type": PING,
        "time": now.isoformat().replace("+00:00", "Z"),
    }
    return CloudEvent(attributes, source.content_type or None, source.data).plus(source.extensions)


class PingRunner:
    """Sends one source's events until cancelled."""

    def __init__(self, source: PingSource, client: EventClient, routes: Routes, clock: Clock) -> None:
        self.source = source
        self.counts = PingCounts()
        self._client = client
        self._routes = routes
        self._clock = clock

    async def run(self) -> None:
        """Wait for each tick and send its event."""
        while True:
            tick = next_tick(self.source, self._clock.now())
            self.counts.next = tick.isoformat()
            await self._clock.sleep(max(0.0, (tick - self._clock.now()).total_seconds()))
            await self.fire()

    async def fire(self) -> None:
        """Send one event now."""
        url = await self._routes.resolve(self.source.sink)
        event = make_event(self.source, self._clock.now())
        answer = await self._send(lambda: self._client.post(
            url, event, timeout_s=_TIMEOUT_S, namespace=self.source.namespace
        ))  # fmt: skip
        if answer.delivered:
            self.counts.fired += 1
            return
        self.counts.failed += 1
        self.counts.last_error = f"{self._clock.now().isoformat(timespec='seconds')} {answer}"
        logger().error("ping_lost", source=self.source.name, answer=str(answer))

    async def _send(self, post: Callable[[], Any]) -> Answer:
        answer: Answer = await post()
        for retry in range(_RETRIES):
            if answer.status is not None and answer.status not in _RETRIED:
                break
            await self._clock.sleep(_FIRST_WAIT_S * 2**retry)
            answer = await post()
        return answer
