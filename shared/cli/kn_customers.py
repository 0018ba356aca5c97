"""`kn fte customers`: who is who, and making two one or one two again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from shared.cli.customer_view import customer_lines, link_lines, link_question
from shared.cli.desk_client import DeskClient
from shared.cli.output import Format, Output, Yes, command, confirm, fail, print_lines, screen, show

customers = typer.Typer(no_args_is_help=True, help="Customers and how they are reached.")

Limit = Annotated[int, typer.Option(min=1, max=1000, help="at most this many rows")]
_COLUMNS = ("id", "name", "addresses", "channels", "conversations", "last_activity_at")
_WHO = "id, e-mail address or phone number"


@customers.command("list")
@command
async def customers_list(
    limit: Limit = 100,
    address: Annotated[
        str | None, typer.Option(help="only who has this address or number, also where it is only claimed")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Customers, the latest activity first."""
    desk = DeskClient.find()
    if address is None:
        rows = await desk.get("/customers", limit=limit)
    else:
        rows = await desk.post("/customers/search", {"address": address}, limit=limit)
    show(rows, output, _COLUMNS)


@customers.command("show")
@command
async def customers_show(
    customer: Annotated[str, typer.Argument(metavar="WHO", help=_WHO)],
    output: Output = Format.TABLE,
) -> None:
    """One customer with identifiers, conversations and merges; one who was merged, as the one they went into."""
    desk = DeskClient.find()
    if _is_uuid(customer):
        found = await desk.get(f"/customers/{customer}")
    else:
        found = await desk.post("/customers/find", {"address": _who(customer)})
    if output is Format.TABLE:
        print_lines(customer_lines(found, screen()))
    else:
        show(found, output)


@customers.command("link")
@command
async def customers_link(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="with country code: +12015550123")],
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Make an e-mail address and a phone number one customer's, on record; asks where one was never heard of.

    Without a terminal to ask on, such a one is refused unless --yes is given.
    """
    desk, pair = DeskClient.find(), {"email": email, "phone": phone}
    if not yes:
        question = link_question(await desk.post("/customers/link", {**pair, "dry_run": True}))
        confirm(question is None, question or "")
    done = await desk.post("/customers/link", pair)
    if output is Format.TABLE:
        print_lines(("", line) for line in link_lines(done, screen()))
    else:
        show(done, output)


@customers.command("unlink")
@command
async def customers_unlink(
    addresses: Annotated[
        list[str], typer.Argument(metavar="EMAIL_OR_PHONE…", help="each leaves the customer who has it")
    ],
    output: Output = Format.TABLE,
) -> None:
    """Take addresses or numbers from their customers, on record: what was said over them goes with them."""
    show(await DeskClient.find().post("/customers/unlink", {"addresses": addresses}), output)


@customers.command("merge")
@command
async def customers_merge(
    winner: Annotated[str, typer.Argument(metavar="WINNER", help=f"who stays: {_WHO}")],
    loser: Annotated[str, typer.Argument(metavar="LOSER", help=f"who goes into them: {_WHO}")],
    output: Output = Format.TABLE,
) -> None:
    """Make two customers one, at once and on record; `unmerge` undoes it."""
    body = {"winner": _who(winner), "loser": _who(loser)}
    show(await DeskClient.find().post("/customers/merge", body), output)


@customers.command("unmerge")
@command
async def customers_unmerge(
    what: Annotated[str, typer.Argument(metavar="MERGE", help=f"the merge's id, or whose it was: {_WHO}")],
    output: Output = Format.TABLE,
) -> None:
    """Undo a merge, exactly: of several, the last comes first."""
    show(await DeskClient.find().post("/customers/unmerge", {"what": what if what.isdigit() else _who(what)}), output)


def _who(text: str) -> str:
    if not (_is_uuid(text) or "@" in text or any(char.isdigit() for char in text)):
        fail(f"{text} is no {_WHO}: `kn-fte customers list` shows them")
    return text


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
