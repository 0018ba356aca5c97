"""A bounce from the mailbox to the ledger, on a real PostgreSQL: the delivery fails and a person sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.channels.cursors import advance_cursor
from shared.channels.gmail.intake import Intake
from shared.channels.message import InboundMessage
from shared.channels.provider import Receipt
from shared.channels.status import DeliveryStatus
from shared.clock import SystemClock
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.delivery.status import apply_status
from shared.events.envelope import OUTBOUND, Event
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email
from tests.integration.test_gmail_keeping import Gmail
from tests.unit.test_gmail_reports import report


@dataclass
class Topics:
    """What was published, by topic."""

    events: list[tuple[str, Event]] = field(default_factory=list)

    async def publish(self, topic: str, event: Event) -> None:
        self.events.append((topic, event))

    def statuses(self) -> list[DeliveryStatus]:
        return [DeliveryStatus.model_validate_json(event.data) for topic, event in self.events if topic == OUTBOUND]


async def sent(db: Database, vault: Vault, settings: Settings) -> UUID:
    """An answer by e-mail that Gmail took; the delivery's id."""
    stored = await inbox.store(db, vault, settings, email(), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    delivery_id = await commit_turn(db, vault, turn, Verdict("replied", None, "Open Settings."))
    assert delivery_id is not None
    await mailbox.hand_back(db, stored.lease)
    ledger = Ledger(db, vault, settings)
    route = await ledger.route_of(delivery_id)
    assert route is not None
    claim = await ledger.claim(route)
    assert claim is not None
    await ledger.finish(claim.outbound, Receipt("g-sent-1"))
    return delivery_id


async def bounced(db: Database, vault: Vault, settings: Settings, raw: bytes, message_id: str = "b1") -> Topics:
    """The report reaches the mailbox, and what is published about it the inbox and the ledger."""
    await db.execute("DELETE FROM channel_cursors WHERE channel = 'email'")
    await advance_cursor(db, "email", "100")
    topics = Topics()
    await Intake(settings, db, Gmail({message_id: raw}), topics, SystemClock()).collect(None)
    ledger = Ledger(db, vault, settings)
    for topic, event in topics.events:
        if topic == OUTBOUND:
            await apply_status(ledger, DeliveryStatus.model_validate_json(event.data))
        else:
            await inbox.store(db, vault, settings, InboundMessage.model_validate_json(event.data), event.id)
    return topics


async def test_a_bounce_fails_its_delivery_and_a_person_sees_it(db: Database, vault: Vault, settings: Settings) -> None:
    """Sent becomes failed with the server's code; the ticket says why; the report is stored and ignored."""
    delivery_id = await sent(db, vault, settings)
    raw = report(returned=f"Message-ID: <fte.{delivery_id}@example.com>")
    topics = await bounced(db, vault, settings, raw)
    row: Any = await db.fetchrow("SELECT status, error_code FROM deliveries")
    assert tuple(row) == ("failed", "5.1.1")
    ticket: Any = await db.fetchrow(
        "SELECT t.status, t.reason, c.state FROM tickets t JOIN conversations c ON c.id = t.conversation_id"
    )
    assert tuple(ticket) == ("escalated", "delivery-failed:5.1.1", "human")
    stored: Any = await db.fetchrow(
        "SELECT outcome, outcome_reason, details_enc FROM messages WHERE outcome_reason = 'delivery-report'"
    )
    assert stored["outcome"] == "ignored"
    async with db.transaction() as connection:
        keys = await vault.keys_for(connection, [stored["details_enc"]])
    assert str(delivery_id) in keys.unseal("message.details", stored["details_enc"])
    again = await bounced(db, vault, settings, raw)
    assert [event.id for _, event in again.events] == [event.id for _, event in topics.events]


async def test_a_delay_changes_nothing(db: Database, vault: Vault, settings: Settings) -> None:
    """The server goes on trying: no status is published, the delivery stays sent."""
    delivery_id = await sent(db, vault, settings)
    raw = report("delayed", "4.4.7", returned=f"X-FTE-Delivery: {delivery_id}")
    assert (await bounced(db, vault, settings, raw)).statuses() == []
    row: Any = await db.fetchrow(
        "SELECT d.status, c.state FROM deliveries d JOIN conversations c ON c.id = d.conversation_id"
    )
    assert tuple(row) == ("sent", "agent")


async def test_a_report_about_a_mail_that_is_not_ours_is_only_ignored(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """No delivery named, or one that there is not."""
    await sent(db, vault, settings)
    await bounced(db, vault, settings, report(), "b1")
    await bounced(db, vault, settings, report(returned=f"X-FTE-Delivery: {UUID(int=7)}"), "b2")
    row: Any = await db.fetchrow("SELECT status FROM deliveries")
    assert row["status"] == "sent"
