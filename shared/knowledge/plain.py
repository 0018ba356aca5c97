"""A page as Markdown, whatever it was: from Markdown without a front matter, and from plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r"^#{1,2}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class Page:
    """What a source says of itself; empty where it says nothing. `body` is Markdown."""

    title: str
    body: str
    language: str = ""
    url: str = ""


def markdown_page(text: str) -> Page:
    """The title is its first heading of the first or second level."""
    found = _HEADING.search(text)
    return Page(found[1].strip() if found else "", text.strip())


def text_page(text: str) -> Page:
    """The title is a short first line with a blank line after it; what looks like Markdown is plain text here."""
    first, _, rest = text.strip().partition("\n\n")
    titled = "\n" not in first and len(first) <= _LONGEST_TITLE and bool(rest.strip())
    body = rest if titled else text
    return Page(first.strip() if titled else "", re.sub(r"^#", r"\\#", body.strip(), flags=re.MULTILINE))
