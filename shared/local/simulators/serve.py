"""A simulator as a process: settings from arguments or the environment, one uvicorn server."""

from __future__ import annotations

from pathlib import Path

import uvicorn
from pydantic import Field
from pydantic_settings import BaseSettings
from starlette.types import ASGIApp

SHUTDOWN_S = 2  # a request that a fault slows down must not hold up the end


class SimulatorConfig(BaseSettings):
    """What every simulator is told; a subclass sets its environment prefix."""

    host: str = "127.0.0.1"
    port: int = Field(0, description="0: any free port")
    state: Path | None = Field(None, description="folder that a restart finds everything in; none: memory only")


def run(app: ASGIApp, config: SimulatorConfig) -> None:
    """Serve until SIGTERM or SIGINT. No access log: query strings carry addresses."""
    uvicorn.run(
        app,
        host=config.host,
        port=config.port,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
