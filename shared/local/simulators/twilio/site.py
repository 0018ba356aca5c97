"""The parts of one Twilio simulator, made once and handed to its endpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from shared.clock import Clock
from shared.local.simulators.background import Background
from shared.local.simulators.faults import Faults
from shared.local.simulators.journal import Journal
from shared.local.simulators.twilio.account import Account
from shared.local.simulators.twilio.caller import Caller
from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.reports import Reports
from shared.local.simulators.twilio.webhook import Webhook


@dataclass(frozen=True)
class Site:
    """Everything an endpoint may touch."""

    config: TwilioConfig
    clock: Clock
    journal: Journal
    background: Background
    faults: Faults
    account: Account
    caller: Caller
    reports: Reports
    webhook: Webhook

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        """Read the state and go on with unfinished messages; at the end stop and write what is left."""
        await self.journal.open()
        async with httpx.AsyncClient(timeout=self.config.webhook_timeout_s, trust_env=False) as http:
            self.caller.http = http
            self.reports.resume()
            yield
            await self.background.stop()
        await self.journal.flush()


def make_site(config: TwilioConfig, clock: Clock) -> Site:
    journal, background = Journal(config.state), Background()
    account, caller = Account(config, journal, clock), Caller(config)
    reports = Reports(config, account, caller, clock, background)
    return Site(
        config=config,
        clock=clock,
        journal=journal,
        background=background,
        faults=Faults(clock),
        account=account,
        caller=caller,
        reports=reports,
        webhook=Webhook(config, account, caller, reports),
    )
