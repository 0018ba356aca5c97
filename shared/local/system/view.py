"""The live view of `fte up`: who is up, messages in and out, the last errors. Calm: one screen, once a second.

Without a terminal it says a line only when something changes.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import FteError
from shared.local.system.supervisor import Supervisor
from shared.settings import Settings

_EVERY_S = 1.0
# The screen is not to stand still while PostgreSQL is away.
_COUNT_S = 1.5
_TAIL_BYTES = 65_536
_ERRORS = 5
_COLOURS = {"up": "green", "down": "red", "stopped": "yellow"}


async def watch(supervisor: Supervisor, down: asyncio.Event) -> None:
    """Show the system until `down` is set."""
    console = Console(stderr=True)
    counts = Counts(supervisor)
    try:
        if console.is_terminal:
            await _live(console, supervisor, counts, down)
        else:
            await _lines(supervisor, down)
    finally:
        await counts.close()


async def _live(console: Console, supervisor: Supervisor, counts: Counts, down: asyncio.Event) -> None:
    since = datetime.now(UTC).isoformat()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not down.is_set():
            errors = await asyncio.to_thread(last_errors, supervisor.home.logs, since)
            live.update(_screen(supervisor.state(), await counts.read(), errors), refresh=True)
            await _pause(down)


async def _lines(supervisor: Supervisor, down: asyncio.Event) -> None:
    before: dict[str, str] = {}
    while not down.is_set():
        now = {part["name"]: part["state"] for part in supervisor.state()}
        for name, state in now.items():
            if before.get(name, "up") != state:
                supervisor.say(f"{name} is {state}")
        before = now
        await _pause(down)


async def _pause(down: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_EVERY_S):
            await down.wait()
    except TimeoutError:
        return


class Counts:
    """Messages, deliveries and tickets, read from the CRM."""

    def __init__(self, supervisor: Supervisor) -> None:
        endpoints = supervisor.home.endpoints() or {}
        self._db = Database.from_settings(
            Settings(
                database_url=endpoints.get("postgres", "unset"),  # pyright: ignore[reportArgumentType]
                database_pool_size=1,
                database_timeout_s=_COUNT_S,
            )
        )

    async def read(self) -> dict[str, Any]:
        """The counts, or nothing while PostgreSQL is away."""
        try:
            row = await self._db.fetchrow(load("tickets")["counts"])
        except FteError:
            return {}
        return dict(row or {})

    async def close(self) -> None:
        """Give the connection back."""
        await self._db.close()


def _screen(parts: list[dict[str, Any]], counts: dict[str, Any], errors: Iterable[str]) -> Group:
    table = Table(box=None, header_style="bold")
    for column in ("part", "state", "copies", "restarts"):
        # As wide as its widest word, so that nothing moves when a part stops.
        table.add_column(column.upper(), min_width=len("stopped"))
    for part in parts:
        state = Text(part["state"], style=_COLOURS[part["state"]])
        table.add_row(part["name"], state, str(len(part["pids"])), str(part["restarts"] or ""))
    lines = [Text(""), *(Text(f" {line}") for line in _sentences(counts)), Text("")]
    # A line each, whatever the width: a screen that grows and shrinks jumps.
    lines += [Text(f" {error}", style="red", no_wrap=True, overflow="ellipsis") for error in errors]
    return Group(table, *lines, Text(" Ctrl-C ends it", style="dim"))


def _sentences(counts: dict[str, Any]) -> tuple[str, ...]:
    if not counts:
        return ("PostgreSQL does not answer", "", "")
    return (
        f"last 24 h  {counts['inbound_day']} messages in, {counts['delivered_day']} answers delivered",
        f"now        {counts['waiting']} to answer, {counts['undelivered']} to deliver, "
        f"{counts['dead_letters']} dead letters",
        f"tickets    {counts['open']} open, {counts['escalated']} with a person",
    )


def last_errors(logs: Path, since: str = "", most: int = _ERRORS) -> list[str]:
    """The newest lines of level error over all logs, oldest first: time, function, event, reason.

    `since` is ISO 8601 in UTC, as the logs' timestamps are: an earlier run's errors are no news.
    """
    found: deque[tuple[str, str]] = deque()
    for log in logs.glob("*.log"):
        found.extend(_errors_in(log))
    return [line for at, line in sorted(found)[-most:] if at >= since]


def _errors_in(log: Path) -> list[tuple[str, str]]:
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [(entry["timestamp"], _one_line(entry)) for line in lines if (entry := _error(line))]


def _error(line: str) -> dict[str, Any] | None:
    try:
        entry: Any = json.loads(line)
        datetime.fromisoformat(entry["timestamp"])
        return entry if entry["level"] == "error" else None
    except (ValueError, KeyError, TypeError):
        return None


def _one_line(entry: dict[str, Any]) -> str:
    causes = (entry.get(name) for name in ("reason", "error_reason", "cause", "error_type"))
    cause = next((cause for cause in causes if cause), None)
    at = datetime.fromisoformat(entry["timestamp"]).astimezone()
    words = (entry.get("function"), entry.get("event_type"), entry.get("outcome"), cause)
    return " ".join([f"{at:%H:%M:%S}", *(str(word) for word in words if word)])
