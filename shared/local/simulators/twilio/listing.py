"""A page of the Messages list: filters To, From and DateSent, newest first."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from shared.local.simulators.twilio.errors import TwilioError
from shared.local.simulators.twilio.resource import account_path, message_resource
from shared.local.simulators.twilio.rows import MessageRow

DEFAULT_SIZE = 50
LARGEST_SIZE = 1_000


def list_page(account_sid: str, newest_first: list[MessageRow], request: Request) -> dict[str, Any]:
    """The page that `Page`, `PageSize` and `PageToken` name. Raises TwilioError 400 for a date it cannot read."""
    asked = request.query_params
    size = min(_number(request, "PageSize", DEFAULT_SIZE), LARGEST_SIZE) or DEFAULT_SIZE
    found = [message for message in newest_first if _matches(message, request)]
    start = _start(found, asked.get("PageToken", ""))
    chosen = found[start : start + size]
    number = _number(request, "Page", 0)
    more = chosen and start + size < len(found)
    return {
        "messages": [message_resource(account_sid, message) for message in chosen],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(len(chosen) - 1, 0),
        "uri": f"{request.url.path}?{request.url.query}".rstrip("?"),
        "first_page_uri": _uri(account_sid, request, size, 0, ""),
        "next_page_uri": _uri(account_sid, request, size, number + 1, chosen[-1].id) if more else None,
        "previous_page_uri": None,
    }


def _matches(message: MessageRow, request: Request) -> bool:
    asked = request.query_params
    if asked.get("To") and asked["To"] != message.to:
        return False
    if asked.get("From") and asked["From"] != message.sender:
        return False
    at = datetime.fromtimestamp(math.floor(message.sent or message.created), UTC)
    day = timedelta(days=1)
    return (
        (not asked.get("DateSent") or _date(asked["DateSent"]) <= at < _date(asked["DateSent"]) + day)
        and (not asked.get("DateSent>") or at >= _date(asked["DateSent>"]))
        and (not asked.get("DateSent<") or at <= _latest(asked["DateSent<"]))
    )


def _latest(value: str) -> datetime:
    """A bare date as upper end means the whole of that day."""
    return _date(value) + (timedelta(days=1) if "T" not in value else timedelta())


def _date(value: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise TwilioError(400, 20001, f"Unknown date format: {value}") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return int(value) if value.isdigit() else default


def _start(found: list[MessageRow], token: str) -> int:
    last = token.removeprefix("PA")
    return next((index + 1 for index, message in enumerate(found) if message.id == last), 0)


def _uri(account_sid: str, request: Request, size: int, number: int, last: str) -> str:
    kept = [(name, value) for name, value in request.query_params.items() if not name.startswith("Page")]
    paging = [("PageSize", str(size)), ("Page", str(number)), *([("PageToken", f"PA{last}")] if last else [])]
    return f"{account_path(account_sid)}/Messages.json?{urlencode(kept + paging)}"
