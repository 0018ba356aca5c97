"""A mail's raw form and its files: kept encrypted before the event, once, opened again exactly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from shared.channels.cursors import advance_cursor
from shared.channels.gmail.intake import Intake
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import InboundMessage
from shared.clock import SystemClock
from shared.conversations import inbox
from shared.db.pool import Database
from shared.errors import Retryable
from shared.events.envelope import Event
from shared.privacy import blobs
from shared.privacy.vault import Vault
from shared.settings import Settings

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"


def mail(*files: tuple[str, bytes], text: str = "Please look at the invoice of Ada.") -> bytes:
    made = EmailMessage()
    made["From"] = "Ada <ada@example.org>"
    made["Authentication-Results"] = "mx.google.com; dmarc=pass header.from=example.org"
    made["Subject"] = "An invoice"
    made["Cc"] = "Grace <grace@example.net>"
    made["Reply-To"] = "other@example.net"
    made.set_content(text)
    for name, data in files:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()


@dataclass
class Gmail:
    """A mailbox with these raw messages, all of them new."""

    raws: dict[str, bytes] = field(default_factory=dict)

    async def profile(self) -> str:
        return "200"

    async def get_raw(self, message_id: str) -> RawMail:
        return RawMail(message_id, "t1", frozenset({"INBOX"}), datetime.now(UTC), self.raws[message_id])

    async def history(self, start: str) -> tuple[list[str], str]:
        return list(self.raws), "200"

    async def list_inbox(self, since: datetime, limit: int) -> list[str]:
        return list(self.raws)

    async def watch(self) -> tuple[str, datetime]:
        raise AssertionError


@dataclass
class Kafka:
    """Takes events, or is away."""

    away: bool = False
    messages: list[InboundMessage] = field(default_factory=list)

    async def publish(self, topic: str, event: Event) -> None:
        if self.away:
            raise Retryable("away", reason="kafka-away")
        self.messages.append(InboundMessage.model_validate_json(event.data))


async def collect(settings: Settings, db: Database, raw: bytes, kafka: Kafka) -> None:
    """A process that looks into the mailbox for the first time since a mail came."""
    await advance_cursor(db, "email", "100")
    await Intake(settings, db, Gmail({"m1": raw}), kafka, SystemClock()).collect(None)


async def read(db: Database, vault: Vault, blob: UUID | None) -> bytes | None:
    assert blob is not None
    async with db.transaction() as connection:
        return await blobs.contents(connection, vault, blob)


async def count(db: Database) -> int:
    row: Any = await db.fetchrow("SELECT count(*) AS n FROM blobs")
    return row["n"]


async def test_the_raw_mail_and_each_file_are_kept_before_the_event(
    settings: Settings, db: Database, vault: Vault
) -> None:
    """Byte for byte, sealed, with facts in the event; and the inbox gives them to the customer."""
    raw, kafka = mail(("invoice.pdf", _PDF), ("notes.txt", b"only notes")), Kafka()
    await collect(settings, db, raw, kafka)
    [message] = kafka.messages
    assert await read(db, vault, message.raw_blob) == raw
    pdf, notes = message.attachments
    assert (pdf.name, pdf.content_type, pdf.size, len(pdf.sha256)) == ("invoice.pdf", "application/pdf", len(_PDF), 64)
    assert await read(db, vault, notes.blob) == b"only notes"
    assert message.email is not None
    assert (message.email.cc, message.email.reply_to) == ("Grace <grace@example.net>", "other@example.net")
    stored = await inbox.store(db, vault, settings, message, "e1")
    rows = await db.fetch("SELECT customer_id, data_enc FROM blobs")
    assert {row["customer_id"] for row in rows} == {stored.customer_id}
    assert not [row for row in rows if b"invoice" in row["data_enc"] or b"notes" in row["data_enc"]]
    kept: Any = await db.fetchrow("SELECT raw_blob_id FROM messages")
    assert await read(db, vault, kept["raw_blob_id"]) == raw


async def test_a_crash_before_the_event_costs_a_retry_and_leaves_no_heap(
    settings: Settings, db: Database, vault: Vault
) -> None:
    """Kafka away three times: the same blobs each time, and the fourth look publishes them."""
    raw, kafka = mail(("a.txt", b"one")), Kafka(away=True)
    for _ in range(3):
        with pytest.raises(Retryable):
            await collect(settings, db, raw, kafka)
    assert await count(db) == 2
    kafka.away = False
    await collect(settings, db, raw, kafka)
    [message] = kafka.messages
    assert await read(db, vault, message.raw_blob) == raw
    assert await count(db) == 2


async def test_what_is_stored_is_not_kept_again(settings: Settings, db: Database, vault: Vault) -> None:
    """A resync after the message was stored, even after its blobs were destroyed, brings nothing back."""
    raw, kafka = mail(("a.txt", b"one")), Kafka()
    await collect(settings, db, raw, kafka)
    await inbox.store(db, vault, settings, kafka.messages[0], "e1")
    await db.execute("UPDATE messages SET raw_blob_id = NULL")
    await db.execute("DELETE FROM attachments")
    await db.execute("DELETE FROM blobs")
    await collect(settings, db, raw, kafka)
    assert await count(db) == 0
    again = await inbox.store(db, vault, settings, kafka.messages[1], "e1")
    assert not again.new


async def test_two_processes_keep_one_set(settings: Settings, db: Database) -> None:
    """A push and a poll at the same moment in two processes."""
    raw = mail(("a.txt", b"one"))
    both = Kafka(), Kafka()
    await asyncio.gather(*(collect(settings, db, raw, kafka) for kafka in both))
    assert await count(db) == 2
    assert both[0].messages[0].raw_blob == both[1].messages[0].raw_blob


async def test_files_beyond_the_limits_are_named_and_refused(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many, too large: facts and the reason; the raw mail still has them."""
    monkeypatch.setattr("shared.channels.files.MAX_BYTES", 1000)
    kafka = Kafka()
    files = [("big.bin", b"x" * 1001), *((f"{number}.txt", b"t") for number in range(22))]
    await collect(settings, db, mail(*files), kafka)
    refused = [file.refused for file in kafka.messages[0].attachments]
    assert refused == ["too-large", *[""] * 19, "too-many", "too-many", "too-many"]
    assert await count(db) == 20


async def test_text_of_files_never_makes_an_event_too_large(settings: Settings, db: Database) -> None:
    """Twenty files full of letters that escape to six bytes: the event fits, the message is whole."""
    kafka = Kafka()
    files = [(f"{number}.txt", "\u0001\u00e9".encode() * 9_000) for number in range(20)]
    raw = mail(*files, text="How do I read these?").replace(b"application/octet-stream", b"text/plain")
    await collect(settings, db, raw, kafka)
    [message] = kafka.messages
    assert message.text == "How do I read these?"
    assert len(message.model_dump_json().encode()) < 512_000
