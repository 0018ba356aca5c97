"""Between the mailbox and the agent: what a turn is given, and what becomes of its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from shared.agent.contract import (
    HistoryMessage,
    TicketFacts,
    ToolCall,
    TurnInput,
    TurnMessage,
    TurnResult,
)
from shared.agent.earlier import earlier_contact
from shared.agent.escalation import Reason
from shared.agent.handoff import handoff
from shared.agent.prompt import MAX_QUOTE
from shared.agent.summary import five_lines, redacted
from shared.channels.language import ENGLISH, language_written
from shared.channels.message import Channel, Trust
from shared.channels.sentiment import MOST_MOODS
from shared.conversations.codes import ATTEMPTS
from shared.conversations.commit import Verdict
from shared.conversations.history import SQL as HISTORY
from shared.conversations.history import Said
from shared.conversations.letters import SQL as LETTERS
from shared.conversations.long_answers import PAST_OFFER_D
from shared.conversations.mailbox import OpenTurn
from shared.conversations.numbers import SQL as NUMBERS
from shared.conversations.reasons import HandedOver
from shared.conversations.verification import SQL as VERIFICATIONS
from shared.db.pool import Database
from shared.db.queries import load
from shared.settings import Settings

KNOWLEDGE = load("knowledge")
REPEATED_FAILURE = HandedOver.REPEATED_FAILURE
#: Characters of what was written that the person reads in the summary.
_TOLD = 400


async def ask(db: Database, turn: OpenTurn, said: Sequence[Said]) -> TurnInput:
    """The turn as the agent sees it: no address, no customer it could choose."""
    here = turn.lease.conversation_id
    ticket = turn.ticket
    news = await db.fetchrow(VERIFICATIONS["news_of"], turn.customer_id, here, ATTEMPTS)
    moods = await db.fetch(HISTORY["moods"], here, MOST_MOODS)
    proven = turn.trust is Trust.VERIFIED
    offer, past, called = None, None, None
    if turn.channel is Channel.WHATSAPP:
        offer = await db.fetchrow(LETTERS["is_offered"], here)
        past = await db.fetchrow(LETTERS["past_offer"], here, PAST_OFFER_D)
        called = await db.fetchrow(NUMBERS["called_back"], turn.route_id, turn.message_ids)
    asked = TurnInput(
        channel=turn.channel,
        trust=turn.trust,
        customer_id=str(turn.customer_id),
        conversation_id=str(turn.lease.conversation_id),
        ticket_id=ticket.id if ticket else "",
        ticket=ticket_facts(turn),
        customer_name=_name(turn),
        messages=tuple(
            TurnMessage(m.text, m.subject, m.received_at, m.attachments, m.notes, m.quoted[:MAX_QUOTE])
            for m in turn.messages
        ),
        history=tuple(
            HistoryMessage(s.author, s.channel, s.text, s.subject, s.at, str(s.conversation_id)) for s in said
        ),
        earlier=earlier_contact(said, turn.channel, turn.lease.conversation_id),
        answered_here=turn.answered_here,
        code_awaited=bool(proven and news and news["code_awaited"]),
        just_linked=bool(proven and news and news["just_linked"]),
        just_proven=bool(proven and news and (news["just_linked"] or news["just_added"])),
        offered=offer is not None and offer["offered"],
        mailable=offer is not None and offer["mailable"],
        past_offer=(past and past["state"]) or "",
        called_back=called is not None and called["exists"],
        moods=tuple(row["mood"] for row in reversed(moods)),
    )
    return replace(asked, has_pages=await _has_pages(db, asked.language))


async def _has_pages(db: Database, language: str | None) -> bool:
    if language in (None, ENGLISH):
        return False
    found = await db.fetchrow(KNOWLEDGE["has_pages"], language)
    return found is not None and found["found"]


def ticket_facts(turn: OpenTurn) -> TicketFacts | None:
    """The ticket as the turn may see it: whoever only claims an address reads no subject that its owner wrote."""
    one = turn.ticket
    if one is None:
        return None
    subject = one.subject if turn.trust is Trust.VERIFIED else ""
    return TicketFacts(subject, one.status, one.category, one.priority, one.opened_at, one.follow_up_at)


def to_verdict(turn: OpenTurn, result: TurnResult) -> Verdict:
    """What the commit writes; the record keeps everything the decision rested on.

    A customer who was handed over before, and came back without a person's word, is not told so twice.
    """
    silent = result.outcome == "escalated" and told_before(turn)
    change = result.ticket
    return Verdict(
        outcome=result.outcome,
        reason=result.reason or None,
        text="" if silent else result.text,
        summary=result.summary,
        category=change.category,
        priority=change.priority,
        ticket_subject=change.subject,
        new_tickets=tuple((new.category, new.priority, new.subject) for new in change.new_tickets),
        model=result.model,
        instructions=result.instructions_version,
        tokens_in=result.tokens_in,
        tokens_out=result.tokens_out,
        sentiment=result.sentiment,
        link=result.link,
        follow_up=result.follow_up,
        whole=result.whole,
        takes_offer=result.takes_offer,
        takes_past_offer=result.takes_past_offer,
        record=record(result.tool_calls, result.summary)
        | {
            "passages": [asdict(passage) for passage in result.passages],
            "checks": [asdict(check) for check in result.checks],
            "evidence": list(result.evidence),
        },
    )


def record(calls: Sequence[ToolCall], told: str) -> dict[str, Any]:
    """The decision record of an act that rests on its tool calls alone; `told` is the summary for the person."""
    nothing: dict[str, list[Any]] = {"passages": [], "checks": [], "evidence": []}
    return nothing | {"tool_calls": [asdict(call) for call in calls], "summary": told}


def gave_up(turn: OpenTurn, settings: Settings) -> Verdict:
    """The Nth attempt goes to a person instead of failing for ever."""
    return Verdict(
        outcome="escalated",
        reason=REPEATED_FAILURE,
        text=handoff_of(turn, Reason.MODEL_DOWN, settings.support_team_name),
        summary=_told_of_failures(turn),
    )


def _told_of_failures(turn: OpenTurn) -> str:
    """As of any handoff, but without what reads the text closely: that may be what failed."""
    said = redacted(" / ".join(message.text[:_TOLD] for message in turn.messages))[:_TOLD]
    return five_lines(
        who=f"{redacted(_name(turn)) or 'unnamed'}, on {turn.channel}, identity {turn.trust}",
        what=f"{REPEATED_FAILURE}: {said}",
        tried="to answer, and every attempt failed; the messages are unanswered",
        mood="not read",
        then="answer; the log of agent-run says what failed",
    )


def handoff_of(turn: OpenTurn, reason: Reason, team: str, last_said: str = "") -> str:
    """The words that hand this turn over, in the language of what it answers; empty where it was told so before.

    Where nothing is unanswered they are in the language of what the customer said last.
    """
    if told_before(turn):
        return ""
    texts = [one.text for one in turn.messages] or [last_said]
    written = language_written(texts, [one.subject for one in turn.messages])
    greet = not turn.answered_here
    return handoff(turn.channel, reason, name=_name(turn), team=team, language=written or ENGLISH, greet=greet)


def told_before(turn: OpenTurn) -> bool:
    """Whether the customer knows that a person answers: what they added since waits for that person too."""
    return any(message.handed_over for message in turn.messages)


def _name(turn: OpenTurn) -> str:
    """Whom to greet. A mail to an address that is only claimed says nothing that its writer chose."""
    return "" if turn.channel is Channel.EMAIL and turn.trust is not Trust.VERIFIED else turn.to_name
