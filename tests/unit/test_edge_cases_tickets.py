"""Edge cases of specs/discovery-log.md, with the sample tickets' own words and passages of the real documents.

The search is given its answer here, so that what a turn makes of it is seen by itself; that the search
finds it is the matter of tests/integration.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared.agent.contract import HistoryMessage, TicketChange, TurnInput, TurnMessage, TurnResult
from shared.agent.promises import promises
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.channels.gmail.inbound import to_inbound, understand
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.limits import over_limit
from shared.channels.message import Channel, Trust
from shared.knowledge.chunk import chunks
from shared.knowledge.document import parse_document
from shared.knowledge.passage import Passage
from tests.conftest import make_settings
from tests.unit.test_agent_tools import Shelf

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
TICKETS: dict[str, dict[str, Any]] = {
    ticket["id"]: ticket
    for channel in Channel
    for line in (ROOT / f"context/sample-tickets/{channel.value}.jsonl").read_text(encoding="utf-8").splitlines()
    for ticket in [json.loads(line)]
}


@pytest_asyncio.fixture
async def offline() -> AsyncIterator[AgentDeps]:
    """The agent as it is without a key."""
    async with open_agent(make_settings(agent_turn_timeout_s=5.0), Shelf()) as deps:
        yield deps


def passages(document: str, heading: str = "") -> list[Passage]:
    """The passages of a document in context/products, those under `heading` alone when it is given."""
    text = (ROOT / f"context/products/{document}.md").read_text(encoding="utf-8")
    page = parse_document(text, name=document)
    cut = [
        Passage(page.id, page.version, page.title, page.url, one.heading_path, one.content, 0.8) for one in chunks(page)
    ]
    return [one for one in cut if heading in one.heading]


def turn(ticket: str, *said: str) -> TurnInput:
    """The ticket as a turn; `said` is what we said before in the same conversation."""
    one = TICKETS[ticket]
    channel = Channel(one["channel"])
    subject = one.get("subject", "")
    return TurnInput(
        channel=channel,
        trust=Trust.CLAIMED if channel is Channel.WEB else Trust.VERIFIED,
        customer_id="c",
        conversation_id="here",
        ticket_id="t",
        customer_name=one["name"],
        messages=(TurnMessage(one["body"], subject, AT),),
        history=tuple(HistoryMessage("agent", channel, text, subject, AT, "here") for text in said),
        answered_here=bool(said),
    )


async def decided(deps: AgentDeps, of: TurnInput, *found: Passage) -> tuple[TurnResult, Shelf]:
    """The result of a turn whose searches return `found`, and what was searched for."""
    shelf = Shelf(*found)
    return await run_turn(replace(deps, search=shelf), of), shelf


# -- what wants no answer -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [("email-05", "auto-submitted"), ("email-06", "precedence"), ("email-07", "delivery-report")],
)
def test_machines_among_the_tickets_are_ignored(ticket: str, reason: str) -> None:
    """E1 to E3: a vacation note, a newsletter, a delivery report."""
    one = TICKETS[ticket]
    mail = EmailMessage()
    mail["From"], mail["Subject"] = one["from"], one["subject"]
    for name, value in one["headers"].items():
        mail[name] = value
    mail.set_content(one["body"])
    assert understand(mail.as_bytes(), make_settings()).ignored == reason


@pytest.mark.parametrize("ticket", ["email-29", "whatsapp-02", "whatsapp-18"])
async def test_thanks_after_an_answer_is_not_answered(offline: AgentDeps, ticket: str) -> None:
    """E4, W2, W5: also where the old subject holds words of a question; the ticket stays as it is."""
    result, shelf = await decided(offline, turn(ticket, "Open Settings › Billing › Invoices."))
    assert (result.outcome, result.reason, result.text) == ("ignored", "acknowledgement", "")
    assert result.ticket == TicketChange()
    assert shelf.asked == []


@pytest.mark.parametrize("ticket", ["whatsapp-17", "whatsapp-19"])
async def test_a_beginning_without_a_question_is_asked_for_one(offline: AgentDeps, ticket: str) -> None:
    """W3, W4: silence would look like a fault, and nothing is there to be searched for."""
    result, shelf = await decided(offline, turn(ticket), *passages("mobile-app"))
    assert result.outcome == "replied"
    assert result.text.endswith("?")
    assert shelf.asked == []


async def test_praise_is_thanked_for_without_an_article(offline: AgentDeps) -> None:
    """F5: there is nothing to search for, and nothing to link."""
    result, shelf = await decided(offline, turn("web-09"), *passages("planning-your-schedule"))
    assert result.outcome == "replied"
    assert "Thank you" in result.text
    assert "http" not in result.text
    assert shelf.asked == []


# -- what a person decides ------------------------------------------------------------------------


@pytest.mark.parametrize("ticket", [name for name, one in TICKETS.items() if one["label"] != "none"])
async def test_a_document_that_would_fit_is_not_sent_instead_of_a_person(offline: AgentDeps, ticket: str) -> None:
    """E9, E10, F8, F9, F14: no search, no link, no promise, whatever the knowledge base holds on the matter."""
    tempting = TICKETS[ticket]["document"] or "status-and-support"
    result, shelf = await decided(offline, turn(ticket), *passages(tempting))
    assert (result.outcome, result.reason) == ("escalated", TICKETS[ticket]["label"])
    assert shelf.asked == []
    assert "http" not in result.text
    assert promises(result.text) == []


@pytest.mark.parametrize(
    ("ticket", "begins"),
    [("email-14", "Guten Tag"), ("whatsapp-10", "¡Hola, Marisol!"), ("whatsapp-11", "مرحبا"), ("web-30", "Bonjour")],
)
async def test_a_language_without_documents_is_acknowledged_in_it(offline: AgentDeps, ticket: str, begins: str) -> None:
    """E13, W12, F15: the question goes to a person, the customer reads so in their own language and script."""
    of = turn(ticket)
    result, shelf = await decided(offline, of)
    assert (result.outcome, result.reason) == ("escalated", "language")
    assert result.text.startswith(begins)
    assert over_limit(of.channel, result.text) is None
    assert {language for _, _, language in shelf.asked} == {TICKETS[ticket]["language"]}


async def test_a_language_we_have_no_words_for_is_acknowledged_in_english(offline: AgentDeps) -> None:
    """W12: better English than nothing; the person is told that the language is why."""
    asked = replace(turn("whatsapp-11"), messages=(TurnMessage("Как изменить пароль?", "", AT),))
    result, _ = await decided(offline, asked)
    assert (result.outcome, result.reason) == ("escalated", "language")
    assert "a colleague" in result.text


# -- what only looks like it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticket", "heading"),
    [
        ("email-17", "project from a template"),
        ("email-22", "credit note"),
        ("whatsapp-04", "offline"),
        ("whatsapp-20", "What can my client see"),
        ("whatsapp-24", "by mistake"),
        ("whatsapp-30", "locked"),
        ("web-12", "GDPR"),
        ("web-27", "too many"),
        ("web-31", "slow"),
    ],
)
async def test_words_capitals_and_names_alone_bring_no_person(offline: AgentDeps, ticket: str, heading: str) -> None:
    """E11, E12, W9, W10, F10 to F12: the question is answered, and nothing is said about the mood."""
    document = TICKETS[ticket]["document"]
    result, _ = await decided(offline, turn(ticket), *passages(document, heading))
    assert result.outcome == "replied"
    assert f"https://help.example.com/{document}" in result.text
    assert "sorry" not in result.text.lower()


@pytest.mark.parametrize(
    ("ticket", "heading", "asked"),
    [
        ("email-03", "Excel or CSV", "tell me where it is?"),
        ("web-26", "Why does nobody see it?", "What have I forgotten?"),
    ],
)
async def test_the_question_at_the_end_of_a_story_is_answered(
    offline: AgentDeps, ticket: str, heading: str, asked: str
) -> None:
    """E7, F13: the search is given the last sentence too; the answer begins with the answer."""
    [page] = passages(TICKETS[ticket]["document"], heading)
    result, shelf = await decided(offline, turn(ticket), page)
    assert asked in " ".join(shelf.asked[0][0].split())
    assert result.outcome == "replied"
    first_sentence = " ".join(page.text.split()).split(". ")[0]
    assert f"\n\n{first_sentence}" in result.text


# -- how it arrives -------------------------------------------------------------------------------


def test_a_forward_without_words_is_the_message_of_who_forwarded_it() -> None:
    """E5: the text is that of the mail inside, the sender who gets the answer is not."""
    forwarded = TICKETS["email-13"]["body"].partition("\n\n")[2]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "s.abara@example.com", "support@example.com", "Fwd: my calendar"
    mail.set_content(forwarded)
    message = to_inbound(RawMail("m1", "t1", frozenset({"INBOX"}), AT, mail.as_bytes()), make_settings())
    assert "nothing from Tideline shows up in my calendar" in " ".join(message.text.split())
    assert message.sender.address == "s.abara@example.com"


async def test_a_dictated_question_is_answered_where_its_passage_is_found(offline: AgentDeps) -> None:
    """No punctuation and a story around it; with nothing found it is a person's."""
    found = await run_turn(replace(offline, search=Shelf(*passages("time-tracking"))), turn("whatsapp-16"))
    assert (found.outcome, over_limit(Channel.WHATSAPP, found.text)) == ("replied", None)
    missed = await run_turn(offline, turn("whatsapp-16"))
    assert (missed.outcome, missed.reason) == ("escalated", "not_found")


class _Knows(Shelf):
    """A shelf that finds its passages for questions with one of these words alone."""

    def __init__(self, words: tuple[str, ...], *passages: Passage) -> None:
        super().__init__(*passages)
        self._words = words

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Passage]:
        """The passages, or none."""
        found = await super().search(query, limit=limit, language=language)
        return found if any(word in query for word in self._words) else []


@pytest.mark.parametrize(
    ("words", "outcome"), [(("invoices", "VAT"), "replied"), (("invoices",), "escalated"), ((), "escalated")]
)
async def test_of_several_questions_most_must_be_documented(
    offline: AgentDeps, words: tuple[str, ...], outcome: str
) -> None:
    """E18: answered when at most half have no passage; else a person has it, with what was searched for."""
    shelf = _Knows(words, *passages("invoices-and-payment-methods", "invoices"))
    result = await run_turn(replace(offline, search=shelf), turn("email-02"))
    assert len({query for query, _, _ in shelf.asked}) >= 3
    assert result.outcome == outcome
    if outcome == "escalated":
        assert result.reason == "not_found"
        assert "VAT" in result.summary
