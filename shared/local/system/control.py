"""The supervisor's own small API on loopback, for `fte stop|start|down` and the live view.

GET /state → {durable, parts: [...]}; POST /stop/{name}; POST /start/{name}; POST /down. All want the
operator's token.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import FteError
from shared.local.system.supervisor import Supervisor


class _Token:
    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                await JSONResponse({"error": {"message": "the operator's token is missing or wrong"}}, 401)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def control_app(supervisor: Supervisor, down: asyncio.Event) -> Starlette:
    """The routes; `down` is set when the system is asked to end."""

    async def state(_request: Request) -> Response:
        return JSONResponse({"durable": supervisor.durable, "parts": supervisor.state()})

    async def end(_request: Request) -> Response:
        down.set()
        return JSONResponse({"status": "going down"}, 202)

    return Starlette(
        routes=[
            Route("/state", state),
            Route("/stop/{name}", _act(supervisor, "stop"), methods=["POST"]),
            Route("/start/{name}", _act(supervisor, "start"), methods=["POST"]),
            Route("/down", end, methods=["POST"]),
        ],
        middleware=[Middleware(_Token, token=supervisor.operator_token)],
    )


def _act(supervisor: Supervisor, verb: str) -> Callable[[Request], Awaitable[Response]]:
    async def act(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            await supervisor.act(verb, name)
        except FteError as error:
            return JSONResponse({"error": {"reason": error.reason, "message": str(error)}}, error.status)
        return JSONResponse({"name": name, "state": "stopped" if verb == "stop" else "up"})

    return act


def control_server(supervisor: Supervisor, down: asyncio.Event, port: int) -> uvicorn.Server:
    """A server to be run beside the supervisor; it leaves signals to its caller."""
    config = uvicorn.Config(
        control_app(supervisor, down), host="127.0.0.1", port=port, log_level="error", access_log=False, ws="none"
    )
    return QuietServer(config)


class QuietServer(uvicorn.Server):
    """A server that leaves SIGINT and SIGTERM to its caller."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield
