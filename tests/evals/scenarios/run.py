"""Running many scenarios at once on one system, and bringing up a system to run them on."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shared.local import server_process
from shared.local.system.home import Home
from tests.evals.scenarios.outside import Outside
from tests.evals.scenarios.play import Player, ScriptedModel, Try
from tests.evals.scenarios.report import Report
from tests.evals.scenarios.story import Scenario

#: How long one step may take on a machine that others use too.
PATIENCE_S = 90.0
_PROVIDERS = ("gmail", "twilio")
_FAKE_START_S = 60.0


class Unfit(Exception):
    """The system is none to play customers on."""


@dataclass(frozen=True, slots=True)
class Target:
    """A system that is up; `model` is the URL of the fake that its model's endpoint is, if it is one."""

    home: Path
    environment: Mapping[str, str]
    model: str = ""


async def run(
    target: Target, scenarios: Sequence[Scenario], *, k: int = 1, at_once: int = 12, patience_s: float = PATIENCE_S
) -> Report:
    """Play each scenario k times. Raises Unfit when nothing is up, or a channel leads to a real provider."""
    endpoints = Home(target.home).endpoints()
    if endpoints is None:
        raise Unfit(f"nothing is up in {target.home}: `fte up` starts it")
    if real := [name for name in _PROVIDERS if name not in endpoints["simulators"]]:
        raise Unfit(f"{' and '.join(real)} would be the real one: scenarios write to simulators alone")
    began = time.monotonic()
    # A connection for each request: one that was kept may be closed at the very moment it is used again.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
        outside = Outside(endpoints, target.environment, client)
        model = ScriptedModel(target.model, client) if target.model else None
        players = [Player(outside, one, number, model) for number in range(1, k + 1) for one in scenarios]
        tries = await _play(players, 1 if model else at_once, patience_s)
        end = time.monotonic()
        await asyncio.gather(*(player.recount(end) for player in players))
    return Report(tries, k, time.monotonic() - began)


async def _play(players: Sequence[Player], at_once: int, patience_s: float) -> list[Try]:
    seats = asyncio.Semaphore(at_once)

    async def one(player: Player) -> Try:
        async with seats:
            return await player.play(patience_s)

    return list(await asyncio.gather(*map(one, players)))


@asynccontextmanager
async def system(folder: Path, more: Mapping[str, str]) -> AsyncGenerator[Target]:
    """A system of our own, up inside the block, with no channel and no model but those of `more`."""
    ours = ("TWILIO_", "GMAIL_", "OPENAI_", "FTE_", "DATABASE_URL", "KAFKA_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # Empty, and not absent: an absent one would be read from `.env`.
    environment |= {"FTE_HOME": str(folder), "OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", **more}
    await _fte(environment, "up", "--detach")
    try:
        yield Target(folder, environment, more.get("OPENAI_BASE_URL", ""))
    finally:
        await _fte(environment, "down")


@asynccontextmanager
async def scripted_model(folder: Path) -> AsyncGenerator[str]:
    """The fake of a model's endpoint; its URL without `/v1`."""
    port = server_process.free_port()
    command = [sys.executable, "-m", "shared.local.simulators.openai", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await _answers(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> None:
    deadline = time.monotonic() + _FAKE_START_S
    async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
        while True:
            try:
                await client.get(f"{url}/_control/health")
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise Unfit("the scripted model did not come up") from None
                await asyncio.sleep(0.1)
            else:
                return


async def _fte(environment: Mapping[str, Any], *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.cli.fte", *arguments),
        env=dict(environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    if process.returncode:
        raise Unfit(f"fte {arguments[0]}: {err.decode().strip()[-400:]}")
