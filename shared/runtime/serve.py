"""One way to serve a function, in its image and on one machine alike.

`serve(target, open_deps)` builds functions-framework's own ASGI app for the function `target` of
the module that defines `open_deps`, and adds what the framework lacks: a lifespan that opens the
dependencies once after the fork and closes them in order, `/health`, `/metrics`, a size limit,
trace context, and errors that answer as shared.errors says without repeating what was sent.
"""

from __future__ import annotations

import asyncio
import importlib.machinery
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol

from functions_framework.aio import ExceptionHandlerMiddleware, create_asgi_app_from_module
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import FteError
from shared.observability.logs import configure_logging, logger
from shared.observability.metrics import exposition
from shared.observability.tracing import configure_tracing
from shared.runtime.doorway import Doorway, install_error_answers
from shared.runtime.health import Health
from shared.settings import Settings


class Dependencies(Protocol):
    """What every function's frozen dataclass of dependencies offers the runtime."""

    async def health(self) -> Health:
        """Whether the function can serve, and how its channels are."""
        ...


#: How long a function's own measurements may hold up `/metrics`.
_MEASURE_S = 2.0

OpenDeps = Callable[[Settings], AbstractAsyncContextManager[Dependencies]]


def serve(target: str, open_deps: OpenDeps) -> Starlette:
    """The ASGI app of function `target` (underscored) defined beside `open_deps`.

    The function and `open_deps` live in one module; the function finds its dependencies in
    `deps_of(Type)`. Tests give another `open_deps` from a module of theirs.
    """
    module = sys.modules[open_deps.__module__]
    spec = module.__spec__ or importlib.machinery.ModuleSpec(module.__name__, None)
    app = create_asgi_app_from_module(target, module.__file__, None, module, spec)
    app.user_middleware = [layer for layer in app.user_middleware if layer.cls is not ExceptionHandlerMiddleware]
    app.user_middleware.insert(0, Middleware(Doorway, function=target.replace("_", "-")))
    install_error_answers(app, target.replace("_", "-"))
    app.router.routes[:0] = [Route("/health", _health), Route("/metrics", _metrics)]
    app.router.lifespan_context = _lifespan(target.replace("_", "-"), open_deps)
    return app


def _lifespan(function: str, open_deps: OpenDeps) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        settings = Settings()
        configure_logging(function, settings.log_level)
        configure_tracing(function)
        async with open_deps(settings) as deps:
            app.state.deps = deps
            app.state.settings = settings
            logger().info("started")
            yield
            logger().info("stopping")

    return lifespan


async def _health(request: Request) -> Response:
    deps: Dependencies = request.app.state.deps
    health = await deps.health()
    return JSONResponse(health.as_json(), status_code=200 if health.serving else 503)


async def _metrics(request: Request) -> Response:
    measure = getattr(request.app.state.deps, "measure", None)
    if measure is not None:
        # What is measured at the moment it is asked for; without its source the rest is shown all the same.
        with suppress(FteError, TimeoutError):
            await asyncio.wait_for(measure(), _MEASURE_S)
    body, content_type = exposition()
    return Response(body, media_type=content_type)


class Mounted(Response):
    """A whole ASGI app as the answer of an HTTP function: how a FastAPI app lives inside one."""

    def __init__(self, app: ASGIApp, request: Request) -> None:
        self._app = app
        self._receive = request.receive
        self.background = None
        self.status_code = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {key: value for key, value in scope.items() if key not in {"endpoint", "path_params", "router"}}
        await self._app(inner, self._receive, send)
