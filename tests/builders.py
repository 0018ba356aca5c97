"""Messages as the channels would hand them over; every name and address is invented."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from shared.channels.message import Channel, EmailHeaders, FormFields, InboundMessage, Sender, Trust
from shared.conversations.desk import Desk
from shared.conversations.surveys import Surveys
from shared.db.pool import Database
from shared.delivery.ledger import supersede
from shared.privacy.vault import Vault
from shared.settings import Settings


def email(
    text: str = "How do I export my data?",
    *,
    sender: str = "ada@example.org",
    thread: str = "t1",
    trust: Trust = Trust.VERIFIED,
    provider_id: str | None = None,
    subject: str = "A question",
    ignored: str = "",
) -> InboundMessage:
    """One e-mail."""
    message_id = provider_id or uuid.uuid4().hex[:16]
    return InboundMessage(
        channel=Channel.EMAIL,
        provider_message_id=message_id,
        received_at=datetime.now(UTC),
        sender=Sender(kind="email", address=sender, name="Ada Example", trust=trust, trust_reason="dmarc=pass"),
        thread=thread,
        subject=subject,
        text=text,
        ignored=ignored,
        email=EmailHeaders(gmail_thread_id=thread, message_id=f"<{message_id}@example.org>"),
    )


def whatsapp(
    text: str = "hi, how do I export my data?", *, sender: str = "+12015550123", provider_id: str | None = None
) -> InboundMessage:
    """One WhatsApp message."""
    return InboundMessage(
        channel=Channel.WHATSAPP,
        provider_message_id=provider_id or f"SM{uuid.uuid4().hex}",
        received_at=datetime.now(UTC),
        sender=Sender(kind="phone", address=sender, name="Ada", trust=Trust.VERIFIED, trust_reason="signed-webhook"),
        thread=sender,
        text=text,
    )


def form(
    text: str = "How do I export my data?", *, sender: str = "ada@example.org", ticket_id: str | None = None
) -> InboundMessage:
    """One message typed into the web form: its address is claimed."""
    ticket = ticket_id or uuid.uuid4().hex[:16].upper()
    return InboundMessage(
        channel=Channel.WEB,
        provider_message_id=ticket,
        received_at=datetime.now(UTC),
        sender=Sender(kind="email", address=sender, name="Ada", trust=Trust.CLAIMED, trust_reason="typed-address"),
        thread=ticket,
        subject="Export",
        text=text,
        form=FormFields(category="technical"),
    )


def desk_of(db: Database, vault: Vault, settings: Settings) -> Desk:
    """The operator's acts, as dlq-review puts them together."""
    return Desk(db, vault, supersede, Surveys(vault, settings))
