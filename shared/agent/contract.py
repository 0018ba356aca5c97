"""What goes into a turn and what comes out of it.

A turn is the unanswered messages of one conversation on one reply route. Everything here is plain
data: whoever runs a turn reads it from the database before and commits the result after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.channels.language import language_written
from shared.channels.message import Attachment, Channel, Trust
from shared.conversations.codes import LinkAct
from shared.conversations.follow_ups import FollowUp

Author = Literal["customer", "agent", "human"]
Category = Literal["general", "technical", "billing", "feedback"]
Priority = Literal["low", "normal", "high", "urgent"]
Outcome = Literal["replied", "escalated", "ignored"]


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One message to answer. `subject` is empty on WhatsApp; attachments are facts, not bytes.

    `quoted` is the mail that it forwards or points at, not the customer's own words.
    """

    text: str
    subject: str
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    #: Facts that are not the customer's words: what it replies to, that it is forwarded.
    notes: tuple[str, ...] = ()
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """One earlier message, of this conversation or, where trust allows, of another of the same customer."""

    author: Author
    channel: Channel
    text: str
    subject: str
    at: datetime
    conversation_id: str


@dataclass(frozen=True, slots=True)
class EarlierContact:
    """The contact to acknowledge (R4.4): when, by which channel, about what (may be empty)."""

    channel: Channel
    at: datetime
    subject: str = ""


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """The turn's ticket. `follow_up_at`: when the customer is asked again, if nothing comes before."""

    subject: str
    status: str
    category: str
    priority: str
    opened_at: datetime
    follow_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TurnInput:
    """One turn. `trust` is the least of its messages'; `history` is oldest first, already cut.

    Of a turn that is not verified only the history of its own conversation is ever used. `code_awaited`: a code was
    sent to another address of the customer's; `just_linked`: since our last answer here they were found to be the
    writer of what lies elsewhere.
    """

    channel: Channel
    trust: Trust
    customer_id: str
    conversation_id: str
    ticket_id: str
    customer_name: str
    messages: tuple[TurnMessage, ...]
    ticket: TicketFacts | None = field(default=None, kw_only=True)
    history: tuple[HistoryMessage, ...] = ()
    earlier: EarlierContact | None = None
    code_awaited: bool = False
    just_linked: bool = False
    #: Since our last answer here an address or a number was found to be theirs, written from before or not.
    just_proven: bool = False
    #: Whether it has an answer of ours on this channel already, also one that the history was cut before: then no
    #: greeting, and no acknowledgement, is due again.
    answered_here: bool = False
    #: WhatsApp: our last answer offered the rest by e-mail; and whether there is a confirmed address to send it to.
    offered: bool = False
    mailable: bool = False
    #: What became of the last such offer where none stands: "lapsed", "wanted", "sent", or empty.
    past_offer: str = ""
    #: WhatsApp: a template asked the customer for a word, so that a reply could be sent; this is that word.
    called_back: bool = False
    #: How the customer sounded in the last messages of this conversation, these included; oldest first, -1 to 1.
    moods: tuple[float, ...] = ()
    #: Whether pages are written in the language of the messages; not asked for English.
    has_pages: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The customer's own words: each subject once, then the messages in order."""
        subjects = dict.fromkeys(message.subject for message in self.messages if message.subject.strip())
        return (*subjects, *(message.text for message in self.messages))

    @property
    def language(self) -> str | None:
        """What the customer writes in, None where nothing tells it."""
        return language_written(
            [message.text for message in self.messages], [message.subject for message in self.messages]
        )

    @property
    def matters(self) -> tuple[str, ...]:
        """The same, and what they forward or point at: whatever a person may have to decide."""
        return (*self.texts, *(message.quoted for message in self.messages if message.quoted))

    @property
    def said(self) -> tuple[str, ...]:
        """What was said anew: in a thread that we answered in, its subject is old."""
        return tuple(message.text for message in self.messages) if self.answered_before else self.texts

    @property
    def known_history(self) -> tuple[HistoryMessage, ...]:
        """The history that this turn's trust allows to be read."""
        if self.trust is Trust.VERIFIED:
            return self.history
        return tuple(message for message in self.history if message.conversation_id == self.conversation_id)

    @property
    def own_history(self) -> tuple[HistoryMessage, ...]:
        """What was said before in this very conversation."""
        return tuple(message for message in self.history if message.conversation_id == self.conversation_id)

    @property
    def answered_before(self) -> bool:
        """Whether this conversation has an answer of ours already."""
        return any(message.author != "customer" for message in self.own_history)

    @property
    def to_acknowledge(self) -> EarlierContact | None:
        """The earlier contact to acknowledge now: once, and only to somebody who surely had it."""
        due = self.just_linked or not self.answered_here
        return self.earlier if self.trust is Trust.VERIFIED and due else None


@dataclass(frozen=True, slots=True)
class NewTicket:
    """A further ticket that the agent asks for: another matter in the same conversation."""

    subject: str
    category: Category = "general"
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What becomes of the turn's ticket; None leaves a field as it is."""

    category: Category | None = None
    priority: Priority | None = None
    subject: str | None = None
    new_tickets: tuple[NewTicket, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that the reply cites, for the decision record."""

    document_id: str
    version: int
    heading_path: str
    url: str
    score: float


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool, without its words: SHA-256 and size in bytes of the arguments."""

    name: str
    arguments_hash: str
    arguments_size: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One passage of a draft through the gate; empty `reasons` means it passed."""

    attempt: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a turn decided, complete enough to commit in one transaction.

    `text` is what is sent: the reply, or the handoff of an escalation; empty when nothing is
    (ignored, or a sender who is not who they say). `reason` is empty for a reply, a code otherwise
    (shared.agent.escalation.Reason; `acknowledgement`, `empty` for ignored). `summary` is for the
    person who takes over and names no address. `sentiment` is -1 (furious) to 1 (delighted). `whole` is all of an
    answer whose text offers the rest by e-mail; `takes_offer` says that the customer wants what was offered,
    `takes_past_offer` that they want it though the offer had lapsed.
    """

    outcome: Outcome
    text: str
    reason: str = ""
    summary: str = ""
    evidence: tuple[str, ...] = ()
    ticket: TicketChange = field(default_factory=TicketChange)
    passages: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    checks: tuple[Check, ...] = ()
    model: str = "none"
    instructions_version: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    sentiment: float = 0.0
    link: LinkAct | None = None
    follow_up: FollowUp | None = None
    whole: str = ""
    takes_offer: bool = False
    takes_past_offer: bool = False
