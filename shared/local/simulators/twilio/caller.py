"""Twilio as a client: signed form posts to our webhooks."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.signature import Form, sign

ATTEMPTS = 2  # one retry, and only when no connection came about (…/docs/usage/webhooks/webhooks-connection-overrides)


class Caller:
    """Posts a form to the place behind a public URL, signed for that URL."""

    def __init__(self, config: TwilioConfig) -> None:
        self._config = config
        self.http: httpx.AsyncClient | None = None

    @property
    def public_url(self) -> str:
        return self._config.public_url or self._config.webhook_url

    async def post(self, url: str, form: Form) -> httpx.Response | None:
        """The answer, or None when there was none. `url` is what is signed, to the letter."""
        assert self.http is not None  # noqa: S101 — opened by the app's lifespan
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": sign(self._config.auth_token, url, form),
        }
        for _ in range(ATTEMPTS):
            try:
                return await self.http.post(self._place(url), content=urlencode(form), headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except (httpx.HTTPError, httpx.InvalidURL):
                return None
        return None

    def _place(self, url: str) -> str:
        """Where `url` really is: the public host stands for the webhook's."""
        asked, public = urlsplit(url), urlsplit(self.public_url)
        if (asked.scheme, asked.netloc) != (public.scheme, public.netloc):
            return url
        real = urlsplit(self._config.webhook_url)
        return urlunsplit((real.scheme, real.netloc, asked.path, asked.query, ""))
