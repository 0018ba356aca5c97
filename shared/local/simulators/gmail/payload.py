"""Messages as `messages.get` shows them (Message, MessagePart and MessagePartBody of the Gmail discovery document)."""

from __future__ import annotations

import base64
import binascii
import html
import secrets
from collections.abc import Iterator
from typing import Any

from shared.local.simulators.gmail.errors import invalid, not_found
from shared.local.simulators.gmail.mime import Mail, content, headers, parse, text
from shared.local.simulators.gmail.rows import MessageRow

INLINE_LIMIT = 1_048_576  # bytes of text that still come in `body.data`
SNIPPET_LENGTH = 200
FORMATS = ("full", "metadata", "minimal", "raw")


def summary(message: MessageRow) -> dict[str, Any]:
    return {"id": message.id, "threadId": message.thread_id}


def labelled(message: MessageRow) -> dict[str, Any]:
    return {**summary(message), "labelIds": list(message.labels)}


def resource(message: MessageRow, form: str, wanted_headers: list[str]) -> dict[str, Any]:
    """The Message resource in one of the four formats; 400 for another."""
    if form not in FORMATS:
        raise invalid(f"Invalid value at 'format': {form}")
    raw = message.bytes
    shown: dict[str, Any] = {
        **labelled(message),
        "snippet": snippet(raw),
        "sizeEstimate": len(raw),
        "historyId": str(message.history_id),
        "internalDate": str(message.internal_date),
    }
    if form == "raw":
        shown["raw"] = message.raw
    elif form == "metadata":
        shown["payload"] = _metadata(parse(raw), {name.lower() for name in wanted_headers})
    elif form == "full":
        shown["payload"] = _part(parse(raw), "", message.id)
    return shown


def snippet(raw: bytes) -> str:
    """The first words of the text, escaped for HTML as Gmail's are."""
    return html.escape(" ".join(text(parse(raw)).split())[:SNIPPET_LENGTH])


def attachment(message: MessageRow, attachment_id: str) -> dict[str, Any]:
    """The MessagePartBody of one attachment; 404 when the id is not of this message."""
    try:
        _, owner, part_id = base64.urlsafe_b64decode(attachment_id).decode().split(":")
    except (binascii.Error, ValueError):
        raise invalid("Invalid attachment token") from None
    for number, part in _walk(parse(message.bytes), ""):
        if owner == message.id and number == part_id:
            data = _attached(part)
            return {"size": len(data), "data": _b64(data)}
    raise not_found()


def _metadata(mail: Mail, wanted: set[str]) -> dict[str, Any]:
    named = [h for h in _header_list(mail) if not wanted or h["name"].lower() in wanted]
    return {"mimeType": mail.get_content_type(), "headers": named}


def _header_list(mail: Mail) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers(mail)]


def _part(part: Mail, number: str, message_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "partId": number,
        "mimeType": part.get_content_type(),
        "filename": part.get_filename() or "",
        "headers": _header_list(part),
        "body": _body(part, number, message_id),
    }
    if children := list(_children(part, number)):
        shown["parts"] = [_part(child, child_number, message_id) for child_number, child in children]
    return shown


def _children(part: Mail, number: str) -> Iterator[tuple[str, Mail]]:
    payload: Any = part.get_payload()
    if isinstance(payload, list):
        for index, child in enumerate(payload):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] — untyped in email
            yield (f"{number}.{index}" if number else str(index)), child


def _walk(part: Mail, number: str) -> Iterator[tuple[str, Mail]]:
    yield number, part
    for child_number, child in _children(part, number):
        yield from _walk(child, child_number)


def _body(part: Mail, number: str, message_id: str) -> dict[str, Any]:
    if part.get_content_maintype() == "multipart":
        return {"size": 0}
    data = _attached(part)
    inline = part.get_content_maintype() == "text" and not part.get_filename() and len(data) <= INLINE_LIMIT
    if inline:
        return {"size": len(data), "data": _b64(data)}
    # Gmail gives another token for the same attachment at each call, so nobody may compare them.
    token = f"{secrets.token_hex(8)}:{message_id}:{number}"
    return {"attachmentId": _b64(token.encode()), "size": len(data)}


def _attached(part: Mail) -> bytes:
    if part.get_content_maintype() == "message" and part.is_multipart():
        return b"".join(child.as_bytes() for _, child in _children(part, ""))
    return content(part)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
