"""`fte eval`: what can be measured on files alone, with nothing running."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.jsonl import lines_of
from shared.cli.output import Format, Output, command, say, show

app = typer.Typer(help="Measure on a file of labelled messages; nothing needs to run.", no_args_is_help=True)
File = Annotated[
    Path,
    typer.Argument(metavar="FILE", exists=True, dir_okay=False, help='JSONL: {"text", "label"}; labels as recorded'),
]


class PolicyName(StrEnum):
    """The values of ESCALATION_POLICY."""

    STRICT = "strict"
    PUBLISHED = "published"


@app.callback()
def measure() -> None:
    """Measure on a file of labelled messages; nothing needs to run."""


@app.command()
@command
async def escalation(
    file: File,
    policy: Annotated[PolicyName, typer.Option(help="as ESCALATION_POLICY")] = PolicyName.STRICT,
    show_wrong: Annotated[
        bool, typer.Option("--show-wrong", help="also the text of each message that was told otherwise than labelled")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """What reaches a person and why: the confusion matrix of the check before the model.

    A row is a label, a column what the check said. REACHED is the share that a person sees, for whichever reason;
    RECALL the share that got this very label, PRECISION the share of what got this label that has it. Below them:
    recall over all matters and false alarms, both by REACHED. In JSON, `wrong` has the lines that got another label.
    """
    # Imported here: the weights and their libraries cost a second that no other command should pay.
    from shared.agent.confusion import confusion, read_labelled

    measured = confusion(read_labelled(await asyncio.to_thread(lines_of, file)), policy=policy.value)
    if output is Format.JSON:
        show(measured.summary(texts=show_wrong), output)
        return
    show(measured.rows(), output)
    show({"recall": f"{measured.recall:.1%}", "false_alarms": f"{measured.false_alarms:.1%}"}, output)
    if measured.wrong and show_wrong:
        show([one.row(text=True) for one in measured.wrong], output)
    elif count := len(measured.wrong):
        told = "1 message was" if count == 1 else f"{count} messages were"
        say(f"{told} told otherwise than labelled: --show-wrong lists them")
