"""A question that leans on the answer before it, as the offline model searches for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio

from shared.agent.contract import HistoryMessage, TurnInput
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.message import Channel
from shared.knowledge.passage import Passage
from tests.conftest import make_settings
from tests.unit.test_agent_turn import AT, PAGE, URL, turn

LATER = replace(
    PAGE,
    heading_path="Exporting your data > How long does it take?",
    text="A large export takes about ten minutes. We e-mail you a link when it is ready.",
    score=1.0,
)
REFUNDS = Passage(
    "projects", 1, "Projects", "https://help.example.com/projects", "Projects > Undo",
    "Open Projects › Trash and choose Restore. It stays there for a while.", 0.7,
)  # fmt: skip


class Shelf:
    """Finds the page of the answer before only where it is named beside the question."""

    def __init__(self, sure: float) -> None:
        self.sure = sure
        self.asked: list[str] = []

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """One passage."""
        self.asked.append(query)
        beside = "exporting" in query.lower()
        return [LATER] if beside else [replace(REFUNDS, score=self.sure)] if self.sure else []


@pytest_asyncio.fixture
async def offline() -> AsyncIterator[AgentDeps]:
    """The agent without a key."""
    async with open_agent(make_settings(agent_turn_timeout_s=5.0), Shelf(0.7)) as deps:
        yield deps


def asked(text: str, channel: Channel, *, before: bool = True) -> TurnInput:
    """A message in a thread that was answered from the page on exports."""
    answer = {
        Channel.WEB: f"Open Settings › Data › Export.\n\nFurther details: Exporting your data, {URL}\n\nTideline",
        Channel.WHATSAPP: f"Open Settings › Data › Export. {URL}",
    }[channel]
    history = (
        HistoryMessage("customer", channel, "How do I export?", "", AT, "here"),
        HistoryMessage("agent", channel, answer, "", AT, "here"),
    )
    return turn(text, channel, history=history if before else ())


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.WHATSAPP])
@pytest.mark.parametrize("sure", [0.0, 0.7])
@pytest.mark.parametrize("text", ["and how long does that take?", "how long?", "Does it take long as well?"])
async def test_it_is_answered_from_the_page_before(
    offline: AgentDeps, channel: Channel, sure: float, text: str
) -> None:
    """Also where something else looks a little like it."""
    result = await run_turn(replace(offline, search=Shelf(sure)), asked(text, channel))
    assert result.outcome == "replied"
    assert "ten minutes" in result.text


@pytest.mark.parametrize(
    ("text", "sure", "before"),
    [
        ("and how do I restore a project?", 0.95, True),  # surely another matter
        ("Where do I restore a project of ours?", 0.7, True),  # leans on nothing
        ("and how do I restore it?", 0.7, False),  # there is no answer before
    ],
)
async def test_another_matter_is_not_bent_to_the_page_before(
    offline: AgentDeps, text: str, sure: float, before: bool
) -> None:
    """What is surely found, or stands by itself, is answered as it would be alone."""
    result = await run_turn(replace(offline, search=Shelf(sure)), asked(text, Channel.WEB, before=before))
    assert result.outcome == "replied"
    assert "Trash" in result.text


SEATS = replace(
    PAGE,
    heading_path="Exporting your data > How do I invite?",
    text="Choose Invite. If no seat is free, Tideline shows it.",
    score=1.0,
)
REMOVING = replace(
    PAGE,
    heading_path="Exporting your data > How do I remove somebody?",
    text="Choose Deactivate. Their seat becomes free at once.",
    score=0.8,
)


class TwoSections:
    """The page of the answer before has two sections about seats, the nearer one first."""

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """Both."""
        return [SEATS, REMOVING] if "exporting" in query.lower() else []


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.WHATSAPP])
async def test_it_is_answered_from_the_section_that_was_quoted(offline: AgentDeps, channel: Channel) -> None:
    """Of two sections that speak of it, the one before the customer's eyes."""
    history = (
        HistoryMessage("customer", channel, "and how do I remove one again", "", AT, "here"),
        HistoryMessage(
            "agent", channel, f"Choose Deactivate.\n\nFurther details: Exporting your data, {URL}", "", AT, "here"
        ),
    )
    result = await run_turn(
        replace(offline, search=TwoSections()), turn("does that free the seat", channel, history=history)
    )
    assert "becomes free" in result.text
