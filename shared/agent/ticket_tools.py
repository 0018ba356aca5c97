"""The tools about the turn's ticket: what stands there, and to ask its customer once more later."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from shared.agent.linking import language_to_use
from shared.agent.tool_run import Arguments, Noted, ToolRun
from shared.channels.message import Channel, Trust
from shared.conversations.follow_ups import MOST_HOURS, MOST_HOURS_WHATSAPP, FollowUp, Purpose


class GetTicket(Arguments):
    """Read this conversation's ticket: subject, status, category, priority, since when, and what is asked later."""


class ScheduleFollowUp(Arguments):
    """Have the customer asked once, later, in fixed words. Only when the outcome shows later, or they ask for it."""

    hours: int = Field(ge=1, le=MOST_HOURS, description=f"in how many hours; on WhatsApp at most {MOST_HOURS_WHATSAPP}")
    purpose: Purpose = Field(description="did_it_work: whether our answer helped; still_open: what we asked them for")


class TicketSeen(BaseModel):
    """The ticket; all empty where there is none."""

    subject: str = ""
    status: str = ""
    category: str = ""
    priority: str = ""
    opened_at: datetime | None = None
    follow_up_at: datetime | None = None


async def get_ticket(run: ToolRun, _arguments: GetTicket) -> TicketSeen:
    """See GetTicket."""
    one = run.turn.ticket
    return TicketSeen(**asdict(one)) if one else TicketSeen()


async def schedule_follow_up(run: ToolRun, arguments: ScheduleFollowUp) -> Noted:
    """See ScheduleFollowUp; the last call of a run counts, and none in a turn that hands over."""
    if run.turn.trust is not Trust.VERIFIED:
        return Noted(noted="refused: it is not sure who is writing")
    if run.turn.channel is Channel.WHATSAPP and arguments.hours > MOST_HOURS_WHATSAPP:
        return Noted(noted=f"refused: on WhatsApp nobody may be written to later than in {MOST_HOURS_WHATSAPP} hours")
    run.draft.follow_up = FollowUp(arguments.hours, arguments.purpose, language_to_use(run.turn))
    return Noted(noted=f"asked in {arguments.hours} hours unless the customer writes first; do not speak of it")
