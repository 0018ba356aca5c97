"""What the account remembers. Times are seconds since 1970."""

from __future__ import annotations

from typing import Literal

from shared.local.simulators.journal import Row

Direction = Literal["inbound", "outbound-api", "outbound-reply"]
Status = Literal["accepted", "queued", "sent", "delivered", "read", "failed", "undelivered", "received"]


class MessageRow(Row):
    """A Message resource by its SID. `outside_window`: WhatsApp will refuse it."""

    direction: Direction
    sender: str
    to: str
    body: str
    status: Status
    created: float
    updated: float
    sent: float | None = None
    error_code: int | None = None
    error_message: str | None = None
    num_media: int = 0
    messaging_service_sid: str | None = None
    content_sid: str | None = None
    content_variables: str | None = None
    status_callback: str | None = None
    outside_window: bool = False


class MediaRow(Row):
    """One attachment of an incoming message, by its ME SID; `data` is base64."""

    message_sid: str
    content_type: str
    data: str
    created: float


class WindowRow(Row):
    """When a number wrote last."""

    opened: float


class OptOutRow(Row):
    """A number that may not be written to."""
