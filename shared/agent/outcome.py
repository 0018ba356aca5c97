"""Results of a turn: what is decided without a model, and how each end is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.agent import escalation
from shared.agent.contract import Priority, TicketChange, TurnInput, TurnResult
from shared.agent.draft import Draft, Handover
from shared.agent.escalation import Reason
from shared.agent.handoff import handoff
from shared.agent.intrusion import suspects_intrusion
from shared.agent.link_reading import other_side
from shared.agent.linking import answer_to_yes, has_offer, in_form
from shared.agent.longer import accepts, declines
from shared.agent.own_words import asks_whether_bot, reply, says_it_failed
from shared.agent.prompt import MAX_TEXT, too_long
from shared.agent.small_talk import SmallTalk, points_to_file, small_talk
from shared.agent.summary import summary
from shared.agent.tool_run import ToolRun
from shared.channels.language import ENGLISH, OTHER, language_of
from shared.channels.message import Trust
from shared.channels.sentiment import sentiment
from shared.channels.whatsapp.texts import fixed
from shared.settings import Settings

_BILLING = {Reason.REFUND, Reason.PRICING}
_HEAD = 1000
_PRESSING: dict[Reason, Priority] = {Reason.LEGAL: "high", Reason.ANGRY: "high", Reason.SECURITY: "urgent"}


class _Nothing:
    """The search port of a turn that needs none."""

    async def search(self, query: str, *, limit: int = 5, language: str | None = None) -> Sequence[Any]:
        raise AssertionError("a turn settled without a model searches nothing")


def settled_without_model(turn: TurnInput, settings: Settings) -> TurnResult | None:
    """The result of a turn that no model may or need see, or None.

    In this order: a sender who failed the check, more text than a model is given, a yes or no to the offer of the
    rest, a yes to the offer of linking, an acknowledgement after our answer or an empty message, a matter that a
    person decides, whether a bot writes, what failed twice, a language that we have no words of. Works for
    tenths of a second on a long text.
    """
    run = ToolRun(turn, _Nothing(), Draft())
    if turn.trust is Trust.HELD:
        return escalated(run, Reason.HELD, settings)
    early = _unread(turn, settings) if too_long(turn) else _to_the_offer(turn) or _to_linking(turn, settings)
    if early is not None:
        return early
    kind = small_talk(turn.said, turn.customer_name)
    attached = any(message.attachments or message.quoted for message in turn.messages)
    if kind is SmallTalk.EMPTY or _is_in_a_file(turn):
        return escalated(run, Reason.NOT_FOUND, settings) if attached else ignored(turn, "empty")
    answers_us = accepts(turn.said) and _asks(_last_word(turn))
    if kind in {SmallTalk.THANKS, SmallTalk.EMOJI} and turn.answered_before and not attached and not answers_us:
        return ignored(turn, "acknowledgement")
    return _for_a_person(run, settings) or _in_our_words(turn, settings) or _in_a_strange_language(run, settings)


def _for_a_person(run: ToolRun, settings: Settings) -> TurnResult | None:
    """A suspected intrusion before all, then what the check finds; who asks whether a bot writes is told so instead."""
    turn = run.turn
    found = escalation.check(turn.matters, policy=settings.escalation_policy)
    others, evidence = ((found.reason, *found.others), found.evidence) if found else ((), ())
    if suspects_intrusion(turn.matters):
        return escalated(run, Reason.SECURITY, settings, others=others, evidence=("security.intrusion", *evidence))
    if found is None or (found.reason is Reason.HUMAN and not found.others and asks_whether_bot(turn.said)):
        return None
    return escalated(run, found.reason, settings, others=found.others, evidence=evidence)


def _in_our_words(turn: TurnInput, settings: Settings) -> TurnResult | None:
    """Who writes here; and what is said a second time to have failed: a person has it, with an apology."""
    before = [one.text for one in turn.own_history if one.author == "customer"]
    if turn.answered_before and says_it_failed(turn.said) and any(says_it_failed([one]) for one in before):
        run = ToolRun(turn, _Nothing(), Draft())
        return escalated(run, Reason.ANGRY, settings, evidence=("angry.repeated-failure",))
    if not asks_whether_bot(turn.said):
        return None
    team, greet = settings.support_team_name, not turn.answered_here
    language = turn.language or ENGLISH
    text = reply("bot", language, turn.channel, name=turn.customer_name, team=team, greet=greet)
    return TurnResult("replied", text, sentiment=sentiment(turn.texts))


def _in_a_strange_language(run: ToolRun, settings: Settings) -> TurnResult | None:
    """A language that we have no words and no page of, and in which nothing that a model writes can be checked."""
    return escalated(run, Reason.LANGUAGE, settings) if run.turn.language == OTHER else None


def _is_in_a_file(turn: TurnInput) -> bool:
    """Whether the words only point to a file: what they want is in it, and an answer to "see file" would be a guess."""
    return any(message.attachments for message in turn.messages) and points_to_file(turn.said)


def _to_the_offer(turn: TurnInput) -> TurnResult | None:
    """A yes has the rest mailed, or asks for an address; a no needs no answer; all else is a new question.

    A yes to an offer that is past means it all the same, unless we asked something else since.
    """
    if turn.called_back and _is_a_mere_word(turn):
        # The reply that waited for it goes out; another would only answer "yes".
        return ignored(turn, "called-back")
    if turn.offered and declines(turn.said):
        return ignored(turn, "declined")
    if not accepts(turn.said):
        return None
    last = _last_word(turn)
    sent_before = fixed("sent_before", language_of([last]))
    if not turn.offered and (not turn.past_offer or _asks(last) or last in ("", sent_before)):
        return None
    text = fixed("mailed" if turn.mailable else "address", language_of([last]))
    return TurnResult(
        "replied",
        sent_before if not turn.offered and turn.past_offer == "sent" else text,
        sentiment=sentiment(turn.texts),
        takes_offer=turn.offered,
        takes_past_offer=not turn.offered and turn.past_offer == "lapsed",
    )


def _to_linking(turn: TurnInput, settings: Settings) -> TurnResult | None:
    """A yes to the offer of linking names no address: it asks for that, or was overtaken by a link made meanwhile."""
    last = _last_word(turn)
    if turn.trust is not Trust.VERIFIED or not accepts(turn.said) or not has_offer(last):
        return None
    text = answer_to_yes(other_side(turn.channel), language_of([last]), linked=turn.just_proven)
    team, greet = settings.support_team_name, not turn.answered_here
    text = in_form(turn.channel, text, name=turn.customer_name, team=team, greet=greet)
    return TurnResult("replied", text, sentiment=sentiment(turn.texts))


def _last_word(turn: TurnInput) -> str:
    """What the agent said last on this channel; empty where a person spoke after it."""
    ours = [one for one in turn.known_history if one.author != "customer" and one.channel is turn.channel]
    return ours[-1].text if ours and ours[-1].author == "agent" else ""


def _asks(text: str) -> bool:
    return text.rstrip().endswith(("?", "؟", "？"))


def _is_a_mere_word(turn: TurnInput) -> bool:
    courteous = {SmallTalk.EMOJI, SmallTalk.GREETING, SmallTalk.THANKS}
    attached = any(message.attachments for message in turn.messages)
    return not attached and (accepts(turn.said) or small_talk(turn.said, turn.customer_name) in courteous)


def _unread(turn: TurnInput, settings: Settings) -> TurnResult:
    """All of a long text is searched for a matter of a person; without one a person reads it all the same."""
    found = escalation.check(turn.texts, policy=settings.escalation_policy)
    reason = found.reason if found else Reason.NOT_FOUND
    draft = Draft(escalation=Handover(reason, f"nothing: more than {MAX_TEXT} characters, please read all of it"))
    # The mood and the quotation are those of its beginning: both would search long texts for long.
    messages = tuple(replace(one, subject=one.subject[:_HEAD], text=one.text[:_HEAD]) for one in turn.messages)
    return escalated(
        ToolRun(replace(turn, messages=messages), _Nothing(), draft),
        reason,
        settings,
        others=found.others if found else (),
        evidence=(*(found.evidence if found else ()), "too-long"),
    )


def ignored(turn: TurnInput, reason: str) -> TurnResult:
    """Nothing is sent."""
    return TurnResult("ignored", "", reason=reason, sentiment=sentiment(turn.texts))


def replied(run: ToolRun, text: str, **facts: Any) -> TurnResult:
    """The reply, with the ticket's change and the calls that led to it."""
    return TurnResult(
        "replied",
        text,
        ticket=run.draft.change,
        tool_calls=tuple(run.draft.calls),
        sentiment=sentiment(run.turn.texts),
        link=run.draft.link,
        follow_up=run.draft.follow_up,
        **facts,
    )


