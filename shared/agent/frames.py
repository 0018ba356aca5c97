"""The words around an answer, by language: greeting, thanks, the page named, signature. They are data: answers.txt.

They state nothing about the product, so the gate asks no page for them; what is put into them it does look at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from shared.agent.backing import sentences
from shared.channels.fold import fold
from shared.channels.language import ENGLISH

_FILE = Path(__file__).with_name("answers.txt")
_LINE = re.compile(r"^\[(\w\w)\.([\w.]+)\] (.+)$", re.MULTILINE)
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_DATES = {"de": "{0.day}.{0.month}.{0.year}", "es": "{0.day}/{0.month}/{0.year}"}
_DATE = re.compile(r"[\d./]{6,10}")


def frame(language: str, key: str, **given: str) -> str:
    """The words of `key` with what is `given` in place; in English where a language has none."""
    texts = load_frames()
    return (texts.get((language, key)) or texts[ENGLISH, key]).format(**given)


def has_frames(language: str) -> bool:
    """Whether an answer can be given in this language."""
    return (language, "page") in load_frames()


def day(language: str, at: datetime, *, short: bool = False) -> str:
    """A day as a customer reads it."""
    if language in _DATES:
        return _DATES[language].format(at)
    return f"{at.day} {at:%b}" if short else f"{at.day} {at:%B}"


def is_frame(sentence: str, known: str) -> bool:
    """Whether a sentence is one of ours, and what was put into it is a date, or stands in `known`."""
    source = fold(known)
    for shape in _shapes():
        found = shape.fullmatch(sentence.strip())
        if found is not None and all(_DATE.fullmatch(part) or fold(part) in source for part in found.groups()):
            return True
    return False


def without_pages(text: str, titles: Collection[str]) -> str:
    """The text without our naming of these pages, each the end of what stands before it.

    By the whole of it: a title and an address between our words are neither a sentence nor a line that goes on.
    """
    known = "|".join(re.escape(title) for title in sorted(titles, key=len, reverse=True) if title.strip())
    if not known:
        return text
    places = {"title": f"(?:{known})", "url": r"\S+"}
    named = {words for words in load_frames().values() if "{title}" in words}
    shapes = (_PLACE.sub(lambda place: places[place[1]], re.escape(words)) for words in sorted(named))
    return re.sub("|".join(shapes), "\n\n", text)


@cache
def load_frames() -> Mapping[tuple[str, str], str]:
    """The texts by language and key; read once."""
    return {(match[1], match[2]): match[3] for match in _LINE.finditer(_FILE.read_text(encoding="utf-8"))}


@cache
def _shapes() -> Sequence[re.Pattern[str]]:
    """Each sentence of the texts; one that is a placeholder alone is nobody's."""
    parts = {part for text in load_frames().values() for part in sentences(text)}
    kept = sorted(part for part in parts if any(one.isalpha() for one in re.sub(r"\{\w+\}", "", part)))
    return [re.compile(_PLACE.sub(r"(.{1,120}?)", re.escape(part))) for part in kept]
