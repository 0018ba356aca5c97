"""`kn-fte status` in words: what waits, how the channels are, and what is away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cli.columns import Screen, field_lines, one_line, short_time

_LABELS = {
    "open": "tickets open",
    "escalated": "tickets with a person",
    "waiting": "messages to answer",
    "undelivered": "answers to deliver",
    "dead_letters": "dead letters waiting",
    "inbound_day": "messages in, last 24 h",
    "delivered_day": "answers delivered, last 24 h",
}


def status_lines(counts: Mapping[str, Any], health: Mapping[str, Any], screen: Screen) -> list[str]:
    """The counts, then the channels. Empty `counts` when the desk can't count."""
    fields = {_LABELS.get(name, name.replace("_", " ")): str(value) for name, value in counts.items()}
    for channel, found in health.get("channels", {}).items():
        fields[str(channel)] = _channel(found, screen)
    return field_lines(fields)


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
