"""Words of a question, and how passages are ranked by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.knowledge.query import distance, near, words
from shared.knowledge.rank import Corpus, Hit, Match, fuse, matches

CORPUS = Corpus(passages=100, mean_length=40)


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


def hit(term: int, passage: int | None, *, heading: int = 0, body: int = 1, length: int = 40) -> Hit:
    """A hit of a one-word term."""
    return Hit(term, term, 1.0, passage, length, heading, body)


def scores(hits: list[Hit], similarities: dict[int, float] | None = None) -> dict[int, float]:
    """Passages with their confidence."""
    return {match.passage: match.confidence for match in matches(hits, similarities or {}, CORPUS)}


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    """`Settings` stands everywhere: it must not decide."""
    common = [hit(0, passage) for passage in range(50)]
    found = scores([*common, hit(1, 90)])
    assert found[90] > found[0]


def test_a_heading_counts_more_than_the_text() -> None:
    """Headings are the questions that are answered."""
    found = scores([hit(0, 1, heading=1, body=0), hit(0, 2)])
    assert found[1] > found[2]


def test_a_short_passage_counts_more_than_a_long_one() -> None:
    """The same word says more where less stands around it."""
    found = scores([hit(0, 1, length=20), hit(0, 2, length=200)])
    assert found[1] > found[2]


def test_an_unknown_word_lowers_confidence() -> None:
    """Who asks for payroll is not answered by a page about integrations."""
    assert scores([hit(0, 1), hit(1, None)])[1] < scores([hit(0, 1)])[1]


def test_the_stems_of_one_word_add_up_and_alternatives_do_not() -> None:
    """`two-step` is three stems of one word; `password` and `passcode` are two words for one thing."""
    stems = [Hit(0, 0, 1 / 3, 1, 40, 0, 1), Hit(0, 0, 1 / 3, 1, 40, 1, 0), Hit(0, 0, 1 / 3, 1, 40, 0, 2)]
    alternatives = [Hit(0, 0, 1.0, 1, 40, 0, 1), Hit(0, 1, 0.8, 1, 40, 0, 1)]
    assert matches(stems, {}, CORPUS)[0].coverage == pytest.approx(matches(alternatives, {}, CORPUS)[0].coverage)


def test_vectors_find_what_words_do_not() -> None:
    """A passage without a common word still has a confidence from its similarity."""
    assert scores([], {7: 0.6})[7] == pytest.approx(0.48)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_confidence_stays_between_nought_and_one(
    similarity: float, bm25: float, coverage: float, heading: float
) -> None:
    """So that one threshold fits all questions."""
    assert 0 <= Match(1, bm25, coverage, heading, similarity).confidence <= 1


def test_a_sentence_can_carry_a_long_message() -> None:
    """The greeting around a question lowers its score, and does not hide it."""
    whole, greeting, question = Match(1, similarity=0.2), Match(2, similarity=0.3), Match(1, similarity=0.9)
    best, *_ = fuse([[whole, greeting], [greeting], [question]])
    assert best[0] == 1
    assert fuse([]) == []
