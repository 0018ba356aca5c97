"""Who is there: each function's health as it says itself, and how many events wait for it in Kafka.

A function that is down takes nothing, so what waits for it grows; one that sleeps wakes up to be asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from shared.events.lag import Waiting
from shared.settings import Settings

#: From zero a function answers within seconds (specs/runbooks/capacity.md); longer is down for who asks.
_PATIENCE_S = 10.0
_FUNCTIONS = ("gmail-push", "whatsapp-webhook", "form-submit", "agent-run", "send-reply", "dlq-review")


@dataclass(frozen=True, slots=True)
class RollCall:
    """`urls` are base URLs by function; one without is not asked."""

    urls: Mapping[str, str]
    http: httpx.AsyncClient
    waiting: Waiting

    async def call(self) -> dict[str, dict[str, Any]]:
        """By function `{status, reason, waiting}`.

        status is ok, unavailable (it answers and says it cannot serve), down (it does not answer) or unknown (nobody
        said where it is); waiting is how many events it has not taken yet, None where it takes none or Kafka does
        not tell.
        """
        waiting, *states = await asyncio.gather(self.waiting.by_function(), *map(self._ask, _FUNCTIONS))
        return {name: {**state, "waiting": waiting.get(name)} for name, state in zip(_FUNCTIONS, states, strict=True)}

    async def _ask(self, name: str) -> dict[str, Any]:
        if name not in self.urls:
            return {"status": "unknown", "reason": None}
        try:
            answer = await self.http.get(f"{self.urls[name]}/health")
            said = answer.json()
        except (httpx.HTTPError, ValueError):
            return {"status": "down", "reason": "no-answer"}
        known = isinstance(said, dict)
        status = "ok" if answer.status_code == 200 and known else "unavailable"
        return {"status": status, "reason": said.get("reason") if known else None}


@asynccontextmanager
async def open_roll_call(settings: Settings) -> AsyncGenerator[RollCall]:
    """With a client of its own. FUNCTION_URLS names where each function is."""
    pairs = (entry.partition("=") for entry in settings.function_urls)
    urls = {name.strip(): url.strip().rstrip("/") for name, _, url in pairs if url.strip()}
    async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as http:
        yield RollCall(urls, http, Waiting(settings))
