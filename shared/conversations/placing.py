"""Which conversation a message belongs to, and on which route it will be answered.

A thread (e-mail), a ticket (web) or an open conversation (WhatsApp, which has no threads) ties a
message to its matter. A verified customer who changes channel goes on in their open conversation;
a claimed or held sender only ever meets the conversation of their own thread.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, InboundMessage, Trust
from shared.db.queries import load
from shared.identity.resolve import Resolved, resolve
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("inbox")
# As shared.channels.gmail.compose makes them.
_OURS = re.compile(r"<fte\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_TICKET_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes."""

    conversation_id: UUID
    route_id: UUID
    resolved: Resolved


async def place(connection: Any, vault: Vault, settings: Settings, message: InboundMessage) -> Place:
    """Find or make the customer, the conversation and the route of a new message."""
    key = route_key(vault, message)
    hours = int(settings.conversation_idle_h)
    verified = message.sender.trust is Trust.VERIFIED
    # Customer before route, as a merge locks them.
    resolved = await resolve(connection, vault, message.sender, message.channel) if verified else None
    route = await connection.fetchrow(SQL["find_route"], message.channel, key, hours)
    answered = await _answered(connection, vault, message) if route is None else None
    if resolved is None and answered is not None:
        resolved = Resolved(answered["customer_id"], True, await vault.keys(connection, [answered["customer_id"]]))
    if resolved is None and route is not None:
        resolved = Resolved(route["customer_id"], True, await vault.keys(connection, [route["customer_id"]]))
    resolved = resolved or await resolve(connection, vault, message.sender, message.channel)
    conversation_id = await _choose(connection, message, route or answered, resolved, hours)
    if conversation_id is None:
        conversation_id = await _open_conversation(connection, message, resolved)
    if route is None:
        return Place(conversation_id, await _open_route(connection, message, resolved, conversation_id, key), resolved)
    await connection.execute(SQL["move_route"], route["id"], conversation_id)
    return Place(conversation_id, route["id"], resolved)


def route_key(vault: Vault, message: InboundMessage) -> bytes:
    """Keyed hash of channel, thread, sender and trust.

    The sender is in it because strangers can share a thread id; trust is in it so that a forged
    message in a known thread does not reach the conversation of the person it imitates.
    """
    parts = [message.channel, message.thread, message.sender.address, message.sender.trust]
    return vault.lookup("route", json.dumps(parts))


async def _answered(connection: Any, vault: Vault, message: InboundMessage) -> Any:
    """The route that a mail goes on with though Gmail put it into another thread: it refers to a mail of ours.

    Only one to the same address under the same trust: whoever else shares an In-Reply-To is a stranger to it.
    """
    named = our_deliveries(message.email.references if message.email else ())
    for row in await connection.fetch(SQL["routes_answered"], named) if named else ():
        keys = await vault.keys(connection, [row["customer_id"]])
        address = json.loads(keys.unseal("route.address", row["address_enc"]))["address"]
        if address == message.sender.address and row["trust"] == message.sender.trust:
            return row
    return None


def our_deliveries(references: Sequence[str]) -> list[UUID]:
    """The deliveries that references name by our Message-IDs, in their order."""
    return [UUID(found[1]) for each in references if (found := _OURS.match(each))]


async def _choose(connection: Any, message: InboundMessage, route: Any, resolved: Resolved, hours: int) -> UUID | None:
    threaded = message.channel is not Channel.WHATSAPP
    # What needs no answer stays where its route is: it neither opens a matter nor chooses one.
    if route is not None and (threaded or message.ignored) and _goes_on(route, resolved):
        return route["conversation_id"]
    if message.sender.trust is not Trust.VERIFIED or message.ignored or not resolved.known:
        return None
    # A new e-mail thread is a new matter, unless the customer just came over from another channel.
    return await connection.fetchval(SQL["recent_conversation"], resolved.customer_id, hours, threaded, message.channel)


def _goes_on(route: Any, resolved: Resolved) -> bool:
    return route["customer_id"] == resolved.customer_id and route["state"] != "closed"


async def _open_conversation(connection: Any, message: InboundMessage, resolved: Resolved) -> UUID:
    conversation_id = uuid.uuid4()
    # Ignored: closed from the start, so that what the customer writes next is a matter of its own, with a ticket.
    state = "closed" if message.ignored else "human" if message.sender.trust is Trust.HELD else "agent"
    await connection.execute(
        SQL["create_conversation"],
        conversation_id,
        resolved.customer_id,
        message.sender.trust,
        state,
        message.channel,
        json.dumps({"trust_reason": message.sender.trust_reason}),
    )
    if not message.ignored:
        await _open_ticket(connection, message, resolved, conversation_id)
    return conversation_id


async def _open_ticket(connection: Any, message: InboundMessage, resolved: Resolved, conversation_id: UUID) -> None:
    held = message.sender.trust is Trust.HELD
    subject = message.subject or " ".join(message.text.split())[:80] or "(no text)"
    await connection.execute(
        SQL["create_ticket"],
        message.thread if message.channel is Channel.WEB else new_ticket_id(),
        conversation_id,
        resolved.customer_id,
        message.channel,
        "escalated" if held else "open",
        message.form.category if message.form else "general",
        resolved.keys.seal(resolved.customer_id, "ticket.subject", subject),
        "held" if held else None,
        "normal",
    )


async def _open_route(
    connection: Any, message: InboundMessage, resolved: Resolved, conversation_id: UUID, key: bytes
) -> UUID:
    route_id = uuid.uuid4()
    address = json.dumps({"address": message.sender.address, "name": message.sender.name, "thread": message.thread})
    sealed = resolved.keys.seal(resolved.customer_id, "route.address", address)
    await connection.execute(
        SQL["create_route"], route_id, message.channel, key, resolved.customer_id, conversation_id, sealed
    )
    return route_id


def new_ticket_id() -> str:
    """Ten characters a person can read out, from an alphabet without look-alikes (Crockford's base 32)."""
    return "".join(secrets.choice(_TICKET_ALPHABET) for _ in range(10))
