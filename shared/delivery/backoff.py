"""When to try a provider again: doubling from two seconds to fifteen minutes, with full jitter above half.

The provider's own Retry-After is the least it waits, up to six hours: a delivery has a day (DELIVERY_MAX_AGE_H), and a
header that is wrong must not take all of it.
"""

from __future__ import annotations

import random

FIRST_S = 2.0
MOST_S = 900.0
ASKED_MOST_S = 6 * 3600.0


def delay_s(attempt: int, retry_after_s: float | None = None) -> float:
    """Seconds before attempt `attempt` + 1; `attempt` counts from 1."""
    most = min(MOST_S, FIRST_S * 2 ** min(attempt - 1, 16))
    jittered = most / 2 + random.random() * most / 2  # noqa: S311  spreads load, guards nothing
    return max(jittered, min(retry_after_s or 0.0, ASKED_MOST_S))
