"""How far each channel was read, when it is due again, and whether its provider answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.db.pool import Database
from shared.db.queries import load
from shared.runtime.health import ChannelHealth

SQL = load("channel_cursors")


@dataclass(frozen=True, slots=True)
class Cursor:
    """One channel's row; `value` is the provider's own (Gmail: historyId), None before the first read."""

    value: str | None = None
    watch_expires: datetime | None = None
    next_due: datetime | None = None
    seen_at: datetime | None = None


async def read_cursor(db: Database, channel: str) -> Cursor:
    """The channel's row, or an empty one. Raises Retryable without PostgreSQL."""
    row = await db.fetchrow(SQL["read"], channel)
    return Cursor(row["cursor"], row["watch_expires"], row["next_due"], row["seen_at"]) if row else Cursor()


async def advance_cursor(db: Database, channel: str, value: str) -> None:
    """Move forward to `value` (decimal digits); never back."""
    await db.execute(SQL["advance"], channel, value)


async def reset_cursor(db: Database, channel: str, value: str) -> None:
    """Set to `value` whatever it was: after a resync alone."""
    await db.execute(SQL["reset"], channel, value)


async def set_watch(db: Database, channel: str, expires: datetime) -> None:
    """Remember until when the provider pushes."""
    await db.execute(SQL["set_watch"], channel, expires)


async def forget_watch(db: Database, channel: str) -> None:
    """The provider is not asked to push any more."""
    await db.execute(SQL["forget_watch"], channel)


async def set_due(db: Database, channel: str, at: datetime) -> None:
    """Remember when the sweep should have the channel polled."""
    await db.execute(SQL["set_due"], channel, at)


async def mark_degraded(db: Database, channel: str, reason: str) -> None:
    """The provider fails with `reason`, a short word; since when is kept."""
    await db.execute(SQL["mark_degraded"], channel, reason[:100])


async def mark_well(db: Database, channel: str) -> None:
    """The provider answers again."""
    await db.execute(SQL["mark_well"], channel)


async def channel_health(db: Database) -> dict[str, ChannelHealth]:
    """Every channel with a row: degraded with its reason, or ok."""
    rows = await db.fetch(SQL["health"])
    return {
        row["channel"]: ChannelHealth("degraded", row["degraded_reason"], row["degraded_since"])
        if row["degraded_reason"]
        else ChannelHealth()
        for row in rows
    }
