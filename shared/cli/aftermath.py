"""What became of a message that `fte try` wrote: its ticket, as the desk of the same system knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from shared.cli.desk_client import DeskClient
from shared.errors import FteError

#: How many of a customer's tickets are looked through for the one that took the message.
_NEWEST = 5
#: Mail servers keep whole seconds.
_ROUNDING = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The ticket that took the message, and what was decided of it: `outcome` is None while it waits."""

    ticket_id: str
    status: str
    reason: str | None
    outcome: str | None
    outcome_reason: str | None
    state: str = "agent"

    @property
    def with_person(self) -> bool:
        """Whether a person is to answer: of several tickets of a conversation that a person has, one is escalated."""
        return self.status == "escalated" or self.state == "human"

    @property
    def silent(self) -> bool:
        """Whether the agent saw nothing to answer."""
        return self.outcome == "ignored"

    def sentence(self) -> str:
        """One line for people, with what to do next."""
        if self.with_person:
            named = f"{self.ticket_id}, {self.reason}" if self.reason else self.ticket_id
            return f'with a person (ticket {named}): kn-fte tickets reply {self.ticket_id} "…"'
        if self.silent:
            why = f" ({self.outcome_reason})" if self.outcome_reason else ""
            return f"nothing to answer{why}: the system ignored it (ticket {self.ticket_id})"
        return f"ticket {self.ticket_id}: kn-fte tickets show {self.ticket_id}"


async def aftermath(channel: str, address: str, since: datetime, ticket_id: str | None = None) -> Aftermath | None:
    """Of the last message from `address` on `channel` at or after `since`; None when the desk knows none or is away.

    `ticket_id` is that of the message where the channel's entrance told it.
    """
    try:
        desk = DeskClient.here()
        rows = [] if ticket_id else await desk.get("/tickets", limit=200)
        for each in [ticket_id] if ticket_id else [row["id"] for row in tickets_of(rows, channel, address)]:
            found = decided(await desk.get(f"/tickets/{quote(each, safe='')}"), channel, since)
            if found is not None:
                return found
    except FteError:
        # The desk says how it went; it is no part of how it goes.
        return None
    return None


def tickets_of(rows: Sequence[Mapping[str, Any]], channel: str, address: str) -> list[Mapping[str, Any]]:
    """The newest tickets of one address, those of the channel first: a matter may have begun on another one."""
    ours = sorted(
        (row for row in rows if _same(row["address"], address)), key=lambda row: row["updated_at"], reverse=True
    )
    return sorted(ours, key=lambda row: row["channel"] != channel)[:_NEWEST]


def decided(ticket: Mapping[str, Any], channel: str, since: datetime) -> Aftermath | None:
    """What a ticket says of the customer's last message on `channel` since then."""
    said = [m for m in ticket["messages"] if m["author"] == "customer" and m["channel"] == channel]
    if not said or datetime.fromisoformat(said[-1]["received_at"]) < since - _ROUNDING:
        return None
    last = said[-1]
    outcome = (last["outcome"], last["outcome_reason"])
    return Aftermath(ticket["id"], ticket["status"], ticket["reason"], *outcome, ticket["state"])


def _same(one: str | None, other: str) -> bool:
    return (one or "").removeprefix("whatsapp:").casefold() == other.removeprefix("whatsapp:").casefold()
