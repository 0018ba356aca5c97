"""Which conversation a message belongs to, and on which route it will be answered.

A thread (e-mail), a ticket (web) or an open conversation (WhatsApp, which has no threads) ties a
message to its matter. A verified customer who changes channel goes on in their open conversation;
a claimed or held sender only ever meets the conversation of their own thread.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, InboundMessage, Trust
from shared.db.queries import load
from shared.identity.resolve import Resolved, resolve
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("inbox")
_TICKET_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes. `opened`: it opens that conversation."""

    conversation_id: UUID
    route_id: UUID
    resolved: Resolved
    opened: bool = False


async def place(connection: Any, vault: Vault, settings: Settings, message: InboundMessage) -> Place:
    """Find or make the customer, the conversation and the route of a new message."""
    key = route_key(vault, message)
    hours = int(settings.conversation_idle_h)
    verified = message.sender.trust is Trust.VERIFIED
    # Customer before route, as a merge locks them.
    stale_d = settings.number_stale_d
    resolved = await resolve(connection, vault, message.sender, stale_d) if verified else None
    route = await connection.fetchrow(SQL["find_route"], message.channel, key, hours)
    if resolved is None and route is not None:
        resolved = Resolved(route["customer_id"], True, await vault.keys(connection, [route["customer_id"]]))
    resolved = resolved or await resolve(connection, vault, message.sender, stale_d)
    chosen = await _choose(connection, message, route, resolved, hours)
    conversation_id = chosen or await _open_conversation(connection, message, resolved)
    if route is None:
        route_id = await _open_route(connection, message, resolved, conversation_id, key)
    else:
        route_id = route["id"]
        await connection.execute(SQL["move_route"], route_id, conversation_id, resolved.customer_id)
    return Place(conversation_id, route_id, resolved, opened=chosen is None)


def route_key(vault: Vault, message: InboundMessage) -> bytes:
    """Keyed hash of channel, thread, sender and trust.

    The sender is in it because strangers can share a thread id; trust is in it so that a forged
    message in a known thread does not reach the conversation of the person it imitates.
    """
    parts = [message.channel, message.thread, message.sender.address, message.sender.trust]
    return vault.lookup("route", json.dumps(parts))


async def _choose(connection: Any, message: InboundMessage, route: Any, resolved: Resolved, hours: int) -> UUID | None:
    threaded = message.channel is not Channel.WHATSAPP
    # What needs no answer stays where its route is: it neither opens a matter nor chooses one.
    if route is not None and (threaded or message.ignored) and _goes_on(route, resolved):
        return route["conversation_id"]
    if message.sender.trust is not Trust.VERIFIED or message.ignored or not resolved.known:
        return None
    if message.channel is Channel.WEB:
        return await connection.fetchval(SQL["ticket_conversation"], message.thread, resolved.customer_id)
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
        await _ticket_id(connection, message),
        conversation_id,
        resolved.customer_id,
        message.channel,
        "escalated" if held else "open",
        message.form.category if message.form else "general",
        resolved.keys.seal(resolved.customer_id, "ticket.subject", subject),
        "held" if held else None,
        "normal",
    )


async def _ticket_id(connection: Any, message: InboundMessage) -> str:
    """The web's own, unless that ticket's conversation is closed or another customer's."""
    taken = message.channel is not Channel.WEB or await connection.fetchval(SQL["ticket_exists"], message.thread)
    return new_ticket_id() if taken else message.thread


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
