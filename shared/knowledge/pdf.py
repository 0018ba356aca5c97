"""A PDF as a page of Markdown: its outline gives the headings, without one each page is a section.

pypdf blocks: it is called in a thread. A file that needs a password, or is pictures alone, has no text to find.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

from shared.errors import Permanent
from shared.knowledge.plain import Page

_MAX_PAGES = 2000
_HYPHENATED = re.compile(r"(\w)-\n(?=[a-z])")


def pdf_page(data: bytes, name: str) -> Page:
    """Raises Permanent when it can't be read or has no text."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # the error names the file, and its oddities are no news
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Permanent(f"{name}: is locked by a password", reason="bad-document")
        texts = [_HYPHENATED.sub(r"\1", page.extract_text()).strip() for page in reader.pages[:_MAX_PAGES]]
        headings = dict(_outline(reader, reader.outline, 2))
        title = str((reader.metadata and reader.metadata.title) or "").strip()
    except Permanent:
        raise
    except Exception as error:  # noqa: BLE001  pypdf follows what a torn file says, to whatever that leads
        raise Permanent(f"{name}: is no PDF that can be read: {type(error).__name__}", reason="bad-document") from None
    if not any(texts):
        raise Permanent(f"{name}: has no text: scanned pages need to be recognised first", reason="bad-document")
    return Page(title, "\n\n".join(_sections(texts, headings)))


def _sections(texts: list[str], headings: dict[int, str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number in headings:
            yield headings[number]
        elif not headings and len(texts) > 1:
            yield f"## Page {number + 1}"
        if text:
            yield re.sub(r"^#", r"\\#", text, flags=re.MULTILINE)


def _outline(reader: Any, entries: Any, level: int) -> Iterator[tuple[int, str]]:
    """The first entry of each page, as a heading of its depth."""
    seen: set[int] = set()
    for entry in entries:
        if isinstance(entry, list):
            found = list(_outline(reader, entry, min(level + 1, 6)))
        else:
            number = reader.get_destination_page_number(entry)
            found = [(number, f"{'#' * level} {str(entry.title).strip()}")] if number is not None else []
        for number, heading in found:
            if number not in seen:
                seen.add(number)
                yield number, heading
