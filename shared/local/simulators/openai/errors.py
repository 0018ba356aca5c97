"""Refusals worded as OpenAI words them (platform.openai.com/docs/guides/error-codes)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.local.simulators.faults import Fault

_TYPES = {401: "invalid_request_error", 429: "requests", 404: "invalid_request_error"}
_MESSAGES = {
    429: "Rate limit reached for requests. Please try again in 1s.",
    503: "The server is currently overloaded with other requests.",
}
_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 404: "model_not_found"}


class OpenAIError(Exception):
    """A refusal; `param` names the field it is about."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


def refusal(
    status: int, message: str = "", param: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """The error body that goes with a status; a 429 says when to come back unless `headers` are given."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    text = message or _MESSAGES.get(status, "The server had an error while processing your request.")
    body = {"error": {"message": text, "type": kind, "param": param, "code": _CODES.get(status)}}
    usual = {"retry-after": "1"} if status == 429 else None
    return JSONResponse(body, status_code=status, headers=usual if headers is None else headers)


def rate_limited(fault: Fault) -> Response:
    return refusal(429)


def unavailable() -> Response:
    return refusal(503)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler for OpenAIError."""
    assert isinstance(error, OpenAIError)  # noqa: S101 — registered for this class alone
    return refusal(error.status, str(error), error.param)
