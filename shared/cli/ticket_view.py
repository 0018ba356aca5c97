"""A ticket as an operator reads it: what it is, what was said, and why the agent did what it did."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from shared.cli.columns import Screen, cell, field_lines, harmless, long_time, one_line, short_time

Row = Mapping[str, Any]
_NARROWEST = 30
_INDENT = "  "
_ASIDE = {"cc": "Cc", "reply_to": "Reply-To"}


def ticket_lines(ticket: Row, screen: Screen) -> list[tuple[str, str]]:
    """(style, line) from top to bottom; a style is empty or one of rich's."""
    lines = [("", line) for line in field_lines(_head(ticket, screen))]
    notes = sorted(ticket.get("notes") or (), key=lambda note: _moment(note["written_at"]))
    for message in ticket["messages"]:
        while notes and _moment(notes[0]["written_at"]) < _moment(message["received_at"]):
            lines += _note(notes.pop(0), screen)
        lines += [("", ""), ("bold", _message_heading(message, screen))]
        lines += [("", line) for line in _message(message, ticket.get("subject"), screen)]
    lines += [line for note in notes for line in _note(note, screen)]
    if ticket["decisions"]:
        lines += [("", ""), ("bold", "why")]
    for decision in ticket["decisions"]:
        lines.append(("", _joined(_clock(decision["decided_at"], screen), decision["outcome"], decision["reason"])))
        lines += [("dim", line) for line in field_lines(_decision(decision), _INDENT)]
    return lines


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _note(note: Row, screen: Screen) -> list[tuple[str, str]]:
    heading = f"{_clock(note['written_at'], screen)} note by {one_line(note['author'])}, for us alone"
    return [("", ""), ("bold", heading), *(("", line) for line in _wrapped(note["text"], screen).splitlines())]


def _head(ticket: Row, screen: Screen) -> dict[str, str]:
    given_back = ticket["status"] == "open" and ticket["reason"]
    status = f"open, was for a person ({ticket['reason']})" if given_back else _with(ticket["status"], ticket["reason"])
    fields = {
        "ticket": one_line(ticket["id"]),
        "status": status if ticket["state"] != "human" else f"{status}, with a person",
        "channel": _with(ticket["channel"], None if ticket["trust"] == "verified" else f"sender {ticket['trust']}"),
        "address": cell("", ticket["address"], screen),
        "subject": cell("", ticket["subject"], screen),
        "summary": _wrapped(_summary(ticket), screen, len("summary") + len(_INDENT)),
        "priority": f"{cell('', ticket['priority'], screen)}, {cell('', ticket['category'], screen)}",
        "created": long_time(ticket["created_at"], screen),
        "updated": long_time(ticket["updated_at"], screen),
    }
    if ticket.get("mood"):
        fields["mood"] = _mood(ticket["mood"])
    if ticket.get("waits_for"):
        fields["waits for"] = _waits(ticket, screen)
    if ticket.get("assigned_to"):
        fields["assigned to"] = cell("", ticket["assigned_to"], screen)
    if ticket.get("closed_at"):
        why = ticket.get("close_reason")
        fields["closed"] = _with(long_time(ticket["closed_at"], screen), why and one_line(why))
    if ticket.get("survey"):
        fields["asked"] = _survey(ticket["survey"], screen)
    if ticket.get("rating"):
        fields["rating"] = _rating(ticket["rating"], screen)
    return fields


def _summary(ticket: Row) -> str:
    """What the person was told; of a matter that was given back it is what was, and nothing is to do next."""
    summary = ticket["summary"] or "-"
    if ticket["status"] != "open" or not ticket["reason"]:
        return summary
    return "\n".join(line for line in summary.splitlines() if not line.startswith("Next:")) or "-"


def _waits(ticket: Row, screen: Screen) -> str:
    who = {"person": "a person", "agent": "the agent", "customer": "the customer"}[ticket["waits_for"]]
    since = ticket.get("waits_since")
    return f"{who}, since {_clock(since, screen)}" if since else who


def _mood(mood: Row) -> str:
    said = f"{one_line(mood['band']).replace('-', ' ')} ({mood['score']:+.2f})"
    return f"{said}, {one_line(mood['trend'])}" if mood["trend"] else said


