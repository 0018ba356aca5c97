"""Sources of every kind become documents with a title, headings and text."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.errors import Permanent
from shared.knowledge.chunk import MAX_CHARACTERS, chunks
from shared.knowledge.document import parse_document
from shared.knowledge.reading import Facts, document_id, read_page, read_sources

PAGE = """<!doctype html><html lang="de"><head><title> Parken | Hilfe </title>
<link rel="canonical" href="https://help.example.com/parken"><style>p { color: red }</style></head><body>
<nav><a href="/">Start</a></nav><main><h1>Parken</h1><p>Vor dem Haus &amp; im Hof.</p>
<h2>Wie lange?</h2><ol><li>Karte ziehen</li><li>Zwei <b>Stunden</b> bleiben</li></ol>
<table><tr><th>Tag</th><th>Preis</th></tr><tr><td>Montag</td><td>frei</td></tr></table>
<script>alert("no")</script><pre>park --here
  now</pre></main><footer>Impressum</footer></body></html>"""


def pdf(*pages: str, outline: bool = False, title: str = "") -> bytes:
    """A PDF with one line of text a page, written by hand (ISO 32000-1)."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids: list[str] = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    if outline:
        count = len(objects)
        objects[0] = f"<< /Type /Catalog /Pages 2 0 R /Outlines {count + 1} 0 R >>"
        objects.append(f"<< /Type /Outlines /First {count + 2} 0 R /Last {count + 2} 0 R /Count 1 >>")
        objects.append(f"<< /Title (Painting) /Parent {count + 1} 0 R /Dest [{kids[0]} /Fit] >>")
    objects += [f"<< /Title ({title}) >>"] if title else []
    info = f"/Info {len(objects)} 0 R " if title else ""
    body, places = "%PDF-1.4\n", list[int]()
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} {info}/Root 1 0 R >>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF".encode("latin-1")


async def test_a_page_of_html_keeps_its_structure_and_loses_its_menus(tmp_path: Path) -> None:
    """Headings, lists, tables and code stand as Markdown; language and address are the page's own."""
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (document,) = await read_sources([tmp_path])
    assert (document.id, document.title, document.language) == ("page", "Parken | Hilfe", "de")
    assert document.url == "https://help.example.com/parken"
    first, second = chunks(document)
    assert first.content == "Vor dem Haus & im Hof."
    assert second.heading_path == "Parken | Hilfe > Parken > Wie lange?"
    assert "1. Karte ziehen\n2. Zwei Stunden bleiben" in second.content
    assert "| Montag | frei" in second.content
    assert "park --here\n  now" in second.content
    for gone in ("Start", "alert", "Impressum", "color"):
        assert gone not in document.body


async def test_a_pdf_is_cut_at_its_outline_or_its_pages(tmp_path: Path) -> None:
    """What is cited can be found again in the file."""
    (tmp_path / "sheds.pdf").write_bytes(pdf("Paint with a brush.", "Mend with a hammer."))
    (tmp_path / "outlined.pdf").write_bytes(pdf("Paint with a roller.", outline=True))
    outlined, paged = await read_sources([tmp_path])
    assert [one.heading_path for one in chunks(paged)] == ["Sheds > Page 1", "Sheds > Page 2"]
    assert "Mend with a hammer." in chunks(paged)[1].content
    assert [(one.heading_path, one.content) for one in chunks(outlined)] == [
        ("Outlined > Painting", "Paint with a roller.")
    ]


async def test_text_and_markdown_need_no_front_matter(tmp_path: Path) -> None:
    """The title is the first heading, or a short first line; what else is missing is given for all."""
    (tmp_path / "a.md").write_text("# Sheds\n\n## Paint?\n\nBrush.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Fences\n\nA hammer.\n\n# not a heading", encoding="utf-8")
    (tmp_path / "notes.docx").write_bytes(b"PK")
    markdown, text = await read_sources([tmp_path], Facts(product="garden", language="en-GB", audience="staff"))
    assert (markdown.title, markdown.product, markdown.language, markdown.audience) == (
        "Sheds", "garden", "en-GB", "staff",
    )  # fmt: skip
    assert text.title == "Fences"
    assert len(chunks(text)) == 1


