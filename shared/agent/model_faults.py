"""What a live model's failure says: ask once more, leave the endpoint alone, or that the message was the cause."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

from agents import OpenAIChatCompletionsModel
from openai import APIStatusError

#: The longest that a customer is kept waiting for an endpoint that says when to come back, seconds.
_WORTH_WAITING_S = 2.0
#: Seconds before asking again where it says nothing; drawn, so that many workers do not come back at once.
_SOON_S = (0.1, 0.6)
#: The longest that an endpoint may have itself left alone, seconds.
_LONGEST_REST_S = 300.0
#: Statuses that another request may not meet: they are about what was sent.
_ABOUT_THE_REQUEST = frozenset({400, 413, 422})
#: Statuses that asking again does not mend.
_LASTING = frozenset({401, 403, 404})
_NO_MONEY = "insufficient_quota"
_CUT = frozenset({"length", "content_filter"})


class Unusable(Exception):
    """An answer came and holds nothing to send: cut off, refused, empty."""


class ChatModel(OpenAIChatCompletionsModel):
    """Chat completions, of which one that was cut off is no answer: its last sentence has no end."""

    async def _fetch_response(self, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The SDK reads no finish_reason of a text. Raises Unusable."""
        response: Any = await super()._fetch_response(*args, **kwargs)
        if any(choice.finish_reason in _CUT for choice in response.choices or ()):
            raise Unusable("the model was cut off")
        return response


def is_of_this_message(error: Exception) -> bool:
    """Whether the failure is about what was asked, so that the next message may well be answered."""
    return isinstance(error, Unusable) or (
        isinstance(error, APIStatusError) and error.status_code in _ABOUT_THE_REQUEST
    )


def retry_in(error: Exception) -> float | None:
    """Seconds after which to ask once more; None where that would not help or would take too long."""
    if is_of_this_message(error) or isinstance(error, TimeoutError):
        return None
    if isinstance(error, APIStatusError):
        if error.status_code in _LASTING or error.code == _NO_MONEY:
            return None
        wanted = _wanted(error)
        if wanted is not None:
            return wanted if wanted <= _WORTH_WAITING_S else None
    return random.uniform(*_SOON_S)  # noqa: S311  no secret


def rest_of(error: Exception) -> timedelta | None:
    """How long the endpoint asks to be left alone, at most minutes; None where it does not, or only for a moment."""
    wanted = _wanted(error) if isinstance(error, APIStatusError) else None
    if wanted is None or wanted <= _WORTH_WAITING_S:
        return None
    return timedelta(seconds=min(wanted, _LONGEST_REST_S))


def _wanted(error: APIStatusError) -> float | None:
    """Retry-After in seconds (RFC 9110, 10.2.3; a date is not read), or OpenAI's own in milliseconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            seconds = float(error.response.headers[name]) * unit
            if math.isfinite(seconds):
                return max(seconds, 0.0)
    return None
