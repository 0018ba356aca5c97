"""The outermost layer of every function: size limit, dependencies, trace, errors, request metric.

It replaces functions-framework's own exception layer, which prints tracebacks with messages and,
for a malformed event, repeats the request.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, runtime_checkable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Duplicate, FteError, Rejected
from shared.observability.logs import logger
from shared.observability.metrics import REFUSED, REQUEST_SECONDS
from shared.observability.tracing import span

_DEPS: ContextVar[object] = ContextVar("deps")
_UNOBSERVED = {"/health", "/metrics"}

T = TypeVar("T")


@runtime_checkable
class TakesMore(Protocol):
    """Dependencies of a function with a route for requests larger than MAX_REQUEST_BYTES."""

    def request_limit(self, scope: Scope) -> int:
        """How many bytes this request may have."""
        ...


def deps_of(kind: type[T]) -> T:
    """The dependencies of the function that is answering; `kind` is their dataclass."""
    deps = _DEPS.get()
    if not isinstance(deps, kind):
        raise TypeError(f"this function's dependencies are {type(deps).__name__}, not {kind.__name__}")
    return deps


class Doorway:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, function: str) -> None:
        self._app = app
        self._function = function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNOBSERVED:
            await self._app(scope, receive, send)
            return
        state = scope["app"].state
        token = _DEPS.set(state.deps)
        watch = _Watch(send)
        started = time.perf_counter()
        try:
            with span(f"{self._function} {scope['method']}", _carrier(scope), function=self._function):
                await self._answer(scope, _limited(scope, receive, _limit_of(scope)), watch)
        finally:
            _DEPS.reset(token)
            REQUEST_SECONDS.labels(self._function, str(watch.status)).observe(time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, watch: _Watch) -> None:
        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if watch.status:
                raise
            await answer_for(error, self._function)(scope, receive, watch)


class _Watch:
    """Remembers the status that went out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def answer_for(error: Exception, function: str) -> Response:
    """The response for an error: `{"error": {"reason", "field", "message"}}` and, for events, `kne-reason`."""
    if isinstance(error, Duplicate):
        return JSONResponse({"status": "duplicate"})
    if not isinstance(error, FteError):
        logger().error("bug", exc_info=error)
        return _response(500, "bug", None, f"an unexpected {type(error).__name__}")
    if isinstance(error, Rejected):
        REFUSED.labels(function, error.reason).inc()
        logger().warning("refused", reason=error.reason, field=error.field, status=error.status)
        return _response(error.status, error.reason, error.field, str(error), error.retry_after_s)
    logger().warning("not_done", reason=error.reason, status=error.status)
    return _response(error.status, error.reason, None, str(error))


def _response(status: int, reason: str, field: str | None, message: str, retry_after_s: int | None = None) -> Response:
    headers = {"kne-reason": reason}
    if status == 503 or retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s or 2)
    return JSONResponse({"error": {"reason": reason, "field": field, "message": message}}, status, headers)


def install_error_answers(app: Any, function: str) -> None:
    """Answer our errors, and the framework's own, from inside Starlette's exception layer."""

    async def ours(_request: Request, error: Exception) -> Response:
        return answer_for(error, function)

    async def http(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return answer_for(Rejected(f"HTTP {status}", status=status, reason="http-error"), function)

    app.add_exception_handler(FteError, ours)
    app.add_exception_handler(HTTPException, http)


def _carrier(scope: Scope) -> dict[str, str]:
    headers = Headers(scope=scope)
    traceparent = headers.get("ce-traceparent") or headers.get("traceparent")
    return {"traceparent": traceparent} if traceparent else {}


def _limit_of(scope: Scope) -> int:
    state = scope["app"].state
    return state.deps.request_limit(scope) if isinstance(state.deps, TakesMore) else state.settings.max_request_bytes


def _limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """A receive that raises 413 once more than `limit` bytes came, whatever Content-Length claims."""
    declared = Headers(scope=scope).get("content-length", "")
    too_large = Rejected(f"the request is larger than {limit} bytes", status=413, reason="too-large")
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        if declared.isdigit() and int(declared) > limit:
            raise too_large
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large
        return message

    return limited
