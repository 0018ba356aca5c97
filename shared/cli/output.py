"""What a command prints: tables for people, bare JSON for programs, one line for an error.

`-o json` prints an array or object on stdout and nothing else; everything said besides goes to stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from shared.cli.columns import Screen, cell, field_lines, long_time, table_lines
from shared.errors import FteError

P = ParamSpec("P")
T = TypeVar("T")


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="table, or json for programs")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]

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


def confirm(yes: bool, question: str) -> None:
    """Ask, unless `yes`. A program that forgot --yes is told so; it is not left waiting."""
    if yes:
        return
    if not typer.get_text_stream("stdin").isatty():
        fail(f"{question} Say so with --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


def show(value: Any, output: Format, columns: Sequence[str] = ()) -> None:
    """Print rows or an object."""
    if output is Format.JSON:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    elif isinstance(value, list):
        _table(value, columns)
    else:
        _object(value)


def save(to: Path, contents: bytes) -> None:
    """A new file that its owner alone may read, and not run."""
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"{to} can't be written: {error.strerror}")
    with os.fdopen(descriptor, "wb") as file:
        file.write(contents)
    say(f"saved {len(contents)} bytes to {to}")


def screen() -> Screen:
    """Where standard output goes, and what time it is there."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return Screen(width, datetime.now().astimezone())


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Lines on stdout, each with its style (empty: none), as they are: nothing is wrapped here."""
    console = Console(highlight=False)
    for style, line in lines:
        console.print(Text(line, style=style), soft_wrap=True)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if not rows:
        errors.print("nothing to show", style="dim")
        return
    print_lines(_titled(rows, columns or list(rows[0])))


def _titled(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[tuple[str, str]]:
    head, *body = table_lines(rows, columns, screen())
    return [("bold", head), *(("", line) for line in body)]


def _object(value: Mapping[str, Any]) -> None:
    fields: dict[str, str] = {}
    tables: list[tuple[str, str]] = []
    for name, item in value.items():
        label = name.replace("_", " ")
        if isinstance(item, list) and item and isinstance(item[0], dict):
            rows = cast(list[dict[str, Any]], item)
            columns = [column for column in rows[0] if not isinstance(rows[0][column], dict | list)]
            tables += [("", ""), ("bold", label), *_titled(rows, columns)]
        else:
            is_time = name.endswith("_at") and item is not None
            fields[label] = long_time(str(item), screen()) if is_time else cell(name, item, screen())
    print_lines([*(("", line) for line in field_lines(fields)), *tables])
