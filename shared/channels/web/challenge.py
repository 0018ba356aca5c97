"""An optional challenge, by the protocol that Turnstile, hCaptcha and reCAPTCHA share.

`POST secret=…&response=…` to FORM_CHALLENGE_URL answers JSON with `success`. While the service is away the form
stays open: the rates still bind, and a robot's message costs less than a customer who cannot write (decision 0018).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import httpx

from shared.errors import Rejected
from shared.observability.logs import logger
from shared.observability.metrics import CHALLENGES
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Challenge:
    """The service, or none while FORM_CHALLENGE_URL is not set."""

    url: str
    secret: str
    http: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncGenerator[Challenge]:
        """With a client of its own, closed in the end."""
        secret = settings.form_challenge_secret.get_secret_value()
        async with httpx.AsyncClient(timeout=settings.form_challenge_timeout_s, transport=transport) as http:
            yield cls(settings.form_challenge_url, secret, http)

    async def require(self, response: str, try_id: UUID) -> None:
        """Raise Rejected (422) unless the visitor passed; `try_id` is the same for each try of one sending."""
        if not self.url:
            return
        if not response:
            raise _refused("solve the challenge and send again", "challenge-needed")
        passed = await self._ask(response, try_id)
        CHALLENGES.labels({True: "passed", False: "failed", None: "away"}[passed]).inc()
        if passed is False:
            raise _refused("the challenge was not passed or is spent: solve it again", "challenge-failed")

    async def _ask(self, response: str, try_id: UUID) -> bool | None:
        # The visitor's address is not told. The key lets Turnstile judge a second try as the first.
        asked = {"secret": self.secret, "response": response, "idempotency_key": str(try_id)}
        try:
            answer = await self.http.post(self.url, data=asked)
            answer.raise_for_status()
            said: object = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            logger().error("challenge_away", error=type(error).__name__)
            return None
        return isinstance(said, dict) and cast(dict[str, Any], said).get("success") is True


def _refused(message: str, reason: str) -> Rejected:
    return Rejected(message, status=422, reason=reason, field="challenge")
