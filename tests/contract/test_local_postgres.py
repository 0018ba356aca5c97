"""The embedded PostgreSQL: roles, passwords, databases, and coming back after every kind of end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from shared.errors import Permanent
from shared.local import server_process
from shared.local.postgres import APP, OWNER, EmbeddedPostgres
from shared.local.server_process import free_port


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[EmbeddedPostgres]:
    """A server of this test's own, in a folder that only we may enter."""
    tmp_path.chmod(0o700)
    made = EmbeddedPostgres(tmp_path / "postgres", free_port())
    await made.start()
    yield made
    await made.stop()


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_is_postgresql_16_with_vectors_and_a_role_that_is_not_superuser(server: EmbeddedPostgres) -> None:
    """The owner may make extensions; the functions' role may log in and create nothing."""
    await server.create_database("fte")
    await server.create_database("fte")
    assert str(await ask(server.dsn(OWNER, "fte"), "SHOW server_version")).startswith("16.")
    await ask(server.dsn(OWNER, "fte"), "CREATE EXTENSION vector")
    assert await ask(server.dsn(OWNER, "fte"), "SELECT '[1,2]'::vector <-> '[1,3]'::vector") == 1.0
    assert await ask(server.dsn(OWNER, "fte"), "SELECT lower('ÄÖ')") == "äö"
    assert await ask(server.dsn(APP, "fte"), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(server.dsn(APP, "fte"), "CREATE TABLE t (a int)")


async def test_tcp_wants_the_password_and_the_socket_is_closed_to_others(server: EmbeddedPostgres) -> None:
    """A wrong password is refused on 127.0.0.1; the socket's folder can be entered by its owner alone."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=server.port, user=OWNER, password="wrong", database="postgres")
    assert server.socket_dir.stat().st_mode & 0o077 == 0
    connection = await asyncpg.connect(host=str(server.socket_dir), port=server.port, user=OWNER, database="postgres")
    await connection.close()
    passwords = server.socket_dir.parent / "passwords.json"
    assert passwords.stat().st_mode & 0o077 == 0


async def test_committed_rows_survive_kill_9(server: EmbeddedPostgres) -> None:
    """Killed under an open connection and started at once: recovered, same port, same passwords."""
    dsn = server.dsn(OWNER, "postgres")
    await ask(dsn, "CREATE TABLE kept (a int)")
    await ask(dsn, "INSERT INTO kept VALUES (7)")
    connection = await asyncpg.connect(dsn)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.start()
    assert await ask(dsn, "SELECT a FROM kept") == 7
    connection.terminate()


async def test_a_start_finds_the_server_that_runs(server: EmbeddedPostgres) -> None:
    """Started twice it is the same process; asked for another port it moves there with its data."""
    before = server.pid
    await EmbeddedPostgres(server.socket_dir.parent, server.port).start()
    assert server.pid == before
    await server.create_database("kept")
    moved = EmbeddedPostgres(server.socket_dir.parent, free_port())
    await moved.start()
    assert moved.pid != before
    assert await ask(moved.dsn(OWNER, "kept"), "SELECT 1") == 1


async def test_a_stop_is_quick_under_open_connections_and_may_be_repeated(server: EmbeddedPostgres) -> None:
    """Fast shutdown breaks connections off; stopping what is stopped does nothing."""
    connection = await asyncpg.connect(server.dsn(OWNER, "postgres"))
    started = time.monotonic()
    await server.stop()
    assert time.monotonic() - started < 5
    assert server.pid is None
    await server.stop()
    connection.terminate()


async def test_a_copy_of_a_template_and_its_end(server: EmbeddedPostgres) -> None:
    """Databases are copied from a template and dropped with whoever is connected."""
    await server.create_database("pattern")
    await ask(server.dsn(OWNER, "pattern"), "CREATE TABLE t AS SELECT 5 AS a")
    await server.create_database("copy", template="pattern")
    assert await ask(server.dsn(OWNER, "copy"), "SELECT a FROM t") == 5
    connection = await asyncpg.connect(server.dsn(OWNER, "copy"))
    await server.drop_database("copy")
    connection.terminate()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(server.dsn(OWNER, "copy"), "SELECT 1")


async def test_a_taken_port_is_named(server: EmbeddedPostgres, tmp_path: Path) -> None:
    """Another cluster on the same port is refused in a sentence, before anything is made."""
    with pytest.raises(Permanent, match=str(server.port)):
        await EmbeddedPostgres(tmp_path / "other", server.port).start()
    with pytest.raises(Permanent, match="start PostgreSQL first"):
        EmbeddedPostgres(tmp_path / "other", server.port).dsn(APP, "fte")


async def test_errors_do_not_quote_rows_into_the_log(server: EmbeddedPostgres) -> None:
    """A violated constraint tells the client which value, the server's log neither value nor statement."""
    dsn = server.dsn(OWNER, "postgres")
    await ask(dsn, "CREATE TABLE u (a text PRIMARY KEY)")
    await ask(dsn, "INSERT INTO u VALUES ('sentinel')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(dsn, "INSERT INTO u VALUES ('sentinel')")
    assert "sentinel" not in (server.socket_dir.parent / "postgres.log").read_text()


STARTER = """
import asyncio, sys
from pathlib import Path
from shared.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), int(sys.argv[2]), detached=sys.argv[3] == "detached")
asyncio.run(server.start())
print(server.pid)
"""


@pytest.mark.parametrize("how", ["detached", "tethered"])
async def test_it_holds_nothing_of_its_starter_and_outlives_it_only_if_detached(tmp_path: Path, how: str) -> None:
    """The starter's pipes close with it; a detached server lives on, a tethered one ends when its starter does."""
    server = EmbeddedPostgres(tmp_path / "postgres", free_port())
    command = [sys.executable, "-c", STARTER, str(tmp_path / "postgres"), str(server.port), how]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, check=True)
    pid = int(ended.stdout)
    try:
        if how == "detached":
            assert await ask(server.dsn(OWNER, "postgres"), "SELECT 1") == 1
            assert server.pid == pid
        else:
            assert await server_process.wait_until_gone(pid, 10)
    finally:
        await server.stop()
