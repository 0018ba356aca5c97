"""Refusals worded as Gmail words them (developers.google.com/workspace/gmail/api/guides/handle-errors)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.local.simulators.faults import Fault


class GoogleError(Exception):
    """A refusal: `reason` is Google's word for it, `grpc` the canonical status name."""

    def __init__(self, status: int, message: str, reason: str, grpc: str, **extra: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {
                "code": status,
                "message": message,
                "errors": [{"message": message, "domain": "global", "reason": reason, **extra}],
                "status": grpc,
            }
        }


def not_found() -> GoogleError:
    return GoogleError(404, "Requested entity was not found.", "notFound", "NOT_FOUND")


def invalid(message: str) -> GoogleError:
    return GoogleError(400, message, "invalidArgument", "INVALID_ARGUMENT")


def delegation_denied(user: str) -> GoogleError:
    return GoogleError(403, f"Delegation denied for {user}", "forbidden", "PERMISSION_DENIED")


def unauthenticated(missing: bool) -> GoogleError:
    if missing:
        message, reason = "Login Required.", "required"
    else:
        message, reason = "Invalid Credentials", "authError"
    return GoogleError(401, message, reason, "UNAUTHENTICATED", location="Authorization", locationType="header")


def rate_limited(fault: Fault) -> Response:
    """429 for the whole project's quota, or for the one user's."""
    messages = {"userRateLimitExceeded": "User-rate limit exceeded.  Retry after a while"}
    message = messages.get(fault.reason, "Quota exceeded for quota metric 'Queries'.")
    error = GoogleError(429, message, fault.reason or "rateLimitExceeded", "RESOURCE_EXHAUSTED")
    error.body["error"]["errors"][0]["domain"] = "usageLimits"
    return JSONResponse(error.body, status_code=429)


def unavailable() -> Response:
    error = GoogleError(503, "The service is currently unavailable.", "backendError", "UNAVAILABLE")
    return JSONResponse(error.body, status_code=503)


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler for GoogleError."""
    assert isinstance(error, GoogleError)  # noqa: S101 — registered for this class alone
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'} if error.status == 401 else None
    return JSONResponse(error.body, status_code=error.status, headers=headers)
