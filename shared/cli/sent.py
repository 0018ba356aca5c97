"""`fte sent`: what really left for customers, read where the simulators keep it: answers, links and codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from shared.cli.columns import Screen, harmless, one_line, short_time
from shared.cli.simulators import call, endpoints_here, mail_text, mails_of
from shared.errors import Permanent

_SIMULATORS = {"email": "gmail", "whatsapp": "twilio"}


async def last_sent(channel: str | None, count: int) -> list[dict[str, Any]]:
    """The last `count` messages on `channel`, or on both, newest last: at (ISO 8601), channel, to, subject, text.

    Raises Permanent when nothing is up, for another channel and where a real provider sends; Retryable when a simulator
    is away.
    """
    if channel is not None and channel not in _SIMULATORS:
        raise Permanent(f"{channel!r} is none of email and whatsapp: what the web form answers is on the ticket's page")
    running: Mapping[str, str] = endpoints_here()["simulators"]
    asked = [one for one in _SIMULATORS if channel in (None, one) and _SIMULATORS[one] in running]
    if not asked:
        raise Permanent("here real providers send: look into the mailbox or the phone", reason="real-provider")
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        for one in asked:
            rows = await call(client, "GET", running[_SIMULATORS[one]] + "/_control/sent")
            found += _mails(rows) if one == "email" else _whatsapps(rows)
    return sorted(found, key=lambda message: message["at"])[-count:]


def sent_lines(messages: list[dict[str, Any]], screen: Screen) -> list[tuple[str, str]]:
    """(style, line): of each message a head and its text as it stands, so that codes and links can be copied."""
    lines: list[tuple[str, str]] = []
    for message in messages:
        head = [short_time(message["at"], screen), message["channel"], one_line(message["to"])]
        head += [one_line(message["subject"])] if message["subject"] else []
        text = harmless(message["text"]).splitlines() or ["(no text)"]
        lines += [("bold", " · ".join(head)), *(("", line) for line in text), ("", "")]
    return lines[:-1]


def _mails(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        _row(row["at"], "email", str(mail["To"]), str(mail["Subject"] or ""), mail_text(mail))
        for row, mail in zip(rows, mails_of(rows), strict=True)
    ]


def _whatsapps(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_row(row["at"], "whatsapp", row["to"].removeprefix("whatsapp:"), None, row["body"]) for row in rows]


def _row(at: str, channel: str, to: str, subject: str | None, text: str) -> dict[str, Any]:
    return {"at": at, "channel": channel, "to": to, "subject": subject, "text": text}
