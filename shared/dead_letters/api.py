"""The desk's HTTP API: what `kn fte` speaks. Every route but /events wants the operator's bearer token.

Errors are `{"error": {"reason", "field", "message"}}` and never repeat what was sent.
"""

from __future__ import annotations

import hmac
from typing import Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.channels.web.answers import install_answers
from shared.dead_letters.customers import Customers
from shared.dead_letters.customers_api import add_customers
from shared.dead_letters.downloads import Downloads, add_downloads
from shared.dead_letters.knowledge_api import add_knowledge
from shared.dead_letters.office import Office
from shared.dead_letters.tickets_api import Limit, Reason, add_tickets
from shared.errors import Rejected
from shared.events.received import receive_event, unreadable

_PING = "dev.knative.sources.ping"


def build_api(office: Office) -> FastAPI:
    """The app, bound to its office."""
    app = FastAPI(
        title="Customer Success FTE: desk",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    guarded = APIRouter(dependencies=[Depends(_operator(office))])
    for add in (_whole, add_tickets, _dead_letters, add_knowledge):
        add(guarded, office)
    add_customers(guarded, Customers(office.db, office.vault))
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


def _whole(router: APIRouter, office: Office) -> None:
    @router.get("/status")
    async def status() -> dict[str, Any]:
        return await office.status()

    @router.post("/sweep")
    async def sweep() -> dict[str, int]:
        return await office.sweep.run()


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
