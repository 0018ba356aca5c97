"""Pages of a list: the token names the last item of the page before, so that arrivals shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.requests import Request

from shared.local.simulators.gmail.errors import invalid

T = TypeVar("T")
DEFAULT_SIZE = 100
LARGEST_SIZE = 500


def page(request: Request, items: Sequence[T], key: Callable[[T], str]) -> tuple[list[T], dict[str, str]]:
    """One page by maxResults and pageToken, and `{nextPageToken}` when more follow. 400 for a foreign token."""
    start = 0
    if token := request.query_params.get("pageToken"):
        last = _key_of(token)
        start = next((index + 1 for index, item in enumerate(items) if key(item) == last), -1)
        if start < 0:
            raise invalid("Invalid pageToken")
    size = _size(request)
    chosen = list(items[start : start + size])
    more = chosen and start + size < len(items)
    return chosen, {"nextPageToken": _token(key(chosen[-1]))} if more else {}


def _size(request: Request) -> int:
    value = request.query_params.get("maxResults", str(DEFAULT_SIZE))
    if not value.isdigit():
        raise invalid(f"Invalid value at 'max_results' (TYPE_UINT32), \"{value}\"")
    return min(int(value), LARGEST_SIZE) or DEFAULT_SIZE


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(f"after:{key}".encode()).decode()


def _key_of(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode().removeprefix("after:")
    except (binascii.Error, ValueError):
        raise invalid("Invalid pageToken") from None
