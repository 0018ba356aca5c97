"""What stands in the margins of a printed page and belongs to no document: running heads, and what a browser adds.

A browser prints the date and time, the page's title, its address and "page/of". A line is left out where nothing else
is in it; one that is larger than the text, or may be part of it, stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: How many lines at the top and at the bottom of a page may be margin, and how long one may be.
_EDGE = 4
_LONGEST = 300
_TIME = re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s+\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\b\.?)?")
_ADDRESS = re.compile(r"(?:https?|file)://\S+")
_PAGES = re.compile(r"(?:\bpage\s+)?\b(\d{1,4})\s?(?:/|of)\s?(\d{1,4})$", re.IGNORECASE)
_DOCUMENT = r"\.(?:html?|pdf|docx?|odt|rtf|txt|md|xlsx?|pptx?)"
_NAMED = re.compile(rf"\S.{{0,200}}{_DOCUMENT}", re.IGNORECASE)
_LONE_FILE = re.compile(
    rf"(?:file:\S+|(?:/|~/|[a-z]:[\\/])(?:[^\s\\/]+[\\/])*[^\s\\/]+{_DOCUMENT})(?:\s+\d+\s?/\s?\d+)?", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.!?:;,]$")
_NUMBER = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page and the size of its type, 0 where the file does not tell."""

    text: str
    size: float = 0.0


def names_a_file(title: str) -> bool:
    """Whether what should be a title is the name of a file or its address."""
    return title.casefold().startswith("file:") or bool(_NAMED.fullmatch(title))


def without_margins(pages: Sequence[Sequence[Line]], title: str, body: float) -> list[list[Line]]:
    """The pages without the lines that are no part of their text, which is set in type of the size `body`."""
    repeated = _repeated(pages, body)
    kept: list[list[Line]] = []
    for number, lines in enumerate(pages, 1):
        out = _printed({at: lines[at].text for at in _edge(lines)}, title, (number, len(pages)))
        left = [one for at, one in enumerate(lines) if at not in out and not _LONE_FILE.fullmatch(one.text)]
        running = [not repeated.isdisjoint(_keys(one, number, body)) for one in left]
        kept.append(_inner(left, running))
    return kept


def _inner(lines: list[Line], running: Sequence[bool]) -> list[Line]:
    """Without the running lines at the top and at the bottom: one that has text outside of it is text."""
    first = next((at for at, one in enumerate(running) if not one), len(lines))
    after = next((at for at in range(len(lines), first, -1) if not running[at - 1]), first)
    return lines[first:after]


def _edge(lines: Sequence[Line]) -> list[int]:
    """The places of the first and last lines, without those too long to be margin."""
    places = (at for at in range(len(lines)) if at < _EDGE or at >= len(lines) - _EDGE)
    return [at for at in places if len(lines[at].text) <= _LONGEST]


def _printed(edge: dict[int, str], title: str, page: tuple[int, int]) -> set[int]:
    """Lines of nothing but a browser's marks. One mark alone may be text, unless another line has two others."""
    marks = {at: found for at, text in edge.items() if (found := _marks(text, title, page))}
    sure = [found for found in marks.values() if len(found) > 1]
    told = set[str]().union(*sure)
    return {at for at, found in marks.items() if len(found) > 1 or (sure and not found <= told)}


def _marks(text: str, title: str, page: tuple[int, int]) -> set[str]:
    """Which marks make up a line; empty if there is anything in it beside them and the title, or the title alone."""
    found: set[str] = set()
    for mark, pattern in (("address", _ADDRESS), ("time", _TIME), ("pages", _PAGES)):
        one = pattern.search(text)
        if one and (mark != "pages" or (int(one[1]), int(one[2])) == page):
            found.add(mark)
            text = (text[: one.start()] + text[one.end() :]).strip()
    return found if title.startswith(text.rstrip("….").strip()) else set()


def _repeated(pages: Sequence[Sequence[Line]], body: float) -> set[str]:
    """What stands at the edges of at least three pages and half of all. A page of one line is its text."""
    counted = Counter[str]()
    for number, lines in enumerate(pages, 1):
        edge = [lines[at] for at in _edge(lines) if len(lines) > 1]
        counted.update({key for line in edge for key in _keys(line, number, body)})
    return {key for key, times in counted.items() if times >= 3 and times * 2 >= len(pages)}


def _keys(line: Line, number: int, body: float) -> Iterator[str]:
    """A line in its size as it is, and with each number in it told by how far it is from the page's.

    A sentence is text, however often it is said, and a larger line that counts on is a heading.
    """
    if len(line.text) > _LONGEST or _SENTENCE.search(line.text):
        return
    yield f"{line.size}\0{line.text}"
    for found in _NUMBER.finditer(line.text) if line.size <= body else ():
        yield f"{line.size}\0{line.text[: found.start()]}\0{int(found[0]) - number}\0{line.text[found.end() :]}"
