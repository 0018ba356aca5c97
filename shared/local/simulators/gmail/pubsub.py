"""The Pub/Sub push subscription (cloud.google.com/pubsub/docs/push): signed, repeated until acknowledged."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from shared.clock import Clock
from shared.local.simulators.background import Background
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.keys import PushKeys, new_key
from shared.local.simulators.gmail.rows import PushRow
from shared.local.simulators.journal import Journal, Table

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
OUTSTANDING = 20  # pushes under way at once
BadToken = Literal["missing", "signature", "audience", "email", "unverified", "issuer", "expired"]


_FALSE_CLAIMS: dict[str, dict[str, Any]] = {
    "audience": {"aud": "https://elsewhere.example.net/push"},
    "email": {"email": "someone@example.net"},
    "unverified": {"email_verified": False},
    "issuer": {"iss": "https://issuer.example.net"},
}


class Repeat(BaseModel):
    """What `POST /_control/push` takes."""

    model_config = ConfigDict(extra="forbid")

    repeat: int = Field(1, ge=1, le=100)
    bad_token: BadToken | None = None
    rotate_key: bool = False


class Subscription:
    """Notifications of the mailbox on their way to the push endpoint."""

    def __init__(
        self, config: GmailConfig, journal: Journal, clock: Clock, keys: PushKeys, background: Background
    ) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._keys = keys
        self._background = background
        self._waiting = Table(journal, "pushes", PushRow)
        self._places = asyncio.Semaphore(OUTSTANDING)
        self._last: PushRow | None = None
        self.http: httpx.AsyncClient | None = None

    def __len__(self) -> int:
        """How many notifications are not acknowledged."""
        return len(self._waiting)

    def publish(self, history_id: int) -> None:
        """Notify the push endpoint, if there is one, in the background."""
        if self._config.push_url:
            row = self._waiting.put(self._notification(history_id))
            self._last = row
            self._background.start(self._deliver(row))

    def resume(self) -> None:
        """Go on with what an earlier process had not delivered."""
        for row in self._waiting:
            self._background.start(self._deliver(row))

    def forget(self) -> None:
        self._waiting.clear()

    async def repeat(self, asked: Repeat, history_id: int) -> list[int]:
        """Push the last notification again, once each, waiting for the answers; 0 stands for no answer."""
        row = self._last or self._notification(history_id)
        if asked.rotate_key:
            await self._keys.rotate()
        return [await self._push(row, await self._token(asked.bad_token)) for _ in range(asked.repeat)]

    def _notification(self, history_id: int) -> PushRow:
        data = json.dumps({"emailAddress": self._config.mailbox, "historyId": history_id})
        published = int(self._clock.now().timestamp() * 1000)
        message_id = str(10**15 + secrets.randbelow(9 * 10**15))
        return PushRow(id=message_id, data=base64.b64encode(data.encode()).decode(), published=published)

    async def _deliver(self, row: PushRow) -> None:
        pause = self._config.push_backoff_min_s
        while self._waiting.get(row.id) is not None and not self._is_too_old(row):
            async with self._places:
                status = await self._push(row, await self._token(None))
            if status in ACKNOWLEDGED:
                break
            await self._clock.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 — jitter
            pause = min(pause * 2, self._config.push_backoff_max_s)
        self._waiting.drop(row.id)
        await self._journal.flush()

    def _is_too_old(self, row: PushRow) -> bool:
        return self._clock.now() > _instant(row) + timedelta(seconds=self._config.push_retention_s)

    async def _push(self, row: PushRow, token: str) -> int:
        assert self.http is not None  # noqa: S101 — opened by the app's lifespan
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            answer = await self.http.post(self._config.push_url, json=self._envelope(row), headers=headers)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def _envelope(self, row: PushRow) -> dict[str, Any]:
        at = _instant(row).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # Pub/Sub writes both spellings of the two names.
        names = {"messageId": row.id, "message_id": row.id, "publishTime": at, "publish_time": at}
        return {"message": {"data": row.data, **names}, "subscription": self._config.push_subscription}

    async def _token(self, bad: BadToken | None) -> str:
        claims = self._claims()
        if bad == "missing":
            return ""
        if bad == "signature":
            return self._keys.forge(claims, await asyncio.to_thread(new_key))
        if bad == "expired":
            return self._keys.sign(claims | {"iat": claims["iat"] - 7_200, "exp": claims["exp"] - 7_200})
        return self._keys.sign(claims | _FALSE_CLAIMS.get(bad or "", {}))

    def _claims(self) -> dict[str, Any]:
        now = int(self._clock.now().timestamp())
        return {
            "iss": "https://accounts.google.com",
            "aud": self._config.push_audience or self._config.push_url,
            "azp": "100000000000000000001",
            "sub": "100000000000000000001",
            "email": self._config.push_service_account,
            "email_verified": True,
            "iat": now,
            "exp": now + 3_600,
        }


def _instant(row: PushRow) -> datetime:
    return datetime.fromtimestamp(row.published / 1000, UTC)
