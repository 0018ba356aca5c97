"""Rows and values as people read them: one row a line, ids whole, times short.

On a terminal a row that does not fit is shortened in its elastic columns, and then loses the columns that
matter least; what is piped is never cut. Pure functions: the caller says how wide, and what time it is.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from rich.cells import cell_len, set_cell_size

_GAP = "  "
_SHORTEST = 10
#: Shortened first to last; an id, a state or a time is of no use cut.
_ELASTIC = ("url", "subject", "title", "get_it", "found", "name", "address", "cause", "value", "heading_path")
#: Left out first to last when shortening is not enough.
_DISPENSABLE = (
    "event_id",
    "conversation_id",
    "url",
    "topic",
    "event_type",
    "conversations",
    "failures",
    "version",
    "assigned_to",
    "channel",
)


@dataclass(frozen=True, slots=True)
class Screen:
    """Where it is shown: `width` in cells, None when piped; `now` with its time zone."""

    width: int | None
    now: datetime


def table_lines(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], screen: Screen) -> list[str]:
    """The header and a line for each row, aligned."""
    shown = list(columns)
    cells = {
        name: [name.replace("_", " ").upper(), *(cell(name, row.get(name), screen) for row in rows)] for name in shown
    }
    widths = {name: max(map(cell_len, column)) for name, column in cells.items()}
    if screen.width is not None:
        shown = _fit(shown, widths, screen.width)
    return [_GAP.join(_fill(cells[name][at], widths[name]) for name in shown).rstrip() for at in range(len(rows) + 1)]


def field_lines(fields: Mapping[str, str], indent: str = "") -> list[str]:
    """`label  value` lines, the values under each other; a value's further lines too."""
    wide = max((cell_len(label) for label in fields), default=0)
    lines: list[str] = []
    for label, value in fields.items():
        first, *more = value.splitlines() or ["-"]
        lines.append(f"{indent}{_fill(label, wide)}{_GAP}{first}")
        lines += [f"{indent}{' ' * wide}{_GAP}{line}" for line in more]
    return lines


def cell(name: str, value: Any, screen: Screen) -> str:
    """One value on one line."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, str):
        return short_time(value, screen) if name.endswith("_at") else one_line(value)
    if isinstance(value, list):
        return ", ".join(cell("", item, screen) for item in cast(list[Any], value))
    if isinstance(value, dict):
        return one_line(json.dumps(value, ensure_ascii=False, default=str))
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def short_time(text: str, screen: Screen) -> str:
    """An ISO 8601 time: how long ago within the hour (on a terminal), the hour today, else the date."""
    try:
        at = datetime.fromisoformat(text).astimezone(screen.now.tzinfo)
    except ValueError:
        return one_line(text)
    ago = (screen.now - at).total_seconds()
    if screen.width is not None and 0 <= ago < 3600:
        return f"{int(ago // 60)} min ago" if ago >= 60 else "just now"
    return f"{at:%H:%M}" if at.date() == screen.now.date() else f"{at:%Y-%m-%d}"


def long_time(text: str, screen: Screen) -> str:
    """An ISO 8601 time with its date, to the minute."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(screen.now.tzinfo):%Y-%m-%d %H:%M}"
    except ValueError:
        return one_line(text)


def one_line(text: str) -> str:
    """Without line breaks and without what steers a terminal: customers write these texts."""
    return " ".join(harmless(text).split()) or "-"


def harmless(text: str) -> str:
    """Without control and direction-changing characters; line breaks and tabs stay."""
    return "".join(" " if _steers(char) else char for char in text.replace("\r\n", "\n"))


def _steers(char: str) -> bool:
    # Cf holds the joiners of emoji and of several scripts too: only its direction marks change what is read.
    if char in "\n\t":
        return False
    return unicodedata.category(char) == "Cc" or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _fit(shown: list[str], widths: dict[str, int], width: int) -> list[str]:
    for name in _DISPENSABLE:
        if _least(shown, widths) <= width:
            break
        # What a row is called stays, whatever its name.
        shown = [column for column in shown if column != name or column == shown[0]]
    for name in (column for column in _ELASTIC if column in shown):
        over = _total(shown, widths) - width
        if over > 0:
            widths[name] = max(min(_SHORTEST, widths[name]), widths[name] - over)
    return shown


def _total(shown: Sequence[str], widths: Mapping[str, int]) -> int:
    return sum(widths[name] for name in shown) + len(_GAP) * (len(shown) - 1)


def _least(shown: Sequence[str], widths: Mapping[str, int]) -> int:
    return _total(shown, {n: min(_SHORTEST, widths[n]) if n in _ELASTIC else widths[n] for n in shown})


def _fill(text: str, width: int) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return text + " " * (width - cell_len(text))
