"""The mails that were sent in a thread, as Gmail tells of them: who answered whom, and whether by hand.

Apart from `answered`, which reads whole mails: who only sends (send-reply) carries no reader of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Any

from shared.channels.addresses import normalise_email
from shared.channels.gmail.compose import DELIVERY_HEADER
from shared.errors import Rejected

#: The headers that are asked for.
HEADERS = ("To", "Cc", "Bcc", "Auto-Submitted", DELIVERY_HEADER)


@dataclass(frozen=True, slots=True)
class Answer:
    """A sent mail of a thread: when, to whom (normalised), and whether a person wrote it, neither we nor a robot."""

    at: datetime
    to: frozenset[str]
    by_hand: bool


def answers_of(thread: dict[str, Any]) -> list[Answer]:
    """The sent mails of a threads.get answer. Raises KeyError or ValueError for one that does not follow its schema."""
    sent = [message for message in thread.get("messages", []) if "SENT" in message.get("labelIds", ())]
    return [_answer(message) for message in sent]


def _answer(message: dict[str, Any]) -> Answer:
    headers = [
        (str(each["name"]).lower(), str(each["value"])) for each in message.get("payload", {}).get("headers", [])
    ]
    to = [address for _, address in getaddresses([value for name, value in headers if name in {"to", "cc", "bcc"}])]
    ours = any(name == DELIVERY_HEADER.lower() for name, _ in headers)
    automatic = any(name == "auto-submitted" and value.strip().lower() != "no" for name, value in headers)
    at = datetime.fromtimestamp(int(message["internalDate"]) / 1000, UTC)
    return Answer(at, normal_addresses(to), by_hand=not (ours or automatic))


def normal_addresses(addresses: Iterable[str]) -> frozenset[str]:
    """Those of them that are addresses, normalised."""
    found: set[str] = set()
    for address in addresses:
        try:
            found.add(normalise_email(address))
        except Rejected:
            continue
    return frozenset(found)
