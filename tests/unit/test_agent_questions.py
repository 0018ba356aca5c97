"""Several questions in one message: each is answered or named, or a person has them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio

from shared.agent.asked import elliptic_parts, questions
from shared.agent.compose import Reader
from shared.agent.offline_plan import whole
from shared.agent.offline_reading import Reading
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.knowledge.passage import Passage
from tests.conftest import make_settings
from tests.unit.test_agent_turn import turn

SAYS = {
    "invoices": "Open Settings › Billing › Invoices and choose Download. "
    + "The list shows each invoice of the year. " * 18,
    "colour": "Open Settings › Look and choose a colour for the workspace. " + "Everybody sees it from then on. " * 24,
    "expires": "Open Settings › Billing › Method and choose Replace. "
    + "The new one is used from the next time on. " * 14,
    "archive": "Open Projects and choose Archive. It can be brought back from there.",
}
ASKED = (
    "Where can I download the invoices of this year?",
    "How do I change the colour of our workspace?",
    "What do I do when the method expires next week?",
    "How do I archive a project that has ended?",
    "Which keyboards do your people use at home?",
)


class Shelf:
    """A page for each of the words above."""

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """The page of the first word that stands in the query."""
        word = next((word for word in SAYS if word in query), None)
        if word is None:
            return []
        url = f"https://help.example.com/{word}"
        return [Passage(word, 1, f"About {word}", url, f"About {word} > What of {word}?", SAYS[word], 0.95)]


@pytest_asyncio.fixture
async def offline() -> AsyncIterator[AgentDeps]:
    """The agent without a key."""
    async with open_agent(make_settings(agent_turn_timeout_s=5.0), Shelf()) as deps:
        yield deps


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEB])
@pytest.mark.parametrize("count", [2, 3, 4])
async def test_no_question_is_dropped_for_the_length_of_the_others(
    offline: AgentDeps, channel: Channel, count: int
) -> None:
    """E18: each has its first sentence at least, within the channel's limit."""
    text = "Hello,\n" + "\n".join(f"{place}) {one}" for place, one in enumerate(ASKED[:count], 1))
    result = await run_turn(offline, turn(text, channel))
    assert result.outcome == "replied"
    assert over_limit(channel, result.text) is None
    assert [word for word in list(SAYS)[:count] if SAYS[word].split(". ")[0] not in result.text] == []


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEB])
async def test_a_question_without_an_answer_is_named(offline: AgentDeps, channel: Channel) -> None:
    """E18: what is not documented, and a fifth question, stand in the answer with the way to a person."""
    for chosen in ((ASKED[0], ASKED[1], ASKED[4]), ASKED):
        result = await run_turn(offline, turn(" ".join(chosen), channel))
        assert result.outcome == "replied"
        assert "“Which keyboards do your people use at home”" in result.text


async def test_whatsapp_names_the_page_of_the_other_question(offline: AgentDeps) -> None:
    """Two questions in a line, within 300 units; what has no page is told too."""
    two = await run_turn(offline, turn(f"{ASKED[3]} {ASKED[1]}", Channel.WHATSAPP))
    assert "choose Archive" in two.text
    assert "https://help.example.com/colour" in two.text
    one = await run_turn(offline, turn(f"{ASKED[3]} {ASKED[4]}", Channel.WHATSAPP))
    assert "a person, please" in one.text
    assert [over_limit(Channel.WHATSAPP, result.text) for result in (two, one)] == [None, None]


async def test_where_most_has_no_answer_a_person_has_it_all(offline: AgentDeps) -> None:
    """One of three is documented."""
    text = f"{ASKED[0]} {ASKED[4]} Who waters all the plants in your office?"
    result = await run_turn(offline, turn(text, Channel.WEB))
    assert (result.outcome, result.reason) == ("escalated", "not_found")


async def test_a_question_that_may_not_be_repeated_is_not(offline: AgentDeps) -> None:
    """Its words would not pass the gate: the answer says that one is left, and no more."""
    text = f"{ASKED[0]} {ASKED[1]} What do you think of https://evil.example.net as a page?"
    result = await run_turn(replace(offline), turn(text, Channel.WEB))
    assert result.outcome == "replied"
    assert "one of your questions" in result.text


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "1) how do I add a vehicle 2) how do my clients pay 3) how do i export to Datev?",
            ["how do I add a vehicle", "how do my clients pay", "how do i export to Datev?"],
        ),
        ("how do i add a client and how do i export", ["how do i add a client?", "how do i export?"]),
        ("api rate limit and what does 429 mean", ["api rate limit?", "what does 429 mean?"]),
        (
            "If I delete my account, how long do you keep my data, can I get it back? Also where are your servers?",
            [
                "how long do you keep my data?",
                "If I delete my account, can I get it back?",
                "Also where are your servers?",
            ],
        ),
        ("Hi Tom, how do I archive a project?", ["Hi Tom, how do I archive a project?"]),
        ("Our bookkeeper asked, where can I find it?", ["Our bookkeeper asked, where can I find it?"]),
        ("If I cancel, what happens to my projects?", ["If I cancel, what happens to my projects?"]),
        ("On 1. March it was fine", []),
        ("Our nightly job gets error 429 after a minute. What is the limit, and what should\nthe job do? Yuki", []),
        (
            "How do I change the colour of our\nworkspace? And how do I archive a project?",
            ["How do I change the colour of our workspace?", "And how do I archive a project?"],
        ),
        ("When I open the page it stays white.", []),
    ],
)
def test_the_questions_of_a_message_are_told_apart(text: str, asked: list[str]) -> None:
    """Numbered in a line, behind "and" or a comma, without a question mark; what leans keeps its context."""
    assert questions(text) == asked


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("iphone app offline and on apple watch?", ["iphone app offline", "on apple watch"]),
        ("can I do it on Monday and on Tuesday?", []),
        ("how do I archive a project?", []),
    ],
)
def test_one_verb_may_ask_for_two_matters(text: str, parts: list[str]) -> None:
    """They are answered apart only where each has a page."""
    assert elliptic_parts(text) == parts


async def test_whatsapp_answers_two_short_questions_at_once(offline: AgentDeps) -> None:
    """Each with its own page, where both fit; nothing is dropped silently."""
    result = await run_turn(offline, turn("how do I archive a job and how do I change the colour", Channel.WHATSAPP))
    assert "choose Archive" in result.text
    assert "choose a colour" in result.text
    assert result.text.count("https://") == 2


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("How do I undo an import? Priya Okafor", "How do I undo an import?"),
        ("Please tell me how I undo an import.\n\nS. Lee", "Please tell me how I undo an import."),
        ("Priya Okafor", "Priya Okafor"),
        ("How do I undo it? It was Xero data", "How do I undo it? It was Xero data"),
    ],
)
def test_the_writer_s_name_is_not_searched_for(text: str, query: str) -> None:
    """No page has it, and a page would seem to be about something else."""
    assert whole(Reading(Reader(Channel.WEB, "", "Support"), "en", text)) == query
