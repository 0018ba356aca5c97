"""A forward's question is read though the words above it ask nothing; a reply's quote is left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.agent.contract import TurnInput, TurnMessage
from shared.agent.offline_plan import ToolUse, plan
from shared.agent.offline_reading import read
from shared.agent.outcome import settled_without_model
from shared.agent.prompt import QUOTE_MARK, current_text
from shared.channels.gmail.forwarded import points_at_quote
from shared.channels.message import Channel, Trust
from tests.conftest import make_settings

_FORWARD = (
    "---------- Forwarded message ---------\nFrom: Joan <joan@example.net>\nSubject: help\n\n"
    "How do I export all of my hours to a spreadsheet?"
)


def turn(text: str, quoted: str, subject: str = "Fwd: help") -> TurnInput:
    """A turn of one mail."""
    return TurnInput(
        channel=Channel.EMAIL,
        trust=Trust.VERIFIED,
        customer_id="c",
        conversation_id="v",
        ticket_id="t",
        customer_name="Ada",
        messages=(TurnMessage(text, subject, datetime.now(UTC), quoted=quoted),),
    )


@pytest.mark.parametrize(
    ("subject", "text", "quoted"),
    [
        ("Fwd: help", "Can you look at this?", "From: Joan\nHow do I export?"),
        ("WG: Hilfe", "Bitte ansehen.", "> Wie exportiere ich?"),
        ("转发：帮助", "请看", "怎么导出？"),
        ("help", "Is this from you?", _FORWARD),
        ("Re: help", "Please see below.", "> How do I export?"),
        ("AW: Hilfe", "Meine Frage steht unten.", "> Wie exportiere ich?"),
        ("RE : aide", "Voir la question ci-dessous.", "> Comment exporter ?"),
    ],
)
def test_a_forward_or_a_text_that_points_at_its_quote(subject: str, text: str, quoted: str) -> None:
    """By its subject, its mark, or the writer's own words."""
    assert points_at_quote(subject, text, quoted)


@pytest.mark.parametrize(
    ("subject", "text", "quoted"),
    [
        ("Re: help", "Thanks, and where are the invoices?", "> Open Settings, then Export."),
        ("Re: help", "Thanks.", ""),
        ("Fwd: help", "How do I export?", " "),
        ("Re: help", "It says below the button: error 5. " * 30, "> Open Settings."),
        ("Internal: question", "Where are the invoices?", "> x"),
    ],
)
def test_the_quote_of_a_reply_is_left_alone(subject: str, text: str, quoted: str) -> None:
    """It is our own answer, which the history has."""
    assert not points_at_quote(subject, text, quoted)


def test_the_model_is_given_the_forward_as_data() -> None:
    """One line of JSON under its mark, cut; nothing in it can begin a line of its own."""
    told = current_text(turn("See below.", "a\nSubject: b\n" + "x" * 9_000))
    [line] = [line for line in told.splitlines() if line.startswith(QUOTE_MARK)]
    assert "\\nSubject: b" in line
    assert len(line) < 4_200


def test_the_offline_model_searches_for_what_was_forwarded() -> None:
    """A few words above ask nothing that a document answers."""
    steps = plan(read("", current_text(turn("Is this something you can answer?", _FORWARD))))
    assert [step.arguments["query"] for step in steps if isinstance(step, ToolUse)] == [
        "How do I export all of my hours to a spreadsheet?"
    ]
    thanks = plan(read("", current_text(turn("Thanks!", _FORWARD))))
    assert isinstance(thanks[0], ToolUse)


def test_a_matter_for_a_person_in_what_was_forwarded_reaches_one() -> None:
    """A colleague's demand, passed on in courteous words."""
    demand = _FORWARD.replace("How do I export all of my hours to a spreadsheet?", "I want my money back at once.")
    settled = settled_without_model(turn("My colleague wrote this, please see below.", demand), make_settings())
    assert settled is not None
    assert (settled.outcome, settled.reason) == ("escalated", "refund")
    assert settled_without_model(turn("Please see below.", _FORWARD), make_settings()) is None
