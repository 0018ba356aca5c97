"""What every simulator offers a tester below `/_control/`, beside its own endpoints.

POST   /_control/faults   {kind: outage|rate_limit|lost_response|slow, for_s, ms?, count?, path?, reason?}
                          → {active: [...]}
GET    /_control/faults   → {active: [...]}
DELETE /_control/faults   → {active: []}
POST   /_control/reset    everything received, sent and provoked is forgotten → {reset: true}
GET    /_control/health   → {status: "ok"}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.local.simulators.faults import Fault, Faults

M = TypeVar("M", bound=BaseModel)


async def body_as(model: type[M], request: Request) -> M:
    """The JSON body as `model`; an empty body is an empty object. Answers 400 naming the fields that are wrong."""
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors())
        raise HTTPException(400, f"wrong or missing: {fields}") from None


async def http_error(request: Request, error: Exception) -> Response:
    """A refusal of a control endpoint, or of a path that nothing answers."""
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "error")
    return JSONResponse({"error": detail}, status_code=status)


def control_routes(faults: Faults, reset: Callable[[], Awaitable[None]]) -> list[Route]:
    """The routes above; `reset` forgets what the simulator itself holds."""

    def active() -> Response:
        return JSONResponse({"active": [fault.model_dump() for fault in faults.active()]})

    async def arm(request: Request) -> Response:
        faults.arm(await body_as(Fault, request))
        return active()

    async def show(request: Request) -> Response:
        return active()

    async def disarm(request: Request) -> Response:
        faults.clear()
        return active()

    async def forget(request: Request) -> Response:
        faults.clear()
        await reset()
        return JSONResponse({"reset": True})

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/_control/faults", arm, methods=["POST"]),
        Route("/_control/faults", show, methods=["GET"]),
        Route("/_control/faults", disarm, methods=["DELETE"]),
        Route("/_control/reset", forget, methods=["POST"]),
        Route("/_control/health", health, methods=["GET"]),
    ]
