"""`fte inspect`: what the system makes of a message, without a system that runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.columns import field_lines, harmless, one_line
from shared.cli.output import Format, Output, command, fail, print_lines, show
from shared.settings import Settings

inspect = typer.Typer(no_args_is_help=True, help="What the system makes of a message.")


@inspect.command("mail")
@command
async def mail(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a raw message (.eml); `-` reads standard input")],
    output: Output = Format.TABLE,
) -> None:
    """Who is believed to write, why not to answer, the new text apart from quote and signature, the files."""
    from shared.channels.gmail.inspection import inspect_mail, is_mail
    from shared.channels.gmail.raw_mail import RawMail

    raw = _bytes(file)
    if not is_mail(raw):
        named = "standard input" if file == "-" else file
        expected = "a raw message (RFC 822, what mail programs save as .eml)"
        fail(f"{named} is no e-mail: {expected} begins with lines such as From:, Date: and Subject:")
    source = RawMail("inspected", "inspected", frozenset({"INBOX"}), datetime.now(UTC), raw)
    found = inspect_mail(source, Settings())
    if output is Format.JSON:
        show(found, output)
    else:
        print_lines(_lines(found))


def _bytes(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}")


def _lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    trust = "held for a person" if found["held"] else "verified" if found["verified"] else "claimed"
    fields = {
        "from": f"{one_line(found['from'])} ({trust})",
        "answered": _answered(found),
        "subject": one_line(found["subject"]) or "-",
        "thread": "\n".join(map(one_line, found["thread_refs"])) or "-",
        "files": "\n".join(_file(file) for file in found["attachments"]) or "-",
    }
    lines = [("", line) for line in field_lines(fields)]
    for title, name in (("new text", "new_text"), ("quoted", "quoted")):
        if found[name]:
            lines += [("", ""), ("bold", title), *(("", line) for line in harmless(found[name]).splitlines())]
    return lines


def _answered(found: Mapping[str, Any]) -> str:
    if found["ignored_reason"]:
        return f"no: {found['ignored_reason']}"
    return "by a person alone: the sender failed the check" if found["held"] else "yes"


def _file(file: Mapping[str, Any]) -> str:
    return f"{one_line(file['name']) or 'unnamed'} ({one_line(file['content_type'])}, {file['size']} bytes)"
