"""A door per channel: how many calls of one provider may be under way, and when to stop calling it.

All channels share the events in flight of fte.outbound. Without a bound, a provider that hangs would
hold them all until its time-outs, and the other channels would wait behind it. Beyond the bound, or
after several failures in a row, a delivery is deferred at once, without a call: it surely was not sent.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from shared.channels.message import Channel
from shared.channels.provider import OutcomeUnknown, ProviderDown

#: Calls of one provider that one process has under way; times its copies it is well below the events in flight.
MOST_AT_ONCE = 12
FAILURES_TO_CLOSE = 5
CLOSED_S = 5.0
_BUSY_S = 1.0


class ChannelDoors:
    """The doors of one process. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._inside: Counter[Channel] = Counter()
        self._failures: Counter[Channel] = Counter()
        self._closed_until: dict[Channel, float] = {}

    @asynccontextmanager
    async def through(self, channel: Channel) -> AsyncGenerator[None]:
        """One call. Raises ProviderDown (`busy`, `closed`) instead of letting it begin."""
        self._admit(channel)
        self._inside[channel] += 1
        try:
            yield
        except (ProviderDown, OutcomeUnknown, TimeoutError):
            self._failed(channel)
            raise
        else:
            self._failures[channel] = 0
        finally:
            self._inside[channel] -= 1

    def _admit(self, channel: Channel) -> None:
        wait = self._closed_until.get(channel, 0.0) - self._now()
        if wait > 0:
            raise ProviderDown("the provider kept failing", code="closed", retry_after_s=wait)
        if self._inside[channel] >= MOST_AT_ONCE:
            raise ProviderDown("enough calls are under way", code="busy", retry_after_s=_BUSY_S)

    def _failed(self, channel: Channel) -> None:
        self._failures[channel] += 1
        if self._failures[channel] >= FAILURES_TO_CLOSE:
            self._closed_until[channel] = self._now() + CLOSED_S
            # The next failure closes it again: after the pause one call tries.
            self._failures[channel] = FAILURES_TO_CLOSE - 1
