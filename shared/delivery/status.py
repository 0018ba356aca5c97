"""What a provider's status callback or a server's delivery report says of a delivery: it may come in any order.

Statuses only move forward. A callback is proof that its attempt was carried out, so it settles an
unknown outcome; `failed` finds another way (63016, 21610) or sends the conversation to a person.
Source: Twilio, "Outbound Message Status in Status Callbacks"; RFC 3464 for reports by e-mail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from shared.channels.status import DeliveryStatus
from shared.channels.whatsapp.codes import FOR_NOW
from shared.delivery.backoff import delay_s
from shared.delivery.ledger import SQL, Ledger
from shared.delivery.reroute import undeliverable
from shared.errors import Permanent
from shared.observability.logs import logger

_ACCEPTED = {"accepted", "scheduled", "queued", "sending", "sent"}
_FAILED = {"failed", "undelivered", "canceled"}
_RANK = {"sent": 1, "delivered": 2, "read": 3}
_UNSETTLED = {"sending", "unknown", "deferred"}

#: Told the seconds to wait and the route that has something to send then.
Later = Callable[[float, UUID], None]


async def apply_status(ledger: Ledger, said: DeliveryStatus, later: Later | None = None) -> tuple[UUID, ...]:
    """Apply one callback; the routes to go on with: its own when it settled an unknown outcome, a new one's.

    `later(seconds, route_id)` is told when the next attempt is due, for a failure that passes.
    """
    delivery_id = _uuid(said.delivery_id)
    failed, wait = False, None
    async with ledger.db.transaction() as connection:
        row = await connection.fetchrow(SQL["status_row"], delivery_id)
        if row is None or not _concerns(row, said) or _is_over(row, said):
            return ()
        if said.status in _FAILED and said.error_code in FOR_NOW:
            wait = await _try_again(connection, row, said)
        elif said.status in _FAILED:
            failed = row["status"] in _UNSETTLED | {"sent"}
        elif (status := _forward(row["status"], said.status)) is not None:
            await _write(connection, "apply_status", delivery_id, status, said.error_code, said.sid)
    if wait is not None:
        if later is not None:
            later(wait, row["route_id"])
        return ()
    code = said.error_code or said.status
    others = await undeliverable(ledger, delivery_id, row["attempt"], code) if failed else ()
    return (*others, *([row["route_id"]] if row["status"] in _UNSETTLED else []))


async def _try_again(connection: Any, row: Any, said: DeliveryStatus) -> float:
    """The seconds until the next attempt."""
    wait = delay_s(row["attempt"])
    await _write(connection, "try_again", row["id"], said.error_code, wait, said.sid)
    logger().warning("delivery_failed_for_now", channel=row["channel"], reason=said.error_code)
    return wait


async def _write(connection: Any, statement: str, *values: Any) -> None:
    """The last value is the provider's id, left out where another delivery is known by it: a look mistook the two."""
    try:
        async with connection.transaction():
            await connection.execute(SQL[statement], *values)
    except UniqueViolationError:
        logger().error("provider_id_of_another", statement=statement)
        await connection.execute(SQL[statement], *values[:-1], None)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        # The URL is signed, so only a change of ours can bring another form here.
        raise Permanent("the status names no delivery of ours", reason="unknown-delivery") from None


def _concerns(row: Any, said: DeliveryStatus) -> bool:
    if said.sid is None or row["provider_id"] in (None, said.sid):
        return True
    # Another attempt of ours went out too: nothing to undo, but a person should know.
    logger().error("delivery_sent_twice", attempt=said.attempt, channel=row["channel"])
    return False


def _is_over(row: Any, said: DeliveryStatus) -> bool:
    """Whether it tells of an attempt that has ended: an older one, or one that failed for now and was not delivered."""
    if said.attempt is not None and said.attempt != row["attempt"]:
        # An older attempt that was thought not to be carried out: it says nothing of the one under way.
        logger().warning("status_of_older_attempt", status=said.status, attempt=said.attempt)
        return True
    waits = row["status"] == "deferred" and row["error_code"] in FOR_NOW
    return waits and said.status not in ("delivered", "read")


def _forward(now: str, said: str) -> str | None:
    status = "sent" if said in _ACCEPTED else said
    if status not in _RANK or now in ("failed", "superseded", "rerouted"):
        return None
    return status if _RANK[status] > _RANK.get(now, 0) else None
