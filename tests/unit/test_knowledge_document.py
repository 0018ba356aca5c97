"""Documents as files: front matter, hash, and where they are cut."""

from __future__ import annotations

import pytest

from shared.errors import Permanent
from shared.knowledge.chunk import MAX_CHARACTERS, chunks
from shared.knowledge.document import Document, parse_document

HEAD = "---\nid: exporting\ntitle: Exporting your data\nurl: https://help.example.com/exporting\n---\n"


def document(body: str, **more: str) -> Document:
    """A document with this body."""
    return Document.model_validate({"id": "exporting", "title": "Exporting your data", "body": body, **more})


def test_front_matter_is_read_and_unknown_keys_are_left_alone() -> None:
    """A document carries id, title, address and language; a key of somebody else's does no harm."""
    text = HEAD.replace("title:", "author: somebody\ntitle:") + "# Exporting your data\n\nText.\n"
    parsed = parse_document(text, name="a.md")
    assert (parsed.id, parsed.title, parsed.version, parsed.language) == ("exporting", "Exporting your data", 1, "en")
    assert parsed.url == "https://help.example.com/exporting"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# No front matter", "front matter"),
        ("---\nid: [\n---\nx", "YAML"),
        ("---\njust words\n---\nx", "keys and values"),
        ("---\ntitle: T\n---\nx", "id"),
        ("---\nid: Not Valid\ntitle: T\n---\nx", "id"),
        ("---\nid: a\ntitle: T\nurl: 'javascript:alert(1)'\n---\nx", "url"),
        ("---\nid: a\ntitle: T\n---\n   ", "body"),
    ],
)
def test_a_bad_document_names_the_file_and_the_field(text: str, word: str) -> None:
    """Who adds a document is told what to mend."""
    with pytest.raises(Permanent) as raised:
        parse_document(text, name="bad.md")
    assert "bad.md" in str(raised.value)
    assert word in str(raised.value)


def test_the_hash_changes_with_what_a_reader_sees_alone() -> None:
    """A version number by itself makes no new version."""
    same = document("Text.", version="1").content_hash
    assert document("Text.", version="7").content_hash == same
    assert document("Text!").content_hash != same
    assert document("Text.", title="Other").content_hash != same


def test_each_heading_begins_a_passage_that_knows_its_path() -> None:
    """The title leads each path once, and a section below another carries both headings."""
    made = chunks(document("# Exporting your data\n\nIntro.\n\n## How?\n\nLike this.\n\n### In detail\n\nMore.\n"))
    assert [(chunk.ordinal, chunk.heading_path, chunk.content) for chunk in made] == [
        (0, "Exporting your data", "Intro."),
        (1, "Exporting your data > How?", "Like this."),
        (2, "Exporting your data > How? > In detail", "More."),
    ]


def test_code_is_no_heading_and_comments_are_not_shown() -> None:
    """A # inside a fenced block is a comment of that code."""
    made = chunks(document("## How?\n\n```\n# not a heading\nrun\n```\n\n<!-- hidden -->Seen.\n"))
    assert len(made) == 1
    assert "# not a heading" in made[0].content
    assert "hidden" not in made[0].content


def test_headings_without_text_make_no_passage() -> None:
    """Nothing can be quoted from a heading."""
    assert [chunk.heading_path for chunk in chunks(document("## A\n\n## B\n\nText."))] == ["Exporting your data > B"]


def test_a_long_section_is_cut_between_paragraphs_and_never_inside_a_list() -> None:
    """Half of a list of steps is worse than none."""
    steps = "\n\n".join(f"{number}. {'step ' * 30}" for number in range(1, 10))
    text = "\n\n".join(["word " * 200, steps, "end " * 100])
    made = chunks(document(f"## Long\n\n{text}"))
    assert len(made) > 1
    holders = [chunk for chunk in made if "1. step" in chunk.content]
    assert len(holders) == 1
    assert "9. step" in holders[0].content
    assert all(len(chunk.content) <= MAX_CHARACTERS for chunk in made if chunk is not holders[0])


def test_every_fault_is_named_at_once() -> None:
    """Whoever mends a file is not sent back once for each field."""
    with pytest.raises(Permanent, match=r"page\.md: id: .*; title: .*"):
        parse_document("---\nversion: 2\n---\nText.", name="page.md")
