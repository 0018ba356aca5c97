"""What an answer of Gmail's that is not 2xx means to delivery.

Source: developers.google.com/workspace/gmail/api/guides/handle-errors.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from shared.channels.provider import OutcomeUnknown, ProviderDown, ProviderError, ProviderRefused

# 403 and 400 that pass by themselves.
_RATE = frozenset(
    {
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "dailyLimitExceeded",
        "quotaExceeded",
        "RESOURCE_EXHAUSTED",
    }
)
# 400 that is about our account, not about the message.
_ACCOUNT = frozenset({"failedPrecondition", "FAILED_PRECONDITION", "invalid_grant", "keyInvalid"})
#: The code of an answer that is none, or not of its schema.
MALFORMED = "malformed-answer"
_CODE = re.compile(r"[A-Za-z_]{1,60}")


class NotFound(ProviderRefused):
    """404: what was asked for is not there, or not there any more."""


def failure(status: int, body: bytes, retry_after: str | None, *, sends: bool) -> ProviderError:
    """The error for an answer; `sends` says that the request may have reached a customer."""
    code = _reason(body) or str(status)
    later = _seconds(retry_after)
    if status == 404:
        return NotFound("Gmail does not know it", code="notFound")
    if status == 429 or code in _RATE:
        return ProviderDown("Gmail asks us to slow down", code="rateLimitExceeded", retry_after_s=later)
    if status == 503:
        # Refused before any work was done; a draft that is still there can be sent again.
        return ProviderDown("Gmail is unavailable", code="unavailable", retry_after_s=later)
    if status in {401, 403} or code in _ACCOUNT:
        return ProviderDown("Gmail refuses our account", code="auth" if status == 401 else code)
    if 400 <= status < 500 and status not in {408, 409}:
        return ProviderRefused("Gmail refuses this message", code=code)
    return (OutcomeUnknown if sends else ProviderDown)(f"Gmail answered {status}", code=code)


def _reason(body: bytes) -> str:
    """Google's word for it: `errors[0].reason`, else `status`; never its message, which may quote an address."""
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error: Any = cast("dict[str, Any]", parsed).get("error") if isinstance(parsed, dict) else None
    if not isinstance(error, dict):
        return ""
    known = cast("dict[str, Any]", error)
    details: Any = known.get("errors")
    first: Any = cast("list[Any]", details)[0] if isinstance(details, list) and details else None
    word: Any = cast("dict[str, Any]", first).get("reason") if isinstance(first, dict) else known.get("status")
    return word if isinstance(word, str) and _CODE.fullmatch(word) else ""


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
