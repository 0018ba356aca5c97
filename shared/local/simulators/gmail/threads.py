"""Which thread a message belongs to.

Gmail's rule (Message.threadId in its API reference): the asked-for thread, In-Reply-To or References
that name a message of it, and the same subject; all three, or a thread of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.local.simulators.gmail.mime import Mail, header, message_ids
from shared.local.simulators.gmail.rows import MessageRow

_PREFIX = re.compile(r"^\s*(re|fwd?|aw|wg|sv|tr|rv|antw)(\[\d+\])?\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Kinship:
    """What a message says of its thread."""

    rfc822_id: str
    references: tuple[str, ...]
    subject: str


def kinship(mail: Mail) -> Kinship:
    own = message_ids(header(mail, "Message-ID"))
    named = message_ids(header(mail, "References")) + message_ids(header(mail, "In-Reply-To"))
    return Kinship(own[0] if own else "", tuple(dict.fromkeys(named)), subject_key(header(mail, "Subject")))


def subject_key(subject: str) -> str:
    """The subject without reply and forward prefixes, case and spacing."""
    while match := _PREFIX.match(subject):
        subject = subject[match.end() :]
    return " ".join(subject.split()).casefold()


def belongs_to(thread: Sequence[MessageRow], kin: Kinship) -> bool:
    """Whether a message that asks for this thread is let into it."""
    known = {message.rfc822_id for message in thread if message.rfc822_id}
    named = not known or bool(known & set(kin.references))
    return named and any(message.subject == kin.subject for message in thread)


def thread_of_reply(messages: Iterable[MessageRow], kin: Kinship) -> str | None:
    """The thread a message answers into by its headers alone."""
    for message in messages:
        if message.rfc822_id and message.rfc822_id in kin.references and message.subject == kin.subject:
            return message.thread_id
    return None
