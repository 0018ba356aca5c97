"""What was said before (R4.2): the last messages over all channels, cut at whole turns.

A verified turn sees the customer's verified messages everywhere; any other sees of its own
conversation alone what is as little verified. A history never begins with an answer whose question was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.channels.message import Channel, Trust
from shared.conversations.mailbox import OpenTurn
from shared.db.pool import Database
from shared.db.queries import load
from shared.privacy.vault import Vault

SQL = load("history")


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier message; `author` is customer, agent or human."""

    conversation_id: UUID
    author: Literal["customer", "agent", "human"]
    channel: Channel
    subject: str
    text: str
    at: datetime


async def history(db: Database, vault: Vault, turn: OpenTurn, limit: int) -> tuple[Said, ...]:
    """The messages before this turn that its trust allows, oldest first, at most `limit`."""
    verified = turn.trust is Trust.VERIFIED
    here = turn.lease.conversation_id
    async with db.transaction() as connection:
        # One more than asked for shows whether the oldest turn is whole.
        if verified:
            rows = await connection.fetch(SQL["of_customer"], turn.customer_id, turn.message_ids, limit + 1, here)
        else:
            rows = await connection.fetch(SQL["of_conversation"], here, turn.message_ids, limit + 1)
        keys = await vault.keys_for(connection, [v for r in rows for v in (r["subject_enc"], r["body_enc"])])
    kept = whole_turns(list(reversed(rows)), limit)
    return tuple(
        Said(
            row["conversation_id"],
            row["author"],
            Channel(row["channel"]),
            keys.unseal("message.subject", row["subject_enc"]) if row["subject_enc"] else "",
            keys.unseal("message.body", row["body_enc"]),
            row["received_at"],
        )
        for row in kept
    )


def whole_turns(rows: Sequence[Any], limit: int) -> Sequence[Any]:
    """The newest `limit` rows, without leading answers whose question was cut (a turn begins with a customer)."""
    if len(rows) <= limit:
        return rows
    kept = rows[-limit:]
    start = next((i for i, row in enumerate(kept) if row["author"] == "customer"), len(kept))
    # Cut inside a customer's lines: those before the cut belong to the same turn, so leave that turn out.
    if start == 0 and rows[-limit - 1]["author"] == "customer":
        answered = next((i for i, row in enumerate(kept) if row["author"] != "customer"), len(kept))
        after = next((i for i, row in enumerate(kept) if i > answered and row["author"] == "customer"), None)
        return kept if after is None else kept[after:]
    return kept[start:]
