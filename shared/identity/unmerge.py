"""Undoing a merge: what its record lists goes back, and what hangs on that follows.

A message belongs to whom its route does. What was written since the merge on a route that goes back goes
back too; what the other wrote since then in a conversation that goes back gets a conversation of its own.
So nobody's next turn reads what a wrong merge had laid beside theirs.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.errors import Rejected
from shared.identity.merge import SQL, lock_customers

_FOLLOW = ("deliveries", "decisions", "long_answers")
_OWN = ("messages", "tickets", "decisions", "verifications", "ratings", "notes")


@dataclass(frozen=True, slots=True)
class Parted:
    """The merge that was undone, and between whom."""

    merge_id: int
    winner: UUID
    loser: UUID


async def unmerge(connection: Any, *, merge_id: int | None = None, customer_id: UUID | None = None) -> Parted:
    """Undo one merge, named by its id or by a customer: the one by which they went, else the last into them.

    Raises Rejected: 404 when there is none, 409 when it is undone already, somebody was erased since, or the
    winner went into another customer later: that merge must be undone first.
    """
    await connection.fetchval(SQL["one_at_a_time"])
    record = await _record(connection, merge_id, customer_id)
    await _require_undoable(connection, record)
    winner, loser = record["winner"], record["loser"]
    await lock_customers(connection, (winner, loser))
    await connection.execute(SQL["mark_parted"], loser)
    affected, routes = await _give_back(connection, winner, loser, json.loads(record["moved"]))
    await follow(connection, affected, routes, (winner, loser))
    await connection.execute(SQL["mark_undone"], record["id"])
    return Parted(record["id"], winner, loser)


async def follow(connection: Any, conversations: list[UUID], routes: list[UUID], customers: tuple[UUID, UUID]) -> None:
    """What hangs on conversations and routes that changed hands goes where they went; turns of both begin anew."""
    for table in _FOLLOW:
        await connection.execute(SQL[f"follow_{table}"], routes)
    for table in _OWN:
        await connection.execute(SQL[f"own_{table}"], conversations)
    await connection.execute(SQL["own_attachments"], list(customers))
    await connection.execute(SQL["own_blobs"], list(customers))
    await connection.execute(SQL["reopen_for_open"], conversations)
    await connection.execute(SQL["bump_epochs"], list(customers))


async def _record(connection: Any, merge_id: int | None, customer_id: UUID | None) -> Any:
    if merge_id is not None:
        record = await connection.fetchrow(SQL["merge_by_id"], merge_id)
    else:
        record = await connection.fetchrow(SQL["merge_of"], customer_id)
    if record is None:
        raise Rejected("there is no such merge", status=404, reason="unknown-merge")
    if record["undone_at"] is not None:
        raise Rejected(f"merge {record['id']} is undone already", status=409, reason="undone-merge")
    return record


async def _require_undoable(connection: Any, record: Any) -> None:
    later = await connection.fetchrow(SQL["merged_by"], record["winner"])
    if later is not None:
        raise Rejected(
            f"customer {record['winner']} went into {later['winner']} since: undo merge {later['id']} first",
            status=409,
            reason="later-merge",
        )
    for row in await connection.fetch(SQL["standing"], [record["winner"], record["loser"]]):
        if row["erased_at"] is not None:
            raise Rejected(f"customer {row['id']} was erased", status=409, reason="erased-customer")


async def _give_back(
    connection: Any, winner: UUID, loser: UUID, moved: Mapping[str, Any]
) -> tuple[list[UUID], list[UUID]]:
    """Return what the record lists and part what does not belong together; the conversations and routes touched."""
    back = [UUID(one) for one in moved["conversations"]]
    routes, led_to = _uuids(moved["routes"]), _uuids(moved["routes"].values())
    await connection.execute(SQL["return_identifiers"], loser, winner, moved["identifiers"])
    await connection.execute(SQL["return_routes"], loser, winner, routes, led_to)
    trusts = json.dumps(moved["conversations"])
    await connection.execute(SQL["return_conversations"], loser, winner, back, trusts)
    await connection.execute(SQL["return_messages"], loser, winner, routes, back)
    await connection.execute(SQL["return_blobs"], loser, winner, _uuids(moved["blobs"]))
    own, parted = await _part(connection, winner, back)
    return [*back, *led_to, *own], [*routes, *parted]


async def _part(connection: Any, winner: UUID, back: list[UUID]) -> tuple[list[UUID], list[UUID]]:
    """What the winner wrote in conversations that go back, in one of their own: its id and the routes."""
    strangers = await connection.fetch(SQL["strangers_routes"], winner, back)
    if not strangers:
        return [], []
    own, routes = uuid.uuid4(), [row["id"] for row in strangers]
    metadata = json.dumps({"trust_reason": "unmerged"})
    await connection.execute(SQL["open_conversation"], own, winner, strangers[0]["channel"], metadata)
    await connection.execute(SQL["part_routes"], own, routes, back)
    await connection.execute(SQL["part_messages"], own, routes, back)
    return [own], routes


def _uuids(texts: Any) -> list[UUID]:
    return [UUID(text) for text in texts]
