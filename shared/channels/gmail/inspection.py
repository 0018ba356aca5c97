"""What the system makes of a mail, for a person or a program to look at: the same reading as the function's."""

from __future__ import annotations

import re
from typing import Any

from shared.channels.gmail.inbound import read_mail
from shared.channels.gmail.message import parse
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import Trust
from shared.settings import Settings

#: What some line of every mail's header begins with.
_FIELD = re.compile(
    rb"^(?:from|sender|to|cc|reply-to|subject|date|received|return-path|delivered-to|message-id|in-reply-to|references"
    rb"|mime-version|content-type|content-transfer-encoding|authentication-results|dkim-signature)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_BLANK = re.compile(rb"(?:\r\n|\n|\r)(?:\r\n|\n|\r)")


def is_mail(raw: bytes) -> bool:
    """Whether the bytes begin as a mail does, however odd: with a field that mails have, before any empty line."""
    head = _BLANK.split(raw.removeprefix(b"\xef\xbb\xbf").lstrip(), maxsplit=1)[0]
    return _FIELD.search(head.replace(b"\r", b"\n")) is not None


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
