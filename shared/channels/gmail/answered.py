"""Whether a person answered a mail in Gmail before we came to it: then ours would be the second answer.

Looked for where it may have happened: after a resync, and for mail that lay in the mailbox for a while. A
thread costs 10 units of Gmail's quota for each mail (developers.google.com/workspace/gmail/api/reference/quota).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from typing import Any

from shared.channels.addresses import normalise_email
from shared.channels.gmail.compose import DELIVERY_HEADER
from shared.channels.gmail.headers import mailboxes
from shared.channels.gmail.message import ParsedMail
from shared.errors import Rejected

#: The headers that are asked for.
HEADERS = ("To", "Cc", "Bcc", "Auto-Submitted", DELIVERY_HEADER)
#: The reason that such a mail is ignored with.
ANSWERED = "answered-by-hand"
#: Mail that is read as it comes has no answer yet.
LATE = timedelta(minutes=2)


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


def answered(mail: ParsedMail, received_at: datetime, answers: Iterable[Answer]) -> bool:
    """Whether one of them was written by hand, after the mail and to its sender.

    What was passed on to a colleague, or answered before this mail, answers it not.
    """
    asked_to_write = [box.address for value in mail.headers.all("reply-to") for box in mailboxes(value)[0]]
    writers = _normal([*(sender.address for sender in mail.senders), *asked_to_write])
    return any(answer.by_hand and answer.at >= received_at and answer.to & writers for answer in answers)


def _answer(message: dict[str, Any]) -> Answer:
    headers = [
        (str(each["name"]).lower(), str(each["value"])) for each in message.get("payload", {}).get("headers", [])
    ]
    to = [address for _, address in getaddresses([value for name, value in headers if name in {"to", "cc", "bcc"}])]
    ours = any(name == DELIVERY_HEADER.lower() for name, _ in headers)
    automatic = any(name == "auto-submitted" and value.strip().lower() != "no" for name, value in headers)
    at = datetime.fromtimestamp(int(message["internalDate"]) / 1000, UTC)
    return Answer(at, _normal(to), by_hand=not (ours or automatic))


def _normal(addresses: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for address in addresses:
        try:
            found.add(normalise_email(address))
        except Rejected:
            continue
    return frozenset(found)
