"""A file that came along, as facts: its type by content, size, hash, pages, and the text of a small one.

Contents are looked at, never run, rendered or unpacked: an archive stays one file. Everything here blocks, for
tenths of a second on a large file and for seconds on a hostile PDF: call it beside the event loop.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import filetype  # pyright: ignore[reportMissingTypeStubs]

from shared.channels import pdf_text
from shared.channels.message import Attachment
from shared.channels.plain_text import bare_name, clean, cut, is_blank

#: Bytes of one file whose contents are kept; of more only name and size are.
MAX_BYTES = 16_000_000
#: Files of one message that are kept.
MAX_FILES = 20
#: Bytes of a file whose text is read, pages of a PDF that are, and characters of it that are kept.
TEXT_BYTES = 2_000_000
TEXT_PAGES = 20
MAX_TEXT = 20_000

_TEXT_TYPES = {"text/plain", "text/csv", "text/markdown", "text/tab-separated-values", "application/json", "text/x-log"}
# Office documents are ZIP archives by content: what they declare says more, and lies about nothing that runs.
_ARCHIVES = {"application/zip", "application/x-ole-storage"}
_OFFICE = ("application/vnd.", "application/msword")
_UNKNOWN = "application/octet-stream"
#: What stands in the first bytes of a PDF (PDF Reference 1.7, appendix H, note 13): without it no reader need start.
_PDF, _PDF_WITHIN = b"%PDF-", 1024


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a PDF or a text file found."""

    pages: int | None = None
    text: str = ""


def facts(name: str, declared: str, data: bytes) -> Attachment:
    """The facts of one file; without `blob` and `ref`, which are the caller's. Never raises on any bytes."""
    kind = content_type(declared, data)
    looked = _look(kind, data) if len(data) <= TEXT_BYTES else Looked()
    return Attachment(
        name=bare_name(name),
        content_type=kind,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        pages=looked.pages,
        text=looked.text,
        refused="too-large" if len(data) > MAX_BYTES else "",
    )


def content_type(declared: str, data: bytes) -> str:
    """The media type by content where that can be told, since a declared one may be meant to deceive."""
    wanted = declared.partition(";")[0].strip().lower()[:120]
    found = filetype.guess_mime(data[:8192])
    if found is None:
        return wanted or _UNKNOWN
    return wanted if found in _ARCHIVES and wanted.startswith(_OFFICE) else str(found)


def _look(kind: str, data: bytes) -> Looked:
    if kind == "application/pdf" and _PDF in data[:_PDF_WITHIN]:
        return _pdf(data)
    if kind in _TEXT_TYPES:
        text = clean(data.decode("utf-8", "replace"))
        return Looked(text="" if is_blank(text) else cut(text, MAX_TEXT))
    return Looked()


def _pdf(data: bytes) -> Looked:
    count, text = pdf_text.read(data, pages=TEXT_PAGES, characters=MAX_TEXT)
    text = clean(text.encode("utf-8", "replace").decode())
    return Looked(count, "" if is_blank(text) else cut(text, MAX_TEXT))
