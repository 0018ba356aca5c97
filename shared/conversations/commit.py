"""The one transaction that ends a turn.

It writes the reply, its delivery row, the ticket's change, the outcome of each message answered
and the decision record, and requires the lease's token, the epoch, state `agent` and those very
messages still without outcome. Tools never write outside it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.channels.language import language_of
from shared.channels.message import Channel
from shared.conversations.codes import LinkAct, lock_for_code, send_code, use_code
from shared.conversations.follow_ups import FollowUp, schedule
from shared.conversations.lease import Lease, Stale
from shared.conversations.long_answers import accept, accept_past, note_reply
from shared.conversations.mailbox import SQL, OpenTurn
from shared.conversations.placing import new_ticket_id
from shared.conversations.reasons import HandedOver
from shared.db.pool import Database
from shared.db.queries import load
from shared.observability.counts import Counts
from shared.observability.metrics import OUTCOMES
from shared.privacy.vault import Keyset, Vault

_INBOX = load("inbox")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a turn decided. `text` empty: nothing is sent. `record` is the decision in full, as JSON values."""

    outcome: str
    reason: str | None
    text: str
    summary: str = ""
    category: str | None = None
    priority: str | None = None
    ticket_subject: str | None = None
    #: Category, priority and subject of further tickets.
    new_tickets: Sequence[tuple[str, str, str]] = ()
    model: str = "none"
    instructions: str = "none"
    tokens_in: int = 0
    tokens_out: int = 0
    #: US dollars; None where the model's price is not known.
    cost_usd: float | None = None
    sentiment: float | None = None
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])
    link: LinkAct | None = None
    #: What to ask the customer later, if this turn replies.
    follow_up: FollowUp | None = None
    #: All of a WhatsApp answer that offers its rest by e-mail; and whether the customer said yes to the one before.
    whole: str = ""
    takes_offer: bool = False
    #: The same, to one that had lapsed.
    takes_past_offer: bool = False


async def commit_turn(db: Database, vault: Vault, turn: OpenTurn, verdict: Verdict) -> UUID | None:
    """End the turn; the id of its delivery, or None when nothing is sent. Raises Stale and writes nothing."""
    async with db.transaction() as connection:
        conversation_id = turn.lease.conversation_id
        await _lock_for_link(connection, vault, turn, verdict)
        owner = await connection.fetchval(SQL["lock_for_commit"], conversation_id, turn.lease.token, turn.epoch)
        if owner is None:
            raise Stale("lease, epoch or state moved on")
        keys = await vault.keys(connection, [owner])
        writer = _Writer(connection, keys, owner, turn)
        message_id = await writer.reply(verdict) if verdict.text else None
        await writer.settle(verdict, message_id)
        delivery_id = await writer.deliver(message_id) if message_id else None
        await writer.offers(verdict, message_id)
        await writer.ticket(verdict)
        await writer.decision(verdict, message_id)
        await writer.follow_up(verdict)
        if verdict.outcome == "escalated":
            await writer.hand_over(verdict)
        await writer.link(vault, verdict.link)
    writer.counts.add(OUTCOMES, turn.channel, verdict.outcome, verdict.reason or "", by=len(turn.messages))
    writer.counts.show()
    return delivery_id


async def commit_change(db: Database, vault: Vault, turn: OpenTurn, verdict: Verdict) -> None:
    """Write a ticket's change, or an escalation with its handoff: what a tool asked for outside of a turn.

    `turn` comes from `mailbox.peek`; the sweep has the handoff sent. Raises Stale when the conversation moved on.
    """
    async with db.transaction() as connection:
        await _lock_for_link(connection, vault, turn, verdict)
        owner = await connection.fetchval(SQL["lock_unleased"], turn.lease.conversation_id, turn.epoch)
        if owner is None:
            raise Stale("epoch or state moved on")
        writer = _Writer(connection, await vault.keys(connection, [owner]), owner, turn)
        await writer.ticket(verdict)
        await writer.follow_up(verdict)
        if verdict.outcome == "escalated":
            message_id = await writer.reply(verdict) if verdict.text else None
            await writer.settle(verdict, message_id)
            if message_id is not None:
                await writer.deliver(message_id)
            await writer.decision(verdict, message_id)
            await writer.hand_over(verdict)
        await writer.link(vault, verdict.link)
    writer.counts.show()


async def commit_defeat(db: Database, lease: Lease, reason: str) -> None:
    """Give a conversation that cannot even be read to a person, without a word to the customer.

    What a retry cannot mend must not come back with every sweep. A lost lease makes it a no-op.
    """
    counts = Counts()
    async with db.transaction() as connection:
        if await connection.fetchval(SQL["lock_leased"], lease.conversation_id, lease.token) is None:
            return
        await connection.execute(SQL["escalate_ticket"], lease.conversation_id, reason, None)
        for row in await connection.fetch(SQL["escalate_rest"], lease.conversation_id, reason):
            counts.add(OUTCOMES, row["channel"], "escalated", reason)
        await connection.execute(SQL["to_person"], lease.conversation_id)
    counts.show()


