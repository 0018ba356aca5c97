"""The desk's HTTP API: what `kn fte` speaks. Every route but /events wants the operator's bearer token.

Errors are `{"error": {"reason", "field", "message"}}` and never repeat what was sent.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from shared.channels.web.answers import install_answers
from shared.dead_letters.customers import Customers
from shared.dead_letters.downloads import Downloads, add_downloads
from shared.dead_letters.knowledge_api import add_knowledge
from shared.dead_letters.office import Office
from shared.errors import Rejected
from shared.events.received import receive_event, unreadable

_PING = "dev.knative.sources.ping"

Limit = Annotated[int, Query(ge=1, le=1000)]


class ReplyRequest(BaseModel):
    """A person's answer."""

    text: str = Field(min_length=1, max_length=20_000)


class Reason(BaseModel):
    """Why, for the record."""

    reason: str | None = Field(None, max_length=500)


class FindRequest(BaseModel):
    """An e-mail address or a phone number."""

    address: str = Field(max_length=320)


class LinkRequest(BaseModel):
    """An e-mail address and a phone number of one customer."""

    email: str = Field(max_length=320)
    phone: str = Field(max_length=40)
    #: Say what it would come to, and change nothing.
    dry_run: bool = False


class UnlinkRequest(BaseModel):
    """E-mail addresses and phone numbers that are not their customers'."""

    addresses: list[Annotated[str, Field(max_length=320)]] = Field(min_length=1, max_length=20)


class MergeRequest(BaseModel):
    """Two customers, each by id, e-mail address or phone number."""

    winner: str = Field(min_length=1, max_length=320)
    loser: str = Field(min_length=1, max_length=320)


class UnmergeRequest(BaseModel):
    """A merge's id, or a customer's id, e-mail address or phone number."""

    what: str = Field(min_length=1, max_length=320)


def build_api(office: Office) -> FastAPI:
    """The app, bound to its office."""
    app = FastAPI(
        title="Customer Success FTE: desk",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    guarded = APIRouter(dependencies=[Depends(_operator(office))])
    for add in (_tickets, _customers, _dead_letters, add_knowledge):
        add(guarded, office)
    add_downloads(guarded, Downloads(office.db, office.vault))
    app.include_router(guarded)
    app.post("/events")(_events(office))
    install_answers(app, "dlq-review")
    return app


def _operator(office: Office) -> Any:
    async def check(request: Request) -> None:
        wanted = office.settings.fte_operator_token.get_secret_value()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not wanted or scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Rejected("the operator's token is missing or wrong", status=401, reason="bad-operator-token")

    return check


def _events(office: Office) -> Any:
    async def events(request: Request) -> Response:
        try:
            event = await receive_event(request)
        except Rejected as error:
            # Refusing a dead letter would send it round and round: its own dead letter sink is this topic.
            event = await unreadable(request, error.reason)
        if event.type == _PING:
            # A PingSource cannot sign; a ping carries nothing, and the sweep locks out a second one.
            await office.sweep.run()
            await office.library.work_quietly()
        else:
            await office.box.keep(event)
        return Response("OK")

    return events


def _tickets(router: APIRouter, office: Office) -> None:
    @router.get("/status")
    async def status() -> dict[str, Any]:
        return await office.status()

    @router.post("/sweep")
    async def sweep() -> dict[str, int]:
        return await office.sweep.run()

    @router.get("/tickets")
    async def tickets(state: Literal["open", "escalated", "closed"] | None = None, limit: Limit = 100) -> Any:
        return await office.tickets(state, limit)

    @router.get("/tickets/{ticket_id}")
    async def ticket(ticket_id: str) -> Any:
        return await office.ticket(ticket_id)

    @router.post("/tickets/{ticket_id}/reply")
    async def reply(ticket_id: str, request: ReplyRequest) -> Any:
        delivery_id, conversation_id = await office.desk.reply(ticket_id, request.text)
        await office.request_delivery(delivery_id, conversation_id)
        return {"id": ticket_id, "delivery_id": str(delivery_id), "status": "escalated"}

    @router.post("/tickets/{ticket_id}/return")
    async def give_back(ticket_id: str) -> Any:
        conversation_id, reopened = await office.desk.give_back(ticket_id)
        await office.wake(conversation_id)
        return {"id": ticket_id, "status": "open", "reopened": reopened}

    @router.post("/tickets/{ticket_id}/close")
    async def close(ticket_id: str, request: Reason) -> Any:
        await office.desk.close(ticket_id, request.reason)
        return {"id": ticket_id, "status": "closed"}


def _customers(router: APIRouter, office: Office) -> None:
    desk = Customers(office.db, office.vault)

    @router.get("/customers")
    async def customers(limit: Limit = 100) -> Any:
        return await desk.list(limit)

    @router.post("/customers/search")
    async def search(request: FindRequest, limit: Limit = 100) -> Any:
        # In the body, here and below: a URL is written down by every proxy on the way.
        return await desk.list(limit, request.address)

    @router.post("/customers/find")
    async def find(request: FindRequest) -> Any:
        return await desk.at(request.address)

    @router.get("/customers/{customer_id}")
    async def customer(customer_id: UUID) -> Any:
        return await desk.show(customer_id)

    @router.post("/customers/link")
    async def link_identifiers(request: LinkRequest) -> Any:
        return await desk.link(request.email, request.phone, dry_run=request.dry_run)

    @router.post("/customers/unlink")
    async def unlink_identifiers(request: UnlinkRequest) -> Any:
        return await desk.unlink(request.addresses)

    @router.post("/customers/merge")
    async def merge(request: MergeRequest) -> Any:
        return await desk.merge(request.winner, request.loser)

    @router.post("/customers/unmerge")
    async def unmerge(request: UnmergeRequest) -> Any:
        return await desk.unmerge(request.what)


def _dead_letters(router: APIRouter, office: Office) -> None:
    @router.get("/dead-letters")
    async def letters(status: Literal["waiting", "replayed", "discarded"] | None = None, limit: Limit = 100) -> Any:
        return await office.box.list(status, limit)

    @router.get("/dead-letters/{letter_id}")
    async def letter(letter_id: str) -> Any:
        return await office.box.show(letter_id)

    @router.post("/dead-letters/{letter_id}/replay")
    async def replay(letter_id: str, request: Reason) -> Any:
        return await office.box.replay(letter_id, request.reason)

    @router.post("/dead-letters/{letter_id}/discard")
    async def discard(letter_id: str, request: Reason) -> Any:
        return await office.box.discard(letter_id, request.reason)
