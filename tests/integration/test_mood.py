"""A message's mood on a real PostgreSQL: stored with it, counted once, its trend shown to people and to nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from shared.agent.outcome import settled_without_model
from shared.agent.verdict import ask
from shared.channels.message import InboundMessage
from shared.conversations import inbox, mailbox
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp

CALM, ANGRY = "How do I export my data?", "This is unacceptable, I am really angry and I want a lawyer."


def counted(channel: str, mood: str) -> float:
    """What the metric says so far."""
    return REGISTRY.get_sample_value("fte_message_moods_total", {"channel": channel, "mood": mood}) or 0.0


@pytest.mark.parametrize("message", [email(ANGRY), whatsapp(ANGRY), form(ANGRY)], ids=["email", "whatsapp", "web"])
async def test_it_is_stored_with_the_message_and_counted_once(
    db: Database, vault: Vault, settings: Settings, message: InboundMessage
) -> None:
    """The same message again is neither stored nor counted; nothing else of it is in the metric."""
    before = counted(message.channel, "very-negative")
    for _ in range(2):
        await inbox.store(db, vault, settings, message, str(uuid4()))
    rows = await db.fetch("SELECT mood FROM messages WHERE author = 'customer'")
    assert [row["mood"] < -0.6 for row in rows] == [True]
    assert counted(message.channel, "very-negative") == before + 1


async def test_what_nobody_reads_has_none(db: Database, vault: Vault, settings: Settings) -> None:
    """A robot's words say nothing of a customer."""
    before = counted("email", "very-negative")
    await inbox.store(db, vault, settings, email(ANGRY, ignored="auto-submitted"), str(uuid4()))
    assert [row["mood"] for row in await db.fetch("SELECT mood FROM messages")] == [None]
    assert counted("email", "very-negative") == before


async def test_the_person_who_takes_over_reads_where_it_goes(db: Database, vault: Vault, settings: Settings) -> None:
    """A calm question, then an angry message: the handoff's summary says that it is falling."""
    await inbox.store(db, vault, settings, email(CALM), str(uuid4()))
    await db.execute("UPDATE messages SET outcome = 'replied', outcome_at = now()")
    await db.execute("UPDATE conversations SET lease_token = NULL, lease_expires = NULL, lease_event = NULL")
    stored = await inbox.store(db, vault, settings, email(ANGRY), str(uuid4()))
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    asked = await ask(db, turn, ())
    assert asked.moods[0] == 0.0
    assert asked.moods[1] < -0.6
    result = settled_without_model(asked, settings)
    assert result is not None
    assert result.outcome == "escalated"
    assert "falling over their last 2 messages" in result.summary
