"""Dead letters: what failed for good, kept as it came, for a person to review (R3.3).

A replay publishes the same event with the same id, key and signature on its topic, so twice is
once, and of an ended message it is nothing. What does not carry our signature can be read and
discarded, not replayed.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.events.envelope import CHANNELS, INBOUND, OUTBOUND
from shared.events.kafka import KafkaProducer
from shared.events.received import ReceivedEvent
from shared.events.signature import is_ours
from shared.observability.logs import logger
from shared.observability.metrics import DEAD_LETTERS
from shared.privacy.mask import masked
from shared.privacy.vault import Keyset, Vault

SQL = load("dead_letters")
_IDENTITY = load("identity")
_REPLAYABLE = {INBOUND, OUTBOUND, CHANNELS}
_LABEL = "dead_letter.data"
#: Causes that the metric tells apart. Whoever can reach /events could name any other.
_COUNTED = frozenset(
    {
        "bad-event-data",
        "bad-event-signature",
        "bug",
        "database-away",
        "database-refused",
        "event-too-large",
        "kafka-away",
        "malformed-event",
        "no-answer",
        "unknown-conversation",
        "unknown-event-type",
        "unsigned-event",
    }
)


@dataclass(frozen=True, slots=True)
class DeadLetterBox:
    """Keeps, lists, replays and discards."""

    db: Database
    vault: Vault
    producer: KafkaProducer
    event_keys: tuple[bytes, ...]

    async def keep(self, event: ReceivedEvent) -> UUID:
        """Store one dead letter; the same event again updates its row. Raises Retryable without PostgreSQL."""
        attributes = {_storable(name): _storable(value) for name, value in event.attributes.items()}
        topic = attributes.get("ftetopic", "unknown")[:100]
        cause, code = cause_of(attributes)
        signature = attributes.get("ftesig", "")
        signed = is_ours(self.event_keys, signature, event.id, event.type, event.source, event.data)
        async with self.db.transaction() as connection:
            owner, keys = await self.vault.service_keys(connection, "dead_letters")
            data = base64.b64encode(event.data).decode()
            letter_id = await connection.fetchval(
                SQL["keep"],
                uuid.uuid4(),
                attributes["id"][:300],
                attributes["type"][:200],
                attributes["source"][:300],
                topic,
                _storable(event.key)[:300],
                json.dumps({**attributes, "content-type": _storable(event.content_type)}),
                keys.seal(owner, _LABEL, data),
                cause,
                code,
                signed,
            )
        DEAD_LETTERS.labels(topic if topic in _REPLAYABLE else "unknown", cause if cause in _COUNTED else "other").inc()
        logger().error("dead_letter", topic=topic, cause=cause, error_code=code, dead_letter_id=str(letter_id))
        return letter_id

    async def list(self, status: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first, without data."""
        return [_shown(row) for row in await self.db.fetch(SQL["list"], status, limit)]

    async def show(self, letter_id: str) -> dict[str, Any]:
        """One letter with its data, by its id or its event's. Raises Rejected (404)."""
        async with self.db.transaction() as connection:
            row, data = await self._read(connection, letter_id)
        signed = self._signed(row, data)
        attributes = json.loads(row["attributes"])
        return {
            **_shown(row),
            "signed": signed,
            "attributes": attributes,
            "data": masked(data.decode("utf-8", "replace")),
        }

    async def replay(self, letter_id: str, reason: str | None) -> dict[str, Any]:
        """Publish the original event again. Raises Rejected: 404 unknown, 409 not ours or its topic unknown.

        Decided and published under the row's lock: a new failure of the event waits, and is then seen.
        """
        async with self.db.transaction() as connection:
            row, data = await self._read(connection, letter_id)
            if not self._signed(row, data):
                raise Rejected("the event does not carry our signature: discard it", status=409, reason="not-ours")
            if row["topic"] not in _REPLAYABLE:
                raise Rejected("the event's topic is not known", status=409, reason="unknown-topic")
            await _decide(connection, row, "replayed", reason)
            await self.producer.publish_raw(row["topic"], row["key"].encode() or None, data, _headers(row))
        return {"id": str(row["id"]), "event_id": row["event_id"], "status": "replayed"}

    async def discard(self, letter_id: str, reason: str | None) -> dict[str, Any]:
        """Set aside for good, with a reason on record. Raises Rejected (404)."""
        async with self.db.transaction() as connection:
            row, _ = await self._read(connection, letter_id)
            await _decide(connection, row, "discarded", reason)
        return {"id": str(row["id"]), "event_id": row["event_id"], "status": "discarded"}

    async def _read(self, connection: Any, letter_id: str) -> tuple[Any, bytes]:
        row = await connection.fetchrow(SQL["show"], letter_id)
        if row is None:
            raise Rejected("no such dead letter", status=404, reason="unknown-dead-letter")
        _, keys = await self.vault.service_keys(connection, "dead_letters")
        return row, _data(row, keys)

    def _signed(self, row: Any, data: bytes) -> bool:
        signature = json.loads(row["attributes"]).get("ftesig", "")
        return is_ours(self.event_keys, signature, row["event_id"], row["event_type"], row["source"], data)


async def _decide(connection: Any, row: Any, status: str, reason: str | None) -> None:
    await connection.execute(SQL["decide"], row["id"], status, reason)
    details = json.dumps({"reason": reason})
    await connection.execute(_IDENTITY["record_action"], f"dead-letters.{status}", str(row["id"]), details)


def _storable(text: str) -> str:
    """PostgreSQL's text holds no NUL and no lone surrogate; a stranger's attribute may."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def cause_of(attributes: Mapping[str, str]) -> tuple[str, int | None]:
    """Why it failed: our own reason word where the function's answer carries one, else the status.

    Source: Knative Eventing, "Event delivery": knativeerrorcode, knativeerrordata (base64).
    """
    code = attributes.get("knativeerrorcode", "")
    status = int(code) if code.isdigit() else None
    word = attributes.get("knereason") or _reason_in(attributes.get("knativeerrordata", ""))
    return (word or (f"http-{status}" if status else "no-answer"))[:100], status


def _reason_in(encoded: str) -> str | None:
    try:
        body = json.loads(base64.b64decode(encoded))
        return str(body["error"]["reason"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _data(row: Any, keys: Keyset) -> bytes:
    return base64.b64decode(keys.unseal(_LABEL, row["data_enc"]))


def _headers(row: Any) -> list[tuple[str, bytes]]:
    """The record's headers as they first were: what Knative and the source added is left out."""
    attributes: dict[str, str] = json.loads(row["attributes"])
    content_type = attributes.pop("content-type", "application/json")
    kept = {name: value for name, value in attributes.items() if not _added(name)}
    headers = [(f"ce_{name}", value.encode()) for name, value in kept.items()]
    return [*headers, ("content-type", content_type.encode())]


def _added(name: str) -> bool:
    return name.startswith(("knative", "kne")) or name in {"ftetopic", "key"}


def _shown(row: Any) -> dict[str, Any]:
    names = ("event_id", "event_type", "source", "topic", "cause", "error_code", "failures", "status", "note")
    shown: dict[str, Any] = {"id": str(row["id"]), **{name: row[name] for name in names}}
    for name in ("arrived_at", "decided_at"):
        moment: datetime | None = row[name]
        shown[name] = moment.isoformat() if moment else None
    return shown
