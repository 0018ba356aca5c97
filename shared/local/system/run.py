"""Running the system: in the foreground with a live view, or detached behind its control API.

One system per home: a lock file held by the supervisor's process tells a second start that the
first is there, and is gone with the process however it ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, TextIO

import httpx

from shared.errors import Permanent, Retryable
from shared.local import server_process
from shared.local.system.control import control_server
from shared.local.system.home import Home
from shared.local.system.supervisor import Say, Supervisor

_START_S = 240.0
_DOWN_S = 90.0
MARKER = "shared.cli.fte"


@asynccontextmanager
async def running(home: Home, say: Say, down: asyncio.Event) -> AsyncGenerator[Supervisor]:
    """The system, up inside the block and ended after it. Raises Permanent when one is up already."""
    home.prepare()
    lock = _lock(home)
    supervisor = Supervisor(home, say)
    try:
        await _start_unless_stopped(supervisor, down)
        server = control_server(supervisor, down, supervisor.plan.ports["control"])
        tasks = [asyncio.create_task(server.serve()), asyncio.create_task(supervisor.keep_servers())]
        yield supervisor
        server.should_exit = True
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await supervisor.stop()
        home.supervisor_file.unlink(missing_ok=True)
        lock.close()


async def _start_unless_stopped(supervisor: Supervisor, down: asyncio.Event) -> None:
    """Start; who asks it to end meanwhile (Ctrl-C) need not wait until everything is up."""
    starting = asyncio.create_task(supervisor.start(), name="start")
    asked = asyncio.create_task(down.wait(), name="asked-to-end")
    await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        raise Permanent("stopped before everything was up", reason="stopped")
    await starting


async def supervise(home: Home) -> None:
    """The detached supervisor: up until SIGTERM, SIGINT or /down."""
    down = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, down.set)
    async with running(home, _log_line, down):
        _log_line("ready")
        await down.wait()
        _log_line("going down")


async def detach(home: Home, say: Say) -> dict[str, Any]:
    """Start a supervisor of its own session and return the endpoints once everything answers.

    It holds none of the caller's descriptors. Raises Permanent when one is up, Retryable with the
    end of its log when it does not come up.
    """
    home.prepare()
    refuse_second(home)
    home.endpoints_file.unlink(missing_ok=True)
    log = home.logs / "supervisor.log"
    command = [sys.executable, "-m", MARKER, "supervise"]
    environment = {**os.environ, "FTE_HOME": str(home.folder)}
    said = log.stat().st_size if log.exists() else 0
    pid = server_process.spawn(command, log, tethered=False, environment=environment)
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and server_process.is_running(pid):
        said = _tell(log, said, say)
        endpoints = home.endpoints()
        if endpoints is not None:
            return endpoints
        await asyncio.sleep(0.2)
    _tell(log, said, say)
    raise Retryable(f"the system did not come up; all it said is in {log}", reason="not-up")


async def take_down(home: Home, *, purge: bool) -> bool:
    """End the system of this home; whether one was up. `purge` removes its data too."""
    pid = supervisor_pid(home)
    if pid is not None:
        steps = [(signal.SIGTERM, _DOWN_S), (signal.SIGKILL, 5.0)]
        await server_process.end(pid, steps)
    await _end_leftovers(home)
    home.endpoints_file.unlink(missing_ok=True)
    if purge:
        await asyncio.to_thread(shutil.rmtree, home.folder, ignore_errors=True)
    return pid is not None


async def call(home: Home, method: str, path: str) -> Any:
    """Ask the supervisor. Raises Permanent when none is up, or with its word when it refuses."""
    endpoints = home.endpoints()
    if endpoints is None:
        raise Permanent("nothing is up here: start it with `make up` or `fte up`", reason="not-up")
    headers = {"Authorization": f"Bearer {endpoints['operator_token']}"}
    try:
        async with httpx.AsyncClient(timeout=_DOWN_S, trust_env=False) as client:
            response = await client.request(method, endpoints["control"] + path, headers=headers)
    except httpx.HTTPError:
        raise Permanent("the supervisor does not answer: try `fte down`, then `fte up`", reason="not-up") from None
    if response.status_code >= 400:
        raise Permanent(response.json()["error"]["message"], reason="refused")
    return response.json()


def supervisor_pid(home: Home) -> int | None:
    """The living supervisor of this home, foreground or detached."""
    pid = server_process.read_pid(home.supervisor_file)
    return pid if pid is not None and server_process.is_running(pid) and _is_locked(home) else None


def refuse_second(home: Home) -> None:
    """Raises Permanent when a system of this home is up."""
    pid = supervisor_pid(home)
    if pid is not None:
        endpoints = home.endpoints()
        where = f" at {endpoints['webform']}" if endpoints else ", still starting"
        raise Permanent(f"it is up already{where} (pid {pid}): `fte down` ends it", reason="already-up")


def _lock(home: Home) -> TextIO:
    file = open(home.supervisor_file, "a+", encoding="utf-8")  # noqa: SIM115  held as long as the process lives
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        pid = server_process.read_pid(home.supervisor_file)
        raise Permanent(f"it is up already (pid {pid}): `fte down` ends it", reason="already-up") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _is_locked(home: Home) -> bool:
    with suppress(FileNotFoundError), open(home.supervisor_file, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
    return False


async def _end_leftovers(home: Home) -> None:
    """Servers that outlived a killed supervisor: found by their pid files."""
    from shared.local.kafka.apache import ApacheKafka
    from shared.local.postgres import EmbeddedPostgres

    await EmbeddedPostgres(home.folder / "postgres", 0).stop()
    await ApacheKafka(home.folder / "kafka", 0).stop()


def _tell(log: Any, offset: int, say: Say) -> int:
    with suppress(FileNotFoundError), open(log, encoding="utf-8", errors="replace") as file:
        file.seek(offset)
        lines = file.read()
        for line in lines.splitlines():
            say(line)
        return offset + len(lines.encode())
    return offset


def _log_line(line: str) -> None:
    print(line, flush=True)
