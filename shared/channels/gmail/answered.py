"""Whether a person answered a mail in Gmail before we came to it: then ours would be the second answer.

Looked for where it may have happened: after a resync, and for mail that lay in the mailbox for a while. A
thread costs 10 units of Gmail's quota for each mail (developers.google.com/workspace/gmail/api/reference/quota).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.channels.gmail.answers import Answer, normal_addresses
from shared.channels.gmail.headers import mailboxes
from shared.channels.gmail.message import ParsedMail

#: The reason that such a mail is ignored with.
ANSWERED = "answered-by-hand"
#: Mail that is read as it comes has no answer yet.
LATE = timedelta(minutes=2)


def answered(mail: ParsedMail, received_at: datetime, answers: Iterable[Answer]) -> bool:
    """Whether one of them was written by hand, after the mail and to its sender.

    What was passed on to a colleague, or answered before this mail, answers it not.
    """
    asked_to_write = [box.address for value in mail.headers.all("reply-to") for box in mailboxes(value)[0]]
    writers = normal_addresses([*(sender.address for sender in mail.senders), *asked_to_write])
    return any(answer.by_hand and answer.at >= received_at and answer.to & writers for answer in answers)
