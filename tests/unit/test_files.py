"""Facts of files: what content says counts, and no bytes make it fail."""

from __future__ import annotations

import hashlib
import io
import resource
import zlib
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels import files, pdf_text

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


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [("../../etc/x.exe", "x.exe"), ("C:\\Users\\ada\\x.pdf", "x.pdf"), ("inv\u202efdp.exe", "invfdp.exe")],
)
def test_a_name_leads_nowhere_and_reads_as_it_is(given_name: str, kept: str) -> None:
    """Whichever way the file came: no folders, and no overrides of direction (Unicode TR 36, section 2.6)."""
    assert files.facts(given_name, "text/plain", b"x").name == kept


def test_a_pdf_is_counted_and_hashed() -> None:
    """Pages, size and hash are of the bytes."""
    data = pdf(2)
    told = files.facts("plan.pdf", "application/octet-stream", data)
    assert (told.content_type, told.pages, told.size) == ("application/pdf", 2, len(data))
    assert told.sha256 == hashlib.sha256(data).hexdigest()


def test_what_is_no_pdf_starts_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared type alone costs no process; a head that stands a little later is one."""
    asked: list[bytes] = []
    monkeypatch.setattr(pdf_text, "read", lambda data, **_: asked.append(data) or (1, ""))  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    assert files.facts("a.pdf", "application/pdf", b"hello").pages is None
    assert files.facts("a.pdf", "application/pdf", b"x" * 1500 + b"%PDF-1.4").pages is None
    assert asked == []
    assert files.facts("a.pdf", "application/pdf", b"x" * 500 + b"%PDF-1.4").pages == 1


def hostile_pdf(operators: int) -> bytes:
    """A PDF of a few kilobytes whose one page unpacks to so many drawing operators."""
    stream = zlib.compress(b"BT /F1 12 Tf " + b"(a) Tj " * operators + b" ET", 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[5 0 R]>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n" % len(stream) + stream + b"\nendstream",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</Font<</F1 3 0 R>>>>/Contents 4 0 R>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    )


def test_a_pdf_that_asks_for_minutes_is_told_by_its_facts() -> None:
    """A small one's text is read; one that takes too long keeps its pages, and its reader's time has an end."""
    assert files.facts("a.pdf", "application/pdf", hostile_pdf(20)).text.startswith("a")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    told = files.facts("b.pdf", "application/pdf", hostile_pdf(1_500_000))
    assert (told.text, told.content_type) == ("", "application/pdf")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < pdf_text.CPU_S + 1


def test_the_reader_of_a_pdf_is_given_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a hostile file may take over holds no key: its environment is as good as empty."""
    monkeypatch.setenv("FTE_MASTER_KEY", "k:secret")
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    assert pdf_text.read(b"%PDF-", pages=1, characters=1) == (None, "")
    assert "FTE_MASTER_KEY" not in (tmp_path / "environment").read_text()


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
    st.sampled_from([b"", b"PK\x03\x04", b"\x89PNG\r\n"]),
)
def test_any_bytes_have_facts(name: str, declared: str, data: bytes, start: bytes) -> None:
    """Hostile names, types and contents end in facts that fit an event."""
    told = files.facts(name, declared, start + data)
    assert told.size == len(start + data)
    told.model_dump_json().encode()


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_that_call_themselves_a_pdf_have_facts(data: bytes) -> None:
    """As above; each is read in a process of its own."""
    assert files.facts("a.pdf", "application/pdf", b"%PDF-1.4\n" + data).content_type == "application/pdf"
