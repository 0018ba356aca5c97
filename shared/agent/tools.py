"""The agent's tools: typed async functions, defined once, for the Agents SDK and for MCP alike.

None takes a customer, a conversation or a ticket as an argument: a tool acts on the turn it was
given, so no text in a message can point it at somebody else. None writes: they fill the draft.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from shared.agent.contract import Author, Category, NewTicket, Priority, ToolCall
from shared.agent.draft import Handover
from shared.agent.escalation import Reason
from shared.agent.fingerprint import fingerprint
from shared.agent.link_tools import (
    ConfirmIdentityLink,
    RequestIdentityLink,
    confirm_identity_link,
    request_identity_link,
)
from shared.agent.ticket_tools import GetTicket, ScheduleFollowUp, get_ticket, schedule_follow_up
from shared.agent.tool_run import Arguments, Noted, ToolRun
from shared.errors import FteError
from shared.observability.metrics import TOOL_CALLS

MAX_NEW_TICKETS = 3


class SearchKnowledge(Arguments):
    """Search the help centre. Returns passages with their source; an empty list means nothing certain is known."""

    query: str = Field(min_length=1, max_length=2000, description="what the customer wants to know, in plain words")
    limit: int = Field(5, ge=1, le=10, description="how many passages at most")
    language: str | None = Field(None, max_length=8, description="only documents in this language, such as en")


class GetHistory(Arguments):
    """Read the earlier messages with this customer, oldest first, as far as it is sure who is writing."""

    limit: int = Field(20, ge=1, le=20, description="how many messages at most, the latest ones")


class UpdateTicket(Arguments):
    """Correct this conversation's ticket; what is left out stays as it is."""

    category: Category | None = Field(None, description="what it is about")
    priority: Priority | None = Field(None, description="how urgent it is for the customer")
    subject: str | None = Field(None, min_length=3, max_length=200, description="a better subject, in a few words")


class Escalate(Arguments):
    """Hand the conversation to a person and end your turn. Use it whenever the help centre has no certain answer."""

    reason: Literal["refund", "pricing", "legal", "angry", "human", "not_found"] = Field(description="why")
    summary: str = Field(
        min_length=1, max_length=2000, description="what the person must know, without addresses or phone numbers"
    )


class CreateTicket(Arguments):
    """Open a further ticket when the message raises a second, unrelated matter."""

    subject: str = Field(min_length=3, max_length=200, description="the matter in a few words")
    category: Category = Field("general", description="what it is about")
    priority: Priority = Field("normal", description="how urgent it is")


class FoundPassage(BaseModel):
    """One passage as a model reads it."""

    title: str
    heading: str
    url: str
    version: int
    score: float
    text: str
    language: str = "en"


class Found(BaseModel):
    """What a search returned, best first."""

    passages: list[FoundPassage]


class PastMessage(BaseModel):
    """One earlier message."""

    author: Author
    channel: str
    at: datetime
    subject: str
    text: str


class History(BaseModel):
    """Earlier messages, oldest first."""

    messages: list[PastMessage]


async def search_knowledge(run: ToolRun, arguments: SearchKnowledge) -> Found:
    """See SearchKnowledge."""
    passages = list(await run.search.search(arguments.query, limit=arguments.limit, language=arguments.language))
    run.draft.found(arguments.query, passages)
    return Found(
        passages=[
            FoundPassage(
                title=one.title,
                heading=one.heading,
                url=one.url,
                version=one.version,
                score=one.score,
                text=one.text,
                language=one.language,
            )
            for one in passages
        ]
    )


async def get_history(run: ToolRun, arguments: GetHistory) -> History:
    """See GetHistory; an unverified turn sees its own conversation alone."""
    known = run.turn.known_history[-arguments.limit :]
    return History(
        messages=[
            PastMessage(author=one.author, channel=one.channel, at=one.at, subject=one.subject, text=one.text)
            for one in known
        ]
    )


async def update_ticket(run: ToolRun, arguments: UpdateTicket) -> Noted:
    """See UpdateTicket."""
    given = arguments.model_dump(exclude_none=True)
    run.draft.change = replace(run.draft.change, **given)
    return Noted(noted=", ".join(sorted(given)) or "nothing")


async def escalate(run: ToolRun, arguments: Escalate) -> Noted:
    """See Escalate; the first call of a run counts."""
    if run.draft.escalation is None:
        run.draft.escalation = Handover(Reason(arguments.reason), arguments.summary)
    return Noted(noted="a person takes over; write nothing more")


async def create_ticket(run: ToolRun, arguments: CreateTicket) -> Noted:
    """See CreateTicket; a run may open a few, the same subject once."""
    ticket = NewTicket(arguments.subject, arguments.category, arguments.priority)
    if any(other.subject.casefold() == ticket.subject.casefold() for other in run.draft.new_tickets):
        return Noted(noted="that ticket is already asked for")
    if len(run.draft.new_tickets) >= MAX_NEW_TICKETS:
        return Noted(noted=f"not noted: at most {MAX_NEW_TICKETS} further tickets a turn")
    run.draft.open_ticket(ticket)
    return Noted(noted=f"a ticket about {arguments.subject}")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: its arguments model carries the description; `writes` tells whether it changes anything."""

    name: str
    arguments: type[BaseModel]
    function: Callable[[ToolRun, Any], Awaitable[BaseModel]]
    writes: bool = False

    @property
    def description(self) -> str:
        """The first line of the arguments model, as every client shows it."""
        return (self.arguments.__doc__ or self.name).strip()


TOOLS: Sequence[Tool] = (
    Tool("search_knowledge", SearchKnowledge, search_knowledge),
    Tool("get_history", GetHistory, get_history),
    Tool("get_ticket", GetTicket, get_ticket),
    Tool("update_ticket", UpdateTicket, update_ticket, writes=True),
    Tool("escalate", Escalate, escalate, writes=True),
    Tool("create_ticket", CreateTicket, create_ticket, writes=True),
    Tool("request_identity_link", RequestIdentityLink, request_identity_link, writes=True),
    Tool("confirm_identity_link", ConfirmIdentityLink, confirm_identity_link, writes=True),
    Tool("schedule_follow_up", ScheduleFollowUp, schedule_follow_up, writes=True),
)


async def call(run: ToolRun, one: Tool, arguments: dict[str, Any]) -> BaseModel:
    """Validate, run, count and record one call.

    Raises pydantic's ValidationError for wrong arguments and whatever the tool's port raises (FteError); both are
    recorded as a failed call, the latter also as the run's fault.
    """
    print_, size = fingerprint(arguments)
    try:
        result = await one.function(run, one.arguments.model_validate(arguments))
    except ValidationError:
        _record(run, ToolCall(one.name, print_, size, ok=False), "invalid")
        raise
    except FteError as error:
        run.draft.fault = error
        _record(run, ToolCall(one.name, print_, size, ok=False), "failed")
        raise
    empty = isinstance(result, Found) and not result.passages
    _record(run, ToolCall(one.name, print_, size, ok=True), "empty" if empty else "ok")
    return result


def refused(run: ToolRun, one: Tool, raw: str) -> None:
    """Record a call whose arguments never were what the tool takes; `raw` is what was sent."""
    print_, size = fingerprint({"raw": raw})
    _record(run, ToolCall(one.name, print_, size, ok=False), "invalid")


def _record(run: ToolRun, done: ToolCall, result: str) -> None:
    run.draft.calls.append(done)
    TOOL_CALLS.labels(done.name, result).inc()


def complaint(error: ValidationError) -> str:
    """What is wrong with a call's arguments, for the model to correct; never repeats a value."""
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors())
