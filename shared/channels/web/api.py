"""form-submit's HTTP API: open a ticket, read its page, and the form itself.

Accepting needs Kafka alone; reading needs PostgreSQL. An unknown ticket and a wrong token are one
and the same 404, decided before anything is looked up.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol, cast

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.cors import CORSMiddleware

from shared.channels.publish import Publisher, publish_inbound
from shared.channels.web.answers import install_answers
from shared.channels.web.site import Site
from shared.channels.web.ticket import TicketRequest
from shared.channels.web.token import opens, ticket_token
from shared.clock import Clock
from shared.errors import Rejected
from shared.observability.logs import logger
from shared.settings import Settings, key_list

_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_SITE = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"}
_PAGE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # The page's own <meta> narrows the styles further; frames can be forbidden here alone.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

routes = APIRouter()
_bearer = HTTPBearer(auto_error=False, description="the ticket's token")


class ThreadMessage(BaseModel):
    """One message of a ticket's page."""

    model_config = ConfigDict(from_attributes=True)

    author: Literal["customer", "agent", "human"]
    text: str
    at: datetime


class Thread(BaseModel):
    """A ticket's page. `received`: accepted, and not stored yet."""

    model_config = ConfigDict(from_attributes=True)

    status: Literal["received", "open", "answered", "escalated", "closed"]
    messages: list[ThreadMessage] = Field(default_factory=list[ThreadMessage])


class TicketOpened(BaseModel):
    """What opens the ticket's page later: keep both."""

    ticket_id: str
    token: str


class Page(Protocol):
    """What a reader returns: the attributes of Thread."""

    @property
    def status(self) -> str: ...

    @property
    def messages(self) -> Sequence[object]: ...


class TicketReader(Protocol):
    """Reads a ticket; shared.conversations.ticket_page.TicketPage is the real one."""

    async def read(self, ticket_id: str) -> Page | None:
        """None while the ticket has not been stored. Raises Retryable without PostgreSQL."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """What the routes work with."""

    settings: Settings
    producer: Publisher
    tickets: TicketReader
    site: Site
    clock: Clock

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Ticket keys, newest first. Raises Permanent when FTE_TICKET_KEY is missing."""
        return key_list(self.settings.fte_ticket_key, "FTE_TICKET_KEY")


def build_api(form: Form) -> FastAPI:
    """The app. Its description is at /openapi.json; no page of it asks a third party for anything."""
    api = FastAPI(
        title="Support form",
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The doorway traces; FastAPI's own spans would carry the query, and so the token.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    api.state.form = form
    api.add_middleware(
        CORSMiddleware,
        allow_origins=list(form.settings.form_allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        expose_headers=["Retry-After"],
        max_age=3600,
    )
    install_answers(api, "form-submit")
    api.include_router(routes)
    return api


def _form(request: Request) -> Form:
    return cast(Form, request.app.state.form)


FormNeeded = Annotated[Form, Depends(_form)]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="the same key and body again is the same ticket")
]


@routes.post("/tickets", status_code=202)
async def open_ticket(
    body: TicketRequest, form: FormNeeded, response: Response, idempotency_key: IdempotencyKey = ""
) -> TicketOpened:
    """Accept a message; answers once it cannot be lost any more."""
    key = form.keys[0]
    # Without a key of the caller's each request is a ticket of its own.
    ticket = body.ticket_id(key, idempotency_key or secrets.token_hex(16))
    await publish_inbound(form.producer, form.settings, body.message_of(ticket, form.clock.now()))
    logger().info("message_accepted", channel="web")
    response.headers.update(_NO_STORE)
    return TicketOpened(ticket_id=ticket, token=ticket_token(key, ticket))


@routes.get("/tickets/{ticket_id}")
async def read_ticket(
    form: FormNeeded,
    response: Response,
    ticket_id: Annotated[str, Path(description="as it was answered")],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
    token: Annotated[str, Query(description="where a header cannot be sent")] = "",
) -> Thread:
    """The ticket's messages, oldest first; ours once they are delivered."""
    given = bearer.credentials if bearer else token
    if not opens(form.keys, ticket_id, given):
        raise Rejected("there is no such ticket, or not with this token", status=404, reason="no-such-ticket")
    response.headers.update(_NO_STORE)
    page = await form.tickets.read(ticket_id)
    return Thread(status="received") if page is None else Thread.model_validate(page)


@routes.api_route("/widget.js", methods=["GET", "HEAD"], include_in_schema=False)
async def widget(request: Request, form: FormNeeded) -> Response:
    """The script that any page may embed; a new build is noticed within five minutes."""
    return await _file(request, form.site, "widget.js", _SITE | {"Cache-Control": "public, max-age=300"})


@routes.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request, form: FormNeeded) -> Response:
    """A page that is nothing but the form."""
    return await _file(request, form.site, "index.html", _PAGE | {"Cache-Control": "no-cache"})


async def _file(request: Request, site: Site, name: str, headers: dict[str, str]) -> Response:
    file = await site.file(name)
    headers = headers | {"ETag": file.etag}
    known = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
