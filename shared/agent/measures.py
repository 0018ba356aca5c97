"""What a number counts: 72 hours are not 72 days, though a page that says the one has the number of the other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cache

from shared.agent.figures import plain_number
from shared.agent.lexicon import word_lists
from shared.channels.fold import letters

_MEASURE = re.compile(r"(?<![\w.,])([€$£]?)[ ]?(\d[\d.,]*\d|\d)(?:[\s-]{0,2}([%٪€$£]|[^\W\d_]+))?")


def measures(text: str) -> Mapping[str, Set[str]]:
    """Each number of a text, which is in figures and folded, with the units it stands beside; "" where it has none."""
    found: dict[str, set[str]] = defaultdict(set)
    for sign, number, word in _MEASURE.findall(text):
        found[plain_number(number)].add(_units().get(sign or word, ""))
    return found


def mismeasured(said: Mapping[str, Set[str]], backed: Mapping[str, Set[str]]) -> Iterable[str]:
    """Numbers that are said to count what the sources, wherever they have them, never count by them.

    A number that stands without a unit in a source may have any: a range names its unit once.
    """
    for number, units in said.items():
        known = backed.get(number, frozenset[str]())
        if known and "" not in known and any(unit and unit not in known for unit in units):
            yield number


@cache
def _units() -> Mapping[str, str]:
    """The unit of each word."""
    return {letters(word): unit for unit, words in word_lists("units").items() for word in words}
