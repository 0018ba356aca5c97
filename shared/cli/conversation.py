"""`fte try`: one message after another, each with what came back or what became of it."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from shared.cli.aftermath import Aftermath, aftermath
from shared.cli.customer import Customer
from shared.cli.output import complain, say
from shared.cli.stopped import in_words, stopped_here

#: An answer takes a second or two: after this long the desk is asked too, and then as often.
_ASK_DESK_S = 2.0
_SUBJECT = 60


async def converse(customer: Customer, text: str | None, subject: str | None, wait_s: float) -> bool:
    """Write `text`, or what is typed until an empty line; whether something came of every message.

    Without a `subject` the first message's beginning is the subject, as people write it.
    """
    say(f"you are {customer.address} on {customer.channel}")
    well = True
    while words := text or await asyncio.to_thread(_prompt):
        subject = subject or beginning(words)
        well = await _exchange(customer, words, subject, wait_s) and well
        if text:
            break
    return well


def beginning(text: str) -> str:
    """The first words of a text, in one line, as the subject of a mail."""
    return textwrap.shorten(text, _SUBJECT, placeholder="…")


async def _exchange(customer: Customer, words: str, subject: str, wait_s: float) -> bool:
    since = datetime.now(UTC)
    await customer.write(words, subject)
    hindered = await stopped_here(customer.channel)
    if hindered:
        say(f"it waits: {in_words(hindered)}")
    answer, became = await _follow(customer, since, wait_s)
    if answer is not None:
        typer.echo(answer)
        became = await aftermath(customer.channel, customer.address, since, customer.ticket_id)
    if became is not None and (answer is not None or became.with_person or became.silent):
        say(became.sentence())
    elif answer is None:
        complain(unanswered(became, wait_s, customer.ticket_id, await stopped_here(customer.channel)))
        return False
    return True


async def _follow(customer: Customer, since: datetime, wait_s: float) -> tuple[str | None, Aftermath | None]:
    """The answer, or what became of the message as soon as it is known that none comes."""
    deadline = time.monotonic() + wait_s
    became: Aftermath | None = None
    while (left := deadline - time.monotonic()) > 0:
        answer = await customer.answer(min(_ASK_DESK_S, left))
        if answer is not None:
            return answer, became
        became = await aftermath(customer.channel, customer.address, since, customer.ticket_id)
        if became is not None and (became.with_person or became.silent):
            # Its handoff may be on its way: what was decided is sent a moment later.
            return await customer.answer(min(_ASK_DESK_S / 2, left)), became
    return None, became


def unanswered(became: Aftermath | None, wait_s: float, ticket_id: str | None, hindered: Sequence[str] = ()) -> str:
    """Where a message without an answer is; `ticket_id` is what the channel's entrance called it, if it did.

    `hindered`: the parts it needs that are stopped on this machine.
    """
    late, more = f"no answer within {wait_s:g} s", "`kn-fte status` says more"
    if hindered:
        return f"{late}: {in_words(hindered)}, and what you wrote waits"
    if became is not None:
        return f"{late}: it waits in ticket {became.ticket_id}; {more}"
    if ticket_id is not None:
        return f"{late}: ticket {ticket_id} is not taken up yet; {more}"
    return f"{late} and no ticket: it was ignored, or waits; {more}"


def _prompt() -> str:
    try:
        return input("you> ").strip()
    except EOFError:
        return ""
