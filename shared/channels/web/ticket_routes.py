"""Tickets: opened, read, added to and rated. Accepting needs Kafka alone; reading and rating need PostgreSQL."""

from __future__ import annotations

import secrets
from typing import Literal

from fastapi import APIRouter, Request, Response

from shared.channels.message import Trust
from shared.channels.publish import publish_inbound
from shared.channels.web.form import (
    NO_STORE,
    Form,
    FormNeeded,
    HolderNeeded,
    IdempotencyKey,
    MessageAdded,
    Thread,
    TicketOpened,
)
from shared.channels.web.ticket import MessageRequest, RatingRequest, TicketRequest, added_message, message_id
from shared.channels.web.token import Holder, keyed_uuid, seal_token
from shared.channels.web.visitor import visitor_of
from shared.observability.logs import logger
from shared.observability.metrics import RATINGS

routes = APIRouter()


@routes.post("/tickets", status_code=202)
async def open_ticket(
    body: TicketRequest, request: Request, form: FormNeeded, response: Response, idempotency_key: IdempotencyKey = ""
) -> TicketOpened:
    """Accept a message; answers once it cannot be lost any more."""
    holder = _holder_of(body, form, idempotency_key)
    if body.page is not None:
        form.door.check_page(request, body.page)
    await form.door.admit_email(request, holder)
    if body.page is not None:
        await form.challenge.require(body.page.challenge, keyed_uuid(form.keys[0], "try", holder.ticket.encode()))
    await publish_inbound(form.producer, form.settings, body.message_of(holder, form.clock.now()))
    logger().info("message_accepted", channel="web", trust=holder.trust)
    response.headers.update(NO_STORE)
    return TicketOpened(ticket_id=holder.ticket, token=seal_token(form.keys[0], holder), trust=_shown(holder.trust))


@routes.get("/tickets/{ticket_id}")
async def read_ticket(form: FormNeeded, holder: HolderNeeded, response: Response) -> Thread:
    """The ticket's messages, oldest first; ours once they are delivered."""
    response.headers.update(NO_STORE)
    page = await form.tickets.read(holder)
    if page is None:
        return Thread(status="received", trust=_shown(holder.trust))
    return Thread.model_validate(
        {
            "status": page.status,
            "trust": holder.trust,
            "messages": page.messages,
            "rating": page.rating,
            "can_rate": page.can_rate,
            "asked": page.asked,
        }
    )


@routes.post("/tickets/{ticket_id}/messages", status_code=202)
async def add_message(
    body: MessageRequest,
    request: Request,
    form: FormNeeded,
    holder: HolderNeeded,
    response: Response,
    idempotency_key: IdempotencyKey = "",
) -> MessageAdded:
    """Accept a further message, as the first was; on a closed ticket it opens the matter again."""
    message = message_id(form.keys[0], holder, idempotency_key or secrets.token_hex(16), body.message)
    await form.door.admit_ticket(request, holder.ticket, message)
    await publish_inbound(form.producer, form.settings, added_message(holder, message, body.message, form.clock.now()))
    logger().info("message_accepted", channel="web", trust=holder.trust)
    response.headers.update(NO_STORE)
    return MessageAdded(message_id=message)


@routes.post("/tickets/{ticket_id}/rating", status_code=204)
async def rate_answer(body: RatingRequest, request: Request, form: FormNeeded, holder: HolderNeeded) -> Response:
    """What the customer thinks of the answer; the last word counts. 409 before there is one."""
    await form.door.admit_ticket(request, holder.ticket)
    await form.tickets.rate(holder, body.score, body.comment)
    RATINGS.labels("web", str(body.score)).inc()
    return Response(status_code=204, headers=NO_STORE)


def _shown(trust: Trust) -> Literal["claimed", "verified"]:
    return "verified" if trust is Trust.VERIFIED else "claimed"


def _holder_of(body: TicketRequest, form: Form, idempotency_key: str) -> Holder:
    """Who opens a ticket: whom the embedding site signed for, else who typed an address and need not own it."""
    # Without a key of the caller's each request is a ticket of its own.
    key = idempotency_key or secrets.token_hex(16)
    address, name, trust = body.email, body.name, Trust.CLAIMED
    if body.identity:
        visitor = visitor_of(form.settings, form.clock, body.identity)
        address, name, trust = visitor.address, visitor.name or body.name, Trust.VERIFIED
    return Holder(body.ticket_id(form.keys[0], key, address, trust), address, name, trust)
