"""What tokens cost: by the table, and unknown rather than nothing without a price."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.agent.cost import cost_usd
from tests.conftest import make_settings

PRICED = make_settings(model_prices=("gpt-4.1-mini:0.4:1.6", "ft:gpt-4.1:acme:3:12"))


@pytest.mark.parametrize(
    ("model", "given", "written", "cost"),
    [
        ("gpt-4.1-mini", 1_000_000, 500_000, 1.2),
        ("ft:gpt-4.1:acme", 1000, 0, 0.003),
        ("another", 10, 10, None),
        ("another", 0, 0, 0.0),
        ("none", 0, 0, 0.0),
        # The live model used them before it went away.
        ("offline", 1_000_000, 0, 0.4),
    ],
)
def test_a_turn_costs_what_the_table_says(model: str, given: int, written: int, cost: float | None) -> None:
    """Dollars for a million tokens, in and out; None where no price is known."""
    assert cost_usd(PRICED, model, given, written) == (pytest.approx(cost) if cost is not None else None)


@pytest.mark.parametrize("entry", ["gpt", "gpt:1", "gpt:1:x", ":1:2", "gpt:-1:2", "gpt:nan:2"])
def test_a_price_that_is_none_is_refused_at_start(entry: str) -> None:
    """Not at the first turn."""
    with pytest.raises(ValidationError):
        make_settings(model_prices=(entry,))
