"""The company's documents agree: with each other, with their translations, and with what an older version said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shared.knowledge.chunk import cut
from shared.knowledge.document import Document, parse_document
from shared.knowledge.languages import dictionary

ROOT = Path(__file__).parents[2]
PRODUCTS = ROOT / "context" / "products"
PROFILE = (ROOT / "context" / "company-profile.md").read_text(encoding="utf-8")
LANGUAGES = ("de", "es")

#: Figures that several documents state: how to find each in a sentence, and what it is.
FIGURES: dict[str, tuple[str, str]] = {
    "a reset link": (
        r"(?:reset link|its link|the link we mail you)[^.]{0,40}?(?:valid for|after|within) (\d+) minutes",
        "60",
    ),
    "an invitation": (
        r"(?:invitation[^.]{0,60}?|whose link is )valid for (\d+) days|reserves a seat for (\d+) days",
        "7",
    ),
    "the trash": (r"(?:restored for|in the trash for|Trash for) (\d+) days|\| (\d+) days in the trash", "30"),
    "a file": (r"[Aa] (?:single )?(?:file may have|PDF of) up to (\d+) MB", "100"),
    "requests on Team": (r"(\d+) requests a minute(?:,| on the Team plan| instead)", "60"),
    "requests on Business": (r"and (\d+) on Business, counted", "300"),
    "active projects on Starter": (r"(?:limit of|allows) (\w+)(?: active projects| become)", "three"),
    "portal clients on Team": (r"part of Team, for (\d+) clients", "25"),
    "the free trial": (r"(?:Business plan|Business limits) for (\d+) days", "14"),
    "read-only": (r"(?:[Aa]fter|still open after|open for) (\d+) days(?: with an open invoice|, the workspace)", "14"),
    "the renewal's reminder": (r"reminder (\d+) days before a yearly", "14"),
    "retries of a webhook": (r"failed call is repeated for (\d+) hours", "24"),
    "a webhook's answer": (r"from 200 to 299 within (\d+) seconds", "10"),
    "an unused workspace": (r"nobody has signed in for (\d+) months", "24"),
    "availability": (r"([\d.]+ %) availability|below ([\d.]+ %)", "99.9 %"),
    "a person's answer": (r"(?:person answers|answered) within (\w+)\s+working hours", "four"),
    "the hours of people": (r"Friday(?: from|,) 8:00 to (\d+:00)", "18:00"),
    "the hours of Saturday": (r"Saturdays from 9:00 to (\d+:00)", "13:00"),
    "maintenance": (r"Sundays from (\d:00) to 6:00", "5:00"),
    "a message on WhatsApp": (r"(?:at most|\|) (\d+) characters", "300"),
    "idle time": (r"(?:after|still for) (\d+) minutes(?: without keyboard|, and asks)", "10"),
    "a forgotten timer": (r"stops by itself after (\d+) hours", "12"),
    "what the app keeps": (r"(?:for up to|entries for) (\d+) days(?: and is sent| and sends| offline)", "14"),
    "a bank transfer": (r"of (\d+) or more seats may be paid by bank transfer", "20"),
    "an invoice issued again": (r"(?:last|possible for) (\d+) days", "90"),
    "budget alerts": (r"at 75 % and\s+(?:at )?(\d+) %", "100"),
    "messages with support": (r"(?:Messages with support (?:\| |are kept for ))(\d+) months", "24"),
    "the reach of the audit log": (r"(?:reaches back|\(Business\) \|) (\d+) months", "12"),
    "backups": (r"(?:Backups \| |kept for |within a further )(\d+) days(?=,? in a second|\.| \|)", "35"),
    "seats of Business": (r"(?:and Business|Business up to) (\d+)(?: seats|\. For|\.)", "500"),
    "the support address": (r"\b(support@[\w.]+\w)", "support@example.com"),
    "the number on WhatsApp": (r"(\+\d[\d ]{9,}\d)", "+1 201 555 0100"),
}
#: Stated once, on purpose: the page that owns it, and a release note or a table.
ONE_PLACE = {"requests on Business", "portal clients on Team"}


def _documents(folder: Path, pattern: str = "*.md") -> list[Document]:
    return [parse_document(path.read_text(encoding="utf-8"), name=path.name) for path in sorted(folder.glob(pattern))]


ENGLISH = _documents(PRODUCTS)
TRANSLATED = [one for language in LANGUAGES for one in _documents(PRODUCTS / language)]
SUPERSEDED = _documents(PRODUCTS / "superseded")
BY_ID = {one.id: one for one in ENGLISH}


def _said(document: Document) -> str:
    return " ".join(document.body.split())


def test_a_company_s_worth_of_documents_in_three_languages() -> None:
    """Sixty and more, most of them English, and the pages that are asked for most in German and Spanish."""
    assert len(ENGLISH) + len(TRANSLATED) >= 60
    assert len(ENGLISH) >= 50
    for language in LANGUAGES:
        translated = [one for one in TRANSLATED if one.language == language]
        assert len(translated) >= 8
        assert dictionary(language) != "simple"


@pytest.mark.parametrize("figure", sorted(FIGURES))
def test_a_figure_is_the_same_wherever_it_stands(figure: str) -> None:
    """A limit that two pages state differently is a wrong answer half of the time."""
    pattern, right = FIGURES[figure]
    found = {
        (one.id, next(group for group in match.groups() if group))
        for one in (*ENGLISH, _profile())
        for match in re.finditer(pattern, _said(one))
    }
    assert {value for _, value in found} == {right}, sorted(found)
    assert figure in ONE_PLACE or len({name for name, _ in found}) >= 2, found


def _profile() -> Document:
    return Document.model_validate({"id": "company-profile", "title": "Company profile", "body": PROFILE})


def test_prices_stand_in_one_place() -> None:
    """What costs money changes: one page states it, the others lead there."""
    priced = {one.id for one in (*ENGLISH, *TRANSLATED) if re.search(r"[$€]\d|\d ?(?:USD|dollars)\b", one.body)}
    assert priced == {"plans-and-limits"}


def test_every_way_through_menus_begins_with_a_menu() -> None:
    """`Settings › Billing › Invoices`: the first word is one of the app's, and a page never invents another."""
    first = {match[1] for one in ENGLISH for match in re.finditer(r"(?<![›\w] )\b([A-Z][a-z]+) ›", _said(one))}
    assert first <= {
        *("Settings", "Profile", "Time", "Reports", "Projects", "Clients", "Invoices", "Schedule", "Portal", "Help"),
        *("More", "Export", "Data", "Budget", "Files", "Invoice", "Billing", "Equipment", "Feedback", "Overview"),
    }, first


