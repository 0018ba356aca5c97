"""What a command prints: tables for people, bare JSON for programs, one line for an error.

`-o json` prints an array or object on stdout and nothing else; everything said besides goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from shared.errors import FteError

P = ParamSpec("P")
T = TypeVar("T")


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="table, or json for programs")]

errors = Console(stderr=True, highlight=False)


def command(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run an async command; the user's mistakes and our faults end in one line and exit code 1."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return asyncio.run(function(*args, **kwargs))
        except FteError as error:
            fail(str(error))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            fail(f"the setting {where.upper()} does not fit: {error.errors()[0]['msg']}")
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return run


def fail(message: str) -> NoReturn:
    """One line on stderr, exit code 1."""
    complain(message)
    raise typer.Exit(1)


def complain(message: str) -> None:
    """One line on stderr that says what is wrong."""
    errors.print(f"error: {message}", style="red", markup=False, soft_wrap=True)


def say(message: str) -> None:
    """One line on stderr, for people."""
    errors.print(message, markup=False, soft_wrap=True)


def show(value: Any, output: Format, columns: Sequence[str] = ()) -> None:
    """Print rows or an object."""
    if output is Format.JSON:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    elif isinstance(value, list):
        _table(value, columns)
    else:
        _object(value)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    console = Console(highlight=False)
    if not rows:
        errors.print("nothing to show", style="dim")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    shown = columns or list(rows[0])
    for column in shown:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in shown))
    console.print(table)


def _object(value: Mapping[str, Any]) -> None:
    console = Console(highlight=False)
    for name, item in value.items():
        label = name.replace("_", " ")
        if isinstance(item, list) and item and isinstance(item[0], dict):
            console.print(f"[bold]{label}[/bold]")
            _table(item, [column for column in item[0] if not isinstance(item[0][column], dict | list)])
        else:
            console.print(f"[bold]{label}[/bold]", end="  ")
            console.print(_cell(item), markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
