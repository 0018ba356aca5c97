"""Migrations: they add up to sql/schema.sql, are repeatable, and refuse a past that changed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from shared.db.location import SQL_DIR
from shared.db.migrate import migrate, migrations
from shared.errors import Permanent
from shared.local.postgres import APP, OWNER, EmbeddedPostgres

#: What a schema consists of, from the catalogue; the order of columns is a migration's own affair.
_SHAPE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, a.attidentity,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid) AS value
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname <> 'schema_migrations'
        ORDER BY 1, 2""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'schema_migrations'
        ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'schema_migrations' ORDER BY 1, 2""",
    "views": """
        SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1""",
    "extensions": "SELECT extname FROM pg_extension ORDER BY 1",
}


class Empty:
    """Empty databases of one test, as the schema's owner."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self.names: list[str] = []

    async def __call__(self) -> str:
        """The DSN of a new one."""
        name = f"m_{uuid.uuid4().hex[:16]}"
        await self._server.create_database(name)
        self.names.append(name)
        return self._server.dsn(OWNER, name)

    def as_functions(self) -> str:
        """The DSN of the newest, as the functions' role."""
        return self._server.dsn(APP, self.names[-1])


@pytest_asyncio.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[Empty]:
    """Makes empty databases and removes them after the test."""
    made = Empty(postgres)
    yield made
    for name in made.names:
        await postgres.drop_database(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations, one of each phase."""
    (tmp_path / "0001.before.first.sql").write_text("CREATE TABLE one (id int PRIMARY KEY);\n")
    (tmp_path / "0002.after.second.sql").write_text("ALTER TABLE one ADD COLUMN name text;\n")
    return tmp_path


async def run(dsn: str, sql: str) -> list[Any]:
    """The rows of one statement."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def shape(dsn: str) -> dict[str, list[Any]]:
    """The schema of a database."""
    return {part: await run(dsn, sql) for part, sql in _SHAPE.items()}


async def test_migrations_add_up_to_the_schema(empty: Empty) -> None:
    """sql/schema.sql, which people read, is what a database has after all migrations, to the last constraint."""
    migrated, written = await empty(), await empty()
    await migrate(migrated)
    connection = await asyncpg.connect(written)
    await connection.execute((SQL_DIR / "schema.sql").read_text(encoding="utf-8"))
    await connection.close()
    expected = await shape(written)
    assert await shape(migrated) == expected
    assert all(expected.values())


async def test_a_second_run_does_nothing(empty: Empty) -> None:
    """`fte migrate` is safe to repeat: it names what it applied, and then nothing."""
    dsn = await empty()
    assert await migrate(dsn) == [migration.name for migration in migrations()]
    before = await shape(dsn)
    assert await migrate(dsn) == []
    assert await shape(dsn) == before


async def test_runs_at_once_do_the_work_once(empty: Empty) -> None:
    """Five Jobs that start together apply each file once, and none fails."""
    dsn = await empty()
    done = await asyncio.gather(*(migrate(dsn) for _ in range(5)))
    assert sorted(done, reverse=True) == [[migration.name for migration in migrations()], [], [], [], []]


async def test_a_changed_past_file_is_refused(empty: Empty, folder: Path) -> None:
    """A file that changed after it was applied is named, and nothing after it is applied."""
    dsn = await empty()
    await migrate(dsn, folder=folder, phase="before")
    (folder / "0001.before.first.sql").write_text("CREATE TABLE one (id bigint PRIMARY KEY);\n")
    with pytest.raises(Permanent, match=r"0001\.before\.first\.sql changed") as refused:
        await migrate(dsn, folder=folder)
    assert refused.value.reason == "changed-migration"
    assert await run(dsn, "SELECT version FROM schema_migrations") == [(1,)]


async def test_phases_are_applied_apart(empty: Empty, folder: Path) -> None:
    """`before` goes in with the old functions still running, `after` once they are gone."""
    dsn = await empty()
    assert await migrate(dsn, folder=folder, phase="before") == ["0001.before.first.sql"]
    assert await migrate(dsn, folder=folder, phase="after") == ["0002.after.second.sql"]


async def test_a_file_that_fails_leaves_nothing_behind(empty: Empty, folder: Path) -> None:
    """Each file is one transaction: what it did before its error is undone, and a mended file is applied."""
    broken = folder / "0003.before.broken.sql"
    broken.write_text("CREATE TABLE two (id int); SELECT 1 / 0;\n")
    dsn = await empty()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(dsn, folder=folder)
    assert await run(dsn, "SELECT to_regclass('two')::text") == [(None,)]
    broken.write_text("CREATE TABLE two (id int);\n")
    assert await migrate(dsn, folder=folder) == ["0003.before.broken.sql"]


@pytest.mark.parametrize("name", ["1.before.first.sql", "0001.during.first.sql", "0001.before.First_One.sql"])
def test_a_name_says_number_phase_and_title(tmp_path: Path, name: str) -> None:
    """A file whose name does not say when it goes in is refused by name."""
    (tmp_path / name).touch()
    with pytest.raises(Permanent, match=name.replace(".", r"\.")):
        migrations(tmp_path)


def test_a_number_is_used_once(folder: Path) -> None:
    """Two branches that chose the same number are told so before anything is applied."""
    (folder / "0002.before.other.sql").touch()
    with pytest.raises(Permanent, match="share a number"):
        migrations(folder)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE messages ADD COLUMN more int",
        "DROP TABLE messages",
        "TRUNCATE messages",
        "DELETE FROM schema_migrations",
        "CREATE ROLE more",
    ],
)
async def test_the_functions_role_defines_nothing(empty: Empty, sql: str) -> None:
    """sql/grants.sql lets the functions read and write rows, and change neither schema nor its record."""
    await migrate(await empty())
    dsn = empty.as_functions()
    assert await run(dsn, "SELECT count(*) FROM messages") == [(0,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await run(dsn, sql)
