"""Sources into documents: Markdown, HTML, PDF and text, folders of them, and lists of URLs.

A list of URLs is a `.urls` file, or a `.txt` of nothing but URLs: one on a line, followed by the file that holds the
page if it was saved (relative to the list), else it is fetched. What a file does not say about itself (front matter,
`<html lang>`) is taken from `Facts`; its id is made of its path. A folder may hold several versions of one document:
the highest counts, the others are its history.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from shared.errors import Permanent
from shared.knowledge.document import MAX_URL, Document, has_front_matter, parse_document
from shared.knowledge.encoding import decoded
from shared.knowledge.html import html_page
from shared.knowledge.pdf import pdf_page
from shared.knowledge.plain import Page, markdown_page, text_page

MAX_BYTES = 20_000_000
_KINDS = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".pdf": "pdf", ".txt": "text"}
_FETCH_S = 15.0
_URLS = re.compile(r"^(?:https?://\S+(?:[ \t]+\S[^\n]*)?\s*|#[^\n]*\s*|\s*)+$")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so of documents that do not say otherwise."""

    product: str = ""
    language: str = "en"
    audience: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to read, or a URL to fetch (then `path` is None); `label` makes the id and names it in an error."""

    label: str
    path: Path | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Raw:
    """The bytes of one, what they are, and the character set that a server named."""

    kind: str
    data: bytes
    charset: str = ""


async def read_sources(paths: Sequence[Path], facts: Facts | None = None) -> list[Document]:
    """All documents of files and folders, in order.

    Raises Permanent for those that can't be read, naming each file and URL, for an id and version used twice, and if
    there is none.
    """
    found = [one for path in paths for one in await asyncio.to_thread(_found, path)]
    documents = await _all(found, facts or Facts())
    if not documents:
        where = ", ".join(str(path) for path in paths)
        raise Permanent(f"no Markdown, HTML, PDF or text document at {where}", reason="no-documents")
    return _in_order(documents)


async def read_page(path: Path, url: str, facts: Facts) -> Document:
    """The document of one file, whose page customers find at `url`, whatever the file says.

    Raises Permanent as `read_sources`, for what is no address of a page, and for a folder or a list of URLs.
    """
    if not _is_url(url):
        raise Permanent("--url is no address of a page: https://HOST/…, without blanks", reason="bad-document")
    if await asyncio.to_thread(lambda: path.is_dir() or _is_list(path)):
        raise Permanent("--url is the address of one file's page: give no folder and no list", reason="bad-document")
    (document,) = await read_sources([path], facts)
    return document.model_copy(update={"url": url})


async def _all(found: Sequence[_Found], facts: Facts) -> list[Document]:
    """What can be read; raises Permanent with every one that can't, so that all are mended at once."""
    documents: list[Document] = []
    faults: list[str] = []
    for one in found:
        try:
            documents.append(await _read(one, facts))
        except Permanent as error:
            faults.append(str(error))
    if faults:
        raise Permanent("; ".join(faults), reason="bad-document")
    return documents


def _in_order(documents: Sequence[Document]) -> list[Document]:
    """Each document before its newer versions, which supersede it."""
    counted = Counter((document.id, document.version) for document in documents)
    if twice := sorted({name for (name, _), times in counted.items() if times > 1}):
        raise Permanent(f"two documents share an id: {', '.join(twice)}", reason="bad-document")
    newest = dict(sorted(counted))
    first = {document.id: place for place, document in reversed(list(enumerate(documents)))}
    ordered = sorted(documents, key=lambda one: (first[one.id], one.version))
    return [one if one.version == newest[one.id] else one.model_copy(update={"superseded": True}) for one in ordered]


def _found(path: Path) -> list[_Found]:
    if not path.exists():
        raise Permanent(f"no document at {path}", reason="no-documents")
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    found: list[_Found] = []
    for file in files:
        label = str(file.relative_to(path)) if path.is_dir() else file.name
        if _is_list(file):
            found += _listed(file)
        elif file.suffix.lower() in _KINDS:
            found.append(_Found(label, file))
    if not found and not path.is_dir():
        raise Permanent(f"{path.name}: is neither Markdown, HTML, PDF, text nor a list of URLs", reason="bad-document")
    saved = {one.path for one in found if one.url}
    return [one for one in found if one.url or one.path not in saved]


