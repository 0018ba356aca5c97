"""Greetings and thanks in the form's languages, and handoffs that greet as the English ones do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.agent.contract import HistoryMessage
from shared.agent.escalation import Reason
from shared.agent.frames import frame
from shared.agent.handoff import handoff
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.limits import over_limit
from shared.channels.message import Channel
from tests.conftest import make_settings
from tests.unit.test_agent_tools import Shelf
from tests.unit.test_agent_turn import AT, PAGE, turn

GREETINGS = {
    "en": ("Hi", "Hello there"),
    "de": ("Hallo", "Guten Tag"),
    "es": ("Hola", "¡Buenas tardes!"),
    "fr": ("Bonjour", "Salut"),
    "ar": ("مرحبا", "السلام عليكم"),
    "ur": ("ہیلو", "آداب"),
}
THANKS = {
    "en": "Thank you!",
    "de": "Vielen Dank!",
    "es": "Muchas gracias",
    "fr": "Merci beaucoup",
    "ar": "شكرا جزيلا",
    "ur": "بہت شکریہ",
}


@pytest_asyncio.fixture
async def offline() -> AsyncIterator[AgentDeps]:
    """The agent without a key."""
    async with open_agent(make_settings(agent_turn_timeout_s=5.0), Shelf(PAGE)) as deps:
        yield deps


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    "text", ["Grazie mille", "Obrigado!", "Muito obrigada", "Bedankt!", "Dank je wel", "Hoi", "Bom dia"]
)
async def test_courtesy_needs_no_person_whose_language_has_no_page(
    offline: AgentDeps, channel: Channel, text: str
) -> None:
    """Nobody is fetched for a word of thanks in Italian, Portuguese or Dutch."""
    assert (await run_turn(offline, turn(text, channel))).outcome == "replied"


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(("language", "text"), [(one, text) for one, both in GREETINGS.items() for text in both])
async def test_a_greeting_is_answered_in_its_language(
    offline: AgentDeps, channel: Channel, language: str, text: str
) -> None:
    """One word is enough to tell it."""
    result = await run_turn(offline, turn(text, channel))
    key = "short.asked" if channel is Channel.WHATSAPP else "asked"
    assert result.outcome == "replied"
    assert frame(language, key) in result.text
    assert "Priya" in result.text
    assert over_limit(channel, result.text) is None


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(("language", "text"), list(THANKS.items()))
async def test_thanks_are_answered_in_their_language_or_not_at_all(
    offline: AgentDeps, channel: Channel, language: str, text: str
) -> None:
    """As a first message they are; after an answer they need none."""
    result = await run_turn(offline, turn(text, channel))
    key = "short.welcome" if channel is Channel.WHATSAPP else "welcome"
    assert (result.outcome, frame(language, key) in result.text) == ("replied", True)
    past = (HistoryMessage("agent", channel, "Choose Export.", "", AT, "here"),)
    assert (await run_turn(offline, turn(text, channel, history=past))).reason == "acknowledgement"


@pytest.mark.parametrize(
    ("language", "hello"),
    [
        ("en", "Dear Priya Okafor,"),
        ("de", "Guten Tag Priya Okafor,"),
        ("es", "Buenos días, Priya Okafor:"),
        ("fr", "Bonjour Priya Okafor,"),
    ],
)
def test_a_handoff_by_mail_greets_by_name_once(language: str, hello: str) -> None:
    """In each language as in English; on WhatsApp by the first name; on the page not again."""

    def said(channel: Channel, *, greet: bool = True) -> str:
        return handoff(
            channel, Reason.NOT_FOUND, name="Priya Okafor", team="Tideline Support", language=language, greet=greet
        )

    mail = said(Channel.EMAIL)
    assert mail.startswith(f"{hello}\n\n")
    assert mail.endswith("\nTideline Support")
    later = said(Channel.WEB, greet=False)
    assert "Priya" not in later
    short = said(Channel.WHATSAPP)
    assert "Priya" in short.split("!")[0]
    assert "Okafor" not in short
    again = said(Channel.WHATSAPP, greet=False)
    assert "Priya" not in again
    assert all(over_limit(Channel.WHATSAPP, text) is None for text in (short, again))


@pytest.mark.parametrize("text", ["Hello", "Danke!", "Merci !", "Hola, buenos días"])
async def test_a_subject_that_says_nothing_spoils_no_courtesy(offline: AgentDeps, text: str) -> None:
    """Whoever has to fill in a subject writes "Question"."""
    result = await run_turn(offline, turn(text, Channel.EMAIL, subject="A question"))
    assert (result.outcome, result.reason) == ("replied", "")


async def test_a_handoff_is_in_the_language_of_the_message(offline: AgentDeps) -> None:
    """Not in that of a subject which a form made up."""
    asked = turn("Was kostet Team im Jahr?", Channel.EMAIL, subject="A question")
    assert "Guten Tag Priya Okafor" in (await run_turn(offline, asked)).text
