"""When a provider is tried again."""

from __future__ import annotations

import pytest

from shared.delivery.backoff import ASKED_MOST_S, FIRST_S, MOST_S, delay_s


@pytest.mark.parametrize(("attempt", "most"), [(1, FIRST_S), (2, 4.0), (5, 32.0), (10, MOST_S), (10_000, MOST_S)])
def test_waits_double_up_to_a_quarter_of_an_hour(attempt: int, most: float) -> None:
    """At least half of it is sure, the rest spreads who comes back at once."""
    waits = [delay_s(attempt) for _ in range(200)]
    assert all(most / 2 <= wait <= most for wait in waits)
    assert len(set(waits)) > 100


@pytest.mark.parametrize(
    ("asked", "least"), [(0.0, 1.0), (30.0, 30.0), (3_600.0, 3_600.0), (1e9, ASKED_MOST_S), (-5.0, 1.0)]
)
def test_a_provider_that_names_a_time_is_not_asked_before(asked: float, least: float) -> None:
    """Also beyond our own longest wait, as for an hour; a mistaken year ends with the delivery's own day."""
    assert least <= delay_s(1, asked) <= max(least, FIRST_S)
