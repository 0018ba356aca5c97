"""What Gmail does to a message that its owner sends: the owner's headers are kept, the missing ones are set."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from email.utils import format_datetime, formataddr, getaddresses, parseaddr

from shared.local.simulators.gmail.errors import invalid
from shared.local.simulators.gmail.mime import Mail, header, headers, parse

_FROM = re.compile(rb"^From[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


def as_sent(raw: bytes, mailbox: str, aliases: list[str], now: datetime) -> bytes:
    """The bytes that leave: Message-ID, Date and From are set when absent, and a foreign From becomes the mailbox.

    Raises GoogleError 400 when there is nobody to send it to.
    """
    mail = parse(raw)
    check_recipients(mail)
    added = b""
    if not header(mail, "Message-ID"):
        added += b"Message-ID: <CA%s@mail.gmail.com>\r\n" % secrets.token_urlsafe(32).encode()
    if not header(mail, "Date"):
        added += b"Date: %s\r\n" % format_datetime(now).encode()
    name, address = parseaddr(header(mail, "From"))
    if address.lower() not in {mailbox.lower(), *(alias.lower() for alias in aliases)}:
        raw = _without_from(raw)
        added += b"From: %s\r\n" % formataddr((name, mailbox)).encode()
    return added + raw


def check_recipients(mail: Mail) -> None:
    fields = [(name, value) for name, value in headers(mail) if name.lower() in ("to", "cc", "bcc")]
    for name, value in fields:
        if value.strip() and not recipients_of([value]):
            raise invalid(f"Invalid {name.title()} header")
    if not recipients_of([value for _, value in fields]):
        raise invalid("Recipient address required")


def recipients_of(values: list[str]) -> set[str]:
    return {address.lower() for _, address in getaddresses(values) if "@" in address}


def _without_from(raw: bytes) -> bytes:
    end = _END_OF_HEADERS.search(raw)
    cut = end.start() + 2 if end else len(raw)
    return _FROM.sub(b"", raw[:cut]) + raw[cut:]
