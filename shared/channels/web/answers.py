"""Errors of a FastAPI app in the system's one shape: `{"error": {"reason", "field", "message"}}`.

FastAPI's own answers repeat what was sent; these name the field and say what is expected of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import FteError, Rejected
from shared.runtime.doorway import answer_for


def install_answers(api: FastAPI, function: str) -> None:
    """Answer our errors, FastAPI's and Starlette's; `function` is the dashed name that metrics carry."""

    async def ours(_request: Request, error: Exception) -> Response:
        return answer_for(error, function)

    async def invalid(_request: Request, error: Exception) -> Response:
        return answer_for(rejection(cast(RequestValidationError, error)), function)

    async def http(_request: Request, error: Exception) -> Response:
        return answer_for(_refusal(cast(HTTPException, error)), function)

    handlers: dict[type[Exception], Callable[..., Any]] = {
        FteError: ours,
        RequestValidationError: invalid,
        HTTPException: http,
        # The last layer of the app itself; the error goes on to the doorway, which has nothing left to say.
        Exception: ours,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def rejection(error: RequestValidationError) -> Rejected:
    """The first thing wrong with a request, as 422 naming its field and never its value."""
    first = error.errors()[0]
    where = [part for part in first["loc"][1:] if isinstance(part, str)]
    field = where[0] if where else "body"
    # Pydantic's messages name limits and choices, which are ours, and not the input.
    words = str(first["msg"]).removeprefix("Value error, ")
    return Rejected(f"{field}: {words}", status=422, reason="invalid-field", field=field)


def _refusal(error: HTTPException) -> FteError:
    # FastAPI wraps whatever fails while it reads the body, the size limit's 413 among it, into a 400.
    if isinstance(error.__cause__, FteError):
        return error.__cause__
    if error.status_code == 400:
        return Rejected("the body is not JSON", status=400, reason="malformed-body", field="body")
    return Rejected(f"HTTP {error.status_code}", status=error.status_code, reason="http-error")
