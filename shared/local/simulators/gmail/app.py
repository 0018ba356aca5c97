"""The Gmail simulator as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.clock import Clock, SystemClock
from shared.local.simulators.control import http_error
from shared.local.simulators.faults import FaultGate, Refusals
from shared.local.simulators.gmail.api import api_routes
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.control import gmail_control_routes
from shared.local.simulators.gmail.errors import GoogleError, answer_refusal, rate_limited, unavailable
from shared.local.simulators.gmail.site import Site, make_site

API_PREFIXES = ("/gmail/", "/upload/")


def create_app(config: GmailConfig, clock: Clock | None = None) -> ASGIApp:
    """Gmail's API, Google's token and key endpoints, and `/_control/`. Nothing is opened before its lifespan."""
    site = make_site(config, clock or SystemClock())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        async with site.open():
            yield

    app = Starlette(
        routes=[*api_routes(site), *_google_routes(site), *gmail_control_routes(site)],
        exception_handlers={GoogleError: answer_refusal, HTTPException: http_error},
        lifespan=lifespan,
    )
    return FaultGate(app, site.faults, site.clock, API_PREFIXES, Refusals(unavailable, rate_limited))


def _google_routes(site: Site) -> list[Route]:
    """What other hosts of Google's serve: accounts.google.com, oauth2.googleapis.com, www.googleapis.com."""

    async def certs(request: Request) -> Response:
        return JSONResponse(site.keys.published(), headers={"Cache-Control": "public, max-age=20000"})

    return [
        Route("/o/oauth2/auth", site.accounts.consent, methods=["GET"]),
        Route("/token", site.accounts.token, methods=["POST"]),
        Route("/certs", certs, methods=["GET"]),
    ]