def _survey(survey: Row, screen: Screen) -> str:
    """When and where the customer was asked for the rating, and how that went out."""
    asked = f"for a rating by {one_line(survey['channel'])}, {_clock(survey['asked_at'], screen)}"
    return _with(asked, one_line(survey["delivery"]))


def _rating(rating: Row, screen: Screen) -> str:
    score = f"{rating['score']} of 5"
    if rating.get("channel"):
        score += f", by {one_line(rating['channel'])}"
    said = _wrapped(rating["comment"], screen, len("summary") + len(_INDENT)) if rating["comment"] else ""
    return f"{score}\n{said}" if said else score


def _message_heading(message: Row, screen: Screen) -> str:
    outcome = message["outcome"] or ("waiting" if message["author"] == "customer" else None)
    trust = None if message["trust"] == "verified" or message["author"] != "customer" else message["trust"]
    delivery = _with(message["delivery"], message["error_code"]) if message["delivery"] else None
    kind = f", {message['kind']}" if message.get("kind", "message") != "message" else ""
    who = f"{_clock(message['received_at'], screen)} {message['author']}{kind}"
    mood = None if message.get("mood") is None else f"mood {message['mood']:+.2f}"
    return _joined(
        who, message["channel"], trust, _with(outcome, message["outcome_reason"]) if outcome else None, delivery, mood
    )


def _message(message: Row, known_subject: Any, screen: Screen) -> list[str]:
    lines: list[str] = []
    if message["subject"] and message["subject"] != known_subject:
        lines.append(f"Subject: {one_line(message['subject'])}")
    lines += _wrapped(message["text"] or "(no text)", screen).splitlines()
    details = message["details"]
    files = cast(Sequence[Row], details.get("attachments") or ()) if isinstance(details, dict) else ()
    aside = cast(Row, details) if isinstance(details, dict) else {}
    lines += [f"{label}: {one_line(aside[name])}" for name, label in _ASIDE.items() if aside.get(name)]
    lines += [f"attached: {_file(file)}" for file in files]
    return [*lines, f"raw mail: {message['id']}"] if message.get("has_raw") else lines


def _decision(decision: Row) -> dict[str, str]:
    tokens = f"{decision['tokens_in']} tokens in, {decision['tokens_out']} out" if decision["tokens_in"] else None
    fields = {"model": _joined(decision["model"], decision["instructions"], tokens)}
    record: Any = decision["record"]
    if not isinstance(record, dict):
        return {**fields, "record": one_line(str(record))}
    found = {
        "passages": "\n".join(_passage(row) for row in record.get("passages") or ()),
        "tools": "\n".join(
            f"{one_line(row['name'])} {'ok' if row['ok'] else 'failed'}" for row in record.get("tool_calls") or ()
        ),
        "checks": "\n".join(_check(row) for row in record.get("checks") or ()),
        "evidence": ", ".join(map(one_line, record.get("evidence") or ())),
    }
    return {**fields, **{label: text for label, text in found.items() if text}}


def _passage(row: Row) -> str:
    return f"{one_line(row['document_id'])}@{row['version']}  {one_line(row['heading_path'])}"


def _check(row: Row) -> str:
    return f"draft {row['attempt']}: {'; '.join(map(one_line, row['reasons'])) or 'passed'}"


def _file(file: Row) -> str:
    size = max(1, round(int(file["size"] or 0) / 1024))
    said = f"{one_line(file['name'] or 'unnamed')} ({one_line(file['content_type'])}, {size} kB)"
    if file.get("state") in ("refused", "gone"):
        return f"{said}, not kept: {one_line(file['reason'])}"
    return f"{said} {file['id']}" if file.get("id") else said


def _clock(text: str, screen: Screen) -> str:
    # A thread is read in its order: the hour says more than how long ago.
    return short_time(text, Screen(None, screen.now)) if _is_today(text, screen) else long_time(text, screen)


def _is_today(text: str, screen: Screen) -> bool:
    return long_time(text, screen).startswith(f"{screen.now:%Y-%m-%d}")


def _wrapped(text: str, screen: Screen, taken: int = 0) -> str:
    lines = harmless(text).strip().splitlines()
    if screen.width is None:
        return "\n".join(lines)
    width = max(_NARROWEST, screen.width - taken)
    # A link stays one word, or it can't be followed.
    folded = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] for line in lines)
    return "\n".join(part for parts in folded for part in parts)


def _with(text: str, more: str | None) -> str:
    return f"{text} ({more})" if more else text


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
