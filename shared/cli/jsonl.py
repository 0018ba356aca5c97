"""The lines of a JSONL file that somebody else may have written, on any system, by any program."""

from __future__ import annotations

from pathlib import Path

from shared.cli.output import fail


def lines_of(file: Path) -> list[str]:
    """The lines of `file`, in order and with the empty ones, so that a line's place is its number in the file.

    A byte order mark and NUL are dropped. Ends the command in one line where the file is not UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig").replace("\0", "")
    except UnicodeDecodeError:
        fail(f"{file.name} is not UTF-8 text")
    # Not splitlines(): a JSON string may hold U+2028.
    return text.split("\n")
