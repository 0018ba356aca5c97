"""What a turn's tokens cost, by the price table in MODEL_PRICES. A model without a price costs nobody knows what."""

from __future__ import annotations

from shared.agent.offline import OFFLINE
from shared.settings import Settings

_MILLION = 1_000_000


def cost_usd(settings: Settings, model: str, tokens_in: int, tokens_out: int) -> float | None:
    """US dollars; None where the model's price is not known. No tokens cost nothing, whatever wrote."""
    if not tokens_in and not tokens_out:
        return 0.0
    # Where the offline model wrote, the tokens are those of the live one that went away in mid-turn.
    price = _table(settings).get(settings.agent_model if model == OFFLINE else model)
    return None if price is None else (tokens_in * price[0] + tokens_out * price[1]) / _MILLION


def _table(settings: Settings) -> dict[str, tuple[float, float]]:
    parts = (entry.rsplit(":", 2) for entry in settings.model_prices)
    return {name: (float(given), float(written)) for name, given, written in parts}
