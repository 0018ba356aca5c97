"""The inbox: a message is stored once, and with it the lease on its conversation is asked for.

One transaction resolves the customer, chooses or makes the conversation and the reply route,
stores the message (unique on channel and the provider's id), and takes the lease if it is free. A
repeat stores nothing and still looks at its conversation: perhaps the first attempt died there.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from shared.channels.cards import without_cards
from shared.channels.message import Channel, InboundMessage, Trust
from shared.channels.sentiment import band, sentiment
from shared.conversations.files import store_files
from shared.conversations.lease import DEAD_AFTER_S, Lease, lease_of
from shared.conversations.loops import loop_reason, note_traces, traces_of
from shared.conversations.numbers import note_arrival, understood
from shared.conversations.placing import RATING, Place, place
from shared.conversations.reasons import HandedOver
from shared.conversations.survey_answers import answer_in, keep_answer
from shared.conversations.verification import verify_address
from shared.db.pool import Database
from shared.db.queries import load
from shared.identity.resolve import SQL as IDENTITY
from shared.identity.resolve import note_claim
from shared.observability.counts import Counts
from shared.observability.metrics import MOODS, OUTCOMES, RECOGNISED
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("inbox")
MAILBOX = load("mailbox")
#: Characters by which a message's mood is told.
_MOOD_OF = 4_000


@dataclass(frozen=True, slots=True)
class Stored:
    """`lease` is None when another worker has the conversation, or a person does.

    `at_work`: that worker has it for this very event, of which this is a second copy. `due`: deliveries to ask
    for, which this message made due (a confirmation, a reply that waited for the customer to write back).
    """

    conversation_id: UUID
    customer_id: UUID
    new: bool
    lease: Lease | None
    at_work: bool = False
    due: tuple[UUID, ...] = ()


async def store(db: Database, vault: Vault, settings: Settings, message: InboundMessage, event_id: str) -> Stored:
    """Store one inbound message and ask for the lease in one transaction; a repeat is a no-op that looks again."""
    # Masked before it was published, but for events from before that was done, such as a dead letter's.
    message = without_cards(message)
    try:
        return await _store(db, vault, settings, message, event_id)
    except UniqueViolationError:
        # A copy of this very event won the race between look-up and insert: now it is there to be found.
        return await _store(db, vault, settings, message, event_id)


async def look_again(db: Database, settings: Settings, conversation_id: UUID, event_id: str) -> Stored | None:
    """Ask for the lease without a message: what a wake event does. None for an unknown conversation."""
    async with db.transaction() as connection:
        return await _arrive(connection, settings, conversation_id, event_id, new=False, channel=None)


async def _store(db: Database, vault: Vault, settings: Settings, message: InboundMessage, event_id: str) -> Stored:
    counts, mood = Counts(), _mood(message)
    async with db.transaction() as connection:
        await connection.fetchval(IDENTITY["lock_sender"], _sender_lock(vault, message))
        known = await connection.fetchrow(SQL["find_message"], message.channel, message.provider_message_id)
        due: tuple[UUID, ...] = ()
        if known is None:
            message = await understood(connection, vault, message)
            answer = await answer_in(connection, vault, message)
            if answer is not None:
                message = message.model_copy(update={"ignored": RATING})
            conversation_id, due = await _insert(connection, vault, settings, message, mood, counts)
            if answer is not None:
                await keep_answer(connection, answer, counts)
        else:
            conversation_id = known["conversation_id"]
        channel = message.channel if known is None and not message.ignored else None
        stored = await _arrive(connection, settings, conversation_id, event_id, new=known is None, channel=channel)
    counts.show()
    assert stored is not None  # noqa: S101  the conversation was found or made in this very transaction
    return replace(stored, due=due)


async def _insert(
    connection: Any, vault: Vault, settings: Settings, message: InboundMessage, mood: float, counts: Counts
) -> tuple[UUID, tuple[UUID, ...]]:
    """The conversation, and the deliveries that the message made due."""
    where, state = await _settled_place(connection, vault, settings, message)
    outcome, reason = _outcome_at_the_door(message, state)
    traces = traces_of(vault, message)
    looped = await loop_reason(connection, settings, traces) if traces and outcome is None else None
    if looped:
        outcome, reason = "escalated", looped
    message_id = await _write(connection, vault, where, message, mood, (outcome, reason))
    if traces:
        await note_traces(connection, message_id, traces)
    if looped:
        await _to_person(connection, where.conversation_id, looped, counts)
    link = await verify_address(connection, vault, settings, where, message)
    if outcome:
        counts.add(OUTCOMES, message.channel, outcome, reason or "")
    if not message.ignored:
        counts.add(RECOGNISED, message.channel, _known(where, message))
        counts.add(MOODS, message.channel, band(mood))
    due = await note_arrival(connection, vault, settings, where, message, message_id)
    return where.conversation_id, (*due, link) if link else due


async def _write(
    connection: Any,
    vault: Vault,
    where: Place,
    message: InboundMessage,
    mood: float,
    end: tuple[str | None, str | None],
) -> UUID:
    """The message's row, sealed, with its files and what its sender only claims; its id."""
    owner, keys = where.resolved.customer_id, where.resolved.keys
    details = message.model_dump_json(include={"quoted", "email", "form", "whatsapp"})
    message_id = uuid.uuid4()
    await connection.execute(
        SQL["create_message"],
        message_id,
        where.conversation_id,
        owner,
        where.route_id,
        message.channel,
        message.sender.trust,
        message.provider_message_id,
        keys.seal(owner, "message.subject", message.subject) if message.subject else None,
        keys.seal(owner, "message.body", message.text),
        keys.seal(owner, "message.details", details),
        message.received_at,
        *end,
        _known(where, message),
        None if message.ignored else mood,
    )
    raw = await store_files(connection, vault, keys, owner, message_id, message)
    if raw is not None:
        await connection.execute(SQL["keep_raw"], message_id, raw)
    await _note_claims(connection, vault, where, message)
    return message_id