def escalated(
    run: ToolRun,
    reason: Reason,
    settings: Settings,
    *,
    others: Sequence[Reason] = (),
    **facts: Any,
) -> TurnResult:
    """The handoff, and the summary for the person. A language without a page explains what was not found."""
    turn, mood = run.turn, sentiment(run.turn.texts)
    language = turn.language or ENGLISH
    if reason is Reason.NOT_FOUND and language != ENGLISH and not turn.has_pages:
        reason = Reason.LANGUAGE
    team, greet = settings.support_team_name, not turn.answered_here
    text = handoff(turn.channel, reason, name=turn.customer_name, team=team, language=language, greet=greet)
    return TurnResult(
        "escalated",
        text,
        reason=reason.value,
        summary=summary(turn, reason, others=others, draft=run.draft, sentiment=mood),
        ticket=_filed(run.draft.change, reason),
        tool_calls=tuple(run.draft.calls),
        sentiment=mood,
        link=run.draft.link,
        **facts,
    )


def _filed(change: TicketChange, reason: Reason) -> TicketChange:
    """What the reason says of the ticket, unless the model said otherwise."""
    if reason in _BILLING and change.category is None:
        change = replace(change, category="billing")
    if reason in _PRESSING and change.priority is None:
        change = replace(change, priority=_PRESSING[reason])
    return change
