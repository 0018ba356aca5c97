"""What is answered in our words, or is a person's at once: a bot, a failure said twice, a stranger who got in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from shared.agent.contract import HistoryMessage
from shared.agent.intrusion import suspects_intrusion
from shared.agent.own_words import asks_whether_bot, reply, says_it_failed
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.knowledge.passage import Passage
from tests.conftest import make_settings
from tests.unit.test_agent_turn import AT, turn

STEPS = "Change your password at once under Profile › Security: this signs out every other device."


class Shelf:
    """A page on accounts that a stranger got into, as sure as `score` says."""

    def __init__(self, score: float = 0.9) -> None:
        self.score = score

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """That page for what has to do with hacking."""
        if "hacked" not in query:
            return []
        url = "https://help.example.com/security"
        return [Passage("security", 1, "Security", url, "Security > Somebody got in", STEPS, self.score)]


@pytest_asyncio.fixture
async def offline() -> AsyncIterator[AgentDeps]:
    """The agent without a key."""
    async with open_agent(make_settings(agent_turn_timeout_s=5.0), Shelf()) as deps:
        yield deps


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("text", ["Are you a bot?", "are you human or a bot?", "am i talking to a real person?"])
async def test_who_asks_for_a_bot_is_told_the_truth(offline: AgentDeps, channel: Channel, text: str) -> None:
    """An automatic assistant, and how to reach a person; nobody is handed over who did not ask for it."""
    result = await run_turn(offline, turn(text, channel))
    assert result.outcome == "replied"
    assert "automatic assistant" in result.text
    assert "person" in result.text


@pytest.mark.parametrize("text", ["Are you a bot? I want a person", "Is this a bot? Give me my money back"])
async def test_a_matter_beside_it_is_a_person_s(offline: AgentDeps, text: str) -> None:
    """The question is not all that they say."""
    assert (await run_turn(offline, turn(text))).outcome == "escalated"


@pytest.mark.parametrize("text", ["are you there?", "is this a person i can invite?", "does it work offline?", "Hi"])
def test_other_questions_are_not_about_a_bot(text: str) -> None:
    """Each is answered as it is."""
    assert not asks_whether_bot([text])
    assert not says_it_failed([text])


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("first", ["nope didnt work", "that did not help", "it doesn't work"])
async def test_what_failed_twice_is_a_person_s(offline: AgentDeps, channel: Channel, first: str) -> None:
    """First an apology and a question back, then a person with an apology; never the same page again."""
    history = [
        HistoryMessage("customer", channel, "how do I invite a colleague", "", AT, "here"),
        HistoryMessage("agent", channel, "Open Settings. https://help.example.com/inviting", "", AT, "here"),
    ]
    once = await run_turn(offline, turn(first, channel, history=tuple(history)))
    assert once.outcome == "replied"
    assert once.text.count("sorry") == 1
    assert "https://" not in once.text
    history += [
        HistoryMessage("customer", channel, first, "", AT, "here"),
        HistoryMessage("agent", channel, once.text, "", AT, "here"),
    ]
    twice = await run_turn(offline, turn("still doesnt work", channel, history=tuple(history)))
    assert (twice.outcome, twice.reason) == ("escalated", "angry")
    assert "sorry" in twice.text


@pytest.mark.parametrize(
    "text",
    [
        "somebody hacked my account",
        "someone logged in from Russia",
        "my account was hacked",
        "we got hacked!",
        "Unser Konto wurde gehackt",
        "alguien ha entrado en mi cuenta desde Rusia",
        "There is an unknown sign-in in the list",
    ],
)
@pytest.mark.parametrize("channel", list(Channel))
async def test_a_suspected_intrusion_is_urgent(offline: AgentDeps, text: str, channel: Channel) -> None:
    """A person has it at once, and nothing is said of not commenting."""
    result = await run_turn(offline, turn(text, channel))
    assert (result.outcome, result.reason, result.ticket.priority) == ("escalated", "security", "urgent")
    assert "not comment" not in result.text
    assert over_limit(channel, result.text) is None


@pytest.mark.parametrize("channel", list(Channel))
async def test_its_handoff_says_what_a_page_says_to_do_first(offline: AgentDeps, channel: Channel) -> None:
    """Only where a page says it surely."""
    result = await run_turn(offline, turn("somebody hacked my account", channel))
    assert STEPS in result.text
    unsure = AgentDeps(offline.settings, Shelf(0.5), offline.model, offline.clock, offline.instructions)
    assert STEPS not in (await run_turn(unsure, turn("somebody hacked my account", channel))).text


@pytest.mark.parametrize(
    "text",
    [
        "How do I see who logged in?",
        "how can I see if someone logged in from Russia?",
        "what if my account is hacked",
        "can you protect us against hackers?",
        "Somebody clocked in from the wrong place",
        "someone took over my shift",
        "someone stole our van",
        "someone is in two workspaces",
    ],
)
def test_a_question_about_safety_is_no_intrusion(text: str) -> None:
    """Nothing happened."""
    assert not suspects_intrusion([text])


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ar"])
@pytest.mark.parametrize("kind", ["bot", "failed"])
def test_our_words_fit_their_channel(kind: str, language: str, channel: Channel) -> None:
    """In English where a language has none."""
    text = reply(kind, language, channel, name="Maximiliane Mustermann", team="Tideline Support", greet=True)
    assert over_limit(channel, text) is None
