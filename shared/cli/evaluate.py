"""`fte eval`: what can be measured on files alone, with nothing running."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.output import Format, Output, command, show

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
    output: Output = Format.TABLE,
) -> None:
    """What reaches a person and why: the confusion matrix of the check before the model."""
    # Imported here: the weights and their libraries cost a second that no other command should pay.
    from shared.agent.confusion import confusion, read_labelled

    lines = (await asyncio.to_thread(file.read_text, "utf-8")).splitlines()
    measured = confusion(read_labelled(lines), policy=policy.value)
    if output is Format.JSON:
        show(measured.summary(), output)
        return
    show(measured.rows(), output)
    show({"recall": f"{measured.recall:.1%}", "false_alarms": f"{measured.false_alarms:.1%}"}, output)
