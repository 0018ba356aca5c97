"""The desk's routes for tickets: see them, answer, note, assign, give back, close.

Who acts is said by the header FTE-Operator, for the record: the token is the same for all.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query
from pydantic import AfterValidator, BaseModel, Field

from shared.channels.plain_text import one_line
from shared.dead_letters.office import Office

Limit = Annotated[int, Query(ge=1, le=1000)]

_NAME = 64


def _name(text: str) -> str:
    return one_line(text, _NAME)


def _said_name(fte_operator: Annotated[str, Header(max_length=200)] = "") -> str:
    return _name(fte_operator)


#: The operator's name as they give it; empty where none is given.
By = Annotated[str, Depends(_said_name)]


class ReplyRequest(BaseModel):
    """A person's answer, or a note."""

    text: str = Field(min_length=1, max_length=20_000)


class AnswerRequest(ReplyRequest):
    """`again`: also where this very text was just sent."""

    again: bool = False


class AssignRequest(BaseModel):
    """Who sees to it; None: nobody."""

    to: Annotated[str, Field(min_length=1, max_length=_NAME), AfterValidator(_name)] | None = None


class Reason(BaseModel):
    """Why, for the record."""

    reason: str | None = Field(None, max_length=500)


class CloseRequest(Reason):
    """`survey`: whether the customer may be asked how content they are."""

    survey: bool = True


def add_tickets(router: APIRouter, office: Office) -> None:
    """Reads and acts."""
    _reads(router, office)
    _talk(router, office)
    _acts(router, office)


def _reads(router: APIRouter, office: Office) -> None:
    @router.get("/tickets")
    async def tickets(
        state: Literal["open", "escalated", "closed"] | None = None,
        waits_for: Literal["person", "agent", "customer"] | None = None,
        assigned: Annotated[str | None, Query(max_length=_NAME)] = None,
        limit: Limit = 100,
    ) -> Any:
        return await office.tickets(state, limit, waits_for=waits_for, assigned=assigned)

    @router.get("/tickets/{ticket_id}")
    async def ticket(ticket_id: str) -> Any:
        return await office.ticket(ticket_id)


def _talk(router: APIRouter, office: Office) -> None:
    @router.post("/tickets/{ticket_id}/reply")
    async def reply(ticket_id: str, request: AnswerRequest, by: By) -> Any:
        delivery_id, conversation_id = await office.desk.reply(ticket_id, request.text, by, again=request.again)
        await office.request_delivery(delivery_id, conversation_id)
        return {"id": ticket_id, "delivery_id": str(delivery_id), "status": "escalated"}

    @router.post("/tickets/{ticket_id}/notes")
    async def note(ticket_id: str, request: ReplyRequest, by: By) -> Any:
        await office.desk.note(ticket_id, request.text, by)
        return {"id": ticket_id, "noted": True}


def _acts(router: APIRouter, office: Office) -> None:
    @router.post("/tickets/{ticket_id}/assign")
    async def assign(ticket_id: str, request: AssignRequest, by: By) -> Any:
        await office.desk.assign(ticket_id, request.to, by)
        return {"id": ticket_id, "assigned_to": request.to}

    @router.post("/tickets/{ticket_id}/return")
    async def give_back(ticket_id: str, by: By) -> Any:
        conversation_id, reopened, for_people = await office.desk.give_back(ticket_id, by)
        await office.wake(conversation_id)
        return {"id": ticket_id, "status": "open", "reopened": reopened, "for_people": list(for_people)}

    @router.post("/tickets/{ticket_id}/close")
    async def close(ticket_id: str, request: CloseRequest, by: By) -> Any:
        conversation_id, asking = await office.desk.close(ticket_id, request.reason, by, survey=request.survey)
        if asking.delivery_id is not None:
            await office.request_delivery(asking.delivery_id, conversation_id)
        delivery = str(asking.delivery_id) if asking.delivery_id else None
        return {"id": ticket_id, "status": "closed", "survey": asking.result, "delivery_id": delivery}
