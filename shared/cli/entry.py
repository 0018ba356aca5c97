"""How a command line begins and how a mistake in it ends: one line that says what to do, exit code 2."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, NoReturn

import typer
from typer.main import get_command

from shared.cli.output import complain

# The parser's own words around what matters.
_REWORDED = (
    (re.compile(r"^Invalid value for (.+?): Input should be "), r"\1 should be "),
    (re.compile(r"^Invalid value for (.+?): (?:Value error, )?"), r"\1: "),
    (re.compile(r", unable to parse .*$"), ""),
)


def run(app: typer.Typer, name: str) -> NoReturn:
    """Run the command line as program `name` and exit."""
    # The first handler of a process stands: a library that asks for INFO later (wordllama) does not get it.
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        sys.exit(get_command(app).main(prog_name=name, standalone_mode=False))
    except typer.TyperException as error:
        # Without arguments the help is the answer; it is printed already.
        if line := usage_line(error):
            complain(line)
        sys.exit(error.exit_code)
    except typer.Abort:
        complain("nothing was done")
        sys.exit(1)


def usage_line(error: typer.TyperException) -> str:
    """What was wrong, and which command says what is right; empty when the help was asked for."""
    said = " ".join(error.format_message().split()).rstrip(".")
    if not said:
        return ""
    for pattern, words in _REWORDED:
        said = pattern.sub(words, said)
    context: Any = getattr(error, "ctx", None)
    return f"{said}: see `{context.command_path} --help`" if context is not None else said
