"""The parts of one Gmail simulator, made once and handed to its endpoints."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from shared.clock import Clock
from shared.local.simulators.background import Background
from shared.local.simulators.faults import Faults
from shared.local.simulators.gmail.accounts import Accounts
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.keys import PushKeys
from shared.local.simulators.gmail.mailbox import Mailbox
from shared.local.simulators.gmail.pubsub import Subscription
from shared.local.simulators.gmail.watches import Watches
from shared.local.simulators.journal import Journal


@dataclass(frozen=True)
class Site:
    """Everything an endpoint may touch."""

    config: GmailConfig
    clock: Clock
    journal: Journal
    background: Background
    faults: Faults
    accounts: Accounts
    keys: PushKeys
    mailbox: Mailbox
    watches: Watches
    subscription: Subscription

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None, None]:
        """Read the state, make the key, and deliver what waits; at the end stop and write what is left."""
        await self.journal.open()
        await self.keys.ensure()
        async with httpx.AsyncClient(timeout=self.config.push_ack_deadline_s, trust_env=False) as http:
            self.subscription.http = http
            self.subscription.resume()
            await self.journal.flush()
            yield
            await self.background.stop()
        await self.journal.flush()

    def publish_change(self, history_id: int, labels: tuple[str, ...]) -> None:
        if self.watches.wants(labels):
            self.subscription.publish(history_id)


def make_site(config: GmailConfig, clock: Clock) -> Site:
    journal, background = Journal(config.state), Background()
    keys = PushKeys(journal)
    site = Site(
        config=config,
        clock=clock,
        journal=journal,
        background=background,
        faults=Faults(clock),
        accounts=Accounts(config, journal, clock),
        keys=keys,
        mailbox=Mailbox(config, journal, clock),
        watches=Watches(journal, clock),
        subscription=Subscription(config, journal, clock, keys, background),
    )
    site.mailbox.changed = site.publish_change
    return site