def test_every_plan_of_a_feature_is_a_plan_there_is() -> None:
    """Starter, Team and Business; an Enterprise plan would be a promise."""
    for one in (*ENGLISH, *TRANSLATED):
        assert not re.search(r"\b(?:Enterprise|Premium|Pro|Basic|Free) plan\b", one.body), one.id


def test_pages_are_no_copies_of_each_other() -> None:
    """Two passages with nearly the same words make the search choose by accident."""
    passages = [
        (one.id, piece.heading_path, _words(piece.content))
        for one in ENGLISH
        for piece in cut(one.title, one.body)
        if piece.heading_path != one.title
    ]
    alike = [
        (first[:2], second[:2])
        for number, first in enumerate(passages)
        for second in passages[number + 1 :]
        if first[0] != second[0] and _share(first[2], second[2]) > 0.6
    ]
    assert alike == []


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("document", TRANSLATED, ids=lambda one: one.id)
def test_a_translation_says_what_the_english_page_says(document: Document) -> None:
    """Same address below the language's, same sections in the same order, and no figure that English does not have."""
    slug, _, language = document.id.rpartition("-")
    original = BY_ID[slug]
    assert language == document.language
    assert document.url == f"https://help.example.com/{language}/{slug}"
    assert (document.product, document.audience) == (original.product, original.audience)
    theirs, ours = list(_figures(original)), list(_figures(document))
    assert len(ours) == len(theirs)
    for place, (english, translated) in enumerate(zip(theirs, ours, strict=True)):
        assert translated <= english, (place, translated - english)


def _figures(document: Document) -> Iterator[set[str]]:
    for section in re.split(r"^## ", document.body, flags=re.MULTILINE):
        yield set(re.findall(r"\d+(?:[.:]\d+)?", re.sub(r"^\d+\. ", "", section, flags=re.MULTILINE)))


@pytest.mark.parametrize("old", SUPERSEDED, ids=lambda one: f"{one.id}@{one.version}")
def test_an_older_version_is_kept_beside_the_one_that_superseded_it(old: Document) -> None:
    """Several documents have a history: the newer is current, and says something else."""
    current = BY_ID[old.id]
    assert old.version < current.version
    assert old.url == current.url
    assert old.body != current.body
    assert sorted(path.name for path in (PRODUCTS / "superseded").glob(f"{old.id}.*")) == [f"{old.id}.{old.version}.md"]


def test_several_documents_have_versions() -> None:
    """Enough to try what happens when a customer asks about what changed."""
    assert len(SUPERSEDED) >= 4


@pytest.mark.parametrize("document", TRANSLATED, ids=lambda one: one.id)
def test_a_translated_page_can_be_quoted(document: Document) -> None:
    """The first sentence of each section answers, and is short enough for WhatsApp with its link."""
    assert 250 <= len(document.body.split()) <= 600
    assert document.body.lstrip().startswith(f"# {document.title}\n")
    for piece in cut(document.title, document.body):
        first = re.split(r"(?<=[.:?]) (?=[A-ZÄÖÜ¿])", " ".join(piece.content.split("\n\n")[0].split()), maxsplit=1)[0]
        assert len(first) <= 200, piece.heading_path


def test_a_page_speaks_its_own_language() -> None:
    """No English sentence was left in a translation."""
    for one in TRANSLATED:
        left = re.findall(r"\b(?:the|with|your|under|choose|and)\b", _without_names(one.body))
        assert left == [], (one.id, left)


def _without_names(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|`[^`]*`", "", text)


def _all(documents: Sequence[Document]) -> set[str]:
    return {one.id for one in documents}


def test_ids_and_addresses_are_used_once() -> None:
    """The knowledge base tells documents apart by id, and customers by address."""
    everything = [*ENGLISH, *TRANSLATED]
    assert len(_all(everything)) == len(everything)
    assert len({one.url for one in everything}) == len(everything)
