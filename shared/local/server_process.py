"""A server that is somebody else's program: started, found again by its pid, and ended.

It gets a session of its own and writes to its log alone, so that it holds no descriptor of the
caller. A tethered server dies with the process that started it (Linux: PR_SET_PDEATHSIG, through
util-linux's `setpriv`); a detached one lives on and is found again by its pid file.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.errors import Permanent

_POLL_S = 0.02
_RESET_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Account:
    """The user a server runs as when we are root, and whether it must pass through folders closed to it."""

    name: str
    uid: int
    gid: int
    through_private_folders: bool = False


def spawn(
    argv: Sequence[str],
    log: Path,
    *,
    tethered: bool,
    environment: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
) -> int:
    """Start a program in a session of its own and return its pid; stdout and stderr are appended to `log`.

    Call it on the thread that lives as long as the process: the tether is tied to that thread.
    Raises Permanent when another account is asked for and `setpriv` is missing.
    """
    command = [*_prefix(tethered, death_signal, account), *argv]
    log.parent.mkdir(parents=True, exist_ok=True)
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inherited()),
    ]
    return os.posix_spawn(
        shutil.which(command[0]) or command[0],
        command,
        dict(os.environ if environment is None else environment),
        file_actions=actions,  # pyright: ignore[reportArgumentType]
        setsid=True,
        setsigmask=(),
        setsigdef=_RESET_SIGNALS,
    )


def _prefix(tethered: bool, death_signal: signal.Signals, account: Account | None) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if account is not None:
            raise Permanent("setpriv (util-linux) is needed to leave root behind", reason="setpriv-missing")
        return []
    options: list[str] = []
    if account is not None:
        options += ["--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]
        if account.through_private_folders:
            options += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    if tethered:
        options += ["--pdeathsig", death_signal.name.removeprefix("SIG")]
    return [setpriv, *options, "--"] if options else []


def _inherited() -> list[int]:
    """Descriptors above stderr that exec would hand on: the caller's pipes and locks."""
    with suppress(OSError):
        return [number for name in os.listdir("/dev/fd") if (number := int(name)) > 2 and _is_inheritable(number)]
    return []


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False


def is_running(pid: int) -> bool:
    """Whether the process lives; a child of ours that has ended is reaped."""
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def find(pid_file: Path, marker: str) -> int | None:
    """The pid in the first line of `pid_file`, if that process lives and has `marker` in its command line.

    The marker (a path of ours) tells our server from a stranger who got the same pid after a reboot.
    """
    pid = read_pid(pid_file)
    if pid is None or not is_running(pid):
        return None
    try:
        return pid if any(marker in argument for argument in psutil.Process(pid).cmdline()) else None
    except psutil.Error:
        return None


def read_pid(pid_file: Path) -> int | None:
    """The number in the first line of `pid_file`, whether or not it lives."""
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def processes_in(folder: Path) -> list[int]:
    """Living processes whose working folder is `folder`, those we may not look at left out."""
    return [
        process.pid
        for process in psutil.process_iter(["cwd", "status"])
        if process.info["cwd"] == str(folder) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


async def end(pid: int, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and give the process that many seconds to end before the next, harder one."""
    for number, patience_s in steps:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if await wait_until_gone(pid, patience_s):
            return


async def wait_until_gone(pid: int, patience_s: float) -> bool:
    """Whether the process ended within `patience_s` seconds."""
    deadline = time.monotonic() + patience_s
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_port_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def wait_for_port(port: int, patience_s: float = 3.0) -> None:
    """Return once 127.0.0.1:`port` can be listened on: a server just killed may hold it for a moment.

    Raises Permanent when it is still taken after `patience_s` seconds.
    """
    deadline = time.monotonic() + patience_s
    while not is_port_free(port):
        if time.monotonic() > deadline:
            raise Permanent(f"port {port} is taken: free it or choose another", reason="port-taken")
        await asyncio.sleep(_POLL_S)


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a server's log, for an error message."""
    try:
        return " | ".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