def _is_list(file: Path) -> bool:
    if file.suffix.lower() == ".urls":
        return True
    if file.suffix.lower() != ".txt" or file.stat().st_size > 1_000_000:
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    return "://" in text and bool(_URLS.match(text))


def _listed(file: Path) -> list[_Found]:
    found: list[_Found] = []
    for number, line in enumerate(_text(file.read_bytes(), file.name).splitlines(), 1):
        url, _, saved = line.strip().partition(" ") if " " in line.strip() else line.strip().partition("\t")
        if not url or url.startswith("#"):
            continue
        if not _is_url(url):
            raise Permanent(f"{file.name}: line {number} does not begin with a URL", reason="bad-document")
        path = (file.parent / saved.strip()) if saved.strip() else None
        if path is not None and not path.is_file():
            raise Permanent(f"{file.name}: line {number}: no file {saved.strip()}", reason="bad-document")
        parts = urlsplit(url)
        found.append(_Found(f"{parts.netloc}{parts.path}".rstrip("/"), path, url))
    return found


def _is_url(text: str) -> bool:
    """Whether it is a page's address, as long as a document may keep."""
    if re.search(r"\s", text) or len(text) > MAX_URL:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


async def _read(found: _Found, facts: Facts) -> Document:
    if found.path is None:
        raw = await _fetched(found.url)
    else:
        raw = _Raw(_KINDS.get(found.path.suffix.lower(), "html"), await asyncio.to_thread(_bytes, found.path))
    return await asyncio.to_thread(_document, found, raw, facts)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise Permanent(f"{path.name}: is larger than {MAX_BYTES // 1_000_000} MB", reason="bad-document")
    return path.read_bytes()


async def _fetched(url: str) -> _Raw:
    try:
        async with httpx.AsyncClient(timeout=_FETCH_S, follow_redirects=True) as client:
            response = await client.get(url)
            response.raise_for_status()
    except httpx.HTTPError as error:
        raise Permanent(f"{url}: can't be fetched: {type(error).__name__}", reason="bad-document") from None
    if len(response.content) > MAX_BYTES:
        raise Permanent(f"{url}: is larger than {MAX_BYTES // 1_000_000} MB", reason="bad-document")
    says = response.headers.get("content-type", "")
    kinds = (("pdf", "pdf"), ("markdown", "markdown"), ("text/plain", "text"))
    kind = next((kind for word, kind in kinds if word in says), "html")
    return _Raw(kind, response.content, response.charset_encoding or "")


def _document(found: _Found, raw: _Raw, facts: Facts) -> Document:
    if raw.kind == "markdown" and has_front_matter(text := _text(raw.data, found.label)):
        return parse_document(text, name=found.label)
    page = _page(raw, found.label)
    # The last resort for a title is the file's name, read aloud.
    name = re.sub(r"[-_./]+", " ", found.label.rsplit("/", 1)[-1].rsplit(".", 1)[0]).strip()
    fields = {
        "id": document_id(found.label),
        "title": page.title or name.capitalize() or found.label,
        "url": found.url or page.url,
        "language": page.language or facts.language,
        "product": facts.product,
        "audience": facts.audience,
        "body": page.body,
    }
    try:
        return Document.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("body",) and not page.body:
            raise Permanent(f"{found.label}: has no text", reason="bad-document") from None
        raise Permanent(f"{found.label}: {first['loc'][0]}: {first['msg']}", reason="bad-document") from None


def _page(raw: _Raw, name: str) -> Page:
    if raw.kind == "pdf":
        return pdf_page(raw.data, name)
    text = _text(raw.data, name, raw.charset)
    return {"html": html_page, "markdown": markdown_page, "text": text_page}[raw.kind](text)


def _text(data: bytes, name: str, charset: str = "") -> str:
    try:
        return decoded(data, charset).replace("\0", "").replace("\r\n", "\n")
    except UnicodeError:
        raise Permanent(f"{name}: is not UTF-8", reason="bad-document") from None


def document_id(label: str) -> str:
    """An id made of a path or URL: `Billing/Refunds & you.html` is `billing-refunds-you`."""
    stem = label.rsplit(".", 1)[0] if "." in label.rsplit("/", 1)[-1] else label
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:120].strip("-") or "document"
