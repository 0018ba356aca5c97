"""Joining two customers.

A merge moves everything of one customer to the other in one transaction and writes down what it moved.
Texts keep the key that sealed them (privacy/vault), so it re-encrypts nothing. Locks are taken in the order
of an arrival: what joins customers one after the other, identifiers, customers, routes, conversations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from shared.db.queries import load
from shared.errors import Rejected
from shared.identity.resolve import SQL as IDENTITY
from shared.privacy.vault import Vault

SQL = load("merging")

Cause = Literal["operator", "code", "link"]
#: What hangs on a customer besides what the record lists; in the order in which others lock it.
_REST = ("tickets", "messages", "decisions", "attachments", "verifications", "ratings", "notes")


async def lock_identifiers(connection: Any, vault: Vault, pairs: Sequence[tuple[str, str]]) -> list[UUID | None]:
    """Lock these (kind, normalised value) pairs and their owners, until the transaction ends; the owners.

    First of all locks in a transaction that may join customers.
    """
    await connection.fetchval(SQL["one_at_a_time"])
    for lookup in sorted(vault.lookup(kind, value) for kind, value in pairs):
        await connection.fetchval(IDENTITY["lock_sender"], lookup)
    owners = [await connection.fetchval(IDENTITY["who_has"], k, vault.lookup(k, v)) for k, v in pairs]
    await lock_customers(connection, [owner for owner in owners if owner])
    return owners


async def lock_customers(connection: Any, customers: Iterable[UUID]) -> None:
    """Lock customers against arrivals and merges, sorted, so that two who lock the same never deadlock."""
    for customer in sorted(set(customers)):
        await connection.fetchval(IDENTITY["lock_customer"], customer)


async def merge(connection: Any, winner: UUID, loser: UUID, cause: Cause) -> int:
    """Move all of `loser` to `winner`; the id of the record. Call it under `one_at_a_time`.

    Raises Rejected: 404 for an unknown customer, 409 for a merge with oneself, with somebody merged
    already (who is named) or erased.
    """
    if winner == loser:
        raise Rejected("a customer cannot be merged with itself", status=409, reason="self-merge")
    await lock_customers(connection, (winner, loser))
    standing = await _require_standing(connection, (winner, loser))
    identifiers = await connection.fetch(SQL["move_identifiers"], winner, loser)
    routes = await connection.fetch(SQL["move_routes"], winner, loser)
    conversations = await connection.fetch(SQL["move_conversations"], winner, loser)
    for what in _REST:
        await connection.execute(SQL[f"move_{what}"], winner, loser)
    blobs = await connection.fetch(SQL["move_blobs"], winner, loser)
    await connection.execute(SQL["mark_merged"], winner, loser)
    moved: dict[str, Any] = {
        "identifiers": [row["id"] for row in identifiers],
        "routes": {str(row["id"]): str(row["conversation_id"]) for row in routes},
        "conversations": {str(row["id"]): row["trust"] for row in conversations},
        "blobs": [str(row["id"]) for row in blobs],
        "named": standing[winner]["named"],
    }
    return await connection.fetchval(SQL["record_merge"], winner, loser, json.dumps(moved), cause)


async def _require_standing(connection: Any, customers: Sequence[UUID]) -> Mapping[UUID, Any]:
    rows = {row["id"]: row for row in await connection.fetch(SQL["standing"], list(customers))}
    for customer in customers:
        row = rows.get(customer)
        if row is None:
            raise Rejected(f"there is no customer {customer}", status=404, reason="unknown-customer")
        if row["erased_at"] is not None:
            raise Rejected(f"customer {customer} was erased", status=409, reason="erased-customer")
        if row["merged_into"] is not None:
            raise Rejected(
                f"customer {customer} is merged into {row['merged_into']} already: name that one",
                status=409,
                reason="merged-customer",
            )
    return rows
