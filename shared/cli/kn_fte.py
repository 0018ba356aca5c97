"""`kn fte`: the operator's side of the system, as a kn plugin or by itself (`kn-fte`).

Grammar as kn's own: `kn fte <noun> <verb> [id] --options`; `-o json` for programs.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from shared.cli import knowledge
from shared.cli.desk_client import DeskClient
from shared.cli.entry import run
from shared.cli.kn_customers import customers
from shared.cli.kn_tickets import Limit, Reason, part, tickets
from shared.cli.output import Format, Output, Yes, command, confirm, fail, print_lines, screen, show
from shared.cli.status_view import status_lines, unavailable

app = typer.Typer(
    name="kn fte", help="Operate the Customer Success FTE.", no_args_is_help=True, pretty_exceptions_enable=False
)
dead_letters = typer.Typer(no_args_is_help=True, help="Events that failed for good.")
app.add_typer(tickets, name="tickets")
app.add_typer(customers, name="customers")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(knowledge.app, name="knowledge")

LetterId = Annotated[str, typer.Argument(metavar="ID", help="its id or its event's id")]


class LetterStatus(StrEnum):
    """What became of a dead letter."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@app.command()
@command
async def status(output: Output = Format.TABLE) -> None:
    """How many tickets, messages, deliveries and dead letters are in which state; how functions and channels are."""
    desk = DeskClient.find()
    health = await desk.health()
    away = unavailable(health)
    # Without PostgreSQL nothing can be counted; the channels are shown all the same.
    counts = {} if health.get("reason") == "postgres-away" else await desk.get("/status")
    if output is Format.TABLE:
        print_lines(status_lines(counts, health, screen()))
    elif counts:
        show(counts, output)
    if away:
        fail(away)


@app.command()
@command
async def sweep(output: Output = Format.TABLE) -> None:
    """Look now for what is due, instead of waiting for the next five minutes."""
    show(await DeskClient.find().post("/sweep"), output)


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
    show(await DeskClient.find().get(f"/dead-letters/{part(letter)}"), output)


@dead_letters.command("replay")
@command
async def letters_replay(
    letter: LetterId, reason: Reason = None, yes: Yes = False, output: Output = Format.TABLE
) -> None:
    """Publish the original event again: same id, so twice is once."""
    confirm(yes or not typer.get_text_stream("stdin").isatty(), f"Replay {letter}?")
    show(await DeskClient.find().post(f"/dead-letters/{part(letter)}/replay", {"reason": reason}), output)


@dead_letters.command("discard")
@command
async def letters_discard(
    letter: LetterId, reason: Reason = None, yes: Yes = False, output: Output = Format.TABLE
) -> None:
    """Set it aside for good."""
    confirm(yes, f"Discard {letter}?")
    show(await DeskClient.find().post(f"/dead-letters/{part(letter)}/discard", {"reason": reason}), output)


def main() -> None:
    """Entry point of `kn-fte`."""
    # kn finds its plugin by this name, and it runs by itself under it too.
    run(app, "kn-fte")


if __name__ == "__main__":
    main()
