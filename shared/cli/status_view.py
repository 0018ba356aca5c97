"""`kn-fte status` in words: what waits, how the channels are, and what is away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cli.columns import Screen, field_lines, one_line, short_time

_LABELS = {
    "open": "tickets open",
    "escalated": "tickets with a person",
    "waiting_person": "of them waiting for us",
    "waiting": "messages to answer",
    "undelivered": "answers to deliver",
    "dead_letters": "dead letters waiting",
    "inbound_day": "messages in, last 24 h",
    "delivered_day": "answers delivered, last 24 h",
}
#: Shown as one line: how many of all messages came from somebody known.
_BAD = ("down", "unavailable")
_WEEK = ("recognised_week", "inbound_week")
_RATED = ("rating_week", "ratings_week", "surveys_week")


def status_lines(counts: Mapping[str, Any], health: Mapping[str, Any], screen: Screen) -> list[tuple[str, str]]:
    """(style, line): the counts, the channels, then each function. Empty `counts` when the desk can't count."""
    lines = [("", line) for line in field_lines(_fields(counts, health, screen))]
    functions: Mapping[str, Mapping[str, Any]] = counts.get("functions") or {}
    if not functions:
        return lines
    shown = field_lines({name: _function(found) for name, found in functions.items()})
    styles = ("red" if found["status"] in _BAD else "" for found in functions.values())
    return [*lines, ("", ""), ("bold", "functions"), *zip(styles, shown, strict=True)]


def _function(found: Mapping[str, Any]) -> str:
    said = one_line(str(found["status"]))
    if found.get("reason"):
        said += f" ({one_line(str(found['reason']))})"
    waiting = found.get("waiting")
    if waiting is None:
        return said
    return f"{said}, {waiting} event{'' if waiting == 1 else 's'} waiting"


def _fields(counts: Mapping[str, Any], health: Mapping[str, Any], screen: Screen) -> dict[str, str]:
    plain = {name: value for name, value in counts.items() if name not in (*_WEEK, *_RATED, "functions")}
    fields = {_LABELS.get(name, name.replace("_", " ")): str(value) for name, value in plain.items()}
    if all(name in counts for name in _WEEK):
        fields["senders recognised, last 7 days"] = _share(*(int(counts[name]) for name in _WEEK))
    if all(name in counts for name in _RATED):
        fields["satisfaction, last 7 days"] = _satisfaction(*(counts[name] for name in _RATED))
    for channel, found in health.get("channels", {}).items():
        fields[str(channel)] = _channel(found, screen)
    return fields


def _share(recognised: int, of: int) -> str:
    return f"{recognised / of:.1%} ({recognised} of {of})" if of else "-"


def _satisfaction(mean: float | None, ratings: int, asked: int) -> str:
    said = "-" if mean is None else f"{mean:.1f} of 5"
    return f"{said} ({ratings} rating{'' if ratings == 1 else 's'}, {asked} asked)"


def unavailable(health: Mapping[str, Any]) -> str | None:
    """What is away, in one line; None while the desk serves."""
    if health.get("status") == "ok":
        return None
    reason = one_line(str(health.get("reason") or ""))
    if reason.endswith("-away"):
        return f"the desk is unavailable: {reason.removesuffix('-away')} is away"
    return "the desk is unavailable" + (f": {reason}" if reason != "-" else "")


def _channel(found: Mapping[str, Any], screen: Screen) -> str:
    said = one_line(str(found.get("status")))
    if found.get("reason"):
        said += f" ({one_line(str(found['reason']))})"
    return f"{said} since {short_time(str(found['since']), screen)}" if found.get("since") else said
