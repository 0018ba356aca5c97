"""A PDF is read as a person reads it: its letters, its headings, and nothing of what printing put around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.channels.pdf_text import in_letters, read
from shared.errors import Permanent
from shared.knowledge.chunk import chunks, cut
from shared.knowledge.pdf import pdf_page
from shared.knowledge.reading import read_sources
from tests.unit.test_knowledge_reading import pdf

#: Three pages of questions and answers as Chromium printed them from a file, with its header and footer.
PRINTED = Path(__file__).parents[1] / "payloads" / "documents" / "rides.pdf"


def page(*lines: str | tuple[int, str]) -> str:
    """Lines for `pdf`, each in type of 12 points or of the size given."""
    sized = [line if isinstance(line, tuple) else (12, line) for line in lines]
    return "".join(f") Tj 0 -20 Td /F1 {size} Tf ({text}" for size, text in sized)


def body(*pages: str, title: str = "") -> str:
    """The text that is read of pages; what a browser adds is known by the title it printed."""
    return pdf_page(pdf(*pages, title=title), "sheds.pdf").body


async def test_a_page_printed_by_a_browser_is_its_text() -> None:
    """Questions with their answers; no date, path or page number, no ligature, and no title that is a file's name."""
    (document,) = await read_sources([PRINTED])
    assert document.title == "Balloon rides"
    made = chunks(document)
    assert [one.heading_path for one in made] == [
        "Balloon rides",
        "Balloon rides > How long is a balloon ride?",
        "Balloon rides > What does it cost?",
        "Balloon rides > Where do we meet?",
        "Balloon rides > What if it rains?",
    ]
    assert made[0].content.startswith("Tideline offers balloon rides over the coast")
    assert made[1].content == "A balloon ride takes 75 minutes from take-off to landing."
    assert made[-1].content == "We offer another flight, or the fare back."
    assert [sign for sign in document.body if "\ufb00" <= sign <= "\ufb06"] == []
    for gone in ("file:", "11/27", "1/3", "html"):
        assert gone not in document.body


def test_the_file_of_a_customer_is_read_in_letters_too() -> None:
    """What the agent is told of a PDF that came with a message."""
    count, text = read(PRINTED.read_bytes(), pages=1, characters=1000)
    assert count == 3
    assert "Tideline offers balloon rides" in text


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("o\ufb00er, \ufb01rst, \ufb02oor, o\ufb03ce, a\ufb04uent, \ufb05ill, \ufb06op", None),
        ("Abfahrts\u00ad\nzeiten", "Abfahrtszeiten"),
        ("Über \u2010\nblick", "Überblick"),
        ("sun-\nrise", "sunrise"),
        ("Berlin-\nMitte", "Berlin-\nMitte"),
        ("½ m² ﬀ Ⅳ", "½ m² ff Ⅳ"),
    ],
)
def test_words_are_made_of_letters(text: str, read_as: str | None) -> None:
    """Ligatures alone: other signs mean what they look like. A word broken at a line's end is whole again."""
    assert in_letters(text) == (read_as or "offer, first, floor, office, affluent, still, stop")


@pytest.mark.parametrize(
    "marks",
    [
        ("11/27/26, 10:43 PM Sheds", "https://example.com/sheds 1/1"),
        ("Sheds https://example.com/sheds", "1 of 1 27.11.2026, 22:43"),
        ("11/27/26, 10:43 PM", "file:///srv/sheds.html 1/1"),
        ("https://example.com/sheds", "Page 1 of 1 2026-11-27 22:43"),
    ],
)
def test_what_a_browser_prints_around_a_page_is_left_out(marks: tuple[str, ...]) -> None:
    """As Chromium, Firefox and Safari do, at the top and at the bottom."""
    assert body(page(marks[0], "Paint sheds.", "Twice.", *marks[1:]), title="Sheds and more") == "Paint sheds.\nTwice."


@pytest.mark.parametrize(
    "line",
    [
        "11/27/26, 10:43 PM",
        "https://example.com/sheds",
        "1/1",
        "Open until 11/27/26, 10:43 PM",
        "See https://example.com/sheds 1/1",
        "Half is 1/2",
    ],
)
def test_what_may_be_text_stays(line: str) -> None:
    """A date, an address or a number alone is nothing only a browser prints."""
    assert line in body(page("Paint sheds.", line))


@pytest.mark.parametrize(
    "line", ["file:///srv/p.html", "/srv/help/p.html", "C:\\\\help\\\\p.docx", "file:///p.html 1/9"]
)
def test_where_a_file_lay_is_told_nobody(line: str) -> None:
    """A path or the address of a file alone in its line, wherever that is."""
    lines = [f"Paint {number}." for number in range(12)]
    assert body(page(*lines[:6], line, *lines[6:])) == "\n".join(lines)


