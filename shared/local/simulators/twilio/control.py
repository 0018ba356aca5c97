"""Acting as the customer, and looking at what was really sent.

POST /_control/inbound  {from, body, profile_name?, media?: [{content_type, base64}], message_sid?, params?}
                        → 200 {sid, status_code} whatever the webhook answered, with its `reason` and `message` where
                        it refused and said so; when it gave no answer, after one retry of a refused connection,
                        status_code is 502 and `error` says so
GET  /_control/sent     → [{sid, to, body, content_sid?, status_callback?, at}], at ISO 8601; what WhatsApp
                        refused (63016) was not sent and is not here
POST /_control/window   {from, age_h}: that number's last message is made this old → {from, age_h}
POST /_control/opt-out  {from, opted_out}: whether sending to it is refused with 21610 → {from, opted_out}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.local.simulators.control import body_as, control_routes
from shared.local.simulators.twilio.rows import MessageRow, OptOutRow, WindowRow
from shared.local.simulators.twilio.site import Site
from shared.local.simulators.twilio.webhook import Incoming, PhoneNumber

Endpoint = Callable[[Site, Request], Awaitable[Any]]


class Aging(PhoneNumber):
    """What `POST /_control/window` takes."""

    model_config = ConfigDict(extra="forbid")

    age_h: float = Field(ge=0, description="hours")


class OptOut(PhoneNumber):
    """What `POST /_control/opt-out` takes."""

    model_config = ConfigDict(extra="forbid")

    opted_out: bool = True


async def inbound(site: Site, request: Request) -> Any:
    if not site.config.webhook_url:
        raise HTTPException(409, "no webhook is configured (--webhook-url)")
    incoming = await body_as(Incoming, request)
    return await site.webhook.deliver(incoming, site.config.base_url or str(request.base_url).rstrip("/"))


async def sent(site: Site, request: Request) -> Any:
    return [_sent(message) for message in site.account.delivered()]


async def age_window(site: Site, request: Request) -> Any:
    asked = await body_as(Aging, request)
    site.account.windows.put(WindowRow(id=asked.sender, opened=site.account.now() - asked.age_h * 3_600))
    return {"from": asked.sender, "age_h": asked.age_h}


async def opt_out(site: Site, request: Request) -> Any:
    asked = await body_as(OptOut, request)
    if asked.opted_out:
        site.account.opt_outs.put(OptOutRow(id=asked.sender))
    else:
        site.account.opt_outs.drop(asked.sender)
    return {"from": asked.sender, "opted_out": asked.opted_out}


_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/_control/inbound", inbound),
    ("GET", "/_control/sent", sent),
    ("POST", "/_control/window", age_window),
    ("POST", "/_control/opt-out", opt_out),
)


def twilio_control_routes(site: Site) -> list[Route]:
    """The routes above and those of every simulator."""

    async def reset() -> None:
        site.account.clear()
        await site.account.save()

    own = [Route(path, _served(site, endpoint), methods=[method]) for method, path, endpoint in _ENDPOINTS]
    return own + control_routes(site.faults, reset)


def _served(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        answer = await endpoint(site, request)
        await site.account.save()
        return JSONResponse(answer)

    return serve


def _sent(message: MessageRow) -> dict[str, Any]:
    shown: dict[str, Any] = {"sid": message.id, "to": message.to, "body": message.body}
    for name in ("content_sid", "status_callback"):
        if value := getattr(message, name):
            shown[name] = value
    return {**shown, "at": datetime.fromtimestamp(message.created, UTC).isoformat()}
