"""What a ticket's page shows its customer: this thread alone, ours once it is delivered; its files and its rating."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, Trust
from shared.channels.web.token import Holder
from shared.conversations.files import files_of
from shared.conversations.placing import page_keys
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.privacy import blobs
from shared.privacy.vault import Erased, Keyset, Vault

SQL = load("page")
RATINGS = load("ratings")
SURVEYS = load("surveys")

_RATED = ("answered", "closed")
_OUT = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class PageFile:
    """`id` is None while there are no contents to be had."""

    id: UUID | None
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class PageMessage:
    """`author` is customer, agent or human; `id` is the one its sender was given, else ours."""

    id: str
    author: str
    text: str
    at: datetime
    attachments: tuple[PageFile, ...] = ()


@dataclass(frozen=True, slots=True)
class PageRating:
    """What the customer last said."""

    score: int


@dataclass(frozen=True, slots=True)
class TicketView:
    """`status` is open, answered, escalated or closed; `asked`: for a rating, when it was closed."""

    status: str
    messages: tuple[PageMessage, ...]
    rating: PageRating | None = None
    asked: bool = False

    @property
    def can_rate(self) -> bool:
        """Whether there is an answer to be rated."""
        return self.status in _RATED


@dataclass(frozen=True, slots=True)
class PageContents:
    """A file with its contents."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Tickets for form-submit, as far as the holder of a token may see them. All raise Retryable without PostgreSQL."""

    db: Database
    vault: Vault

    async def read(self, holder: Holder) -> TicketView | None:
        """The page, or None while the ticket has not been stored yet. Raises Rejected (410) for an erased customer."""
        async with self.db.transaction() as connection:
            rows = await self._rows(connection, holder)
            if not rows:
                return None
            files = await files_of(connection, [row["id"] for row in rows])
            rating = await connection.fetchrow(RATINGS["of_ticket"], holder.ticket)
            survey = await connection.fetchrow(SURVEYS["of_ticket"], holder.ticket)
            sealed = [row["body_enc"] for row in rows] + [file["name_enc"] for file in files]
            keys = await self.vault.keys_for(connection, sealed)
        try:
            messages = tuple(_message(row, files, keys) for row in rows)
        except Erased:
            raise Rejected("what was said here has been erased", status=410, reason="erased") from None
        asked = survey is not None and survey["delivery"] in _OUT
        return TicketView(_status(rows), messages, PageRating(rating["score"]) if rating else None, asked)

    async def rate(self, holder: Holder, score: int, comment: str) -> None:
        """Keep a rating; the last word counts. Raises Rejected (409) before there is an answer."""
        async with self.db.transaction() as connection:
            owner = await connection.fetchval(RATINGS["owner"], holder.ticket)
            rows = await self._rows(connection, holder)
            if owner is None or not rows or _status(rows) not in _RATED:
                raise Rejected("there is no answer to be rated yet", status=409, reason="not-answered")
            keys = await self.vault.keys(connection, [owner])
            sealed = keys.seal(owner, "rating.comment", comment) if comment else None
            await connection.execute(RATINGS["rate"], holder.ticket, Channel.WEB, score, sealed)

    async def file(self, holder: Holder, file_id: UUID) -> PageContents | None:
        """A file that the page shows, or None."""
        async with self.db.transaction() as connection:
            row = await connection.fetchrow(SQL["file"], *self._seen_by(holder), file_id)
            if row is None:
                return None
            try:
                keys = await self.vault.keys_for(connection, [row["name_enc"]])
                name = keys.unseal("attachment.name", row["name_enc"])
                data = await blobs.contents(connection, self.vault, row["blob_id"])
            except Erased:
                return None
        return None if data is None else PageContents(name, row["content_type"], data)

    async def keep(self, blob_id: UUID, data: bytes) -> None:
        """Keep contents under an id, once, for a message that is yet to be stored."""
        async with self.db.transaction() as connection:
            await blobs.keep(connection, self.vault, data, blob_id)

    async def _rows(self, connection: Any, holder: Holder) -> list[Any]:
        return await connection.fetch(SQL["messages"], *self._seen_by(holder))

    def _seen_by(self, holder: Holder) -> tuple[list[bytes], bool]:
        keys = page_keys(self.vault, holder.ticket, holder.address, holder.trust)
        return keys, holder.trust is Trust.VERIFIED


def _message(row: Any, files: Sequence[Any], keys: Keyset) -> PageMessage:
    # A later message of the customer's is known by the part that it was answered with.
    own = (row["provider_message_id"] or str(row["id"])).rpartition(".")[2]
    attached = tuple(_file(file, keys) for file in files if file["message_id"] == row["id"])
    return PageMessage(own, row["author"], keys.unseal("message.body", row["body_enc"]), row["received_at"], attached)


def _file(row: Any, keys: Keyset) -> PageFile:
    kept = row["id"] if row["state"] == "kept" else None
    return PageFile(kept, keys.unseal("attachment.name", row["name_enc"]), row["content_type"], row["size"])


def _status(rows: Sequence[Any]) -> str:
    """As the conversation stands in which was spoken last; what needs no answer, such as thanks, changes nothing."""
    last = next((row for row in reversed(rows) if row["outcome"] != "ignored"), rows[-1])
    if last["state"] == "closed":
        return "closed"
    if last["author"] == "human":
        return "answered"
    if last["state"] == "human":
        return "escalated"
    return "answered" if last["author"] == "agent" else "open"
