"""Words of a question, and how passages are ranked by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.knowledge.query import distance, every_word, near, words
from shared.knowledge.rank import Fit, fuse, rarity
from shared.knowledge.search import FOUND_ABOVE
from shared.knowledge.spelling import meant


def test_pleasantries_ask_for_nothing() -> None:
    """What is left of a greeting is no query."""
    assert words("Hello! Please help, thanks. Best regards") == []


def test_other_words_for_the_same_thing_are_alternatives_of_one_term() -> None:
    """A colleague is a team member: found either way, counted once."""
    found = words("invite a coworker")
    assert {word.text for word in found if word.term == found[-1].term} >= {"coworker", "colleague", "team members"}
    assert max(word.term for word in found) == 2
    assert all(word.weight <= 1 for word in found)


def test_a_phrase_is_one_term() -> None:
    """`log in` means signing in, not a log."""
    assert {word.text for word in words("log in")} >= {"log in", "sign in", "login"}


def test_a_query_has_an_end() -> None:
    """A message of 100 kB does not become 20,000 terms."""
    assert len({word.term for word in words(" ".join(f"word{number}" for number in range(20_000)))}) == 60


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [
        ("password", "pasword", 1),
        ("invoice", "invioce", 1),
        ("export", "export", 0),
        ("refund", "remind", 2),
        ("", "ab", 2),
    ],
)
def test_slips_of_the_fingers_are_counted(left: str, right: str, slips: int) -> None:
    """Letters added, dropped, changed or swapped are one slip each."""
    assert distance(left, right) == slips
    assert near(left, right) is (slips <= 1 or (slips == 2 and len(left) >= 8))


@given(st.text(max_size=12), st.text(max_size=12))
def test_distance_is_symmetric_and_zero_for_the_same(left: str, right: str) -> None:
    """The correction of a word does not depend on which side it stands."""
    assert distance(left, right) == distance(right, left)
    assert distance(left, left) == 0


def test_pleasantries_stay_among_all_words_and_prove_nothing() -> None:
    """They help to tell two near passages apart; a passage is not found by them."""
    assert {word.text for word in every_word("please help me export") if not word.telling} >= {"please", "help"}
    assert [word.text for word in words("please export") if word.weight == 1.0] == ["export"]


def test_a_rarer_word_is_worth_more() -> None:
    """`Settings` stands everywhere: it must not decide."""
    assert rarity(1, 100) > rarity(50, 100) > rarity(100, 100) > 0


@pytest.mark.parametrize("better", ["words", "pairs", "coverage", "passage", "title", "opening", "sentence"])
def test_each_way_to_fit_lifts_a_passage(better: str) -> None:
    """Words, pairs of words, and nearness of the whole, of the headings or the first sentence, of any sentence."""
    assert Fit(**{better: 0.6}).score > Fit(**{better: 0.5}).score


def test_the_first_sentence_stands_for_headings_that_are_missing() -> None:
    """Under a heading of its own it is a sentence like the others."""
    assert Fit(title=0.3, opening=0.9).score == Fit(title=0.3, opening=0.1).score
    assert Fit(title=0.0, passage=0.5).score < Fit(title=None, passage=0.5).score


def test_vectors_find_what_words_do_not() -> None:
    """A passage without a common word still has a confidence from its similarity."""
    assert Fit(passage=0.6).confidence > Fit(passage=0.3).confidence > Fit().confidence


_SHARE = st.floats(0, 1)
_COSINE = st.floats(-1, 1)


@given(st.builds(Fit, _SHARE, _SHARE, _SHARE, _SHARE, _SHARE, _COSINE, st.none() | _COSINE, _COSINE, _COSINE))
def test_confidence_stays_between_nought_and_one(fit: Fit) -> None:
    """So that one threshold fits all questions."""
    assert 0 <= fit.confidence <= 1


def test_a_sentence_can_carry_a_long_message() -> None:
    """The greeting around a question lowers its score, and does not hide it."""
    whole = {1: Fit(passage=0.2), 2: Fit(passage=0.3)}
    best, *_ = fuse([whole, {2: Fit(passage=0.3)}, {1: Fit(passage=0.9)}])
    assert best.passage == 1
    assert fuse([]) == []


def test_a_passage_may_be_the_best_and_still_no_answer() -> None:
    """What ranks and what is certain are two numbers."""
    (only,) = fuse([{7: Fit(words=0.05, passage=0.1)}])
    assert only.passage == 7
    assert only.confidence < FOUND_ABOVE


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Are you HIPAA compliant?", {"hipaa"}),
        ("Gibt es einen Betriebsrat-Bericht nach BetrVG?", {"betrvg"}),
        ("connect QuickBooks and SAP", {"quickbooks", "sap"}),
        ("Where is my Invoice, Peter?", set[str]()),
        ("WHERE IS MY INVOICE", set[str]()),
    ],
)
def test_abbreviations_are_names(query: str, names: set[str]) -> None:
    """Capitals within a word tell them in every language; a shouted message has none."""
    assert {word.text for word in words(query) if word.named and word.weight == 1.0} == names


def test_a_passage_about_another_standard_is_less_sure_and_ranked_as_before() -> None:
    """Its other words and its vector are as near as can be."""
    assert Fit(passage=0.7, names=0.0).confidence < FOUND_ABOVE < Fit(passage=0.7).confidence
    assert Fit(passage=0.7, names=0.0).confidence < Fit(passage=0.7, names=0.5).confidence
    assert Fit(names=0.0).confidence == 0.0
    assert Fit(passage=0.7, names=0.0).score == Fit(passage=0.7).score


def test_a_misspelt_word_is_what_a_slip_makes_of_a_stem() -> None:
    """A dropped, doubled or swapped letter; not another word that is merely like it."""
    assert meant("pasword", "password")
    assert meant("recieving", "receiv")
    assert not meant("refund", "remind")


@pytest.mark.parametrize(
    ("word", "own", "stem"),
    [
        ("waranty", "waranti", "warranti"),
        ("polcy", "polci", "polici"),
        ("compnay", "compnay", "compani"),
        ("histroy", "histroy", "histori"),
        ("curency", "curenc", "currenc"),
        ("privcy", "privci", "privaci"),
        ("invoce", "invoc", "invoic"),
    ],
)
def test_a_slip_in_a_word_whose_stem_ends_otherwise(word: str, own: str, stem: str) -> None:
    """The dictionary changes the end of the slip as it does that of the word."""
    assert meant(word, stem, [own])


@pytest.mark.parametrize(
    ("word", "own", "stem"), [("party", "parti", "part"), ("daily", "daili", "dai"), ("study", "studi", "sud")]
)
def test_a_short_stem_is_another_word(word: str, own: str, stem: str) -> None:
    """In four letters a slip is as often another word, also when they are a stem."""
    assert not meant(word, stem, [own]) or meant(word, stem)
