"""Joining a phone and an e-mail address: an operator's word links at once and is recorded.

A merge moves everything of one customer to the other in one transaction and writes down what it
moved. Texts keep the key that sealed them (privacy/vault), so a merge re-encrypts nothing.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.resolve import SQL, add_verified, create_customer
from shared.privacy.vault import Vault

_MOVES = ("identifiers", "conversations", "messages", "routes", "tickets", "decisions")


async def link(db: Database, vault: Vault, email: str, phone: str) -> tuple[UUID, bool]:
    """Make both verified identifiers of one customer: (customer id, whether two customers were merged).

    `email` and `phone` are normalised. Linking twice changes nothing.
    """
    pairs = (("email", email), ("phone", phone))
    async with db.transaction() as connection:
        for lookup in sorted(vault.lookup(kind, value) for kind, value in pairs):
            await connection.fetchval(SQL["lock_sender"], lookup)
        owners = [await connection.fetchval(SQL["who_has"], k, vault.lookup(k, v)) for k, v in pairs]
        for owner in sorted(filter(None, owners)):
            await connection.fetchval(SQL["lock_customer"], owner)
        merged = None not in owners and owners[0] != owners[1]
        customer_id = await _one_customer(connection, vault, owners)
        keys = await vault.keys(connection, [customer_id])
        for (kind, value), owner in zip(pairs, owners, strict=True):
            if owner is None:
                await add_verified(connection, vault, customer_id, keys, kind, value)
        await _record(connection, "customers.link", customer_id, {"merged": merged})
    return customer_id, merged


async def merge(connection: Any, winner: UUID, loser: UUID) -> int:
    """Move all of `loser` to `winner`; the id of the record. Raises Rejected (409) for a merge with oneself."""
    if winner == loser:
        raise Rejected("a customer cannot be merged with itself", status=409, reason="self-merge")
    for customer in sorted((winner, loser)):
        await connection.fetchval(SQL["lock_customer"], customer)
    moved = {what: await _move(connection, what, winner, loser) for what in _MOVES}
    await connection.execute(SQL["mark_merged"], winner, loser)
    return await connection.fetchval(SQL["record_merge"], winner, loser, json.dumps(moved))


async def _one_customer(connection: Any, vault: Vault, owners: list[UUID | None]) -> UUID:
    email_owner, phone_owner = owners
    if email_owner and phone_owner and email_owner != phone_owner:
        await merge(connection, email_owner, phone_owner)
    return email_owner or phone_owner or (await create_customer(connection, vault)).customer_id


async def _move(connection: Any, what: str, winner: UUID, loser: UUID) -> list[str]:
    return [str(row["id"]) for row in await connection.fetch(SQL[f"move_{what}"], winner, loser)]


async def _record(connection: Any, action: str, customer_id: UUID, details: dict[str, object]) -> None:
    await connection.execute(SQL["record_action"], action, str(customer_id), json.dumps(details))
