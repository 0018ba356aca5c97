"""The operators' side as it is used: the desk behind a real port, and `kn-fte` as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import uvicorn

from shared.clock import SystemClock
from shared.db.pool import Database
from shared.dead_letters.api import build_api
from shared.dead_letters.office import Office
from shared.dead_letters.sweep import Sweep
from shared.events.kafka import KafkaProducer
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell; `name` is who they are."""

    url: str
    token: str
    office: Office
    name: str = "sam"

    async def kn(self, *arguments: str, answer: str | None = None) -> Said:
        """Run `kn-fte`; with an `answer` on a terminal, where it is asked questions."""
        environment = {"FTE_DESK_URL": self.url, "FTE_OPERATOR_TOKEN": self.token, "FTE_OPERATOR": self.name}
        given, theirs = pty.openpty() if answer is not None else (None, asyncio.subprocess.DEVNULL)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "shared.cli.kn_fte", *arguments),
            env={**os.environ, **environment},
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if given is not None:
            os.write(given, f"{answer}\n".encode())
        out, err = await asyncio.wait_for(process.communicate(), 60)
        for descriptor in (given, theirs) if given is not None else ():
            os.close(cast(int, descriptor))
        return Said(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def operator(db: Database, vault: Vault, settings: Settings, producer: KafkaProducer) -> AsyncGenerator[Operator]:
    """A desk that is up, and who sits at it. Dead letters and the knowledge base are not asked."""
    nothing, clock = cast(Any, None), SystemClock()
    office = Office(
        settings=settings,
        db=db,
        vault=vault,
        clock=clock,
        producer=producer,
        box=nothing,
        sweep=Sweep(db, producer, clock),
        desk=desk_of(db, vault, settings),
        library=nothing,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_api(office), log_level="warning", ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    token = settings.fte_operator_token.get_secret_value()
    yield Operator(f"http://127.0.0.1:{listener.getsockname()[1]}", token, office)
    server.should_exit = True
    await serving
