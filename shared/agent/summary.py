"""What the person who takes over reads first: who, what, what was tried, the mood, what to do next. No address."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.agent.contract import TurnInput
from shared.agent.draft import Draft
from shared.agent.escalation import Reason
from shared.channels.message import Trust
from shared.channels.sentiment import MOST_MOODS, trend

_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d ()./-]{6,}\d")
_QUOTED = 400

_NEXT = {
    Reason.REFUND: "check the charge and decide on the refund",
    Reason.PRICING: "answer with a price or an offer",
    Reason.LEGAL: "bring in whoever is responsible for legal matters; do not argue by message",
    Reason.ANGRY: "apologise, find the cause, call if the customer agrees",
    Reason.HUMAN: "answer in person",
    Reason.NOT_FOUND: "answer, and add what was missing to the documents",
    Reason.LANGUAGE: "answer in the customer's language",
    Reason.HELD: "find out whether the sender is who it says before anything is sent",
    Reason.GATE: "answer; the draft broke a rule twice",
    Reason.MODEL_DOWN: "answer; no model was able to",
    Reason.SECURITY: "urgent: see who got in, end their sessions, and answer how to make the account safe",
    Reason.LINK_CONFLICT: "find out whose address and number these are, then link them",
}
_TRUSTED = {
    Trust.VERIFIED: "identity verified",
    Trust.CLAIMED: "identity only claimed",
    Trust.HELD: "sender failed the check of its address",
}


def summary(turn: TurnInput, reason: Reason, *, others: Sequence[Reason], draft: Draft, sentiment: float) -> str:
    """Five lines; addresses and phone numbers in what the customer wrote are left out."""
    also = f" (also: {', '.join(others)})" if others else ""
    return five_lines(
        who=f"{redacted(turn.customer_name) or 'unnamed'}, on {turn.channel}, {_TRUSTED[turn.trust]}",
        what=f"{reason}{also}: {_quote(turn)}",
        tried=_tried(draft),
        mood=f"{_mood(sentiment)}{_trend(turn.moods)}",
        then=_NEXT[reason],
    )


def five_lines(*, who: str, what: str, tried: str, mood: str, then: str) -> str:
    """The form of every summary."""
    return f"Who: {who}\nWhat: {what}\nTried: {tried}\nMood: {mood}\nNext: {then}"


def redacted(text: str) -> str:
    """The text on one line without e-mail addresses and phone numbers."""
    return _NUMBER.sub("[number]", _ADDRESS.sub("[address]", " ".join(text.split())))


def _quote(turn: TurnInput) -> str:
    """What is to be answered; where nothing is, as an MCP client may hand over, what they wrote last."""
    text = redacted(" / ".join(text for text in turn.texts if text.strip()) or _said_last(turn))
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED].rsplit(' ', 1)[0]} …"


def _said_last(turn: TurnInput) -> str:
    return next((one.text for one in reversed(turn.own_history) if one.author == "customer"), "")


def _tried(draft: Draft) -> str:
    best = max(draft.passages.values(), key=lambda passage: passage.score, default=None)
    if draft.escalation is not None and draft.escalation.summary:
        said = redacted(draft.escalation.summary)
    else:
        said = "searched the documents" if draft.queries else "nothing, by rule"
    return f"{said}; closest page: {best.title} ({best.heading})" if best else said


def _mood(sentiment: float) -> str:
    if sentiment <= -0.5:
        return f"angry or very unhappy ({sentiment})"
    return f"unhappy ({sentiment})" if sentiment < 0 else f"calm ({sentiment})"


def _trend(moods: Sequence[float]) -> str:
    """Where it goes, in words; nothing for the first message."""
    goes = trend(moods)
    return f", {goes} over their last {min(len(moods), MOST_MOODS)} messages" if goes else ""
