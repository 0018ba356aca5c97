"""What the system makes of a mail, for a person or a program to look at: the same reading as the function's."""

from __future__ import annotations

from typing import Any

from shared.channels.gmail.inbound import read_mail
from shared.channels.gmail.message import parse
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import Trust
from shared.settings import Settings


def inspect_mail(source: RawMail, settings: Settings) -> dict[str, Any]:
    """`{from, verified, held, ignored_reason, subject, text, new_text, quoted, attachments, thread_refs}`.

    `text` is all of the mail's text, `new_text` what was written now. Never raises on any bytes.
    """
    message = read_mail(source, settings).message
    return {
        "from": message.sender.address,
        "verified": message.sender.trust is Trust.VERIFIED,
        "held": message.sender.trust is Trust.HELD,
        "ignored_reason": message.ignored or None,
        "subject": message.subject,
        "text": parse(source.raw).text,
        "new_text": message.text,
        "quoted": message.quoted,
        "attachments": [
            {"name": file.name, "content_type": file.content_type, "size": file.size} for file in message.attachments
        ],
        "thread_refs": list(message.email.references) if message.email else [],
    }
