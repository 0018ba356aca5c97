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

from shared.channels.web.client import Clients
from shared.channels.web.ticket import PageFacts
from shared.channels.web.token import keyed_id
from shared.errors import Permanent, Rejected
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
        self._ticket = _rates(settings.form_rate_ticket, "FORM_RATE_TICKET")

    async def admit(self, request: HTTPConnection) -> None:
        """Count one request of its client. Raises Rejected (429) with the seconds to wait, as those below do."""
        await self._count(request, self._client, "client", self._clients.of(request))

    async def admit_email(self, request: HTTPConnection, address: str) -> None:
        """Count one ticket for an address."""
        await self._count(request, self._email, "email", address)

    async def admit_ticket(self, request: HTTPConnection, ticket: str) -> None:
        """Count one message, upload or rating on a ticket."""
        await self._count(request, self._ticket, "ticket", ticket)

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

    async def _count(self, request: HTTPConnection, rates: Sequence[RateLimitItem], kind: str, who: str) -> None:
        if self._clients.is_exempt(request):
            return
        key = keyed_id(key_list(self._settings.fte_ticket_key, "FTE_TICKET_KEY")[0], f"rate {kind}", who.encode())
        waits = [await self._wait_s(rate, key) for rate in rates if not await self._limiter.hit(rate, key)]
        if waits:
            raise _wait(_TOO_MANY[kind], "too-many", max(waits))

    async def _wait_s(self, rate: RateLimitItem, key: str) -> int:
        stats = await self._limiter.get_window_stats(rate, key)
        # The library counts by the machine's clock, so its reset is compared with that one.
        return max(1, math.ceil(stats.reset_time - time.time()))


_TOO_MANY = {
    "client": "too many requests came from this address",
    "email": "too many tickets were opened for this e-mail address",
    "ticket": "too many messages came on this ticket",
}


def _wait(why: str, reason: str, seconds: int) -> Rejected:
    unit = "second" if seconds == 1 else "seconds"
    return Rejected(f"{why}: wait {seconds} {unit} and send again", status=429, reason=reason, retry_after_s=seconds)


def _rates(words: str, setting: str) -> list[RateLimitItem]:
    try:
        return parse_many(words)
    except ValueError:
        raise Permanent(f"{setting} is not like `10/minute; 100/hour`", reason="bad-setting") from None
