"""Any bytes given as a document: they become one, or an error that names the file; never anything else."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Permanent
from shared.knowledge.chunk import MAX_CHARACTERS, chunks, cut
from shared.knowledge.document import Document, parse_document
from shared.knowledge.html import html_page
from shared.knowledge.reading import document_id, read_sources
from tests.unit.test_knowledge_reading import pdf

_ENDINGS = st.sampled_from([".md", ".markdown", ".html", ".htm", ".pdf", ".txt", ".urls", ".MD"])
_MARKDOWN = st.lists(
    st.one_of(
        st.sampled_from(
            ["---\n", "id: sheds\n", "title: Sheds\n", "version: 2\n", "language: de\n", "url: https://example.com\n"]
        ),
        st.sampled_from(
            ["# Sheds\n", "## How?\n\n", "```\n", "~~~\n", "| a | b |\n", "1. one\n", "- two\n", "<!-- ", "-->"]
        ),
        st.text(max_size=30),
        st.just("\n\n"),
    ),
    max_size=25,
).map("".join)
_TAGS = st.sampled_from(
    [
        "html",
        "head",
        "title",
        "main",
        "article",
        "nav",
        "script",
        "pre",
        "h1",
        "h2",
        "p",
        "ul",
        "ol",
        "li",
        "table",
        "td",
    ]
)
_HTML = st.lists(
    st.one_of(
        _TAGS.map("<{}>".format),
        _TAGS.map("</{}>".format),
        st.sampled_from(
            ["<html lang=de>", "<!--", "-->", "<![CDATA[", "&amp;", "&#0;", "&#x110000;", "<", "<!DOCTYPE", "<?"]
        ),
        st.text(max_size=20),
    ),
    max_size=30,
).map("".join)
_LIST = st.lists(
    st.one_of(
        st.sampled_from(
            ["https://help.example.com/sheds page.html", "http://[", "# note", "ftp://example.com x", "sheds"]
        ),
        st.text(max_size=20),
    ),
    max_size=4,
).map("\n".join)
_PDF = pdf("Paint with a brush.", "Mend with a hammer.", outline=True)


@st.composite
def _torn_pdfs(draw: st.DrawFn) -> bytes:
    """A PDF with bytes changed, lost or repeated."""
    data = bytearray(_PDF)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 6))] = draw(st.binary(max_size=6))
    return bytes(data[: draw(st.integers(1, len(data) + 50))] or b"%")


_BYTES = st.one_of(
    st.binary(max_size=300),
    st.one_of(_MARKDOWN, _HTML, _LIST, st.text(max_size=300)).map(lambda text: text.encode("utf-8", "surrogatepass")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files lie; a page that a list of URLs may name lies there too, so that nothing is fetched."""
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """One event loop for all examples; what pypdf says of each torn file is nobody's business."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    with asyncio.Runner() as runner:
        yield runner


def _read(loop: asyncio.Runner, file: Path, data: bytes) -> list[Document]:
    """The documents of a file; none if it is refused, and then something is said."""
    (file.parent / "page.html").write_bytes(b"<main><h1>Sheds</h1><p>Paint them.</p></main>")
    file.write_bytes(data)
    refused: list[Permanent] = []
    try:
        return loop.run(read_sources([file]))
    except Permanent as error:
        refused.append(error)
    finally:
        file.unlink()
    assert [one.reason for one in refused if one.reason not in {"bad-document", "no-documents"}] == []
    assert [str(one) for one in refused] != [""]
    return []


def _is_sound(document: Document) -> None:
    """What every document keeps: an id and text, passages in order, and the same again when it travels as a file."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", document.id)
    assert document.body
    pieces = chunks(document)
    assert [piece.ordinal for piece in pieces] == list(range(len(pieces)))
    assert all(piece.content.strip() for piece in pieces)
    again = parse_document(document.markdown, name=document.id)
    assert (again.id, again.title, again.content_hash) == (document.id, document.title, document.content_hash)


@given(_BYTES, _ENDINGS)
def test_any_file_is_a_document_or_a_clear_error(loop: asyncio.Runner, folder: Path, data: bytes, ending: str) -> None:
    """Whatever the ending promises; a URL without a saved page would be fetched, so none is listed without one."""
    if b"://" in data and ending.lower() in (".txt", ".urls"):
        data = b"\n".join(line for line in data.splitlines() if line.endswith(b"page.html"))
    for document in _read(loop, folder / f"file{ending}", data):
        _is_sound(document)


@given(_torn_pdfs())
def test_a_torn_pdf_is_a_document_or_a_clear_error(loop: asyncio.Runner, folder: Path, data: bytes) -> None:
    """Offsets that lie, objects that refer to each other, streams that end too early."""
    for document in _read(loop, folder / "torn.pdf", data):
        _is_sound(document)


@given(_HTML)
def test_html_becomes_no_more_than_it_says(text: str) -> None:
    """Broken tags do no harm: no exception, and not much more text than was there."""
    page = html_page(text)
    assert len(page.body) <= 8 * len(text) + 8


@given(_MARKDOWN.filter(lambda text: "<!--" not in text))
def test_cutting_changes_no_word(text: str) -> None:
    """What stands in passages stands in the text, in its order and once."""
    rest = text
    for piece in cut("", text):
        for word in piece.content.split():
            before, found, rest = rest.partition(word)
            assert found, (word, before)


@given(st.lists(st.text("ab .\n", min_size=1, max_size=900), max_size=8).map("\n\n".join))
def test_prose_is_cut_into_passages_of_bounded_length(text: str) -> None:
    """No passage is longer than the limit, unless one sentence is."""
    for piece in cut("", text):
        longest = max(map(len, re.split(r"(?<=[.!?])\s+", piece.content)))
        assert len(piece.content) <= max(MAX_CHARACTERS, longest)


@given(st.text(max_size=200))
def test_any_name_makes_an_id(name: str) -> None:
    """Of a path or an address, in any script."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,119}", document_id(name))
