"""What the mailbox remembers. Times are milliseconds since 1970, as `internalDate` is."""

from __future__ import annotations

import base64
from typing import Literal

from shared.local.simulators.journal import Row

Change = Literal["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]


class MessageRow(Row):
    """A message: the bytes as they came, and what threading and search ask of them."""

    thread_id: str
    raw: str
    labels: tuple[str, ...]
    internal_date: int
    history_id: int
    rfc822_id: str
    references: tuple[str, ...]
    subject: str

    @property
    def bytes(self) -> bytes:
        return base64.urlsafe_b64decode(self.raw)


class DraftRow(Row):
    """A draft is a stable id around a message that may be replaced."""

    message_id: str


class HistoryRow(Row):
    """One change; its id is the mailbox's historyId after it."""

    change: Change
    message_id: str
    thread_id: str
    labels: tuple[str, ...]
    changed_labels: tuple[str, ...] = ()


class MailboxRow(Row):
    """The counters of the mailbox, under the id `mailbox`."""

    history_id: int
    history_floor: int


class WatchRow(Row):
    """The one watch a mailbox has, under the id `watch`."""

    topic: str
    label_ids: tuple[str, ...]
    exclude: bool
    expiration: int


class TokenRow(Row):
    """An access token, by its value."""

    expires: int


class KeyRow(Row):
    """A signing key of push tokens, by its kid."""

    pem: str


class PushRow(Row):
    """A published notification that is not acknowledged yet, by its Pub/Sub message id."""

    data: str
    published: int
