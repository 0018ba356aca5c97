"""The live view of `fte up`: who is up, messages in and out, the last errors. Calm: one screen, once a second.

Without a terminal it says a line only when something changes.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable
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
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while not down.is_set():
            errors = await asyncio.to_thread(last_errors, supervisor.home.logs)
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
            Settings(database_url=endpoints.get("postgres", "unset"), database_pool_size=1)  # pyright: ignore[reportArgumentType]
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
        table.add_column(column.upper())
    for part in parts:
        state = Text(part["state"], style=_COLOURS[part["state"]])
        table.add_row(part["name"], state, str(len(part["pids"])), str(part["restarts"] or ""))
    lines = [Text(""), Text(_sentence(counts))]
    lines += [Text(error, style="red") for error in errors]
    return Group(table, *lines, Text("Ctrl-C ends it", style="dim"))


def _sentence(counts: dict[str, Any]) -> str:
    if not counts:
        return "PostgreSQL does not answer"
    return (
        f"today: {counts['inbound_day']} messages in, {counts['delivered_day']} delivered · "
        f"waiting {counts['waiting']}, undelivered {counts['undelivered']} · "
        f"tickets: {counts['open']} open, {counts['escalated']} with a person · dead letters {counts['dead_letters']}"
    )


def last_errors(logs: Path, most: int = _ERRORS) -> list[str]:
    """The newest lines of level error over all logs, oldest first: time, function, event, reason."""
    found: deque[tuple[str, str]] = deque()
    for log in logs.glob("*.log"):
        found.extend(_errors_in(log))
    return [line for _, line in sorted(found)[-most:]]


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
        return entry if entry["level"] == "error" and entry["timestamp"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _one_line(entry: dict[str, Any]) -> str:
    reason = entry.get("reason") or entry.get("error_type") or entry.get("cause") or ""
    return f"{entry['timestamp'][11:19]} {entry.get('function', '')} {entry.get('event_type', '')} {reason}".rstrip()
