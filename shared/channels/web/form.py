"""What form-submit's routes work with, and the shapes they answer in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, Protocol, cast
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from shared.channels.publish import Publisher
from shared.channels.web.challenge import Challenge
from shared.channels.web.door import Door
from shared.channels.web.site import Site
from shared.channels.web.token import Holder, open_token
from shared.clock import Clock
from shared.errors import Rejected
from shared.settings import Settings, key_list

#: An answer that carries a token or a customer's words is kept by nobody on the way.
NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
#: Uploads that are read into memory at once, file by file: their size is what a pod's memory allows.
_UPLOADS_AT_ONCE = 2
_DOWNLOADS_AT_ONCE = 4


class FileShown(BaseModel):
    """A file of a message; `id` opens it while its contents are kept, and is null otherwise."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID | None = None
    name: str
    content_type: str
    size: int


class ThreadMessage(BaseModel):
    """One message of a ticket's page; `id` is the ticket's for its first, the message's own for a later one."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    author: Literal["customer", "agent", "human"]
    text: str
    at: datetime
    attachments: list[FileShown] = Field(default_factory=list[FileShown])


class RatingShown(BaseModel):
    """The rating that counts: the last."""

    model_config = ConfigDict(from_attributes=True)

    score: int


class Thread(BaseModel):
    """A ticket's page. `received`: accepted, and not stored yet."""

    model_config = ConfigDict(from_attributes=True)

    status: Literal["received", "open", "answered", "escalated", "closed"]
    trust: Literal["claimed", "verified"]
    messages: list[ThreadMessage] = Field(default_factory=list[ThreadMessage])
    rating: RatingShown | None = None
    can_rate: bool = False
    asked: bool = Field(default=False, description="the ticket was closed, and its customer is asked for a rating")


class TicketOpened(BaseModel):
    """What opens the ticket's page later: keep both."""

    ticket_id: str
    token: str
    trust: Literal["claimed", "verified"]


class MessageAdded(BaseModel):
    """The message's id, by which the page shows it later."""

    message_id: str


class FilesAdded(MessageAdded):
    """The same, with what was made of the files; the page tells their ids once the message is stored."""

    attachments: list[FileShown]


class Page(Protocol):
    """What a reader returns: the attributes of Thread, but for its trust."""

    @property
    def status(self) -> str: ...

    @property
    def messages(self) -> Sequence[object]: ...

    @property
    def rating(self) -> object: ...

    @property
    def can_rate(self) -> bool: ...

    @property
    def asked(self) -> bool: ...


class Contents(Protocol):
    """A file with its contents."""

    @property
    def name(self) -> str: ...

    @property
    def content_type(self) -> str: ...

    @property
    def data(self) -> bytes: ...


class Tickets(Protocol):
    """What is stored of tickets; shared.conversations.ticket_page.TicketPage is the real one.

    Each raises Retryable without PostgreSQL.
    """

    async def read(self, holder: Holder) -> Page | None:
        """What the holder may see; None while the ticket has not been stored."""
        ...

    async def rate(self, holder: Holder, score: int, comment: str) -> None:
        """Keep a rating; the last word counts. Raises Rejected (409) where nothing is to be rated yet."""
        ...

    async def file(self, holder: Holder, file_id: UUID) -> Contents | None:
        """A file that the holder's page shows, or None."""
        ...

    async def keep(self, blob_id: UUID, data: bytes) -> None:
        """Keep contents under an id, once, for a message that is yet to be stored."""
        ...


class Redeemed(Protocol):
    """What a link of a verification mail proved: whose `address` it is, on which ticket."""

    @property
    def ticket_id(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def name(self) -> str: ...


class Links(Protocol):
    """Redeems what was mailed."""

    async def look(self, token: str) -> None:
        """Raise what `redeem` would, as far as can be told without changing anything."""
        ...

    async def redeem(self, token: str) -> Redeemed:
        """Raises Rejected: 404 for an unknown link, 410 for one that expired."""
        ...


class Surveys(Protocol):
    """Takes what is answered behind the link of a question that was mailed."""

    async def look(self, token: str) -> str:
        """The question's language, changing nothing. Raises Rejected as `rate` does."""
        ...

    async def rate(self, token: str, score: int, comment: str) -> str:
        """Keep a rating, 1 to 5; the question's language. Raises Rejected: 404 for an unknown link, 410 expired."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """What the routes work with."""

    settings: Settings
    producer: Publisher
    tickets: Tickets
    site: Site
    clock: Clock
    door: Door
    challenge: Challenge
    links: Links
    surveys: Surveys
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UPLOADS_AT_ONCE))
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DOWNLOADS_AT_ONCE))

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Ticket keys, newest first. Raises Permanent when FTE_TICKET_KEY is missing."""
        return key_list(self.settings.fte_ticket_key, "FTE_TICKET_KEY")


def _form(request: Request) -> Form:
    return cast(Form, request.app.state.form)


FormNeeded = Annotated[Form, Depends(_form)]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="the same key and body again is the same once")
]
_bearer = HTTPBearer(auto_error=False, description="the ticket's token")


def _holder(
    form: FormNeeded,
    ticket_id: Annotated[str, Path(description="as it was answered")],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
    token: Annotated[str, Query(description="where a header cannot be sent")] = "",
) -> Holder:
    """Who asks. An unknown ticket and a wrong token are one and the same 404, before anything is looked up."""
    holder = open_token(form.keys, ticket_id, bearer.credentials if bearer else token)
    if holder is None:
        raise Rejected("there is no such ticket, or not with this token", status=404, reason="no-such-ticket")
    return holder


HolderNeeded = Annotated[Holder, Depends(_holder)]
