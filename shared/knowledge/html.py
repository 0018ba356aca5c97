"""HTML as a page of Markdown: headings, paragraphs, lists, tables and code; nothing of menus and scripts.

Only the main part is read where a page marks one (`<main>`, else `<article>`). Needs no library, so that it runs where
`kn-fte` does.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from shared.knowledge.plain import Page

_SILENT = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "nav",
    "footer",
    "form",
    "button",
    "iframe",
    "head",
    "aside",
}
_BLOCKS = {"p", "div", "section", "article", "main", "ul", "ol", "table", "blockquote", "dl", "dd", "figure", "header"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLANK = re.compile(r"\n\s*\n\s*")


def html_page(text: str) -> Page:
    """Any text is taken as HTML; broken tags do no harm."""
    reader = _Reader("main" if re.search(r"<main\b", text, re.IGNORECASE) else "article")
    reader.feed(text)
    reader.close()
    kept = reader.main if "".join(reader.main).strip() else reader.all
    body = _BLANK.sub("\n\n", "".join(kept)).strip()
    return Page(" ".join((reader.title or reader.first_heading).split()), body, reader.language, reader.url)


class _Reader(HTMLParser):
    """Collects Markdown twice: of everything, and of the part called `centre`."""

    def __init__(self, centre: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[str] = []
        self.main: list[str] = []
        self.title = self.first_heading = self.language = self.url = ""
        self._centre = centre
        self._depth = 0
        self._silent: list[str] = []
        self._titled = self._heading = self._code = False
        self._lists: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._note(tag, given)
        if tag in _SILENT:
            self._silent.append(tag)
        self._depth += tag == self._centre
        self._heading = self._heading or tag in _HEADINGS
        self._code = self._code or tag == "pre"
        self._add(self._before(tag))

    def _before(self, tag: str) -> str:
        """What stands before an element's text in Markdown."""
        if tag in _HEADINGS:
            return f"\n\n{'#' * _HEADINGS[tag]} "
        if tag == "li":
            return self._bullet()
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        inline = {"pre": "\n\n```\n", "br": "\n", "tr": "\n", "dt": "\n", "td": " | ", "th": " | "}
        return inline.get(tag, "\n\n" if tag in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[len(self._silent) - 1 - self._silent[::-1].index(tag) :]
        if tag == "title":
            self._titled = False
        elif tag in _HEADINGS:
            self._heading = False
            self._add("\n\n")
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._add("\n\n")
        elif tag == "pre":
            self._code = False
            self._add("\n```\n\n")
        elif tag in _BLOCKS:
            self._add("\n\n")
        self._depth = max(0, self._depth - (tag == self._centre))

    def handle_data(self, data: str) -> None:
        if self._titled:
            self.title += data
        if self._heading and not self._silent:
            self.first_heading = self.first_heading or data.strip()
        self._add(data if self._code else re.sub(r"\s+", " ", data))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        if tag == "html":
            self.language = given.get("lang", "")[:20]
        elif tag == "title" and not self.title:
            self._titled = True
        elif tag == "link" and given.get("rel") == "canonical" and given.get("href", "").startswith("http"):
            self.url = given["href"]

    def _bullet(self) -> str:
        indent = "  " * max(0, len(self._lists) - 1)
        if not self._lists or self._lists[-1] is None:
            return f"\n{indent}- "
        self._lists[-1] += 1
        return f"\n{indent}{self._lists[-1]}. "

    def _add(self, text: str) -> None:
        if self._silent:
            return
        self.all.append(text)
        if self._depth:
            self.main.append(text)