def _mood(message: InboundMessage) -> float:
    """Of what was written now; of a long text, of its beginning."""
    return sentiment([message.text[:_MOOD_OF]])


def _known(where: Place, message: InboundMessage) -> str:
    """Whether the sender was known: nobody who only claims to be somebody is."""
    if message.sender.trust is not Trust.VERIFIED:
        return "claimed"
    return "yes" if where.resolved.known else "no"


async def _settled_place(
    connection: Any, vault: Vault, settings: Settings, message: InboundMessage
) -> tuple[Place, str]:
    """The place, its conversation locked, and that conversation's state."""
    where = await place(connection, vault, settings, message)
    state = await connection.fetchval(SQL["conversation_state"], where.conversation_id)
    if state == "closed" and not message.ignored:
        # A person closed it between the choice and the lock: nobody would look into it again.
        where = await place(connection, vault, settings, message)
        state = await connection.fetchval(SQL["conversation_state"], where.conversation_id)
    return where, state


def _outcome_at_the_door(message: InboundMessage, state: str) -> tuple[str | None, str | None]:
    """Some messages end here: robots' are ignored, held ones and those a person is on wait for a person."""
    if message.ignored:
        return "ignored", message.ignored
    if message.sender.trust is Trust.HELD:
        return "escalated", "held"
    if state == "human":
        return "escalated", HandedOver.WITH_PERSON
    return None, None


async def _to_person(connection: Any, conversation_id: UUID, reason: str, counts: Counts) -> None:
    """Without a word to the sender: the agent is silent from here on, and the ticket says why."""
    await connection.execute(MAILBOX["escalate_ticket"], conversation_id, reason, None)
    for row in await connection.fetch(MAILBOX["escalate_rest"], conversation_id, HandedOver.WITH_PERSON):
        counts.add(OUTCOMES, row["channel"], "escalated", HandedOver.WITH_PERSON)
    await connection.execute(MAILBOX["to_person"], conversation_id)


async def _note_claims(connection: Any, vault: Vault, where: Place, message: InboundMessage) -> None:
    sender = message.sender
    if sender.trust is not Trust.VERIFIED:
        await note_claim(connection, vault, where.resolved, sender.kind, sender.address, where.conversation_id)
    if message.form and message.form.phone:
        await note_claim(connection, vault, where.resolved, "phone", message.form.phone, where.conversation_id)


async def _arrive(
    connection: Any, settings: Settings, conversation_id: UUID, event_id: str, *, new: bool, channel: Channel | None
) -> Stored | None:
    token = uuid.uuid4()
    row = await connection.fetchrow(
        SQL["arrive"], conversation_id, int(new), channel, event_id, token, settings.lease_s, DEAD_AFTER_S
    )
    if row is None:
        return None
    lease = lease_of(conversation_id, token, taken=row["taken"])
    return Stored(conversation_id, row["customer_id"], new, lease, row["at_work"])


def _sender_lock(vault: Vault, message: InboundMessage) -> bytes:
    sender = message.sender
    if sender.trust is Trust.VERIFIED:
        return vault.lookup(sender.kind, sender.address)
    return vault.lookup("route", json.dumps([message.channel, sender.trust, message.thread, sender.address]))
