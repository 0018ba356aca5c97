"""What `/health` says: can the function serve, and how is each channel.

`{"status": "ok"|"unavailable", "channels": {"email": {"status": "ok"|"degraded"|"unknown",
"reason"?, "action"?, "since"?}, "whatsapp": …, "web": …}}`. A degraded channel does not make the function
fail: the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: What mends a state that does not pass by itself.
WHAT_TO_DO = {
    "auth": "the provider refuses our credentials: for Gmail run `fte gmail login` and set GMAIL_CREDENTIALS",
    "watch-expired": "run `fte gmail watch`; mail comes with the poll meanwhile",
    "watch-expires-soon": "run `fte gmail watch`; its daily renewal fails",
}
CHANNELS = ("email", "whatsapp", "web")


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One channel: `reason` is a short word without personal data, `since` when it began."""

    status: str = "ok"
    reason: str | None = None
    since: datetime | None = None

    def as_json(self) -> dict[str, str]:
        """Only what is known."""
        shown = {"status": self.status}
        if self.reason:
            shown["reason"] = self.reason
            if self.reason in WHAT_TO_DO:
                shown["action"] = WHAT_TO_DO[self.reason]
        if self.since:
            shown["since"] = self.since.isoformat()
        return shown


@dataclass(frozen=True, slots=True)
class Health:
    """A function's health at one moment."""

    serving: bool
    channels: Mapping[str, ChannelHealth] = field(default_factory=dict[str, ChannelHealth])
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The body of `/health`; a channel nothing is known of is said to be unknown."""
        shown: dict[str, Any] = {
            "status": "ok" if self.serving else "unavailable",
            "channels": {name: self.channels.get(name, ChannelHealth("unknown")).as_json() for name in CHANNELS},
        }
        if self.reason:
            shown["reason"] = self.reason
        return shown


async def first_failure(checks: Iterable[tuple[str, Awaitable[object]]], timeout_s: float = 2.5) -> str | None:
    """Run the named checks side by side; the name of the first that failed, or None."""
    named = list(checks)
    results = await asyncio.gather(*(_passes(check, timeout_s) for _, check in named))
    return next((name for (name, _), passed in zip(named, results, strict=True) if not passed), None)


async def _passes(check: Awaitable[object], timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await check
    except Exception:  # noqa: BLE001  whatever the driver raises, the dependency does not answer
        return False
    return True
