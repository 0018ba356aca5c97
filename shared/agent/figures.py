"""Numbers that are written as words, as figures: `ninety-nine` is as much a number as 99. The words are data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from shared.channels.fold import fold

_FILE = Path(__file__).parent / "words" / "figures.txt"
_TOKEN = re.compile(r"[^\W\d_]+")
_JOINED = re.compile(r"[\s-]{1,3}")
#: Behind what Arabic writes onto a word: "and", "with", "for", "the".
_ARABIC_PREFIX = re.compile(r"^[وبلف]?(?:ال)?")
_GERMAN_UNIT = "ein|zwei|drei|vier|funf|sechs|sieben|acht|neun"
_GERMAN = re.compile(
    rf"(?:(?P<thousands>{_GERMAN_UNIT}|zehn|zwanzig)?(?P<t>tausend))?(?:(?P<hundreds>{_GERMAN_UNIT})?(?P<h>hundert))?"
    rf"(?:und)?(?:(?P<unit>{_GERMAN_UNIT}|sech|sieb)?(?P<mark>und)?"
    r"(?P<ten>zehn|zwanzig|dreissig|vierzig|funfzig|sechzig|siebzig|achtzig|neunzig|elf|zwolf)|(?P<last>"
    rf"{_GERMAN_UNIT}))?"
)
_GERMAN_STEMS = {"ein": 1, "sech": 6, "sieb": 7}
#: As a number of several groups is written: 1,000 or 1.000, and 9.99 or 9,99.
_GROUPED = re.compile(r"^\d{1,3}(?:[.,]\d{3})+$")


@dataclass(slots=True)
class _Words:
    """One language's number words: (value, multiplies, only before a unit)."""

    values: dict[str, tuple[int, bool, bool]] = field(default_factory=dict[str, tuple[int, bool, bool]])
    units: re.Pattern[str] = re.compile(r"(?!)")
    joiners: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Sum:
    """A number that is being read: what is complete, and what a multiplier would still multiply."""

    total: int = 0
    current: int = 0
    last: int = 0

    def takes(self, value: int, *, multiplies: bool, units_first: bool) -> bool:
        """Add a word's value; False where it begins another number."""
        if multiplies:
            self.current = max(1, self.current) * value
            if value >= 1000:
                self.total, self.current = self.total + self.current, 0
        elif value == 20 and self.last == 4 and not units_first:
            value = 80
            self.current += 76
        elif self.last and not self._fits(value, units_first=units_first):
            return False
        else:
            self.current += value
        self.last = value
        return True

    def _fits(self, value: int, *, units_first: bool) -> bool:
        """Whether it may follow the last one in the same number: twenty-nine, and not nine twenty."""
        if self.last >= 100:
            return value < self.last
        if units_first:
            return self.last < 10 <= value
        # French counts on from 60 and 80 to 79 and 99, and dix-sept is 17.
        most = 20 if self.last in {60, 80} else 10
        return value < most if self.last >= 20 else self.last == 10 and 7 <= value <= 9


def in_figures(text: str, languages: Collection[str] = ()) -> str:
    """The text folded, with its number words as figures; of these languages, or of all."""
    plain = fold(text)
    for language in languages or load_figures():
        if language in load_figures():
            plain = _replaced(plain, language)
    return plain


def plain_number(text: str) -> str:
    """A number as it is compared: in Latin figures, without groups, its decimal mark a point."""
    figures = "".join(str(int(one)) if one.isdigit() else one for one in text).strip(".,")
    if _GROUPED.match(figures):
        return re.sub(r"[.,]", "", figures)
    whole, mark, part = figures.replace(",", ".").rpartition(".")
    return f"{whole.replace('.', '')}.{part}" if mark else figures


@cache
def load_figures() -> Mapping[str, _Words]:
    """The words by language; read once."""
    found: dict[str, _Words] = {}
    here = _Words()
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            here = found.setdefault(line.strip("[]"), _Words())
        elif line and not line.startswith("#"):
            _note(here, line)
    return found


def _note(words: _Words, line: str) -> None:
    key, *given = line.split()
    if key == "unit":
        words.units = re.compile("|".join(fold(one) for one in given))
    elif key == "and":
        words.joiners = frozenset(given)
    else:
        value = int(key.lstrip("?x"))
        words.values.update({fold(one): (value, "x" in key, key.startswith("?")) for one in given})


def _replaced(text: str, language: str) -> str:
    parts: list[str] = []
    end = 0
    for start, stop, value in _numbers(text, language):
        parts += [text[end:start], str(value)]
        end = stop
    return "".join([*parts, text[end:]])


def _numbers(text: str, language: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and value of each number in words."""
    words = load_figures()[language]
    tokens = list(_TOKEN.finditer(text))
    place = 0
    while place < len(tokens):
        if _value(tokens[place][0], language, words) is None:
            place += 1
            continue
        stop, value = _run(text, tokens, place, language, words)
        if stop > place:
            yield tokens[place].start(), tokens[stop - 1].end(), value
        place = max(stop, place + 1)


def _run(text: str, tokens: Sequence[re.Match[str]], place: int, language: str, words: _Words) -> tuple[int, int]:
    """Where the number that begins at `place` ends, and its value; `place` itself where none begins."""
    read, stop = _Sum(), place
    while stop < len(tokens):
        joined = stop == place or _JOINED.fullmatch(text[tokens[stop - 1].end() : tokens[stop].start()])
        skip = stop > place and tokens[stop][0] in words.joiners and stop + 1 < len(tokens)
        at = stop + 1 if skip else stop
        found = _value(tokens[at][0], language, words)
        if not joined or found is None or not read.takes(found[0], multiplies=found[1], units_first=language == "ar"):
            break
        stop = at + 1
    alone = stop == place + 1 and (found := _value(tokens[place][0], language, words)) and found[2]
    if alone and not (stop < len(tokens) and words.units.fullmatch(tokens[stop][0])):
        return place, 0
    return stop, read.total + read.current


def _value(token: str, language: str, words: _Words) -> tuple[int, bool, bool] | None:
    bare = token
    if language == "ar" and token not in words.values:
        bare = _ARABIC_PREFIX.sub("", token)
    found = words.values.get(bare)
    if found is None and language == "de":
        value = _german(token)
        return (value, False, False) if value else None
    return found


def _german(token: str) -> int:
    """`neunundneunzig`, `hundertzwanzig`: German writes it as one word. 0 for no number, and for `ein`."""
    found = _GERMAN.fullmatch(token)
    if found is None or token in {"ein", "und", ""}:
        return 0
    unit, ten = found["unit"], found["ten"]
    # Units stand before -zehn directly, before the other tens with `und`.
    if unit and (ten in {"elf", "zwolf"} or (ten == "zehn") == bool(found["mark"])):
        return 0
    one = _of(unit) + _of(ten) + _of(found["last"])
    thousands = 1000 * (_of(found["thousands"]) or 1) if found["t"] else 0
    return thousands + (100 * (_of(found["hundreds"]) or 1) if found["h"] else 0) + one


def _of(part: str | None) -> int:
    if not part:
        return 0
    return _GERMAN_STEMS.get(part) or load_figures()["de"].values[part][0]
