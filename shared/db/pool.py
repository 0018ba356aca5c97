"""The pool: asyncpg, opened in a function's lifespan, closed with it.

Every fault of the connection becomes Retryable here, and every refusal of the data Permanent, in one
place, so that no caller has to know asyncpg's errors (UniqueViolationError alone passes).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from shared.errors import FteError, Permanent, Retryable
from shared.settings import Settings

Connection = Any  # asyncpg's proxy type is generic over record classes we do not use
Row = Any

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_MISCONFIGURED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


#: Statements PostgreSQL itself refuses: bad data (22), constraints (23, 44), our own checks (P0), a missing grant.
#: A repeat is refused again, so the event belongs with the dead letters, where a person can mend and replay.
_REFUSED_CLASSES = ("22", "23", "44", "P0")
_REFUSED_STATES = ("42501",)


class Database:
    """A pool that opens lazily: a function starts, and says 503, while PostgreSQL is away."""

    def __init__(self, dsn: str, size: int, timeout_s: float) -> None:
        self._dsn = dsn
        self._size = size
        self._timeout_s = timeout_s
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises Permanent when DATABASE_URL is missing."""
        dsn = settings.database_url.get_secret_value()
        if not dsn:
            raise Permanent("DATABASE_URL is not set: give it a PostgreSQL DSN", reason="missing-setting")
        return cls(dsn, settings.database_pool_size, settings.database_timeout_s)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection without a transaction. Raises Retryable while PostgreSQL is away."""
        async with _faults():
            pool = await self._opened()
            async with pool.acquire(timeout=self._timeout_s) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection in a transaction: committed at the end, rolled back on any error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: object) -> list[Row]:
        """All rows of one statement."""
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> Row | None:
        """The first row of one statement, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement; its command tag."""
        async with self.connection() as connection:
            return await connection.execute(sql, *args)

    async def ping(self) -> None:
        """Raise Retryable unless PostgreSQL answers."""
        await self.fetchrow("SELECT 1")

    async def close(self) -> None:
        """Close the connections; those in use get a moment to finish."""
        if self._pool is not None:
            await self._pool.close()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                # min_size 0: nothing connects before it is needed, so no start waits for PostgreSQL.
                self._pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=self._size,
                    timeout=self._timeout_s,
                    command_timeout=self._timeout_s,
                    max_inactive_connection_lifetime=60,
                )
        return self._pool


@asynccontextmanager
async def _faults() -> AsyncGenerator[None]:
    try:
        yield
    except FteError:
        raise
    except _MISCONFIGURED:
        raise Retryable("PostgreSQL refuses our role or database: check DATABASE_URL", reason="database-auth") from None
    except _AWAY as error:
        raise Retryable(f"PostgreSQL is away: {type(error).__name__}", reason="database-away") from None
    except asyncpg.UniqueViolationError:
        raise  # who inserts knows what a second one means
    except asyncpg.PostgresError as error:
        state = str(error.sqlstate or "")
        if state.startswith(_REFUSED_CLASSES) or state in _REFUSED_STATES:
            raise Permanent(f"PostgreSQL refuses the statement: SQLSTATE {state}", reason="database-refused") from None
        raise
