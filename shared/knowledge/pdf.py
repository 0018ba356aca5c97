"""A PDF as a page of Markdown: larger type or its outline gives the headings, without one each page is a section.

pypdf blocks: it is called in a thread. A file that needs a password, or is pictures alone, has no text to find.
"""

from __future__ import annotations

import io
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from shared.channels.pdf_text import in_letters
from shared.errors import Permanent
from shared.knowledge.margins import Line, names_a_file, without_margins
from shared.knowledge.plain import Page

_MAX_PAGES = 2000
#: How much larger than the text the type of a heading is, and how long one may be.
_LARGER = 1.1
_LONGEST_HEADING = 120
_MOST_LINES = 3
#: A line with an end mark is a sentence, one with dots leading to a page is of a table of contents.
_NO_HEADING = re.compile(r"[.!:;,]$|\.\s?\.\s?\.")


def pdf_page(data: bytes, name: str) -> Page:
    """Raises Permanent when it can't be read or has no text."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # the error names the file, and its oddities are no news
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Permanent(f"{name}: is locked by a password", reason="bad-document")
        pages = [_lines(page) for page in reader.pages[:_MAX_PAGES]]
        outline = dict(_outline(reader, reader.outline, 2))
        title = in_letters(str((reader.metadata and reader.metadata.title) or "")).strip()
    except Permanent:
        raise
    except Exception as error:  # noqa: BLE001  pypdf follows what a torn file says, to whatever that leads
        raise Permanent(f"{name}: is no PDF that can be read: {type(error).__name__}", reason="bad-document") from None
    found = _page(pages, outline, title)
    if not found.body:
        raise Permanent(f"{name}: has no text: scanned pages need to be recognised first", reason="bad-document")
    return found


def _lines(page: Any) -> list[Line]:
    """The lines of a page that say something, each with the smallest type in it."""
    lines: list[tuple[str, float]] = [("", 0.0)]

    def visit(text: str, matrix: Sequence[float], within: Sequence[float], _font: object, size: float) -> None:
        shown = abs(size * math.hypot(*matrix[2:4]) * math.hypot(*within[2:4]))
        shown = shown if math.isfinite(shown) else 0.0
        first, *more = text.split("\n")
        for piece, (before, least) in ((first, lines.pop()), *((piece, ("", 0.0)) for piece in more)):
            smallest = min(least or shown, shown) if piece.strip() else least
            lines.append((before + piece, round(smallest * 2) / 2))

    page.extract_text(visitor_text=visit)
    return [Line(in_letters(text).strip(), size) for text, size in lines if text.strip()]


def _page(printed: Sequence[Sequence[Line]], outline: dict[int, str], title: str) -> Page:
    body = _body_size(printed)
    pages = without_margins(printed, title, body)
    parts = _with_text([part for lines in pages for part in _parts(lines, body)])
    sizes = sorted({size for _, size in parts if size}, reverse=True)
    headings = [text.replace("\n", " ") for text, size in parts if size]
    if not title or names_a_file(title):
        title = headings[0] if headings else ""
    # A title page's large line is no reason to lose the outline, or to cite no page.
    if headings and len(headings) >= len(outline) and len(headings) * 2 >= len(pages):
        return Page(title, in_letters("\n".join(_marked(text, size, sizes) for text, size in parts)).strip())
    texts = [in_letters("\n".join(_escaped(line.text) for line in lines)) for lines in pages]
    return Page(title, "\n\n".join(_sections(texts, outline)) if any(texts) else "")


def _with_text(parts: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """A heading has text below it or a smaller heading; else it is text itself, and would be lost."""
    below = [*(size for _, size in parts[1:]), math.inf]
    return [(text, size if after < size else 0.0) for (text, size), after in zip(parts, below, strict=False)]


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    """The size that most of the text is set in."""
    counted = Counter[float]()
    for line in (line for lines in pages for line in lines):
        counted[line.size] += len(line.text)
    return max(counted, key=lambda size: counted[size], default=0.0)


def _parts(lines: Sequence[Line], body: float) -> Iterator[tuple[str, float]]:
    """Headings with the size of their type, a wrapped one with its lines; other lines with 0."""

    def size_of(line: Line) -> float:
        return line.size if body and line.size >= body * _LARGER else 0.0

    for size, group in groupby(lines, key=size_of):
        texts = [line.text for line in group]
        whole = "\n".join(texts)
        fits = len(texts) <= _MOST_LINES and len(whole) <= _LONGEST_HEADING
        if size and fits and not _NO_HEADING.search(whole):
            yield whole, size
        else:
            yield from ((text, 0.0) for text in texts)


def _marked(text: str, size: float, sizes: Sequence[float]) -> str:
    if not size:
        return "\n".join(map(_escaped, text.split("\n")))
    return f"\n{'#' * min(2 + sizes.index(size), 6)} {text.replace(chr(10), ' ')}\n"


def _escaped(text: str) -> str:
    """A line of text that starts like a heading is none."""
    return f"\\{text}" if text.startswith("#") else text


def _sections(texts: Sequence[str], outline: dict[int, str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number in outline:
            yield outline[number]
        elif not outline and len(texts) > 1:
            yield f"## Page {number + 1}"
        if text:
            yield text


def _outline(reader: Any, entries: Any, level: int) -> Iterator[tuple[int, str]]:
    """The first entry of each page, as a heading of its depth."""
    seen: set[int] = set()
    for entry in entries:
        if isinstance(entry, list):
            found = list(_outline(reader, entry, min(level + 1, 6)))
        else:
            number = reader.get_destination_page_number(entry)
            title = in_letters(str(entry.title)).strip()
            found = [(number, f"{'#' * level} {title}")] if number is not None else []
        for number, heading in found:
            if number not in seen:
                seen.add(number)
                yield number, heading
