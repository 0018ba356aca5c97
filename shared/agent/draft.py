"""What the tools of one run collected. Tools write nothing else: the draft is committed with the reply, or never."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shared.agent.contract import NewTicket, TicketChange, ToolCall
from shared.agent.escalation import Reason
from shared.conversations.codes import LinkAct
from shared.conversations.follow_ups import FollowUp
from shared.errors import FteError
from shared.knowledge.passage import Passage


@dataclass(frozen=True, slots=True)
class Handover:
    """An escalation that the model asked for: why, and what it tells the person."""

    reason: Reason
    summary: str


@dataclass(slots=True)
class Draft:
    """Grows during a run. `passages` are all that searches returned, by key, in order."""

    passages: dict[str, Passage] = field(default_factory=dict[str, Passage])
    queries: list[str] = field(default_factory=list[str])
    change: TicketChange = field(default_factory=TicketChange)
    escalation: Handover | None = None
    link: LinkAct | None = None
    follow_up: FollowUp | None = None
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    #: A fault of ours inside a tool (database away): the turn is given up and tried again.
    fault: FteError | None = None

    def found(self, query: str, passages: list[Passage]) -> None:
        """Remember what a search returned."""
        self.queries.append(query)
        for passage in passages:
            self.passages.setdefault(passage.key, passage)

    def open_ticket(self, ticket: NewTicket) -> None:
        """Ask for a further ticket."""
        self.change = replace(self.change, new_tickets=(*self.change.new_tickets, ticket))

    @property
    def new_tickets(self) -> tuple[NewTicket, ...]:
        """The further tickets asked for."""
        return self.change.new_tickets
