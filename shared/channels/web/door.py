"""How much may come in, and from what: rates, the trap and the minimum time of a page (decision 0018).

Counts are kept in the process: with n copies of form-submit n times as much passes at the most, and none is
refused for what another copy counted. Keys are hashes: no address and no ticket is kept in readable form.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.channels.message import Trust
from shared.channels.web.client import Clients
from shared.channels.web.ticket import PageFacts
from shared.channels.web.token import Holder, keyed_id
from shared.errors import FteError, Permanent, Rejected
from shared.runtime.doorway import answer_for
from shared.settings import Settings, key_list


class Door:
    """One process's counts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients = Clients.configured(settings.form_trusted_proxies, settings.form_rate_exempt)
        # Fixed windows, since they know exactly how long to wait.
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._client = _rates(settings.form_rate_client, "FORM_RATE_CLIENT")
        self._email = _rates(settings.form_rate_email, "FORM_RATE_EMAIL")
        self._address = _rates(settings.form_rate_address, "FORM_RATE_ADDRESS")
        self._ticket = _rates(settings.form_rate_ticket, "FORM_RATE_TICKET")

    async def admit(self, request: HTTPConnection) -> None:
        """Count one request of its client. Raises Rejected (429) with the seconds to wait, as those below do."""
        await self._count(request, self._client, "client", self._clients.of(request))

    async def admit_email(self, request: HTTPConnection, holder: Holder) -> None:
        """Count the ticket of `holder` for its address, once however often it is tried.

        Whoever claims an address uses up what their own network may claim of it, so that its owner elsewhere is
        not shut out; all networks together have a much larger share. A signed visitor has a count of their own.
        """
        if holder.trust is Trust.VERIFIED:
            await self._count(request, self._email, "email", f"verified {holder.address}", holder.ticket)
            return
        claimed = f"claimed {holder.address}"
        await self._count(request, self._email, "email", f"{claimed} {self._clients.of(request)}", holder.ticket)
        await self._count(request, self._address, "email", claimed, holder.ticket)

    async def admit_ticket(self, request: HTTPConnection, ticket: str, message: str = "") -> None:
        """Count one message, upload or rating on a ticket; a `message` (its id) once however often it is tried."""
        await self._count(request, self._ticket, "ticket", ticket, message)

    def check_page(self, request: HTTPConnection, page: PageFacts) -> None:
        """What binds a page alone. Raises Rejected: 422 for the trap, 429 for one that was sent too soon."""
        if page.trap:
            raise Rejected(
                "a field that people do not see was filled in, by a robot or by the browser: empty it and send again",
                status=422,
                reason="trap",
                field="trap",
            )
        missing_ms = self._settings.form_min_ms - page.opened_ms
        if missing_ms > 0 and not self._clients.is_exempt(request):
            raise _wait("the form was sent sooner than a person can write", "too-fast", math.ceil(missing_ms / 1000))

    async def _count(
        self, request: HTTPConnection, rates: Sequence[RateLimitItem], kind: str, who: str, attempt: str = ""
    ) -> None:
        if self._clients.is_exempt(request):
            return
        secret = key_list(self._settings.fte_ticket_key, "FTE_TICKET_KEY")[0]
        key = keyed_id(secret, f"rate {kind}", who.encode())
        tried = f"try:{key}:{attempt}"
        fresh = [rate for rate in rates if not attempt or await self._limiter.test(_once(rate), tried)]
        waits = [await self._wait_s(rate, key) for rate in fresh if not await self._limiter.hit(rate, key)]
        if waits:
            raise _wait(_TOO_MANY[kind], "too-many", max(waits))
        # Only now: what was refused has to be counted when it comes again.
        for rate in fresh if attempt else ():
            await self._limiter.hit(_once(rate), tried)

    async def _wait_s(self, rate: RateLimitItem, key: str) -> int:
        stats = await self._limiter.get_window_stats(rate, key)
        # The library counts by the machine's clock, so its reset is compared with that one.
        return max(1, math.ceil(stats.reset_time - time.time()))


class Admission:
    """ASGI middleware that admits the client of every POST before a byte of its body is read.

    FastAPI parses bodies before any dependency runs, so that a route counts only what was well-formed.
    """

    def __init__(self, app: ASGIApp, door: Door, but: frozenset[str]) -> None:
        """`but`: paths that admit for themselves, since they answer people and not programs."""
        self._app, self._door, self._but = app, door, but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429, or go on."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] not in self._but:
            try:
                await self._door.admit(HTTPConnection(scope))
            except FteError as error:
                await answer_for(error, "form-submit")(scope, receive, send)
                return
        await self._app(scope, receive, send)


_TOO_MANY = {
    "client": "too many requests came from this address",
    "email": "too many tickets were opened for this e-mail address",
    "ticket": "too many messages came on this ticket",
}


def _once(rate: RateLimitItem) -> RateLimitItem:
    """Once within the window of `rate`."""
    return type(rate)(1, rate.multiples, "once")


def _wait(why: str, reason: str, seconds: int) -> Rejected:
    unit = "second" if seconds == 1 else "seconds"
    return Rejected(f"{why}: wait {seconds} {unit} and send again", status=429, reason=reason, retry_after_s=seconds)


def _rates(words: str, setting: str) -> list[RateLimitItem]:
    try:
        return parse_many(words)
    except ValueError:
        raise Permanent(f"{setting} is not like `10/minute; 100/hour`", reason="bad-setting") from None
