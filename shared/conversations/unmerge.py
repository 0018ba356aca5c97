"""Undoing a merge: what its record lists goes back, and what was said since goes with whom it is of.

What was written since the merge on a route that goes back goes back too, and so does what an identifier that goes back
wrote on routes of its own since (shared.conversations.parting). So nobody's next turn reads what a wrong merge had laid
beside theirs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.conversations.parting import Pair, divide, routes_written_from
from shared.conversations.reasons import HandedOver
from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.link import record
from shared.identity.merge import SQL, lock_customers
from shared.privacy.vault import Vault


@dataclass(frozen=True, slots=True)
class Parted:
    """The merge that was undone, and between whom."""

    merge_id: int
    winner: UUID
    loser: UUID


async def unmerge_customers(
    db: Database, vault: Vault, *, merge_id: int | None = None, customer_id: UUID | None = None
) -> Parted:
    """By an operator: undo one merge, named by its id or by a customer: the one by which they went, else the last
    into them.

    Raises Rejected: 404 when there is none, 409 when it is undone already, somebody was erased since, or the
    winner went into another customer later: that merge must be undone first.
    """
    async with db.transaction() as connection:
        await connection.fetchval(SQL["one_at_a_time"])
        undone = await _record(connection, merge_id, customer_id)
        await _require_undoable(connection, undone)
        parted = Parted(undone["id"], undone["winner"], undone["loser"])
        await lock_customers(connection, (parted.winner, parted.loser))
        await connection.execute(SQL["mark_parted"], parted.loser)
        await _give_back(connection, vault, parted, json.loads(undone["moved"]))
        await connection.execute(SQL["mark_undone"], parted.merge_id)
        told = {"loser": str(parted.loser), "merge": parted.merge_id}
        await record(connection, "customers.unmerge", parted.winner, told)
    return parted


async def _record(connection: Any, merge_id: int | None, customer_id: UUID | None) -> Any:
    if merge_id is not None:
        found = await connection.fetchrow(SQL["merge_by_id"], merge_id)
    else:
        found = await connection.fetchrow(SQL["merge_of"], customer_id)
    if found is None:
        raise Rejected("there is no such merge", status=404, reason="unknown-merge")
    if found["undone_at"] is not None:
        raise Rejected(f"merge {found['id']} is undone already", status=409, reason="undone-merge")
    return found


async def _require_undoable(connection: Any, undone: Any) -> None:
    later = await connection.fetchrow(SQL["merged_by"], undone["winner"])
    if later is not None:
        raise Rejected(
            f"customer {undone['winner']} went into {later['winner']} since: undo merge {later['id']} first",
            status=409,
            reason="later-merge",
        )
    for row in await connection.fetch(SQL["standing"], [undone["winner"], undone["loser"]]):
        if row["erased_at"] is not None:
            raise Rejected(f"customer {row['id']} was erased", status=409, reason="erased-customer")


async def _give_back(connection: Any, vault: Vault, parted: Parted, moved: Mapping[str, Any]) -> None:
    """Return what the record lists, and part what was said since."""
    winner, loser = parted.winner, parted.loser
    identifiers = await connection.fetch(SQL["return_identifiers"], loser, winner, moved["identifiers"])
    routes = [*_uuids(moved["routes"]), *await _begun_since(connection, vault, parted, identifiers)]
    back = await connection.fetch(SQL["still_theirs"], winner, _uuids(moved["conversations"]))
    theirs = [row["id"] for row in back]
    await divide(connection, vault, Pair(loser, winner, routes, HandedOver.UNMERGED), theirs)
    await connection.execute(SQL["return_trusts"], loser, theirs, json.dumps(moved["conversations"]))
    await connection.execute(SQL["return_blobs"], loser, winner, _uuids(moved["blobs"]))
    if not moved.get("named", True):
        await _name_anew(connection, vault, winner)


async def _begun_since(connection: Any, vault: Vault, parted: Parted, identifiers: Sequence[Any]) -> Sequence[UUID]:
    """Routes on which a proven identifier that goes back wrote, other than those of another merge that stands."""
    proven = [row for row in identifiers if row["trust"] == "verified"]
    keys = await vault.keys_for(connection, [row["value_enc"] for row in proven])
    found: list[UUID] = []
    for row in proven:
        value = keys.unseal("identifier", row["value_enc"])
        found += await routes_written_from(connection, vault, parted.winner, row["kind"], value)
    others = await connection.fetch(SQL["elsewhere"], parted.winner, found, parted.merge_id)
    return list(set(found) - {row["id"] for row in others})


async def _name_anew(connection: Any, vault: Vault, customer_id: UUID) -> None:
    """Who had no name before the merge has the one their own messages came with, not the other's."""
    rows = await connection.fetch(SQL["routes_that_name"], customer_id)
    keys = await vault.keys_for(connection, [row["address_enc"] for row in rows])
    names = [json.loads(keys.unseal("route.address", row["address_enc"])).get("name") for row in rows]
    name = next((one for one in names if one), None)
    sealed = (await vault.keys(connection, [customer_id])).seal(customer_id, "customer.name", name) if name else None
    await connection.execute(SQL["rename"], customer_id, sealed)


def _uuids(texts: Any) -> list[UUID]:
    return [UUID(text) for text in texts]
