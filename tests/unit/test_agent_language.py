"""The language of a reply is the customer's: a draft in another is written anew, twice it is a person's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.agent.turn import AgentDeps, open_agent
from shared.channels.message import Channel
from tests.conftest import make_settings
from tests.unit.test_agent_tools import Shelf
from tests.unit.test_agent_turn import PAGE, URL, Hand, say, scripted, search, turn

SAID = {
    "en": f"Open Settings › Data › Export and choose a format. We e-mail you a link. More: {URL}",
    "de": f"Öffnen Sie Settings › Data › Export und wählen Sie ein Format. Wir schicken Ihnen einen Link. Mehr: {URL}",
    "es": f"Abra Settings › Data › Export y elija un formato. Le enviamos un enlace por correo. Más: {URL}",
    "fr": f"Ouvrez Settings › Data › Export et choisissez un format. Nous vous envoyons un lien. Plus : {URL}",
}
ASKED = {
    "en": "how do i export my data",
    "de": "Wie kann ich meine Daten exportieren?",
    "es": "¿Cómo puedo exportar mis datos? Tengo una cuenta en su página.",
    "fr": "Comment est-ce que je peux exporter mes données dans un fichier ?",
    "pt": "Como é que eu posso exportar os meus dados para uma folha?",
}


@pytest_asyncio.fixture
async def deps() -> AsyncIterator[AgentDeps]:
    """The agent over a shelf of one English page."""
    async with open_agent(make_settings(), Shelf(PAGE), Hand()) as opened:
        yield opened


@pytest.mark.parametrize("language", SAID)
async def test_the_customer_s_language_passes(deps: AgentDeps, language: str) -> None:
    """Also where the page is in another."""
    result, _ = await scripted(deps, search(), say(SAID[language]), of=turn(ASKED[language]))
    assert (result.outcome, [check.reasons for check in result.checks]) == ("replied", [()])


@pytest.mark.parametrize(
    ("asked", "said"), [("de", "en"), ("en", "de"), ("fr", "en"), ("es", "fr"), ("en", "es"), ("pt", "en")]
)
async def test_another_language_goes_back_and_then_to_a_person(deps: AgentDeps, asked: str, said: str) -> None:
    """The gate can read it, and it is still not what the customer reads."""
    result, _ = await scripted(deps, search(), say(SAID[said]), say(SAID[said]), of=turn(ASKED[asked]))
    assert (result.outcome, result.reason) == ("escalated", "gate")
    assert [reason.partition(":")[0] for check in result.checks for reason in check.reasons] == ["language"] * 2


async def test_a_repair_in_the_customer_s_language_is_sent(deps: AgentDeps) -> None:
    """The fault names the language that is wanted."""
    steps = (search(), say(SAID["en"]), say(SAID["de"]))
    result, model = await scripted(deps, *steps, of=turn(ASKED["de"], channel=Channel.WEB))
    assert result.outcome == "replied"
    assert "language: write in the customer's language (de)" in str(model.calls[-1].input)


async def test_words_that_tell_no_language_may_be_answered_in_any(deps: AgentDeps) -> None:
    """Nobody knows what they speak."""
    result, _ = await scripted(deps, search(), say(SAID["de"]), of=turn("Export?"))
    assert result.outcome == "replied"
