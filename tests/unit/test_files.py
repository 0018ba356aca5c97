"""Facts of files: what content says counts, and no bytes make it fail."""

from __future__ import annotations

import hashlib
import io

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels import files

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
ZIP = b"PK\x03\x04" + bytes(40)


def pdf(pages: int) -> bytes:
    """A PDF of so many blank pages."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(72, 72)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("declared", "data", "found"),
    [
        ("text/plain", PNG, "image/png"),
        ("image/png; name=x", PNG, "image/png"),
        ("application/pdf", b"hello", "application/pdf"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP,
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("text/plain", ZIP, "application/zip"),
        ("image/jpeg", b"MZ" + bytes(60), "application/x-msdownload"),
        ("", b"hello", "application/octet-stream"),
    ],
)  # fmt: skip
def test_content_names_the_type(declared: str, data: bytes, found: str) -> None:
    """A program that calls itself a picture is named a program."""
    assert files.content_type(declared, data) == found


def test_a_pdf_is_counted_and_hashed() -> None:
    """Pages, size and hash are of the bytes."""
    data = pdf(2)
    told = files.facts("plan.pdf", "application/octet-stream", data)
    assert (told.content_type, told.pages, told.size) == ("application/pdf", 2, len(data))
    assert told.sha256 == hashlib.sha256(data).hexdigest()


def test_the_text_of_a_small_file_is_read() -> None:
    """Text comes along; an empty text is none."""
    assert files.facts("log.txt", "text/plain; charset=utf-8", b"error 42\r\nend\x00").text == "error 42\nend"
    assert files.facts("log.txt", "text/plain", b"  \n ").text == ""


def test_a_large_file_is_named_and_not_kept() -> None:
    """Beyond the limit the facts stay, with the reason."""
    told = files.facts("film.bin", "video/mp4", bytes(files.MAX_BYTES + 1))
    assert (told.refused, told.size) == ("too-large", files.MAX_BYTES + 1)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300),
    st.text(max_size=200),
    st.binary(max_size=2000),
    st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04"]),
)
def test_any_bytes_have_facts(name: str, declared: str, data: bytes, start: bytes) -> None:
    """Hostile names, types and contents end in facts that fit an event."""
    told = files.facts(name, declared, start + data)
    assert told.size == len(start + data)
    told.model_dump_json().encode()