async def _lock_for_link(connection: Any, vault: Vault, turn: OpenTurn, verdict: Verdict) -> None:
    if verdict.link is not None and verdict.link.says_code:
        await lock_for_code(connection, vault, turn.customer_id)


@dataclass(frozen=True, slots=True)
class _Writer:
    """The statements of one commit, on one connection, for one owner."""

    connection: Any
    keys: Keyset
    owner: UUID
    turn: OpenTurn
    #: Shown by whoever committed.
    counts: Counts = field(default_factory=Counts)

    async def reply(self, verdict: Verdict) -> UUID:
        message_id = uuid.uuid4()
        await self.connection.execute(
            SQL["insert_reply"],
            message_id,
            self.turn.lease.conversation_id,
            self.owner,
            self.turn.route_id,
            self.turn.channel,
            "agent",
            self.turn.trust,
            None,
            self.keys.seal(self.owner, "message.body", verdict.text),
            verdict.outcome == "escalated",
        )
        return message_id

    async def settle(self, verdict: Verdict, message_id: UUID | None) -> None:
        settled = await self.connection.fetch(
            SQL["settle"], self.turn.message_ids, verdict.outcome, verdict.reason, message_id
        )
        if len(settled) != len(self.turn.messages):
            raise Stale("one of the messages was answered meanwhile")

    async def deliver(self, message_id: UUID) -> UUID:
        delivery_id = uuid.uuid4()
        turn = self.turn
        # Without a message that it answers it is ours to begin with.
        arrived = min((message.received_at for message in turn.messages), default=datetime.now(UTC))
        await self.connection.execute(
            SQL["insert_delivery"],
            delivery_id,
            message_id,
            turn.lease.conversation_id,
            turn.route_id,
            turn.channel,
            "agent",
            arrived,
        )
        return delivery_id

    async def offers(self, verdict: Verdict, message_id: UUID | None) -> None:
        """The offer of the rest that was taken, and the one that this reply makes or ends."""
        connection, conversation_id = self.connection, self.turn.lease.conversation_id
        if verdict.takes_offer:
            await accept(connection, conversation_id)
        if verdict.takes_past_offer:
            await accept_past(connection, conversation_id)
        if message_id and self.turn.channel is Channel.WHATSAPP:
            language = language_of([verdict.text])
            await note_reply(connection, self.keys, self.owner, conversation_id, message_id, verdict.whole, language)

    async def ticket(self, verdict: Verdict) -> None:
        subject = self._sealed("ticket.subject", verdict.ticket_subject)
        conversation_id = self.turn.lease.conversation_id
        await self.connection.execute(
            SQL["change_ticket"], conversation_id, verdict.category, verdict.priority, subject
        )
        for category, priority, title in verdict.new_tickets:
            await self._open_ticket("open", category, priority, title, None)

    async def follow_up(self, verdict: Verdict) -> None:
        if verdict.follow_up is not None and verdict.outcome == "replied":
            await schedule(self.connection, self.turn, verdict.follow_up)

    async def decision(self, verdict: Verdict, message_id: UUID | None) -> None:
        await self.connection.execute(
            SQL["insert_decision"],
            self.turn.lease.conversation_id,
            self.owner,
            message_id,
            verdict.outcome,
            verdict.reason,
            verdict.model,
            verdict.instructions,
            verdict.tokens_in,
            verdict.tokens_out,
            verdict.sentiment,
            self._sealed("decision.record", json.dumps(verdict.record, default=str)),
            verdict.cost_usd,
        )

    async def link(self, vault: Vault, act: LinkAct | None) -> None:
        """Last of all: from here on the customer may be another."""
        if act is not None and act.state == "sent":
            await send_code(self.connection, vault, self.keys, self.owner, self.turn, act)
        elif act is not None and act.says_code:
            await use_code(self.connection, vault, self.owner, act)

    async def hand_over(self, verdict: Verdict) -> None:
        """To a person: the agent is silent from here on, and what else was open waits for that person."""
        conversation_id = self.turn.lease.conversation_id
        summary = self._sealed("ticket.summary", verdict.summary)
        if not await self.connection.fetch(SQL["escalate_ticket"], conversation_id, verdict.reason, summary):
            await self._open_ticket("escalated", "general", "normal", "(no subject)", verdict.reason)
        for row in await self.connection.fetch(SQL["escalate_rest"], conversation_id, HandedOver.WITH_PERSON):
            self.counts.add(OUTCOMES, row["channel"], "escalated", HandedOver.WITH_PERSON)
        await self.connection.execute(SQL["to_person"], conversation_id)

    async def _open_ticket(self, status: str, category: str, priority: str, title: str, reason: str | None) -> None:
        await self.connection.execute(
            _INBOX["create_ticket"],
            new_ticket_id(),
            self.turn.lease.conversation_id,
            self.owner,
            self.turn.channel,
            status,
            category,
            self._sealed("ticket.subject", title),
            reason,
            priority,
        )

    def _sealed(self, label: str, text: str | None) -> bytes | None:
        return self.keys.seal(self.owner, label, text) if text else None
