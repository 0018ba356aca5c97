"""A PostgreSQL with our schema for one piece of work, thrown away after it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.db.migrate import migrate
from shared.db.pool import Database
from shared.local.postgres import APP, OWNER, EmbeddedPostgres
from shared.local.server_process import free_port

_NAME = "scratch"
_TIMEOUT_S = 600.0
#: Nothing here outlives the process: durability would only cost time. The tables of an evaluation are temporary ones.
_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "maintenance_work_mem": "256MB",
    "temp_buffers": "256MB",
}


@asynccontextmanager
async def scratch_database() -> AsyncGenerator[Database]:
    """A migrated database as the functions' role."""
    with tempfile.TemporaryDirectory(prefix="fte-scratch-") as folder:
        server = EmbeddedPostgres(Path(folder), free_port(), options=_OPTIONS)
        await server.start()
        try:
            await server.create_database(_NAME)
            await migrate(server.dsn(OWNER, _NAME))
            db = Database(server.dsn(APP, _NAME), size=2, timeout_s=_TIMEOUT_S)
            try:
                yield db
            finally:
                await db.close()
        finally:
            await server.stop()