async def test_a_list_of_urls_names_the_saved_page_of_each(tmp_path: Path) -> None:
    """The document is cited by its URL, and the saved file is not a second document."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "p1.html").write_text("<h1>Paint</h1><p>With a brush.</p>", encoding="utf-8")
    (tmp_path / "help.txt").write_text("# our pages\nhttps://help.example.com/Sheds/Paint?x=1 pages/p1.html\n\n")
    (document,) = await read_sources([tmp_path])
    assert (document.id, document.url) == ("help-example-com-sheds-paint", "https://help.example.com/Sheds/Paint?x=1")
    (tmp_path / "help.txt").write_text("https://help.example.com/paint pages/gone.html\n")
    with pytest.raises(Permanent, match=r"line 1: no file pages/gone\.html"):
        await read_sources([tmp_path / "help.txt"])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"%PDF-1.4 broken", "no PDF that can be read"),
        (
            "a.pdf",
            pdf("Paint.", outline=True).replace(b"<< /Type /Pages", b"<<Type /Pages "),
            "no PDF that can be read",
        ),
        ("a.md", b"\xff\xfe\x00bad", "UTF-8"),
        ("a.html", b"<script>1</script>", "has no text"),
        ("a.exe", b"MZ", "neither Markdown"),
        ("a.pdf", pdf(""), "has no text"),
    ],
)
async def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """The file and what to do, in one line."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Permanent, match=said) as raised:
        await read_sources([tmp_path / name])
    assert name in str(raised.value)


async def test_the_same_name_in_two_folders_is_two_documents(tmp_path: Path) -> None:
    """An id is made of the path below the folder that was given."""
    for folder in ("billing", "hours"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "faq.md").write_text(f"# {folder}\n\nText.", encoding="utf-8")
    assert [one.id for one in await read_sources([tmp_path])] == ["billing-faq", "hours-faq"]
    assert document_id("Prüfung/Über uns!.html") == "prufung-uber-uns"


async def test_a_document_travels_to_the_desk_as_it_is(tmp_path: Path) -> None:
    """What kn-fte read is what the desk stores: one content hash on both sides."""
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (document,) = await read_sources([tmp_path])
    assert parse_document(document.markdown, name="page") == document
    assert parse_document(document.markdown, name="page").content_hash == document.content_hash


async def test_prose_without_paragraphs_is_cut_between_sentences(tmp_path: Path) -> None:
    """A page of a PDF has no blank lines; nothing is cut in mid-sentence."""
    (tmp_path / "long.txt").write_text("Long\n\n" + "This is one sentence of many. " * 200, encoding="utf-8")
    (document,) = await read_sources([tmp_path])
    made = chunks(document)
    assert len(made) > 2
    assert all(len(one.content) <= MAX_CHARACTERS and one.content.endswith(".") for one in made)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("old.html", '<meta charset="ISO-8859-1"><p>Das Café öffnet für 5 € nicht.</p>'.encode("cp1252")),
        (
            "older.html",
            b'<meta http-equiv=Content-Type content="text/html; charset=windows-1252">'
            + "<p>Das Café öffnet für 5 € nicht.</p>".encode("cp1252"),
        ),
        ("lies.html", '<meta charset="iso-8859-1"><p>Das Café öffnet für 5 € nicht.</p>'.encode()),
    ],
)
async def test_a_page_that_says_how_it_is_written_is_read_so(tmp_path: Path, name: str, data: bytes) -> None:
    """Pages saved years ago are seldom UTF-8; one that is, whatever it says, is read as it is."""
    (tmp_path / name).write_bytes(data)
    (document,) = await read_sources([tmp_path / name])
    assert "Das Café öffnet für 5 € nicht." in document.body


