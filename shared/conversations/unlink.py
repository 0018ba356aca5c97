"""Taking an address or a number from a customer whose it is not, as after `link` with a mistyped number.

Nothing came over it: it is forgotten, and whoever writes from there is somebody new. Otherwise its writer becomes
a customer of their own, and takes along what was said over it: a conversation that was theirs alone goes with them,
of one that both wrote in they get their part. So neither's next turn reads the other's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.conversations.parting import SQL as PARTING
from shared.conversations.parting import Pair, divide, routes_written_from
from shared.conversations.reasons import HandedOver
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.identity.link import record
from shared.identity.merge import lock_identifiers
from shared.identity.resolve import create_customer, nobodys
from shared.privacy.vault import Vault

SQL = load("unlinking")


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
    routes = await routes_written_from(connection, vault, owner, kind, value)
    if not routes:
        await connection.execute(SQL["forget_identifier"], found["id"])
        await connection.execute(PARTING["bump_epochs"], [owner])
        return Unlinked(kind, owner, None, 0)
    stranger = await create_customer(connection, vault)
    sealed = stranger.keys.seal(stranger.customer_id, "identifier", value)
    await connection.execute(SQL["give_identifier"], found["id"], stranger.customer_id, sealed)
    theirs = await divide(connection, vault, Pair(stranger.customer_id, owner, routes, HandedOver.UNLINKED))
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
