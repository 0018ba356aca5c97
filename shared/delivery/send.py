"""send-reply's work: claim, call the provider, write down what it said, go on with the route.

A provider's fault is the ledger's business (`next_at`), never Kafka's: the event is done with, and
an alarm in this process, or else the sweep, takes the delivery up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.channels.cursors import mark_degraded, mark_well
from shared.channels.message import Channel
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused, Receipt, ReplySender
from shared.delivery.alarms import Alarms
from shared.delivery.backoff import delay_s
from shared.delivery.doors import ChannelDoors
from shared.delivery.ledger import TOO_OLD, Claim, Ledger
from shared.delivery.reroute import undeliverable
from shared.errors import FteError, Retryable
from shared.observability.logs import bind_contextvars, logger
from shared.observability.metrics import CHANNEL_UP


@dataclass(frozen=True, slots=True)
class Sending:
    """One sender per channel; `alarms` wakes deferred routes while this process lives."""

    ledger: Ledger
    senders: Mapping[Channel, ReplySender]
    alarms: Alarms
    doors: ChannelDoors = field(default_factory=ChannelDoors)

    async def deliver(self, delivery_id: UUID) -> None:
        """Work on the route of this delivery until nothing there is due.

        An unknown or finished delivery is a no-op. Raises Retryable while another worker has it.
        """
        route_id = await self.ledger.route_of(delivery_id)
        if route_id is None:
            logger().warning("delivery_unknown_id")
            return
        await self.work_on(route_id)

    async def work_on(self, route_id: UUID) -> None:
        """Claim, send, finish, and so on with the next on the route."""
        while (claim := await self.ledger.claim(route_id)) is not None:
            bind_contextvars(
                conversation_id=str(claim.conversation_id),
                customer_id=str(claim.customer_id),
                channel=claim.outbound.channel,
            )
            if not await self._handle(claim):
                return

    async def _handle(self, claim: Claim) -> bool:
        """Whether the route may go on with its next delivery."""
        outbound = claim.outbound
        try:
            receipt = await self._look(claim) if claim.judge else None
            why = claim.barred or (TOO_OLD if claim.give_up == TOO_OLD else None)
            if receipt is None and why is not None:
                return await self._otherwise(outbound, why)
            if receipt is None and claim.judge:
                again = await self.ledger.claim_again(claim)
                if again is None:
                    return True
                outbound = again
            receipt = receipt or await self._send(outbound)
            copied = await self.ledger.finish(outbound, receipt)
            await self._well(outbound.channel)
            if copied is not None:
                await self.work_on(copied)
        except ProviderRefused as error:
            return await self._otherwise(outbound, error.code)
        except ProviderDown as error:
            return await self._down(claim, outbound, error)
        except OutcomeUnknown as error:
            return await self._unknown(claim, outbound, error)
        return True

    async def _down(self, claim: Claim, outbound: Outbound, error: ProviderDown) -> bool:
        if claim.give_up == TOO_OLD:
            return await self._otherwise(outbound, TOO_OLD)
        await self._later(claim, outbound, error, unknown=claim.judge and outbound is claim.outbound)
        return False

    async def _otherwise(self, outbound: Outbound, code: str) -> bool:
        """It cannot go out like this: another way, or a person. The route goes on with its next."""
        for route_id in await undeliverable(self.ledger, UUID(outbound.delivery_id), outbound.attempt, code):
            await self.work_on(route_id)
        return True

    async def _send(self, outbound: Outbound) -> Receipt:
        sender = self.senders[outbound.channel]
        timeout = self.ledger.settings.provider_timeout_s
        try:
            # The hard deadline of the claim: after it (and a margin) others may judge the outcome.
            async with self.doors.through(outbound.channel), asyncio.timeout(timeout):
                return await sender.send(outbound, self.ledger.draft_keeper(outbound))
        except TimeoutError:
            raise OutcomeUnknown("the provider did not answer in time", code="timeout") from None

    async def _look(self, claim: Claim) -> Receipt | None:
        try:
            async with (
                self.doors.through(claim.outbound.channel),
                asyncio.timeout(self.ledger.settings.provider_timeout_s),
            ):
                return await self.senders[claim.outbound.channel].find(claim.outbound)
        except TimeoutError:
            raise ProviderDown("the provider did not answer in time", code="timeout") from None

    async def _unknown(self, claim: Claim, outbound: Outbound, error: OutcomeUnknown) -> bool:
        """Looked and still cannot tell: wait, but for minutes, not for ever."""
        if claim.give_up:
            return await self._otherwise(outbound, claim.give_up)
        await self._later(claim, outbound, error, unknown=True)
        return False

    async def _later(
        self, claim: Claim, outbound: Outbound, error: ProviderDown | OutcomeUnknown, *, unknown: bool
    ) -> None:
        settings = self.ledger.settings
        wait = delay_s(outbound.attempt, error.retry_after_s)
        if isinstance(error, OutcomeUnknown) and not claim.judge:
            # The call may still be running at the provider: judge only after its deadline and the margin.
            wait = max(wait, settings.provider_timeout_s + settings.delivery_claim_margin_s)
        await self.ledger.defer(outbound, wait, error.code, unknown=unknown)
        await self._degraded(outbound.channel, error.code)
        self.wake_later(wait, claim.route_id)

    def wake_later(self, seconds: float, route_id: UUID) -> None:
        """Work on a route again after `seconds`, if this process still lives then."""
        self.alarms.set(seconds, route_id, self._wake)

    async def _wake(self, route_id: UUID) -> None:
        try:
            await self.work_on(route_id)
        except Retryable:
            self.wake_later(delay_s(2), route_id)
        except FteError as error:
            logger().error("alarm_failed", exc_info=error)

    async def _degraded(self, channel: Channel, code: str) -> None:
        CHANNEL_UP.labels(channel).set(0)
        await mark_degraded(self.ledger.db, channel, code)

    async def _well(self, channel: Channel) -> None:
        CHANNEL_UP.labels(channel).set(1)
        await mark_well(self.ledger.db, channel)
