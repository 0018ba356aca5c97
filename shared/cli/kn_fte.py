"""`kn fte`: the operator's side of the system, as a kn plugin or by itself (`kn-fte`).

Grammar as kn's own: `kn fte <noun> <verb> [id] --options`; `-o json` for programs.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer

from shared.cli import knowledge
from shared.cli.desk_client import DeskClient
from shared.cli.entry import run
from shared.cli.kn_customers import customers
from shared.cli.output import Format, Output, Yes, command, confirm, fail, print_lines, save, screen, show
from shared.cli.status_view import status_lines, unavailable
from shared.cli.ticket_view import ticket_lines

app = typer.Typer(
    name="kn fte", help="Operate the Customer Success FTE.", no_args_is_help=True, pretty_exceptions_enable=False
)
tickets = typer.Typer(no_args_is_help=True, help="Tickets: see them, answer, give back, close.")
dead_letters = typer.Typer(no_args_is_help=True, help="Events that failed for good.")
app.add_typer(tickets, name="tickets")
app.add_typer(customers, name="customers")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(knowledge.app, name="knowledge")

Limit = Annotated[int, typer.Option(min=1, max=1000, help="at most this many rows")]
Reason = Annotated[str | None, typer.Option("--reason", help="why, for the record")]
TicketId = Annotated[str, typer.Argument(metavar="ID", help="the ticket's id")]
SaveTo = Annotated[Path, typer.Option("--to", metavar="FILE", help="where to save it; never over another file")]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="its id or its event's id")]


class State(StrEnum):
    """A ticket's state."""

    OPEN = "open"
    ESCALATED = "escalated"
    CLOSED = "closed"


class LetterStatus(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@app.command()
@command
async def status(output: Output = Format.TABLE) -> None:
    """How many tickets, messages, deliveries and dead letters are in which state, and how the channels are."""
    desk = DeskClient.find()
    health = await desk.health()
    away = unavailable(health)
    # Without PostgreSQL nothing can be counted; the channels are shown all the same.
    counts = {} if health.get("reason") == "postgres-away" else await desk.get("/status")
    if output is Format.TABLE:
        print_lines(("", line) for line in status_lines(counts, health, screen()))
    elif counts:
        show(counts, output)
    if away:
        fail(away)


@app.command()
@command
async def sweep(output: Output = Format.TABLE) -> None:
    """Look now for what is due, instead of waiting for the next five minutes."""
    show(await DeskClient.find().post("/sweep"), output)


@tickets.command("list")
@command
async def tickets_list(
    state: Annotated[State | None, typer.Option(help="only these")] = None,
    limit: Limit = 100,
    output: Output = Format.TABLE,
) -> None:
    """Tickets, the latest change first."""
    rows = await DeskClient.find().get("/tickets", state=state, limit=limit)
    show(rows, output, ("id", "status", "reason", "channel", "address", "subject", "updated_at"))


@tickets.command("show")
@command
async def tickets_show(ticket: TicketId, output: Output = Format.TABLE) -> None:
    """One ticket with its messages over all channels and why the agent did what it did."""
    found = await DeskClient.find().get(f"/tickets/{_part(ticket)}")
    if output is Format.TABLE:
        print_lines(ticket_lines(found, screen()))
    else:
        show(found, output)


@tickets.command("reply")
@command
async def tickets_reply(
    ticket: TicketId,
    text: Annotated[str, typer.Argument(help="the answer; `-` reads it from standard input")],
    output: Output = Format.TABLE,
) -> None:
    """Take the conversation over and answer on the customer's channel."""
    words = typer.get_text_stream("stdin").read() if text == "-" else text
    if not words.strip():
        fail("the reply is empty")
    show(await DeskClient.find().post(f"/tickets/{_part(ticket)}/reply", {"text": words}), output)


@tickets.command("return")
@command
async def tickets_return(ticket: TicketId, output: Output = Format.TABLE) -> None:
    """Give the conversation back to the agent, which answers what nobody did."""
    show(await DeskClient.find().post(f"/tickets/{_part(ticket)}/return"), output)


@tickets.command("close")
@command
async def tickets_close(ticket: TicketId, reason: Reason = None, output: Output = Format.TABLE) -> None:
    """Close the conversation; refused while something is unanswered."""
    show(await DeskClient.find().post(f"/tickets/{_part(ticket)}/close", {"reason": reason}), output)


@tickets.command("attachment")
@command
async def tickets_attachment(
    ticket: TicketId, attachment: Annotated[UUID, typer.Argument(metavar="ATTACHMENT")], to: SaveTo
) -> None:
    """Save one file that came along, as it came; it is recorded. Open it with care: a stranger sent it."""
    save(to, await DeskClient.find().download(f"/tickets/{_part(ticket)}/attachments/{attachment}"))


@tickets.command("raw")
@command
async def tickets_raw(
    ticket: TicketId, message: Annotated[UUID, typer.Argument(metavar="MESSAGE")], to: SaveTo
) -> None:
    """Save one message as the provider had it (RFC 822 for e-mail); it is recorded."""
    save(to, await DeskClient.find().download(f"/tickets/{_part(ticket)}/messages/{message}/raw"))


@dead_letters.command("list")
@command
async def letters_list(
    status: Annotated[LetterStatus | None, typer.Option(help="only these")] = None,
    limit: Limit = 100,
    output: Output = Format.TABLE,
) -> None:
    """Dead letters, the newest first."""
    rows = await DeskClient.find().get("/dead-letters", status=status, limit=limit)
    show(rows, output, ("id", "event_id", "event_type", "topic", "cause", "failures", "status", "arrived_at"))


@dead_letters.command("show")
@command
async def letters_show(letter: LetterId, output: Output = Format.TABLE) -> None:
    """One dead letter with its data."""
    show(await DeskClient.find().get(f"/dead-letters/{_part(letter)}"), output)


@dead_letters.command("replay")
@command
async def letters_replay(
    letter: LetterId, reason: Reason = None, yes: Yes = False, output: Output = Format.TABLE
) -> None:
    """Publish the original event again: same id, so twice is once."""
    confirm(yes or not typer.get_text_stream("stdin").isatty(), f"Replay {letter}?")
    show(await DeskClient.find().post(f"/dead-letters/{_part(letter)}/replay", {"reason": reason}), output)


@dead_letters.command("discard")
@command
async def letters_discard(
    letter: LetterId, reason: Reason = None, yes: Yes = False, output: Output = Format.TABLE
) -> None:
    """Set it aside for good."""
    confirm(yes, f"Discard {letter}?")
    show(await DeskClient.find().post(f"/dead-letters/{_part(letter)}/discard", {"reason": reason}), output)


def _part(text: str) -> str:
    return quote(text, safe="")


def main() -> None:
    """Entry point of `kn-fte`."""
    # kn finds its plugin by this name, and it runs by itself under it too.
    run(app, "kn-fte")


if __name__ == "__main__":
    main()
