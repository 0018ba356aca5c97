"""What a delivery report says of a mail of ours: RFC 3464, and the plain bounces of servers older than it.

    Action: failed, or a status of class 5        the mail never arrives: the delivery failed
    Action: delayed, relayed, delivered, …        nothing changes

Which mail it is about stands in the returned part (our private header, our Message-ID), in the report's own
References, or somewhere in its text. Ids are random: who can name one has received that mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeAlias, cast

from shared.channels.gmail.compose import DELIVERY_HEADER
from shared.channels.gmail.headers import Headers

_Part: TypeAlias = "Message[Any, Any]"

_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_HEADER = re.compile(rf"^{DELIVERY_HEADER}:\s*{_ID}", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rf"^message-id:\s*<fte\.{_ID}@", re.IGNORECASE | re.MULTILINE)
_REFERENCE = re.compile(rf"<fte\.{_ID}@", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ENHANCED = re.compile(r"(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.])")
_REFUSED = re.compile(r"(?<![\d.])(55[0-4])[ -]")
_DAEMON = re.compile(r"^(?:mailer-?daemon|postmaster)\b", re.IGNORECASE)
_MOST_PARTS = 50
_MOST_BYTES = 200_000
_UNSPECIFIED = "5.0.0"


@dataclass(frozen=True, slots=True)
class Report:
    """`delivery_id` is ours, empty when it names none; `code` the enhanced status (RFC 3463) of a failure."""

    failed: bool
    delivery_id: str = ""
    code: str = ""


def report_of(mail: _Part, headers: Headers, sender: str, text: str, raw: bytes) -> Report | None:
    """The report that a mail is, or None. `sender` is the address in From, `text` what the mail says."""
    status = _status(mail, headers, sender)
    failed_for = headers.first("x-failed-recipients")
    if status is not None:
        code = _failure(status)
    elif failed_for or _DAEMON.match(sender):
        found = _ENHANCED.search(text) or _REFUSED.search(text)
        code = found[1] if found else (_UNSPECIFIED if failed_for else "")
        if not code:
            return None
    else:
        return None
    return Report(bool(code), _delivery(headers, raw), code)


def own_parts(mail: _Part) -> list[_Part]:
    """The first parts of a mail itself, in order: what an enclosed mail consists of says nothing of this one."""
    found: list[_Part] = []
    waiting = [mail]
    while waiting and len(found) < _MOST_PARTS:
        part = waiting.pop()
        found.append(part)
        if part.get_content_maintype() == "multipart":
            waiting += reversed(_children(part))
    return found


def _children(part: _Part) -> list[_Part]:
    # The payload of a part without parts is decoded when it is looked at, which raises for a hostile charset.
    blocks = cast("list[Any]", part.get_payload()) if part.is_multipart() else []
    return [cast("_Part", block) for block in blocks if isinstance(block, Message)]


def _status(mail: _Part, headers: Headers, sender: str) -> _Part | None:
    """The part with the status: in a report, or right in the mail of a server. People enclose reports, too."""
    if mail.get_content_type() == "multipart/report":
        parts = own_parts(mail)
    elif _DAEMON.match(sender) or re.sub(r"\s", "", headers.first("return-path")) == "<>":
        parts = [mail, *_children(mail)] if mail.get_content_maintype() == "multipart" else [mail]
    else:
        return None
    return next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)


def _failure(part: _Part) -> str:
    """The status of the first recipient that was refused for good (RFC 3464, section 2.3), or an empty text."""
    for fields in _children(part) or [part]:
        action = str(fields.get("action", "")).strip().lower()
        status = _STATUS.search(str(fields.get("status", "")))
        code = status[1] if status else ""
        if action == "failed" or (not action and code.startswith("5")):
            return code or _UNSPECIFIED
    return ""


def _delivery(headers: Headers, raw: bytes) -> str:
    # The returned part stands last, behind what may be a long explanation.
    ends = raw if len(raw) <= 2 * _MOST_BYTES else raw[:_MOST_BYTES] + raw[-_MOST_BYTES:]
    text = ends.decode("latin-1")
    found = _HEADER.search(text) or _MESSAGE_ID.search(text)
    # A chain of references names older mails too: the last one is what is answered.
    referred = " ".join([*headers.all("references"), *headers.all("in-reply-to")])
    named = [found[1]] if found else _REFERENCE.findall(referred)
    return named[-1].lower() if named else ""
