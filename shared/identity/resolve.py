"""Who writes: `customer_identifiers` is asked before a customer is made (R4.1).

Only a verified sender resolves to a customer. A claimed or held one gets a customer of its own,
with the claim as a note beside the conversation: a typed address owns, merges and chooses nobody.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Sender, Trust
from shared.db.queries import load
from shared.errors import Rejected
from shared.privacy.vault import Keyset, Vault

SQL = load("identity")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The customer, whether they were known before, and their data key."""

    customer_id: UUID
    known: bool
    keys: Keyset


async def resolve(connection: Any, vault: Vault, sender: Sender, stale_d: int) -> Resolved:
    """Find the customer of a verified sender, or make one; call it under `lock_sender`.

    A number that nobody wrote from for `stale_d` days is taken for another person's.
    """
    if sender.trust is not Trust.VERIFIED:
        return await _create(connection, vault, sender)
    found = await _owner(connection, sender.kind, vault.lookup(sender.kind, sender.address), stale_d)
    if found is None:
        return await _create(connection, vault, sender)
    keys = await vault.keys(connection, [found])
    if sender.name:
        await connection.execute(SQL["name_customer"], found, keys.seal(found, "customer.name", sender.name))
    return Resolved(found, True, keys)


async def _owner(connection: Any, kind: str, lookup: bytes, stale_d: int) -> UUID | None:
    row = await _locked_owner(connection, kind, lookup, stale_d)
    if row is None:
        return None
    if row["stale"]:
        await connection.execute(SQL["release_identifier"], row["identifier_id"])
        return None
    await connection.execute(SQL["see_identifier"], row["identifier_id"])
    return row["id"]


async def _locked_owner(connection: Any, kind: str, lookup: bytes, stale_d: int) -> Any:
    look = connection.transaction()
    await look.start()
    row = await connection.fetchrow(SQL["find_verified"], kind, lookup, stale_d)
    if row is not None:
        await look.commit()
        return row
    # A merge may have moved it while we waited for its owner: a second look sees where. The first has locked the
    # owner all the same, and would keep it from the next merge while we wait for another: rolled back, it lets go.
    await look.rollback()
    return await connection.fetchrow(SQL["find_verified"], kind, lookup, stale_d)


async def note_claim(
    connection: Any, vault: Vault, resolved: Resolved, kind: str, value: str, conversation_id: UUID
) -> None:
    """Write a claimed identifier beside its conversation, once."""
    lookup = vault.lookup(kind, value)
    if await connection.fetchval(SQL["has_claim"], kind, lookup, conversation_id):
        return
    sealed = resolved.keys.seal(resolved.customer_id, "identifier", value)
    await connection.execute(
        SQL["add_identifier"], resolved.customer_id, kind, lookup, sealed, "claimed", conversation_id
    )


async def add_verified(connection: Any, vault: Vault, customer_id: UUID, keys: Keyset, kind: str, value: str) -> int:
    """Give a customer a verified identifier; the unique index refuses one that belongs to another."""
    sealed = keys.seal(customer_id, "identifier", value)
    return await connection.fetchval(
        SQL["add_identifier"], customer_id, kind, vault.lookup(kind, value), sealed, "verified", None
    )


async def create_customer(connection: Any, vault: Vault, name: str = "") -> Resolved:
    """A new customer with a fresh data key."""
    customer_id = uuid.uuid4()
    key, wrapped = vault.new_key()
    keys = Keyset({customer_id: key})
    name_enc = keys.seal(customer_id, "customer.name", name) if name else None
    await connection.execute(SQL["create_customer"], customer_id, wrapped, name_enc)
    return Resolved(customer_id, False, keys)


async def _create(connection: Any, vault: Vault, sender: Sender) -> Resolved:
    made = await create_customer(connection, vault, sender.name)
    if sender.trust is Trust.VERIFIED:
        await add_verified(connection, vault, made.customer_id, made.keys, sender.kind, sender.address)
    return made


async def nobodys(db: Any, kind: str, lookup: bytes, so: str = "") -> Rejected:
    """Why no customer is found by an address or number: it is nobody's, or only claimed; `so` is what follows then."""
    if not (await db.fetchrow(SQL["is_claimed"], kind, lookup))["claimed"]:
        return Rejected("no customer has this address", status=404, reason="unknown-customer")
    words = "nobody has confirmed this address, it is only claimed"
    return Rejected(f"{words}; {so}" if so else words, status=404, reason="unconfirmed-address")
