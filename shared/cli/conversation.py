"""`fte try`: one message after another, each with what came back or what became of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import typer

from shared.cli.aftermath import Aftermath, aftermath
from shared.cli.customer import Customer
from shared.cli.output import complain, say

#: An answer takes a second or two: after this long the desk is asked too, and then as often.
_ASK_DESK_S = 2.0


async def converse(customer: Customer, text: str | None, subject: str, wait_s: float) -> bool:
    """Write `text`, or what is typed until an empty line; whether something came of every message."""
    say(f"you are {customer.address} on {customer.channel}")
    well = True
    while words := text or await asyncio.to_thread(_prompt):
        well = await _exchange(customer, words, subject, wait_s) and well
        if text:
            break
    return well


async def _exchange(customer: Customer, words: str, subject: str, wait_s: float) -> bool:
    since = datetime.now(UTC)
    await customer.write(words, subject)
    answer, became = await _follow(customer, since, wait_s)
    if answer is not None:
        typer.echo(answer)
        became = await aftermath(customer.channel, customer.address, since)
    if became is not None and (answer is not None or became.with_person or became.silent):
        say(became.sentence())
    elif answer is None:
        complain(_unanswered(became, wait_s))
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
        became = await aftermath(customer.channel, customer.address, since)
        if became is not None and (became.with_person or became.silent):
            # Its handoff may be on its way: what was decided is sent a moment later.
            return await customer.answer(min(_ASK_DESK_S / 2, left)), became
    return None, became


def _unanswered(became: Aftermath | None, wait_s: float) -> str:
    if became is None:
        return f"no answer within {wait_s:g} s and no ticket: it was ignored, or waits; `kn-fte status` says more"
    return f"no answer within {wait_s:g} s: it waits in ticket {became.ticket_id}; `kn-fte status` says more"


def _prompt() -> str:
    try:
        return input("you> ").strip()
    except EOFError:
        return ""
