"""Joining a phone and an e-mail address by an operator's word, at once and on record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from shared.db.pool import Database
from shared.identity.merge import SQL as MERGING
from shared.identity.merge import Cause, lock_identifiers, merge
from shared.identity.resolve import SQL, add_verified, create_customer
from shared.privacy.vault import Vault

#: Whose an identifier was: nobody had written from it or proven it, the customer's it now is, or somebody merged.
Was = Literal["unknown", "theirs", "another"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that were linked, as it is looked up, and whose it was before."""

    kind: str
    value: str
    was: Was


@dataclass(frozen=True, slots=True)
class Linked:
    """Whose both are now; `customer_id` is None in a look that would make one, `merge_id` where nobody was merged."""

    customer_id: UUID | None
    merge_id: int | None
    sides: tuple[Side, ...]


async def look_at_link(db: Database, vault: Vault, email: str, phone: str) -> Linked:
    """What `link` would come to now; nothing changes."""
    pairs = (("email", email), ("phone", phone))
    async with db.transaction() as connection:
        owners = [await connection.fetchval(SQL["who_has"], k, vault.lookup(k, v)) for k, v in pairs]
    return _linked(pairs, owners, next((owner for owner in owners if owner), None), None)


async def link(db: Database, vault: Vault, email: str, phone: str) -> Linked:
    """Make both verified identifiers of one customer. `email` and `phone` are normalised.

    Linking twice changes nothing. A merge is undone by `shared.conversations.unmerge`, an identifier that was
    nobody's before by `shared.conversations.unlink`.
    """
    pairs = (("email", email), ("phone", phone))
    async with db.transaction() as connection:
        owners = await lock_identifiers(connection, vault, pairs)
        customer_id, merge_id = await join(connection, vault, pairs, owners, "operator")
        linked = _linked(pairs, owners, customer_id, merge_id)
        told = {"merged": merge_id is not None, "merge": merge_id, **{side.kind: side.was for side in linked.sides}}
        await record(connection, "customers.link", customer_id, told)
    return linked


def _linked(
    pairs: Sequence[tuple[str, str]], owners: Sequence[UUID | None], customer_id: UUID | None, merge_id: int | None
) -> Linked:
    was: list[Was] = ["unknown" if not owner else "theirs" if owner == customer_id else "another" for owner in owners]
    return Linked(customer_id, merge_id, tuple(Side(k, v, w) for (k, v), w in zip(pairs, was, strict=True)))


async def merge_customers(db: Database, winner: UUID, loser: UUID) -> int:
    """By an operator: move all of `loser` to `winner`; the merge's id. Raises Rejected as `merge` does."""
    async with db.transaction() as connection:
        await connection.fetchval(MERGING["one_at_a_time"])
        merge_id = await merge(connection, winner, loser, "operator")
        await record(connection, "customers.merge", winner, {"loser": str(loser), "merge": merge_id})
    return merge_id


async def join(
    connection: Any,
    vault: Vault,
    pairs: Sequence[tuple[str, str]],
    owners: Sequence[UUID | None],
    cause: Cause,
    newcomer: UUID | None = None,
) -> tuple[UUID, int | None]:
    """Make the identifiers of `lock_identifiers` one customer's; the first that has an owner decides which.

    Without any it is `newcomer`, or a customer made for it. The customer, and the merge that it took.
    """
    known = list(dict.fromkeys(owner for owner in owners if owner))
    customer_id = known[0] if known else newcomer or (await create_customer(connection, vault)).customer_id
    merge_id = None
    for other in known[1:]:
        merge_id = await merge(connection, customer_id, other, cause)
    keys = await vault.keys(connection, [customer_id])
    for (kind, value), owner in zip(pairs, owners, strict=True):
        if owner is None:
            await add_verified(connection, vault, customer_id, keys, kind, value)
    return customer_id, merge_id


async def record(connection: Any, action: str, customer_id: UUID, details: Mapping[str, object]) -> None:
    """Write down what an operator did."""
    await connection.execute(SQL["record_action"], action, str(customer_id), json.dumps(details))
