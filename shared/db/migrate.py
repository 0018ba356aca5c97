"""Migrations: `fte migrate`, or `python -m shared.db.migrate` in the cluster's Job.

Files are sql/migrations/NNNN.before|after.title.sql. `before` ones go in before the new functions
are deployed (they must suit the old ones too), `after` ones once the last old copy is gone:
functions deploy one at a time. Each file runs in one transaction under an advisory lock, so two
runs at once do the work once; a file that changed after it was applied is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from shared.db.location import SQL_DIR
from shared.errors import Permanent, Retryable
from shared.settings import Settings

_FILE = re.compile(r"^(?P<version>\d{4})\.(?P<phase>before|after)\.(?P<title>[a-z0-9-]+)\.sql$")
_LOCK = 0x667465  # "fte"
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `phase` is `before` or `after`."""

    version: int
    phase: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path | None = None) -> list[Migration]:
    """All files in order. Raises Permanent for a name that fits no pattern or a version used twice."""
    found: list[Migration] = []
    for path in sorted((folder or SQL_DIR / "migrations").glob("*.sql")):
        match = _FILE.match(path.name)
        if match is None:
            raise Permanent(f"{path.name}: name it NNNN.before|after.title.sql", reason="bad-migration-name")
        sql = path.read_text(encoding="utf-8")
        found.append(Migration(int(match["version"]), match["phase"], path.name, sql))
    if len({migration.version for migration in found}) != len(found):
        raise Permanent("two migrations share a number", reason="bad-migration-name")
    return found


async def migrate(dsn: str, *, phase: str = "all", folder: Path | None = None) -> list[str]:
    """Apply what is missing, in order, and return the names applied.

    `phase` is `before`, `after` or `all`. Raises Permanent when a past file changed.
    """
    connection = await _connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_TABLE)
        applied = {row["version"]: row for row in await connection.fetch("SELECT * FROM schema_migrations")}
        done = [m.name for m in _missing(migrations(folder), applied, phase) if await _apply(connection, m)]
        await connection.execute((SQL_DIR / "grants.sql").read_text(encoding="utf-8"))
    finally:
        await connection.close()
    return done


async def _connect(dsn: str) -> Any:
    try:
        return await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # The DSN holds a password: the kind of the error is all that may be shown.
        raise Retryable(f"PostgreSQL cannot be reached ({type(error).__name__}): check DATABASE_URL") from None


def _missing(files: list[Migration], applied: dict[int, Any], phase: str) -> list[Migration]:
    for migration in files:
        past = applied.get(migration.version)
        if past is not None and past["sha256"] != migration.sha256:
            raise Permanent(
                f"{migration.name} changed after it was applied: put the change into a new file",
                reason="changed-migration",
            )
    return [m for m in files if m.version not in applied and phase in ("all", m.phase)]


async def _apply(connection: Any, migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.sha256,
        )
    return True


def main() -> None:
    """Entry point of the Job: the DSN is DATABASE_URL, as a role that owns the schema."""
    parser = argparse.ArgumentParser(description="apply the migrations")
    parser.add_argument("--phase", choices=["all", "before", "after"], default="all")
    arguments = parser.parse_args()
    done = asyncio.run(migrate(Settings().database_url.get_secret_value(), phase=arguments.phase))
    print(f"applied: {', '.join(done) or 'nothing, the database is up to date'}")


if __name__ == "__main__":
    main()