@pytest.mark.parametrize("charset", ["no-such-thing", "koi8-r-but-not-quite", "base64", "idna"])
async def test_a_character_set_that_is_none_is_a_bad_file(tmp_path: Path, charset: str) -> None:
    """Nothing is guessed, and no codec that makes no text is run."""
    (tmp_path / "page.html").write_bytes(f'<meta charset="{charset}"><p>Caf'.encode() + b"\xe9.</p>")
    with pytest.raises(Permanent, match=r"page\.html: is not UTF-8"):
        await read_sources([tmp_path])


@contextmanager
def site(pages: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    """A web site: its pages by path, each with its content type."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The test's output is for its result."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_what_no_file_holds_is_fetched(tmp_path: Path) -> None:
    """By its content type, in the character set its server names; what is not there is named."""
    pages = {
        "/cafe": ("text/html; charset=iso-8859-1", "<h1>Café</h1><p>Öffnet um neun.</p>".encode("latin-1")),
        "/sheds.pdf": ("application/pdf", pdf("Paint with a brush.")),
        "/notes": ("text/plain", b"Fences\n\nA hammer."),
    }
    with site(pages) as base:
        (tmp_path / "list.urls").write_text("".join(f"{base}{path}\n" for path in pages), encoding="utf-8")
        cafe, sheds, notes = await read_sources([tmp_path])
        (tmp_path / "list.urls").write_text(f"{base}/gone\n", encoding="utf-8")
        with pytest.raises(Permanent, match="/gone: can't be fetched"):
            await read_sources([tmp_path])
    assert (cafe.title, cafe.url) == ("Café", f"{base}/cafe")
    assert "Öffnet um neun." in cafe.body
    assert "Paint with a brush." in sheds.body
    assert (notes.title, "A hammer." in notes.body) == ("Fences", True)


async def test_every_bad_file_of_a_folder_is_named_at_once(tmp_path: Path) -> None:
    """Who adds sixty documents mends them in one go."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "b.md").write_text("# Sheds\n\nBrush.", encoding="utf-8")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9")
    with pytest.raises(Permanent, match=r"a\.pdf: is no PDF that can be read: \w+; c\.txt: is not UTF-8"):
        await read_sources([tmp_path])


async def test_one_file_is_given_the_address_of_its_page(tmp_path: Path) -> None:
    """What answers link to: for a file that has none, and over one that it has."""
    bare, named = tmp_path / "parking.pdf", tmp_path / "named.md"
    bare.write_bytes(pdf("Park behind the house"))
    named.write_text("---\nid: own\ntitle: Own\nurl: https://old.example.com/\n---\nText.", encoding="utf-8")
    parking = await read_page(bare, "https://help.example.com/parking?lang=en", Facts(product="cars"))
    assert (parking.id, parking.url, parking.product) == ("parking", "https://help.example.com/parking?lang=en", "cars")
    assert (await read_page(named, "http://new.example.com", Facts())).url == "http://new.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "help.example.com/page",
        "ftp://help.example.com/",
        "https://",
        "https:///page",
        "https://a.example.com/b c",
        "javascript:alert(1)",
        "https://[oops/",
        "https://help.example.com/" + "x" * 1000,
    ],
)
async def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """It is told before anything is read."""
    with pytest.raises(Permanent, match="--url"):
        await read_page(tmp_path / "missing.md", url, Facts())


async def test_an_address_is_one_file_s(tmp_path: Path) -> None:
    """Neither a folder nor a list of URLs has one address."""
    (tmp_path / "a.md").write_text("# A\n\nText.", encoding="utf-8")
    (tmp_path / "pages.urls").write_text("https://help.example.com/a a.md\n", encoding="utf-8")
    for path in (tmp_path, tmp_path / "pages.urls"):
        with pytest.raises(Permanent, match="one file"):
            await read_page(path, "https://help.example.com/", Facts())
