"""Folding, mood and the offline model's reading take time that grows with the length of a text, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from shared.agent.compose import Reader
from shared.agent.offline_plan import questions, whole
from shared.agent.offline_reading import Reading
from shared.channels.fold import fold
from shared.channels.message import Channel
from shared.channels.sentiment import sentiment

_UNITS = ["ab", "a", "ä", "\n", " \n", " ", "1.", "a? ", "- ", "<script>", "a'"]
_SIZES = (4_000, 64_000)
# Below this a clock measures little but itself.
_FLOOR = 0.2
_READER = Reader(Channel.EMAIL, "Ada", "Support")


def _within(times: int, work: Callable[[str], object], short: str, long: str) -> bool:
    def cpu(text: str) -> float:
        start = time.process_time()
        work(text)
        return time.process_time() - start

    return any(cpu(long) <= times * cpu(short) + _FLOOR for _ in range(3))


def _reading(text: str) -> Reading:
    return Reading(reader=_READER, language="en", text=text)


@pytest.mark.parametrize("unit", _UNITS)
@pytest.mark.parametrize("name", ["fold", "sentiment", "questions", "readable"])
def test_sixteen_times_the_length_takes_about_sixteen_times_as_long(name: str, unit: str) -> None:
    """Squared it would be 256 times: both lengths are measured in the same run."""
    work: dict[str, Callable[[str], object]] = {
        "fold": fold,
        "sentiment": lambda text: sentiment([text]),
        "questions": questions,
        "readable": lambda text: whole(_reading(text)),
    }
    short, long = ("hi" + unit * (size // len(unit)) + "x" for size in _SIZES)
    assert _within(32, work[name], short, long)


def test_only_words_of_both_alphabets_lose_their_look_alikes() -> None:
    """A Cyrillic letter amid Latin ones is one of them; a Russian word stays Russian, whatever stands beside it."""
    assert fold("r\u0435fund me, сорока and pa\u0443ment") == "refund me, сорока and payment"


def test_scripts_and_styles_are_not_read() -> None:
    """Neither in one case nor another, and what never ends is text."""
    reading = _reading("Where<SCRIPT>x()</script > is<style>a{}</STYLE> it? <script>open")
    assert whole(reading).split() == ["Where", "is", "it?", "open"]
