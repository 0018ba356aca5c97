"""Notices on a real PostgreSQL: sent through the ledger, part of no history, and no reason for a handoff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.channels.gmail.compose import compose
from shared.channels.message import Channel, Trust
from shared.channels.provider import Receipt
from shared.channels.web.token import Holder
from shared.conversations import inbox, mailbox
from shared.conversations.history import history
from shared.conversations.notices import Notice, post
from shared.conversations.ticket_page import TicketPage
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import form

LINK = Notice(Channel.EMAIL, "ada@example.org", "Follow this link.", subject="Confirm your address", name="Ada")


@pytest.fixture
def ledger(db: Database, vault: Vault, settings: Settings) -> Ledger:
    """The ledger over this test's database."""
    return Ledger(db, vault, settings)


async def posted(db: Database, vault: Vault, stored: inbox.Stored) -> UUID:
    """A notice beside a form's conversation; the delivery's id."""
    async with db.transaction() as connection:
        keys = await vault.keys(connection, [stored.customer_id])
        return await post(
            connection, vault, keys, customer_id=stored.customer_id, conversation_id=stored.conversation_id, notice=LINK
        )


async def test_a_notice_is_claimed_and_composed(db: Database, vault: Vault, settings: Settings, ledger: Ledger) -> None:
    """Its own subject, no Re:, nothing quoted, no thread."""
    stored = await inbox.store(db, vault, settings, form(), "e1")
    route = await ledger.route_of(await posted(db, vault, stored))
    assert route is not None
    claim = await ledger.claim(route)
    assert claim is not None
    mail = compose(claim.outbound, settings).decode()
    assert "Subject: Confirm your address\r\n" in mail
    assert "To: Ada <ada@example.org>" in mail
    assert "How do I export" not in mail
    await ledger.finish(claim.outbound, Receipt("g1"))


async def test_a_notice_is_no_history_and_no_page(db: Database, vault: Vault, settings: Settings) -> None:
    """The agent does not take it for an answer of ours, and the ticket's page does not show it."""
    message = form()
    stored = await inbox.store(db, vault, settings, message, "e1")
    await posted(db, vault, stored)
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    assert await history(db, vault, turn, 20) == ()
    page = await TicketPage(db, vault).read(
        Holder(message.thread, message.sender.address, message.sender.name, Trust.CLAIMED)
    )
    assert page is not None
    assert [one.author for one in page.messages] == ["customer"]


async def test_a_notice_that_fails_leaves_the_conversation_to_the_agent(
    db: Database, vault: Vault, settings: Settings, ledger: Ledger
) -> None:
    """An address that does not exist is no reason to wake a person."""
    stored = await inbox.store(db, vault, settings, form(), "e1")
    await ledger.fail(await posted(db, vault, stored), "bad-recipient")
    row: Any = await db.fetchrow("SELECT c.state, d.status FROM conversations c JOIN deliveries d ON true")
    assert tuple(row) == ("agent", "failed")
