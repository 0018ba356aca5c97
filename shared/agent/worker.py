"""agent-run's work: from an event on fte.inbound to a committed outcome.

Store the message and take the lease; while the lease is held, take turns; when nothing is left,
release. A worker that loses its lease writes nothing and has its event come back. Every failure
leaves the lease to its event, and a worker that died stops renewing it: the redelivery takes it
over, so a crash costs a retry and not an expiry.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from shared.agent.contract import TurnInput, TurnResult
from shared.agent.cost import cost_usd
from shared.agent.verdict import ask, gave_up, to_verdict
from shared.channels.message import Channel, InboundMessage
from shared.clock import Clock
from shared.conversations import inbox, mailbox
from shared.conversations.commit import commit_defeat, commit_turn
from shared.conversations.follow_ups import say_due
from shared.conversations.history import history
from shared.conversations.lease import BEAT_S, Lease, Stale
from shared.conversations.long_answers import mail_wanted
from shared.conversations.waiting_files import WaitingFiles
from shared.db.pool import Database
from shared.errors import FteError, Permanent, Retryable
from shared.events.data import ConversationWake, DeliveryRequested
from shared.events.envelope import (
    CONVERSATION_WAKE,
    DELIVERY_REQUESTED,
    INBOUND,
    MESSAGE_RECEIVED,
    OUTBOUND,
    new_event,
)
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.observability.logs import bind_contextvars, logger
from shared.observability.metrics import COST, TURN_SECONDS
from shared.privacy.vault import Vault
from shared.settings import Settings

SOURCE = "fte/agent-run"


@dataclass(frozen=True, slots=True)
class Worker:
    """`run_turn` asks the agent; everything else is the database's and Kafka's."""

    settings: Settings
    db: Database
    vault: Vault
    producer: KafkaProducer
    clock: Clock
    run_turn: Callable[[TurnInput], Awaitable[TurnResult]]
    files: WaitingFiles

    async def handle(self, event: ReceivedEvent) -> None:
        """Work on one event. Raises Permanent for a type or data that fits nothing, Retryable for our faults."""
        stored = await self._take_in(event)
        if stored is None:
            raise Permanent("the conversation is unknown", reason="unknown-conversation")
        bind_contextvars(conversation_id=str(stored.conversation_id), customer_id=str(stored.customer_id))
        if not stored.new:
            await self._request_waiting(stored.conversation_id)
        for delivery_id in stored.due:
            await self._request_delivery(delivery_id, stored.conversation_id)
        if stored.at_work:
            raise Retryable("a copy of this event is being worked on", reason="at-work")
        if stored.lease is None:
            await self._catch_up(stored.conversation_id)
            logger().debug("conversation_busy")
            return
        await self._hold(stored.lease, woken=not stored.new)

    async def _hold(self, lease: Lease, *, woken: bool) -> None:
        """Work while the lease beats. A fault leaves it to the redelivery; what no retry mends goes to a person."""
        beating = asyncio.create_task(self._beat(lease), name="lease-beat")
        try:
            if woken:
                await self._catch_up(lease.conversation_id)
            await self._work(lease)
        except Stale:
            logger().warning("turn_stale")
            await mailbox.abandon(self.db, self.settings, lease)
            raise Retryable("the conversation moved on during the turn", reason="stale-turn") from None
        except Permanent as error:
            logger().error("turn_given_up", reason=error.reason)
            await commit_defeat(self.db, lease, error.reason)
        except BaseException:
            with suppress(FteError):
                await mailbox.abandon(self.db, self.settings, lease)
            raise
        finally:
            beating.cancel()

    async def _beat(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await mailbox.extend(self.db, self.settings, lease)
            except Stale:
                return
            except FteError:
                continue

    async def _take_in(self, event: ReceivedEvent) -> inbox.Stored | None:
        if event.type == MESSAGE_RECEIVED:
            message = event.parse(InboundMessage)
            bind_contextvars(channel=message.channel)
            stored = await inbox.store(self.db, self.vault, self.settings, message, event.id)
            logger().info("message_stored" if stored.new else "message_repeated")
            return stored
        if event.type == CONVERSATION_WAKE:
            return await inbox.look_again(
                self.db, self.settings, event.parse(ConversationWake).conversation_id, event.id
            )
        raise Permanent(f"agent-run does not know events of type {event.type[:80]!r}", reason="unknown-event-type")

    async def _work(self, lease: Lease) -> None:
        turns = 0
        while turns < self.settings.turns_per_request:
            seen = await self._settled_look(lease)
            if seen.turn is not None and not seen.turn.awaits_files:
                if await self._take_turn(seen.turn) == "escalated":
                    return  # the commit gave the conversation to a person, and the lease with it
                turns += 1
            elif await mailbox.release(self.db, lease, seen.arrived):
                return
        await mailbox.hand_back(self.db, lease)
        await self._wake(lease.conversation_id)

    async def _settled_look(self, lease: Lease) -> mailbox.Look:
        """Look until WhatsApp has been quiet for a moment: three quick lines are one turn."""
        while True:
            seen = await mailbox.look(self.db, self.vault, lease)
            # The turn is told what the files are; one that cannot be had holds it up for seconds alone.
            if seen.turn is not None and seen.turn.waits_for_files and await self.files.fetch(lease.conversation_id):
                continue
            wait = 0.0
            if seen.turn is not None and seen.turn.channel is Channel.WHATSAPP:
                wait = min(
                    self.settings.whatsapp_quiet_s - seen.turn.quiet_s,
                    self.settings.whatsapp_quiet_max_s - seen.turn.waited_s,
                )
            if wait <= 0:
                return seen
            await self.clock.sleep(wait)

    async def _take_turn(self, turn: mailbox.OpenTurn) -> str:
        started = time.perf_counter()
        await mailbox.extend(self.db, self.settings, turn.lease)
        attempts = await mailbox.count_attempt(self.db, turn)
        verdict = gave_up(turn, self.settings) if attempts >= self.settings.agent_max_attempts else None
        if verdict is None:
            said = await history(self.db, self.vault, turn, self.settings.history_messages)
            verdict = to_verdict(turn, await self.run_turn(await ask(self.db, turn, said)))
            cost = cost_usd(self.settings, verdict.model, verdict.tokens_in, verdict.tokens_out)
            verdict = replace(verdict, cost_usd=cost)
        delivery_id = await commit_turn(self.db, self.vault, turn, verdict)
        TURN_SECONDS.labels(turn.channel).observe(time.perf_counter() - started)
        COST.labels(verdict.model).inc(verdict.cost_usd or 0.0)
        level = logger().error if verdict.outcome == "escalated" else logger().info
        level("turn_committed", outcome=verdict.outcome, reason=verdict.reason, channel=turn.channel)
        if verdict.link is not None:
            await self._request_waiting(turn.lease.conversation_id)
        elif delivery_id is not None:
            await self._request_delivery(delivery_id, turn.lease.conversation_id)
        if turn.channel is Channel.WHATSAPP:
            await self._mail_wanted(turn.lease.conversation_id)
        return verdict.outcome

    async def _catch_up(self, conversation_id: UUID) -> None:
        """What needs no turn: files still at their provider, long answers that wait for an address, follow-ups."""
        await self.files.fetch(conversation_id)
        await self._mail_wanted(conversation_id)
        delivery_id = await say_due(self.db, self.vault, self.settings, conversation_id)
        if delivery_id is not None:
            await self._request_delivery(delivery_id, conversation_id)

    async def _mail_wanted(self, conversation_id: UUID) -> None:
        """Long answers that the customer wants by e-mail, once there is a confirmed address."""
        team = self.settings.support_team_name
        for delivery_id in await mail_wanted(self.db, self.vault, team, conversation_id):
            await self._request_delivery(delivery_id, conversation_id)

    async def _request_waiting(self, conversation_id: UUID) -> None:
        """Replies that are committed and not asked for: their publisher died in between."""
        for delivery_id in await mailbox.waiting_deliveries(self.db, conversation_id):
            await self._request_delivery(delivery_id, conversation_id)

    async def _request_delivery(self, delivery_id: UUID, conversation_id: UUID) -> None:
        data = DeliveryRequested(delivery_id=delivery_id).encoded()
        await self._publish(OUTBOUND, DELIVERY_REQUESTED, data, conversation_id)

    async def _wake(self, conversation_id: UUID) -> None:
        data = ConversationWake(conversation_id=conversation_id).encoded()
        await self._publish(INBOUND, CONVERSATION_WAKE, data, conversation_id)

    async def _publish(self, topic: str, event_type: str, data: bytes, conversation_id: UUID) -> None:
        now = self.clock.now()
        event = new_event(event_type, source=SOURCE, data=data, key=str(conversation_id), now=now)
        await self.producer.publish(topic, event)
