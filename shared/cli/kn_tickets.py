"""`kn fte tickets`: see them, answer, note, assign, give back, close."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer

from shared.cli.desk_client import DeskClient
from shared.cli.output import Format, Output, command, fail, print_lines, save, say, screen, show
from shared.cli.ticket_view import ticket_lines
from shared.cli.why_view import why_lines

tickets = typer.Typer(no_args_is_help=True, help="Tickets: see them, answer, note, assign, give back, close.")

Limit = Annotated[int, typer.Option(min=1, max=1000, help="at most this many rows")]
Reason = Annotated[str | None, typer.Option("--reason", help="why, for the record")]
TicketId = Annotated[str, typer.Argument(metavar="ID", help="the ticket's id")]
SaveTo = Annotated[Path, typer.Option("--to", metavar="FILE", help="where to save it; never over another file")]
#: How often, and after how many seconds again, a returned ticket is looked at: the offline model takes about a second.
_LOOKS, _LOOK_EVERY_S = 10, 0.5
_COLUMNS = ("id", "status", "waits_for", "reason", "assigned_to", "channel", "address", "subject", "updated_at")


class State(StrEnum):
    """A ticket's state."""

    OPEN = "open"
    ESCALATED = "escalated"
    CLOSED = "closed"


class WaitsFor(StrEnum):
    """Who has the next word."""

    PERSON = "person"
    AGENT = "agent"
    CUSTOMER = "customer"


@tickets.command("list")
@command
async def tickets_list(
    state: Annotated[State | None, typer.Option(help="only these")] = None,
    waits_for: Annotated[WaitsFor | None, typer.Option(help="only those that wait for a person, the agent, …")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="only those assigned to you")] = False,
    assigned: Annotated[str | None, typer.Option(metavar="NAME", help="only theirs; an empty name: nobody's")] = None,
    limit: Limit = 100,
    output: Output = Format.TABLE,
) -> None:
    """Tickets, the latest change first; `waits for` says who has the next word."""
    desk = DeskClient.find()
    name = _me(desk) if mine else assigned
    rows = await desk.get("/tickets", state=state, waits_for=waits_for, assigned=name, limit=limit)
    show(rows, output, _COLUMNS)


@tickets.command("show")
@command
async def tickets_show(
    ticket: TicketId,
    why: Annotated[bool, typer.Option("--why", help="what each reply rests on, in full, and nothing else")] = False,
    output: Output = Format.TABLE,
) -> None:
    """One ticket with its messages over all channels, its notes, and why the agent did what it did."""
    found = await DeskClient.find().get(f"/tickets/{_ticket(ticket)}")
    if output is Format.JSON:
        show(found["decisions"] if why else found, output)
    else:
        print_lines(why_lines(found, screen()) if why else ticket_lines(found, screen()))


@tickets.command("reply")
@command
async def tickets_reply(
    ticket: TicketId,
    text: Annotated[str, typer.Argument(help="the answer; `-` reads it from standard input")],
    again: Annotated[
        bool, typer.Option("--again", help="also if this very text was sent within the last minute")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Take the conversation over and answer on the customer's channel."""
    said = {"text": _words(text, "reply"), "again": again}
    show(await DeskClient.find().post(f"/tickets/{_ticket(ticket)}/reply", said), output)


@tickets.command("note")
@command
async def tickets_note(
    ticket: TicketId,
    text: Annotated[str, typer.Argument(help="the note; `-` reads it from standard input")],
    output: Output = Format.TABLE,
) -> None:
    """Write a note for your colleagues: no customer and no model ever sees it."""
    show(await DeskClient.find().post(f"/tickets/{_ticket(ticket)}/notes", {"text": _words(text, "note")}), output)


@tickets.command("assign")
@command
async def tickets_assign(
    ticket: TicketId,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="who sees to it; without one, you")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="take it from whoever has it")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Say who sees to a ticket. The agent goes on with it until somebody replies."""
    desk = DeskClient.find()
    to = None if nobody else name or _me(desk)
    show(await desk.post(f"/tickets/{_ticket(ticket)}/assign", {"to": to}), output)


@tickets.command("return")
@command
async def tickets_return(ticket: TicketId, output: Output = Format.TABLE) -> None:
    """Give the conversation back to the agent, which answers what nobody did, but for what is for people by rule.

    Waits a moment for what the agent makes of it: the state that is shown is the one that came of it.
    """
    desk = DeskClient.find()
    returned = await desk.post(f"/tickets/{_ticket(ticket)}/return")
    returned |= await _came_of(desk, returned["id"])
    show(returned, output)
    matters = returned["for_people"]
    if returned["status"] == "escalated" and not matters:
        say(f"the agent gave it back at once ({returned['reason']}): it waits for a person again")
    if matters:
        say(
            f"{', '.join(matters)} {'is' if len(matters) == 1 else 'are'} for people by rule, and nobody answered: the "
            "agent gives it back to you at once, and says nothing more to the customer. Answer first, then return it: "
            f'kn-fte tickets reply {returned["id"]} "…"'
        )


@tickets.command("close")
@command
async def tickets_close(
    ticket: TicketId,
    reason: Reason = None,
    no_survey: Annotated[bool, typer.Option("--no-survey", help="do not ask how satisfied the customer is")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Close the conversation; its customer is asked once how it was. Refused while something is unanswered."""
    closing = {"reason": reason, "survey": not no_survey}
    show(await DeskClient.find().post(f"/tickets/{_ticket(ticket)}/close", closing), output)


@tickets.command("attachment")
@command
async def tickets_attachment(
    ticket: TicketId,
    attachment: Annotated[str, typer.Argument(metavar="ATTACHMENT", help="its id, as `show` has it")],
    to: SaveTo,
) -> None:
    """Save one file that came along, as it came; it is recorded. Open it with care: a stranger sent it."""
    file = _uuid(attachment, "an attachment's id: `kn-fte tickets show` names the files of a ticket")
    save(to, await DeskClient.find().download(f"/tickets/{_ticket(ticket)}/attachments/{file}"))


@tickets.command("raw")
@command
async def tickets_raw(
    ticket: TicketId,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="its id, as `show` has it")],
    to: SaveTo,
) -> None:
    """Save one message as the provider had it (RFC 822 for e-mail); it is recorded."""
    mail = _uuid(message, "a message's id: `kn-fte tickets show` names the raw mails of a ticket")
    save(to, await DeskClient.find().download(f"/tickets/{_ticket(ticket)}/messages/{mail}/raw"))


def part(text: str) -> str:
    """An id as a part of a path."""
    return quote(text, safe="")


async def _came_of(desk: DeskClient, ticket_id: str) -> dict[str, object]:
    """A returned ticket once the agent has decided, or as it stands when that takes longer."""
    found = await desk.get(f"/tickets/{_ticket(ticket_id)}")
    for _ in range(_LOOKS):
        if found["waits_for"] != "agent":
            break
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await desk.get(f"/tickets/{_ticket(ticket_id)}")
    return {name: found[name] for name in ("status", "waits_for", "reason")}


def _ticket(text: str) -> str:
    """A ticket's id as a part of a path: ids have no small letters, however they are typed."""
    return part(text.strip().upper())


def _uuid(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        fail(f"{text!r} is not {what}")


def _words(text: str, what: str) -> str:
    words = typer.get_text_stream("stdin").read() if text == "-" else text
    if not words.strip():
        fail(f"the {what} is empty")
    return words


def _me(desk: DeskClient) -> str:
    name = desk.operator()
    if not name:
        fail("who are you? Set FTE_OPERATOR to your name")
    return name
