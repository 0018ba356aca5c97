"""In-process alarms: a deferred route is taken up again on time while this process lives.

They only shorten the wait. What counts is `next_at` in the ledger, which the sweep reads: a process
that dies, or scales to zero, loses no delivery, only promptness.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

#: Further ahead the process is better let go to zero; the sweep wakes it.
LONGEST_S = 600.0

Wake = Callable[[UUID], Awaitable[None]]


class Alarms:
    """At most one alarm a route; `close` cancels them all."""

    def __init__(self) -> None:
        self._set: dict[UUID, asyncio.Task[None]] = {}

    def set(self, seconds: float, route_id: UUID, wake: Wake) -> None:
        """Call `wake(route_id)` after `seconds`, unless that is too far ahead or an alarm is set already."""
        waiting = self._set.get(route_id)
        if seconds > LONGEST_S or (
            waiting is not None and not waiting.done() and waiting is not asyncio.current_task()
        ):
            return
        self._set[route_id] = asyncio.create_task(_ring(seconds, route_id, wake), name="delivery-alarm")

    async def close(self) -> None:
        """Cancel what is set; the ledger remembers."""
        tasks = [task for task in self._set.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ring(seconds: float, route_id: UUID, wake: Wake) -> None:
    await asyncio.sleep(seconds + 0.05)
    await wake(route_id)
