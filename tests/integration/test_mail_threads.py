"""Which conversation a mail joins by what it refers to, on a real PostgreSQL: its own, and never a stranger's."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest

from shared.channels.message import EmailHeaders, InboundMessage, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email


async def answered(db: Database, vault: Vault, settings: Settings, trust: Trust) -> tuple[inbox.Stored, UUID]:
    """A mail in thread t1 that we answered; its conversation and our delivery."""
    stored = await inbox.store(db, vault, settings, email(trust=trust), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    delivery_id = await commit_turn(db, vault, turn, Verdict("replied", None, "Open Settings."))
    assert delivery_id is not None
    await mailbox.hand_back(db, stored.lease)
    return stored, delivery_id


async def quoted_by(ledger: Ledger, delivery_id: UUID) -> tuple[str, EmailHeaders | None]:
    """What the mail of a delivery quotes, and what it is in reply to."""
    route_id = await ledger.route_of(delivery_id)
    assert route_id is not None
    claim = await ledger.claim(route_id)
    assert claim is not None
    assert claim.outbound.delivery_id == str(delivery_id)
    return claim.outbound.quoted, claim.outbound.in_reply_to


def reply(to: UUID, *, trust: Trust, sender: str = "ada@example.org", thread: str = "t2") -> InboundMessage:
    """A mail that refers to ours but stands in another thread of Gmail's, its subject having changed."""
    made = email("And the invoices?", thread=thread, sender=sender, trust=trust, subject="Something else")
    assert made.email is not None
    references = ("<q@example.org>", f"<fte.{to}@example.com>")
    return made.model_copy(update={"email": made.email.model_copy(update={"references": references})})


async def store(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> inbox.Stored:
    return await inbox.store(db, vault, settings, message, uuid.uuid4().hex)


@pytest.mark.parametrize("trust", [Trust.VERIFIED, Trust.CLAIMED])
async def test_a_reply_that_gmail_put_elsewhere_goes_on_with_its_matter(
    db: Database, vault: Vault, settings: Settings, trust: Trust
) -> None:
    """Same address, same trust: the same conversation and customer, answered in the new thread."""
    first, delivery_id = await answered(db, vault, settings, trust)
    second = await store(db, vault, settings, reply(delivery_id, trust=trust))
    assert (second.conversation_id, second.customer_id) == (first.conversation_id, first.customer_id)
    rows = await db.fetch("SELECT DISTINCT route_id FROM messages WHERE author = 'customer'")
    assert len(rows) == 2
    third = await store(db, vault, settings, email("thanks a lot for that", thread="t2", trust=trust))
    assert third.conversation_id == first.conversation_id


@pytest.mark.parametrize(
    ("first_trust", "trust", "sender"),
    [
        (Trust.VERIFIED, Trust.VERIFIED, "grace@example.net"),
        (Trust.CLAIMED, Trust.CLAIMED, "grace@example.net"),
        (Trust.VERIFIED, Trust.CLAIMED, "ada@example.org"),
        (Trust.VERIFIED, Trust.HELD, "ada@example.org"),
        (Trust.CLAIMED, Trust.VERIFIED, "ada@example.org"),
    ],
)
@pytest.mark.parametrize("thread", ["t1", "t2"])
async def test_a_stranger_who_shares_an_in_reply_to_shares_no_ticket(
    db: Database, vault: Vault, settings: Settings, first_trust: Trust, trust: Trust, sender: str, thread: str
) -> None:
    """Another address, or the same one less sure or surer: a conversation and a ticket of its own, in any thread."""
    first, delivery_id = await answered(db, vault, settings, first_trust)
    other = await store(db, vault, settings, reply(delivery_id, trust=trust, sender=sender, thread=thread))
    assert other.conversation_id != first.conversation_id
    rows = await db.fetch("SELECT conversation_id FROM tickets")
    assert len(rows) == len({row["conversation_id"] for row in rows}) == 2


async def test_references_that_name_nothing_of_ours_open_a_matter(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Unknown deliveries, made-up ids."""
    first, _ = await answered(db, vault, settings, Trust.VERIFIED)
    other = await store(db, vault, settings, reply(UUID(int=5), trust=Trust.VERIFIED))
    assert other.conversation_id != first.conversation_id


async def test_an_answer_quotes_what_it_answers(db: Database, vault: Vault, settings: Settings) -> None:
    """Not what came in the same thread while it was written: that gets an answer of its own."""
    stored = await inbox.store(db, vault, settings, email("How do I export?"), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    later = email("And the invoices?")
    assert later.email is not None
    headers = later.email.model_copy(update={"message_id": "<second@example.org>"})
    await store(db, vault, settings, later.model_copy(update={"email": headers}))
    delivery_id = await commit_turn(db, vault, turn, Verdict("replied", None, "Open Settings."))
    assert delivery_id is not None
    assert await quoted_by(Ledger(db, vault, settings), delivery_id) == ("How do I export?", turn.messages[0].email)


async def test_a_persons_answer_quotes_no_robot(db: Database, vault: Vault, settings: Settings) -> None:
    """What came last from the customer, their absence note left out."""
    await store(db, vault, settings, email("How do I export?"))
    await store(db, vault, settings, email("I am away until Monday.", ignored="out-of-office"))
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    delivery_id, _ = await desk_of(db, vault, settings).reply(ticket, "a person's word")
    assert (await quoted_by(Ledger(db, vault, settings), delivery_id))[0] == "How do I export?"
