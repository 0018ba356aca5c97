"""An OpenAI-compatible endpoint with scripted turns, as an ASGI app.

POST /_control/script    {turns: [{content?, tool_calls?, status?, delay_ms?, raw?, …}]} → {waiting}
                         tool_calls: [{name, arguments?, id?}]; all fields: Turn in script.py
GET  /_control/requests  → [{path, body, at}]: what was asked, oldest first
POST /_control/latency   {ms} → {ms}: of every completion from now on
"""

from __future__ import annotations

import json
import secrets
from typing import Any, cast

from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.clock import Clock, SystemClock
from shared.local.simulators.control import body_as, control_routes, http_error
from shared.local.simulators.faults import WIRE, CutOff, FaultGate, Faults, Refusals
from shared.local.simulators.openai.chat import chunks, completion
from shared.local.simulators.openai.config import OpenAIConfig
from shared.local.simulators.openai.embeddings import embeddings
from shared.local.simulators.openai.errors import OpenAIError, answer_refusal, rate_limited, refusal, unavailable
from shared.local.simulators.openai.responses import response
from shared.local.simulators.openai.script import Script, Scripted, Turn

API_PREFIXES = ("/v1/",)


class Latency(BaseModel):
    """What `POST /_control/latency` takes."""

    ms: int = Field(ge=0, le=600_000)


class Site:
    """The endpoints, over one script."""

    def __init__(self, config: OpenAIConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self.faults = Faults(clock)
        self.script = Script(config.default_content, config.latency_ms, clock)

    async def chat(self, request: Request) -> Response:
        asked = await self._asked(request, "messages")
        turn = await self.script.next()
        if (early := _without_answer(turn)) is not None:
            return early
        if asked.get("stream"):
            return StreamingResponse(chunks(turn, asked, self._created()), media_type="text/event-stream")
        return _whole_or_cut(JSONResponse(completion(turn, asked, self._created())), turn, request)

    async def respond(self, request: Request) -> Response:
        asked = await self._asked(request, "input")
        if asked.get("stream"):
            raise OpenAIError(400, "Unsupported value: 'stream' is not offered here.", "stream")
        turn = await self.script.next()
        if (early := _without_answer(turn)) is not None:
            return early
        return _whole_or_cut(JSONResponse(response(turn, asked, self._created())), turn, request)

    async def embed(self, request: Request) -> Response:
        asked = await self._asked(request, "input")
        return JSONResponse(embeddings(asked, self._config.embedding_dimensions))

    async def models(self, request: Request) -> Response:
        self._admit(request)
        known = [{"id": m, "object": "model", "created": 0, "owned_by": "system"} for m in self._config.models]
        return JSONResponse({"object": "list", "data": known})

    async def add_turns(self, request: Request) -> Response:
        self.script.add((await body_as(Scripted, request)).turns)
        return JSONResponse({"waiting": len(self.script)})

    async def show_requests(self, request: Request) -> Response:
        return JSONResponse(self.script.requests)

    async def set_latency(self, request: Request) -> Response:
        self.script.latency_ms = (await body_as(Latency, request)).ms
        return JSONResponse({"ms": self.script.latency_ms})

    async def reset(self) -> None:
        self.script.reset()

    async def _asked(self, request: Request, required: str) -> dict[str, Any]:
        """The JSON body, noted. Raises OpenAIError 401 for a wrong key, 400 for a missing field."""
        self._admit(request)
        try:
            body: object = json.loads(await request.body())
        except ValueError:
            raise OpenAIError(400, "We could not parse the JSON body of your request.") from None
        asked = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        for field in ("model", required):
            if not asked.get(field):
                raise OpenAIError(400, f"Missing required parameter: '{field}'.", field)
        self.script.note(request.url.path, asked)
        return asked

    def _admit(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        wrong = self._config.api_key and not secrets.compare_digest(key.encode(), self._config.api_key.encode())
        if scheme.lower() != "bearer" or not key or wrong:
            raise OpenAIError(401, "Incorrect API key provided.")

    def _created(self) -> int:
        return int(self._clock.now().timestamp())


def create_app(config: OpenAIConfig, clock: Clock | None = None) -> ASGIApp:
    """/v1/chat/completions, /v1/responses, /v1/embeddings, /v1/models and `/_control/`."""
    time = clock or SystemClock()
    site = Site(config, time)
    app = Starlette(
        routes=[*_routes(site), *control_routes(site.faults, site.reset)],
        exception_handlers={OpenAIError: answer_refusal, HTTPException: http_error},
    )
    return FaultGate(app, site.faults, time, API_PREFIXES, Refusals(unavailable, rate_limited))


def _routes(site: Site) -> list[Route]:
    return [
        Route("/v1/chat/completions", site.chat, methods=["POST"]),
        Route("/v1/responses", site.respond, methods=["POST"]),
        Route("/v1/embeddings", site.embed, methods=["POST"]),
        Route("/v1/models", site.models, methods=["GET"]),
        Route("/_control/script", site.add_turns, methods=["POST"]),
        Route("/_control/requests", site.show_requests, methods=["GET"]),
        Route("/_control/latency", site.set_latency, methods=["POST"]),
    ]


def _without_answer(turn: Turn) -> Response | None:
    """What a turn says in place of an answer: its raw body, or an error."""
    if turn.raw is not None:
        return Response(turn.raw, status_code=turn.status, media_type="application/json")
    return refusal(turn.status, turn.content or "", headers=turn.headers) if turn.status >= 400 else None


def _whole_or_cut(answer: Response, turn: Turn, request: Request) -> Response:
    return answer if turn.cut_after is None else CutOff(answer, turn.cut_after, request.scope[WIRE])
