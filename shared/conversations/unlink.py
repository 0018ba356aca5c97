"""Taking an address or a number from a customer whose it is not, as after `link` with a mistyped number.

Nothing came over it: it is forgotten, and whoever writes from there is somebody new. Otherwise its writer becomes
a customer of their own, and takes along what was said over it: a conversation that was theirs alone goes with them,
of one that both wrote in they get their part. So neither's next turn reads the other's words.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.conversations.placing import SQL as INBOX
from shared.conversations.placing import new_ticket_id
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.identity.link import record
from shared.identity.merge import SQL as MERGING
from shared.identity.merge import lock_identifiers
from shared.identity.resolve import Resolved, create_customer, nobodys
from shared.identity.unmerge import follow
from shared.privacy.vault import Vault

SQL = load("unlinking")

_CHANNELS = {"email": ["email", "web"], "phone": ["whatsapp"]}


@dataclass(frozen=True, slots=True)
class Unlinked:
    """Who had it; `moved_to` is who has it now, None where nobody ever wrote from it; conversations that went along."""

    kind: str
    customer_id: UUID
    moved_to: UUID | None
    conversations: int


async def unlink_identifiers(db: Database, vault: Vault, pairs: Sequence[tuple[str, str]]) -> list[Unlinked]:
    """By an operator: take (kind, normalised value) pairs from who has them, on record.

    Raises Rejected: 404 when nobody has it; 409 when it is all there is of its customer, came by a merge that still
    stands (which is undone exactly), or its customer was erased. Nothing changes then.
    """
    async with db.transaction() as connection:
        await lock_identifiers(connection, vault, pairs)
        taken = [await _unlink(connection, vault, kind, value) for kind, value in pairs]
        for one in taken:
            moved = {"kind": one.kind, "to": str(one.moved_to) if one.moved_to else None}
            await record(connection, "customers.unlink", one.customer_id, moved)
    return taken


async def _unlink(connection: Any, vault: Vault, kind: str, value: str) -> Unlinked:
    lookup = vault.lookup(kind, value)
    found = await connection.fetchrow(SQL["identifier"], kind, lookup)
    if found is None:
        raise await nobodys(connection, kind, lookup, "it belongs to no customer, so there is nothing to unlink")
    await _require_takeable(connection, found)
    owner = found["customer_id"]
    routes = await _routes(connection, vault, owner, kind, value)
    if not routes:
        await connection.execute(SQL["forget_identifier"], found["id"])
        await connection.execute(MERGING["bump_epochs"], [owner])
        return Unlinked(kind, owner, None, 0)
    stranger = await create_customer(connection, vault)
    sealed = stranger.keys.seal(stranger.customer_id, "identifier", value)
    await connection.execute(SQL["give_identifier"], found["id"], stranger.customer_id, sealed)
    theirs = await _give(connection, stranger, routes)
    await follow(connection, theirs, routes, (owner, stranger.customer_id))
    return Unlinked(kind, owner, stranger.customer_id, len(theirs))


async def _require_takeable(connection: Any, found: Any) -> None:
    if found["erased_at"] is not None:
        raise Rejected(f"customer {found['customer_id']} was erased", status=409, reason="erased-customer")
    merge_id = await connection.fetchval(SQL["came_by_merge"], found["customer_id"], found["id"])
    if merge_id is not None:
        raise Rejected(
            f"it came with merge {merge_id}, which is undone exactly: unmerge that", status=409, reason="came-by-merge"
        )
    if not found["others"]:
        raise Rejected("it is all there is of its customer", status=409, reason="only-identifier")


async def _routes(connection: Any, vault: Vault, owner: UUID, kind: str, value: str) -> list[UUID]:
    """The owner's routes that this identifier wrote on."""
    rows = await connection.fetch(SQL["routes_written_on"], owner, _CHANNELS[kind])
    keys = await vault.keys_for(connection, [row["address_enc"] for row in rows])
    return [
        row["id"]
        for row in rows
        if json.loads(keys.unseal("route.address", row["address_enc"]))["address"].removeprefix("whatsapp:") == value
    ]


async def _give(connection: Any, stranger: Resolved, routes: list[UUID]) -> list[UUID]:
    """Routes, conversations and messages to whose they are; the conversations that are theirs now."""
    await connection.execute(SQL["give_routes"], stranger.customer_id, routes)
    conversations = await connection.fetch(SQL["conversations_on"], routes)
    whole = [row["id"] for row in conversations if row["whole"]]
    await connection.execute(SQL["give_conversations"], stranger.customer_id, whole)
    parted = [await _part(connection, stranger, row, routes) for row in conversations if not row["whole"]]
    await connection.execute(SQL["give_messages"], stranger.customer_id, routes)
    return [*whole, *parted]


async def _part(connection: Any, stranger: Resolved, row: Any, routes: list[UUID]) -> UUID:
    """The stranger's part of a conversation that both wrote in, with a ticket of its own."""
    own, owner = uuid.uuid4(), stranger.customer_id
    await connection.execute(SQL["copy_conversation"], own, owner, row["last_channel"], row["id"])
    await connection.execute(MERGING["part_routes"], own, routes, [row["id"]])
    await connection.execute(MERGING["part_messages"], own, routes, [row["id"]])
    status = {"agent": "open", "human": "escalated"}.get(row["state"], "closed")
    subject = stranger.keys.seal(owner, "ticket.subject", "(parted from another customer's conversation)")
    reason = "unlinked" if status == "escalated" else None
    ticket = (new_ticket_id(), own, owner, row["last_channel"], status, "general", subject, reason, "normal")
    await connection.execute(INBOX["create_ticket"], *ticket)
    return own
