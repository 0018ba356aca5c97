"""Provoked failures of a provider: away, too busy, carried out but never answered, slow.

They touch the provider's own API paths alone; webhooks and notifications go on, as a provider's
front door can be down while its queues still deliver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import Clock

#: Where a request's scope has the server's own `send`, which no middleware stands around.
WIRE = "fte.wire"

Kind = Literal["outage", "rate_limit", "lost_response", "slow"]
#: Of these a request meets the first that is in force.
_ONE_OF: tuple[Kind, ...] = ("outage", "rate_limit", "lost_response")


class Fault(BaseModel):
    """What `POST /_control/faults` takes; `count` and `path` narrow it to the next n requests with `path` in theirs."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    for_s: float = Field(gt=0, le=86_400, description="seconds, from now")
    ms: int = Field(1_000, ge=0, le=600_000, description="milliseconds of delay, for kind slow")
    count: int | None = Field(None, ge=1)
    path: str = ""
    reason: str = Field("", description="Gmail's word in a rate limit: rateLimitExceeded or userRateLimitExceeded")


@dataclass
class _Armed:
    fault: Fault
    until: datetime
    left: int | None


class Faults:
    """The faults in force; several may be at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault) -> None:
        """Put a fault in force, in place of one of the same kind and path."""
        self._armed = [a for a in self._armed if (a.fault.kind, a.fault.path) != (fault.kind, fault.path)]
        self._armed.append(_Armed(fault, self._clock.now() + timedelta(seconds=fault.for_s), fault.count))

    def clear(self) -> None:
        self._armed.clear()

    def active(self) -> list[Fault]:
        now = self._clock.now()
        self._armed = [a for a in self._armed if a.until > now and a.left != 0]
        return [a.fault for a in self._armed]

    def take(self, kind: Kind, path: str) -> Fault | None:
        """The fault of this kind that hits a request of this path, counted as used."""
        self.active()
        for armed in self._armed:
            if armed.fault.kind == kind and armed.fault.path in path:
                armed.left = None if armed.left is None else armed.left - 1
                return armed.fault
        return None


@dataclass(frozen=True)
class Refusals:
    """How this provider words a 503 and a 429."""

    outage: Callable[[], Response]
    rate_limit: Callable[[Fault], Response]


class FaultGate:
    """ASGI middleware in front of a provider's API paths."""

    def __init__(
        self, app: ASGIApp, faults: Faults, clock: Clock, prefixes: tuple[str, ...], refusals: Refusals
    ) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._prefixes = prefixes
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(self._prefixes):
            await self._app(scope, receive, send)
            return
        scope[WIRE] = send
        # What is in force when a request comes is what it meets: one that was slow takes nothing that was meant for
        # those after it.
        slow = self._faults.take("slow", path)
        hit = next((fault for kind in _ONE_OF if (fault := self._faults.take(kind, path))), None)
        if slow:
            await self._clock.sleep(slow.ms / 1000)
        await self._answer(hit, scope, receive, send)

    async def _answer(self, hit: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if hit is None:
            await self._app(scope, receive, send)
        elif hit.kind == "outage":
            await self._refusals.outage()(scope, receive, send)
        elif hit.kind == "rate_limit":
            await self._refusals.rate_limit(hit)(scope, receive, send)
        else:
            await self._carry_out_and_hang_up(scope, receive, send)

    async def _carry_out_and_hang_up(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(message: Message) -> None:
            del message

        await self._app(scope, receive, swallow)
        hang_up(send)
        while (await receive())["type"] != "http.disconnect":
            pass


class CutOff(Response):
    """The head and the first bytes of an answer; then the line is dead. `wire` is the server's own `send`."""

    def __init__(self, answer: Response, after: int, wire: Send) -> None:
        super().__init__(status_code=answer.status_code)
        self.raw_headers = answer.raw_headers
        self._begins = bytes(answer.body)[:after]
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._begins, "more_body": True})
        hang_up(self._wire)
        while (await receive())["type"] != "http.disconnect":
            pass


def hang_up(send: Send) -> None:
    """Close the client's connection without a byte of response.

    ASGI has no word for it: the transport is that of uvicorn's request cycle, whose method `send` is.
    Raises ConnectionAbortedError under a server that has none, such as an in-process test transport.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the connection was dropped without a response")
    transport.close()
