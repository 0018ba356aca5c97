"""Acting as the customer, and looking at what was really sent.

POST /_control/inbound         an RFC 822 message → {id, threadId}; the notification follows in the background;
                               with ?spam=true it is taken for spam
GET  /_control/sent            → [{id, threadId, raw, at}], raw base64url of the bytes that left, at ISO 8601
POST /_control/push            {repeat?, bad_token?, rotate_key?} → {statuses}: the last notification again
GET  /_control/push            → {waiting}: notifications not acknowledged yet
POST /_control/history/forget  every historyId so far becomes too old → {historyId}
POST /_control/watch/lapse     the watch ends as after seven days → {watching: false}
POST /_control/tokens/revoke   {refresh_too?} → {revoked: true}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.local.simulators.control import body_as, control_routes
from shared.local.simulators.gmail.payload import summary
from shared.local.simulators.gmail.pubsub import Repeat
from shared.local.simulators.gmail.rows import MessageRow
from shared.local.simulators.gmail.site import Site

Endpoint = Callable[[Site, Request], Awaitable[Any]]


class Revocation(BaseModel):
    """What `POST /_control/tokens/revoke` takes."""

    refresh_too: bool = False


async def inbound(site: Site, request: Request) -> Any:
    raw = await request.body()
    if not raw:
        raise HTTPException(400, "the body is the RFC 822 message; it is empty")
    return summary(site.mailbox.receive(raw, spam=request.query_params.get("spam") == "true"))


async def sent(site: Site, request: Request) -> Any:
    return [_sent(message) for message in site.mailbox.sent()]


async def push(site: Site, request: Request) -> Any:
    if not site.config.push_url:
        raise HTTPException(409, "no push endpoint is configured (--push-url)")
    return {"statuses": await site.subscription.repeat(await body_as(Repeat, request), site.mailbox.history_id)}


async def waiting(site: Site, request: Request) -> Any:
    return {"waiting": len(site.subscription)}


async def forget_history(site: Site, request: Request) -> Any:
    site.mailbox.forget_history()
    return {"historyId": str(site.mailbox.history_id)}


async def lapse_watch(site: Site, request: Request) -> Any:
    site.watches.stop()
    return {"watching": False}


async def revoke_tokens(site: Site, request: Request) -> Any:
    site.accounts.revoke((await body_as(Revocation, request)).refresh_too)
    return {"revoked": True}


_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/_control/inbound", inbound),
    ("GET", "/_control/sent", sent),
    ("POST", "/_control/push", push),
    ("GET", "/_control/push", waiting),
    ("POST", "/_control/history/forget", forget_history),
    ("POST", "/_control/watch/lapse", lapse_watch),
    ("POST", "/_control/tokens/revoke", revoke_tokens),
)


def gmail_control_routes(site: Site) -> list[Route]:
    """The routes above and those of every simulator. A reset keeps keys, tokens, the watch and the counters."""

    async def reset() -> None:
        site.mailbox.clear()
        site.subscription.forget()
        await site.journal.flush()

    own = [Route(path, _served(site, endpoint), methods=[method]) for method, path, endpoint in _ENDPOINTS]
    return own + control_routes(site.faults, reset)


def _served(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        answer = await endpoint(site, request)
        await site.journal.flush()
        return JSONResponse(answer)

    return serve


def _sent(message: MessageRow) -> dict[str, Any]:
    at = datetime.fromtimestamp(message.internal_date / 1000, UTC)
    return {**summary(message), "raw": message.raw, "at": at.isoformat()}
