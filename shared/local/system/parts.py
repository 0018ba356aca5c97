"""The parts of the system on one machine: processes that are kept alive, and servers that are started and stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from shared.errors import Retryable
from shared.local import server_process
from shared.local.kafka.broker import KafkaBroker
from shared.local.postgres import EmbeddedPostgres

_POLL_S = 0.1
_GRACE_S = 35.0


class Part(Protocol):
    """Something that can be taken away and brought back by name."""

    name: str

    async def start(self) -> None:
        """Return once it answers. Raises Retryable when it does not come up."""
        ...

    async def stop(self) -> None:
        """Take it away until `start`."""
        ...

    def pids(self) -> list[int]:
        """Its living processes."""
        ...

    @property
    def wanted(self) -> bool:
        """Whether it should be up."""
        ...


@dataclass
class Program:
    """`copies` processes of one command, restarted when they die."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready_url: str
    copies: int = 1
    wanted: bool = False
    restarts: int = 0
    _pids: list[int | None] = field(default_factory=list[int | None])
    _keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.wanted = True
        self._pids = [self._spawn() for _ in range(self.copies)]
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.name}")
        await self._until_ready()

    async def stop(self) -> None:
        self.wanted = False
        if self._keeper is not None:
            self._keeper.cancel()
        steps = [(signal.SIGTERM, _GRACE_S), (signal.SIGKILL, 5.0)]
        await asyncio.gather(*(server_process.end(pid, steps) for pid in self.pids()))
        self._pids = []

    def pids(self) -> list[int]:
        return [pid for pid in self._pids if pid is not None and server_process.is_running(pid)]

    def _spawn(self) -> int:
        return server_process.spawn(self.argv, self.log, tethered=True, environment=self.environment)

    async def _keep(self) -> None:
        started = [time.monotonic()] * len(self._pids)
        while True:
            await asyncio.sleep(_POLL_S)
            for index, pid in enumerate(self._pids):
                # A copy that dies at once is not started in a tight loop.
                if pid is not None and not server_process.is_running(pid) and time.monotonic() - started[index] > 1.0:
                    self._pids[index], started[index] = self._spawn(), time.monotonic()
                    self.restarts += 1

    async def _until_ready(self, patience_s: float = 60.0) -> None:
        deadline = time.monotonic() + patience_s
        async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(self.ready_url)).status_code < 500:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(_POLL_S)
        end = server_process.last_lines(self.log)
        raise Retryable(f"{self.name} does not answer; the end of its log: {end}", reason="part-not-up")


@dataclass
class Server:
    """PostgreSQL or Kafka: `take_away` is Kafka's `suspend`, so that what waits survives."""

    name: str
    backend: EmbeddedPostgres | KafkaBroker
    begin: Callable[[], Awaitable[None]]
    take_away: Callable[[], Awaitable[None]]
    wanted: bool = False

    async def start(self) -> None:
        self.wanted = True
        await self.begin()

    async def stop(self) -> None:
        self.wanted = False
        await self.take_away()

    def pids(self) -> list[int]:
        return [self.backend.pid] if self.backend.pid else []
