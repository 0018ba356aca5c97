"""How a customer sounds, from -1 (furious) to 1 (delighted): a word list, for a trend and not for a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.agent.lexicon import word_lists
from shared.channels.fold import fold

_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def sentiment(texts: Iterable[str]) -> float:
    """-1..1, two decimals; 0 where nothing tells."""
    lists = word_lists("mood")
    tokens = _TOKEN.findall(fold("\n".join(texts)))
    good = bad = 0.0
    for place, token in enumerate(tokens):
        negated = not lists["not"].isdisjoint(tokens[max(0, place - 2) : place])
        good += token in lists["good"] and not negated
        bad += (token in lists["bad"]) + (token in lists["very bad"]) + (token in lists["good"] and negated)
    return round((good - bad) / (good + bad + 1), 2)
