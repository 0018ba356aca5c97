"""The `q` of messages.list, threads.list and drafts.list: Gmail's search operators that an API client uses.

Source: support.google.com/mail/answer/7190 and developers.google.com/workspace/gmail/api/guides/filtering.
Only Subject, addresses and text are searchable; other headers are not, as at Gmail. An unknown operator
is searched for as words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from shared.local.simulators.gmail.mime import header, parse, text
from shared.local.simulators.gmail.rows import MessageRow

Predicate = Callable[[MessageRow], bool]

_TERM = re.compile(
    r'(?P<negated>-)?(?:(?P<operator>[a-z_0-9]+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+))', re.IGNORECASE
)
_AGE = re.compile(r"^(\d+)([hdmy])$")
_DAYS = {"d": 1, "m": 30, "y": 365}
_WORD = re.compile(r"\w+")
# Dates without a time mean midnight in this zone (the filtering guide).
_PACIFIC = timezone(timedelta(hours=-8))
_ASIDE = {"in:trash": "TRASH", "in:spam": "SPAM"}


def query(q: str, now: datetime) -> Predicate:
    """Whether a message matches; terms are joined by AND, `-` negates one."""
    terms = [_term(match, now) for match in _TERM.finditer(q) if match["bare"] != "AND"]
    return lambda message: all(term(message) for term in terms)


def looks_aside(q: str) -> bool:
    """Whether the query itself names trash or spam, which a list leaves out otherwise."""
    return any(word in q.lower() for word in (*_ASIDE, "in:anywhere", "label:trash", "label:spam"))


def _term(match: re.Match[str], now: datetime) -> Predicate:
    value: str = match["quoted"] if match["quoted"] is not None else match["bare"]
    operator = (match["operator"] or "").lower()
    positive = _operator(operator, value, now) or _words(f"{operator} {value}")
    return (lambda message: not positive(message)) if match["negated"] else positive


def _operator(operator: str, value: str, now: datetime) -> Predicate | None:
    match operator:
        case "in" | "label" | "is":
            return _labelled(value.lower())
        case "rfc822msgid":
            wanted = f"<{value.strip('<>')}>"
            return lambda message: message.rfc822_id == wanted
        case "from" | "to" | "cc" | "bcc" | "subject":
            return lambda message: value.lower() in header(parse(message.bytes), operator).lower()
        case "has":
            return lambda message: value.lower() == "attachment" and _has_attachment(message)
        case _:
            return _dated(operator, value, now)


def _labelled(name: str) -> Predicate:
    if name in ("anywhere", "all"):
        return lambda message: True
    if name == "read":
        return lambda message: "UNREAD" not in message.labels
    label = {"drafts": "DRAFT", "important": "IMPORTANT"}.get(name, name)
    return lambda message: label.upper() in (known.upper() for known in message.labels)


def _dated(operator: str, value: str, now: datetime) -> Predicate | None:
    match operator:
        case "after" | "newer":
            edge = _instant(value)
            return None if edge is None else lambda message: message.internal_date >= edge
        case "before" | "older":
            edge = _instant(value)
            return None if edge is None else lambda message: message.internal_date < edge
        case "newer_than":
            edge = _ago(value, now)
            return None if edge is None else lambda message: message.internal_date >= edge
        case "older_than":
            edge = _ago(value, now)
            return None if edge is None else lambda message: message.internal_date < edge
        case _:
            return None


def _instant(value: str) -> int | None:
    """Milliseconds of seconds since 1970, or of YYYY/MM/DD at midnight Pacific time."""
    if value.isdigit():
        return int(value) * 1000
    try:
        day = datetime.strptime(value.replace("-", "/"), "%Y/%m/%d").replace(tzinfo=_PACIFIC)
    except ValueError:
        return None
    return int(day.timestamp() * 1000)


def _ago(value: str, now: datetime) -> int | None:
    if (match := _AGE.match(value.lower())) is None:
        return None
    count, unit = int(match[1]), match[2]
    age = timedelta(hours=count) if unit == "h" else timedelta(days=count * _DAYS[unit])
    return int((now.astimezone(UTC) - age).timestamp() * 1000)


def _words(words: str) -> Predicate:
    wanted = _WORD.findall(words.lower())

    def found(message: MessageRow) -> bool:
        mail = parse(message.bytes)
        fields = " ".join(header(mail, name) for name in ("Subject", "From", "To", "Cc"))
        there = f" {' '.join(_WORD.findall(f'{fields} {text(mail)}'.lower()))} "
        return f" {' '.join(wanted)} " in there

    return found


def _has_attachment(message: MessageRow) -> bool:
    return any(part.get_filename() for part in parse(message.bytes).walk())
