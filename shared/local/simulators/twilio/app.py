"""The Twilio simulator as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from shared.clock import Clock, SystemClock
from shared.local.simulators.control import http_error
from shared.local.simulators.faults import FaultGate, Refusals
from shared.local.simulators.twilio.api import api_routes
from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.control import twilio_control_routes
from shared.local.simulators.twilio.errors import TwilioError, answer_refusal, rate_limited, unavailable
from shared.local.simulators.twilio.site import make_site

API_PREFIXES = ("/2010-04-01/", "/media/")


def create_app(config: TwilioConfig, clock: Clock | None = None) -> ASGIApp:
    """Twilio's REST API and `/_control/`. Nothing is opened before its lifespan."""
    site = make_site(config, clock or SystemClock())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        async with site.open():
            yield

    app = Starlette(
        routes=[*api_routes(site), *twilio_control_routes(site)],
        exception_handlers={TwilioError: answer_refusal, HTTPException: http_error},
        lifespan=lifespan,
    )
    return FaultGate(app, site.faults, site.clock, API_PREFIXES, Refusals(unavailable, rate_limited))