def test_running_heads_are_left_out() -> None:
    """What stands on every page, with no more than the page's number changing."""
    pages = [page("Garden help", f"Paint {word}.", "Mend.", f"Sheet {at}") for at, word in enumerate("abcd", 4)]
    text = body(*pages)
    assert "Garden help" not in text
    assert "Sheet" not in text
    assert [piece.content for piece in cut("", text)] == [f"Paint {word}.\nMend." for word in "abcd"]


def test_lines_that_only_resemble_each_other_stay() -> None:
    """Other numbers than the page's, sentences, lines of two pages, and lines with text outside of them."""
    prices = [page(f"Shed {price} euros", "It is free.", f"Paint {price}") for price in (10, 30, 40)]
    assert "Shed 10 euros\nIt is free.\nPaint 10" in body(*prices)
    assert body(page("Paint", "One."), page("Paint", "Two.")).count("Paint") == 2
    within = [page(f"Shed {name}", "Weight and price", f"{name} kilos.") for name in "abc"]
    assert body(*within).count("Weight and price") == 3


def test_a_larger_line_above_text_is_a_heading() -> None:
    """Wrapped or not; a sentence, the last line and a line as large as the text are none."""
    text = body(
        page((24, "Sheds"), (18, "How do I paint"), (18, "a shed?"), "With a brush and some", "paint that lasts."),
        page((18, "Mind the roof!"), "It is steep.", (18, "Call us")),
    )
    assert [line for line in text.splitlines() if line.startswith("#")] == ["## Sheds", "### How do I paint a shed?"]
    assert "Mind the roof!\nIt is steep.\nCall us" in text


def test_larger_lines_that_are_no_heading_keep_their_lines() -> None:
    """A list in larger type, what has nothing below it, and a table of contents."""
    listed = [(14, f"Item {name}") for name in "abcd"]
    told = "Paint all of them well, and again when the summer has gone."
    text = body(page(*listed, told, (14, "Sheds . . . . . 5"), "Mend.", (14, "Call"), (14, "us")))
    items = ["Item a", "Item b", "Item c", "Item d"]
    assert text.splitlines() == [*items, told, "Sheds . . . . . 5", "Mend.", "Call", "us"]


def test_a_title_that_is_also_the_running_head_stays() -> None:
    """Once, in its larger type."""
    others = [page("Sheds", f"Paint {word} with a brush.", "Mend.") for word in "abc"]
    assert body(page((24, "Sheds"), "A guide."), *others).count("Sheds") == 1


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ("All of sheds", "All of sheds"),
        ("sheds v2.html", "Sheds"),
        ("Microsoft Word - sheds.docx", "Sheds"),
        ("file:///srv/sheds", "Sheds"),
        ("", "Sheds"),
    ],
)
def test_a_title_is_no_file_name(told: str, title: str) -> None:
    """Else the first heading is one; without a heading the file's name is, in words."""
    assert pdf_page(pdf(page((24, "Sheds"), "Paint them."), title=told), "a.pdf").title == title


async def test_without_title_and_heading_the_name_is_read_aloud(tmp_path: Path) -> None:
    """Without its ending."""
    (tmp_path / "garden-sheds.pdf").write_bytes(pdf("Paint them.", title="p.html"))
    (document,) = await read_sources([tmp_path])
    assert document.title == "Garden sheds"


def test_a_large_line_on_a_title_page_keeps_the_pages() -> None:
    """What is cited is found again: one heading is none for the pages after it."""
    pages = [page(f"Paint {word}.") for word in "abcd"]
    text = body(page((24, "Sheds"), "A guide."), *pages)
    assert "## Page 5\n\nPaint d." in text


def test_a_torn_pdf_is_told_of_once(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """By the error: what the library says of it is for nobody."""
    for data in (b"hello", b"%PDF-1.4 broken", PRINTED.read_bytes()[:9000], pdf("Paint.").replace(b"xref", b"xerf")):
        with pytest.raises(Permanent, match=r"bad\.pdf"):
            pdf_page(data, "bad.pdf")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_type_without_bounds_is_of_no_size() -> None:
    """What a file asks for may be larger than a number can be."""
    huge = 10**30
    stretched = " ".join([f"{huge} 0 0 {huge} 0 0 cm"] * 12)
    assert body(f") Tj ET {stretched} BT /F1 12 Tf (Paint them.") == "Paint them."
