"""The lease: who works on a conversation. Its token fences every commit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.errors import FteError

#: A worker renews its lease this often; one that has not for DEAD_AFTER_S is taken for dead by a redelivery of
#: the event that it was working on. Other events wait for the lease to expire.
BEAT_S = 0.5
DEAD_AFTER_S = 1.6


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of holding a conversation until the lease expires on the database's clock."""

    conversation_id: UUID
    token: UUID


class Stale(FteError):
    """The lease, the epoch or the messages are no longer what the turn began with: look again, write nothing."""

    reason = "stale-turn"


def lease_of(conversation_id: UUID, token: UUID, *, taken: bool | None) -> Lease | None:
    """The lease if the statement took it."""
    return Lease(conversation_id, token) if taken else None
