"""Joining a phone and an e-mail address by an operator's word, at once and on record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.db.pool import Database
from shared.identity.merge import SQL as MERGING
from shared.identity.merge import Cause, lock_identifiers, merge
from shared.identity.resolve import SQL, add_verified, create_customer
from shared.identity.unmerge import Parted, unmerge
from shared.privacy.vault import Vault


async def link(db: Database, vault: Vault, email: str, phone: str) -> tuple[UUID, bool]:
    """Make both verified identifiers of one customer: (customer id, whether two customers were merged).

    `email` and `phone` are normalised. Linking twice changes nothing.
    """
    pairs = (("email", email), ("phone", phone))
    async with db.transaction() as connection:
        owners = await lock_identifiers(connection, vault, pairs)
        customer_id, merged = await join(connection, vault, pairs, owners, "operator")
        await record(connection, "customers.link", customer_id, {"merged": merged})
    return customer_id, merged


async def merge_customers(db: Database, winner: UUID, loser: UUID) -> int:
    """By an operator: move all of `loser` to `winner`; the merge's id. Raises Rejected as `merge` does."""
    async with db.transaction() as connection:
        await connection.fetchval(MERGING["one_at_a_time"])
        merge_id = await merge(connection, winner, loser, "operator")
        await record(connection, "customers.merge", winner, {"loser": str(loser), "merge": merge_id})
    return merge_id


async def unmerge_customers(db: Database, *, merge_id: int | None = None, customer_id: UUID | None = None) -> Parted:
    """By an operator: undo a merge. Raises Rejected as `unmerge` does."""
    async with db.transaction() as connection:
        parted = await unmerge(connection, merge_id=merge_id, customer_id=customer_id)
        await record(
            connection, "customers.unmerge", parted.winner, {"loser": str(parted.loser), "merge": parted.merge_id}
        )
    return parted


async def join(
    connection: Any,
    vault: Vault,
    pairs: Sequence[tuple[str, str]],
    owners: Sequence[UUID | None],
    cause: Cause,
    newcomer: UUID | None = None,
) -> tuple[UUID, bool]:
    """Make the identifiers of `lock_identifiers` one customer's; the first that has an owner decides which.

    Without any it is `newcomer`, or a customer made for it.
    """
    known = list(dict.fromkeys(owner for owner in owners if owner))
    customer_id = known[0] if known else newcomer or (await create_customer(connection, vault)).customer_id
    for other in known[1:]:
        await merge(connection, customer_id, other, cause)
    keys = await vault.keys(connection, [customer_id])
    for (kind, value), owner in zip(pairs, owners, strict=True):
        if owner is None:
            await add_verified(connection, vault, customer_id, keys, kind, value)
    return customer_id, len(known) > 1


async def record(connection: Any, action: str, customer_id: UUID, details: dict[str, object]) -> None:
    """Write down what an operator did."""
    await connection.execute(SQL["record_action"], action, str(customer_id), json.dumps(details))
