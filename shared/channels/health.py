"""Every function's `/health`: its own dependencies, and the state of the three channels."""

from __future__ import annotations

from collections.abc import Awaitable

from shared.channels.cursors import channel_health
from shared.db.pool import Database
from shared.errors import FteError
from shared.runtime.health import CHANNELS, ChannelHealth, Health, first_failure


async def health_with(db: Database, *checks: tuple[str, Awaitable[object]]) -> Health:
    """Serving while every check passes (`db` among them); a channel without a mark against it is well."""
    failed = await first_failure([("postgres", db.ping()), *checks])
    if failed is not None:
        return Health(serving=False, reason=f"{failed}-away")
    try:
        marked = await channel_health(db)
    except FteError:
        return Health(serving=True)
    return Health(serving=True, channels={name: marked.get(name, ChannelHealth()) for name in CHANNELS})
