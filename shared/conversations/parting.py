"""Dividing what two people wrote as one customer, once it is known that they are two.

A message belongs to whom its route does. A conversation goes to whoever opened it, with its tickets; what the other
wrote in it gets a conversation and a ticket of its own. So neither's next turn reads the other's words, a person finds
each matter under a ticket with somebody to answer, and nothing hollow stays.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from shared.conversations.placing import heading, new_ticket_id
from shared.conversations.reasons import HandedOver
from shared.db.queries import load
from shared.privacy.vault import Vault

SQL = load("parting")

Cause = Literal[HandedOver.UNLINKED, HandedOver.UNMERGED]
_CHANNELS = {"email": ["email", "web"], "phone": ["whatsapp"]}
_FOLLOW = ("deliveries", "decisions", "long_answers")
_OWN = ("messages", "tickets", "decisions", "verifications", "ratings", "notes")


@dataclass(frozen=True, slots=True)
class Pair:
    """Who leaves with these routes, who stays, and why they are parted."""

    goer: UUID
    stayer: UUID
    routes: Sequence[UUID]
    cause: Cause


async def routes_written_from(connection: Any, vault: Vault, owner: UUID, kind: str, value: str) -> list[UUID]:
    """The owner's routes that this identifier wrote on."""
    rows = await connection.fetch(SQL["routes_written_on"], owner, _CHANNELS[kind])
    keys = await vault.keys_for(connection, [row["address_enc"] for row in rows])
    return [
        row["id"]
        for row in rows
        if json.loads(keys.unseal("route.address", row["address_enc"]))["address"].removeprefix("whatsapp:") == value
    ]


async def divide(connection: Any, vault: Vault, pair: Pair, theirs: Sequence[UUID] = ()) -> list[UUID]:
    """Give the goer their routes, what they opened and what they said; the conversations that are theirs now.

    `theirs` are the goer's whoever spoke first. Everything that hangs on what moved follows, and every turn of both
    begins anew.
    """
    had = await connection.fetch(SQL["give_routes"], pair.goer, pair.routes, pair.stayer)
    pair = replace(pair, routes=[row["id"] for row in had])
    rows = await connection.fetch(SQL["shared"], pair.routes, theirs, pair.stayer)
    given = [row["id"] for row in rows if row["opened"]]
    await connection.execute(SQL["give_conversations"], pair.goer, given)
    parted = {row["id"]: await _part(connection, vault, pair, row) for row in rows if row["mixed"]}
    await _follow(connection, [*(row["id"] for row in rows), *parted.values()], pair)
    for conversation_id in [part for pair_ in parted.items() for part in pair_]:
        await _require_ticket(connection, vault, conversation_id, pair.cause)
    return [*given, *(part for whole, part in parted.items() if whole not in given)]


async def _part(connection: Any, vault: Vault, pair: Pair, row: Any) -> UUID:
    """What was said in a conversation by the one who did not open it, in one of their own."""
    own, whole = uuid.uuid4(), row["id"]
    owner = pair.stayer if row["opened"] else pair.goer
    routes = [one["id"] for one in await connection.fetch(SQL["routes_of"], whole, pair.routes, not row["opened"])]
    await connection.execute(SQL["copy_conversation"], own, owner, whole, pair.cause)
    await connection.execute(SQL["part_routes"], own, routes, whole)
    await connection.execute(SQL["part_messages"], own, routes, whole)
    await connection.execute(SQL["part_tickets"], own, await _pages(connection, vault, routes), whole)
    await connection.execute(SQL["tell_last_channels"], [own, whole])
    # It may quote both.
    await connection.execute(SQL["forget_summaries"], [own, whole])
    return own


async def _pages(connection: Any, vault: Vault, routes: Sequence[UUID]) -> list[str]:
    """The tickets whose pages these routes are."""
    rows = await connection.fetch(SQL["pages"], routes)
    keys = await vault.keys_for(connection, [row["address_enc"] for row in rows])
    return [json.loads(keys.unseal("route.address", row["address_enc"]))["thread"] for row in rows]


async def _follow(connection: Any, conversations: Sequence[UUID], pair: Pair) -> None:
    """What hangs on conversations that changed hands goes where they went."""
    for table in _FOLLOW:
        await connection.execute(SQL[f"follow_{table}"], conversations)
    for table in _OWN:
        await connection.execute(SQL[f"own_{table}"], conversations)
    customers = [pair.goer, pair.stayer]
    await connection.execute(SQL["own_silent_routes"], conversations)
    await connection.execute(SQL["own_attachments"], customers)
    await connection.execute(SQL["own_blobs"], customers)
    await connection.execute(SQL["bump_epochs"], customers)


async def _require_ticket(connection: Any, vault: Vault, conversation_id: UUID, cause: Cause) -> None:
    """A conversation without a ticket would be seen by nobody: one named by its customer's first words."""
    row = await connection.fetchrow(SQL["without_ticket"], conversation_id)
    if row is None:
        return
    keys = await vault.keys_for(connection, [row["subject_enc"], row["body_enc"]])
    subject = keys.unseal("message.subject", row["subject_enc"]) if row["subject_enc"] else ""
    owner = row["customer_id"]
    sealed = (await vault.keys(connection, [owner])).seal(
        owner, "ticket.subject", heading(subject, keys.unseal("message.body", row["body_enc"]))
    )
    status = {"agent": "open", "human": "escalated"}.get(row["state"], "closed")
    reason = cause if status == "escalated" else None
    ticket = (new_ticket_id(), conversation_id, owner, row["channel"], status, sealed, reason)
    await connection.execute(SQL["open_ticket"], *ticket)
