"""Refusals worded as Twilio words them (www.twilio.com/docs/api/errors)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.local.simulators.faults import Fault


class TwilioError(Exception):
    """A refusal of the REST API: HTTP status, Twilio's code, its message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> Response:
        return _answer(self.status, self.code, str(self))


def not_authenticated() -> TwilioError:
    return TwilioError(401, 20003, "Authenticate")


def not_found(path: str) -> TwilioError:
    return TwilioError(404, 20404, f"The requested resource {path} was not found")


def rate_limited(fault: Fault) -> Response:
    return _answer(429, 20429, "Too Many Requests")


def unavailable() -> Response:
    return _answer(503, 20503, "Service Unavailable")


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler for TwilioError."""
    assert isinstance(error, TwilioError)  # noqa: S101 — registered for this class alone
    return error.response()


def _answer(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status_code=status)
