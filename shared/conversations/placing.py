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
#: Why a message that only rates a closed matter needs no answer (shared.conversations.survey_answers).
RATING = "rating"
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
    answered = await _answered(connection, vault, message) if route is None else None
    if resolved is None and answered is not None:
        resolved = Resolved(answered["customer_id"], True, await vault.keys(connection, [answered["customer_id"]]))
    if resolved is None and route is not None:
        resolved = Resolved(route["customer_id"], True, await vault.keys(connection, [route["customer_id"]]))
    resolved = resolved or await resolve(connection, vault, message.sender, stale_d)
    chosen = await _choose(connection, message, route or answered, resolved, hours)
    conversation_id = chosen or await _open_conversation(connection, message, resolved)
    if chosen is not None and message.form is not None:
        await _name_ticket(connection, message, resolved, conversation_id)
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
    return _route_key(vault, message.channel, message.thread, message.sender.address, message.sender.trust)


def page_keys(vault: Vault, ticket: str, address: str, trust: Trust) -> list[bytes]:
    """The keys of the routes whose messages a ticket's page shows: what was only claimed is shown to both."""
    trusts = (Trust.CLAIMED, Trust.VERIFIED) if trust is Trust.VERIFIED else (trust,)
    return [_route_key(vault, Channel.WEB, ticket, address, one) for one in trusts]


def _route_key(vault: Vault, channel: Channel, thread: str, address: str, trust: Trust) -> bytes:
    return vault.lookup("route", json.dumps([channel, thread, address, trust]))


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
    page = await _of_page(connection, message, route, resolved) if message.channel is Channel.WEB else None
    if page is not None:
        return page
    if _is_last_word(message, route, resolved):
        return route["conversation_id"]
    threaded = message.channel is not Channel.WHATSAPP
    # What needs no answer stays where its route is: it neither opens a matter nor chooses one.
    if route is not None and (threaded or message.ignored) and _goes_on(route, resolved):
        return route["conversation_id"]
    if message.sender.trust is not Trust.VERIFIED or message.ignored or not resolved.known:
        return None
    # A new e-mail thread is a new matter, unless the customer just came over from another channel.
    return await connection.fetchval(SQL["recent_conversation"], resolved.customer_id, hours, threaded, message.channel)


async def _of_page(connection: Any, message: InboundMessage, route: Any, resolved: Resolved) -> UUID | None:
    """The conversation that a ticket's page has with this customer: one matter for good, opened again if closed."""
    found = route or await connection.fetchrow(SQL["page_conversation"], message.thread)
    if found is None or found["customer_id"] != resolved.customer_id:
        return None
    if route is None and message.sender.trust is Trust.VERIFIED and found["trust"] != Trust.VERIFIED:
        # Nobody proved that who typed this page's address owns it: the proven go on beside it.
        return None
    if found["state"] == "closed":
        await connection.execute(SQL["reopen"], found["conversation_id"])
        await connection.execute(SQL["reopen_ticket"], found["conversation_id"], message.thread)
    return found["conversation_id"]


def _goes_on(route: Any, resolved: Resolved) -> bool:
    return route["customer_id"] == resolved.customer_id and route["state"] != "closed"


def _is_last_word(message: InboundMessage, route: Any, resolved: Resolved) -> bool:
    """Whether it says how a closed matter was: it belongs there, and opens nothing."""
    return message.ignored == RATING and route is not None and route["customer_id"] == resolved.customer_id


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


async def _name_ticket(connection: Any, message: InboundMessage, resolved: Resolved, conversation_id: UUID) -> None:
    """A page's first message joined a conversation that is there: its ticket exists all the same, as it says."""
    await _create_ticket(connection, message, resolved, conversation_id, message.thread)
    category = message.form.category if message.form else "general"
    sealed = resolved.keys.seal(resolved.customer_id, "ticket.subject", heading(message.subject, message.text))
    await connection.execute(SQL["describe_ticket"], message.thread, sealed, category)


async def _open_ticket(connection: Any, message: InboundMessage, resolved: Resolved, conversation_id: UUID) -> None:
    if message.channel is Channel.WEB and await _create_ticket(
        connection, message, resolved, conversation_id, message.thread
    ):
        return
    # A page's own id is taken where somebody goes on with it whom its conversation is not with.
    await _create_ticket(connection, message, resolved, conversation_id, new_ticket_id())


def heading(subject: str, text: str) -> str:
    """What a ticket is called by a message: its subject, else how it begins."""
    return subject or " ".join(text.split())[:80] or "(no text)"


async def _create_ticket(
    connection: Any, message: InboundMessage, resolved: Resolved, conversation_id: UUID, ticket_id: str
) -> str | None:
    held = message.sender.trust is Trust.HELD
    return await connection.fetchval(
        SQL["create_ticket"],
        ticket_id,
        conversation_id,
        resolved.customer_id,
        message.channel,
        "escalated" if held else "open",
        message.form.category if message.form else "general",
        resolved.keys.seal(resolved.customer_id, "ticket.subject", heading(message.subject, message.text)),
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
