"""Undoing a merge after both wrote as one, on a real PostgreSQL: each matter with its customer, under its ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.channels.message import InboundMessage
from shared.cli.mcp_server import conversation_of
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.errors import Permanent, Rejected
from shared.identity.link import link, merge_customers
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, whatsapp
from tests.integration.test_merging import consistent, remembered, said

ADDRESS, PHONE = "ada@example.org", "+12015550123"
HOLLOW = """
SELECT t.id FROM tickets t
WHERE NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = t.conversation_id AND m.author = 'customer')
"""


async def close_all(db: Database, vault: Vault, settings: Settings) -> None:
    """Everything is sent and every ticket closed."""
    await db.execute("UPDATE deliveries SET status = 'sent', finished_at = now()")
    for row in await db.fetch("SELECT id FROM tickets WHERE status <> 'closed'"):
        await desk_of(db, vault, settings).close(row["id"], "done", survey=False)


async def tickets(db: Database, vault: Vault, customer: UUID) -> list[tuple[str, str, list[str]]]:
    """A customer's tickets: status, subject, and what the customer said under each."""
    found: list[tuple[str, str, list[str]]] = []
    rows = await db.fetch("SELECT * FROM tickets WHERE customer_id = $1 ORDER BY created_at, id", customer)
    for row in rows:
        said_in = await db.fetch(
            "SELECT body_enc FROM messages WHERE conversation_id = $1 AND author = 'customer' ORDER BY seq",
            row["conversation_id"],
        )
        async with db.transaction() as connection:
            keys = await vault.keys_for(connection, [row["subject_enc"], *(one["body_enc"] for one in said_in)])
        texts = [keys.unseal("message.body", one["body_enc"]) for one in said_in]
        found.append((row["status"], keys.unseal("ticket.subject", row["subject_enc"]), texts))
    return found


async def no_crossing(db: Database) -> None:
    """Nothing is hollow, every conversation that was written in has a ticket, and every row is with its customer."""
    assert await db.fetch(HOLLOW) == []
    nowhere = await db.fetch(
        "SELECT c.id FROM conversations c WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.conversation_id = c.id)"
    )
    assert nowhere == []
    led_astray = await db.fetch(
        "SELECT r.id FROM routes r JOIN conversations c ON c.id = r.conversation_id"
        " WHERE c.customer_id <> r.customer_id"
    )
    assert led_astray == []
    await consistent(db)


async def test_a_matter_begun_since_goes_with_its_ticket(db: Database, vault: Vault, settings: Settings) -> None:
    """Both had closed matters; the phone opened one as the joined customer: it is the phone's afterwards, and open."""
    mailed = await said(db, vault, settings, email("How do I export my data?", subject=""))
    texted = await said(db, vault, settings, whatsapp("hi there"))
    await close_all(db, vault, settings)
    await link(db, vault, ADDRESS, PHONE)
    await said(db, vault, settings, whatsapp("how do i invite a colleague?"))
    opened: Any = await db.fetchrow("SELECT id FROM tickets WHERE status = 'open'")
    await unmerge_customers(db, vault, customer_id=mailed)
    assert await tickets(db, vault, mailed) == [
        ("closed", "How do I export my data?", ["How do I export my data?"]),
    ]
    assert await tickets(db, vault, texted) == [
        ("closed", "hi there", ["hi there"]),
        ("open", "how do i invite a colleague?", ["how do i invite a colleague?"]),
    ]
    _, conversation_id = await desk_of(db, vault, settings).reply(opened["id"], "hello")
    sent: Any = await db.fetchrow("SELECT channel, conversation_id FROM deliveries WHERE author = 'human'")
    assert tuple(sent) == ("whatsapp", conversation_id)
    await no_crossing(db)


@pytest.mark.parametrize("phone_first", [True, False])
async def test_a_matter_of_both_is_parted_into_two_tickets(
    db: Database, vault: Vault, settings: Settings, *, phone_first: bool
) -> None:
    """Whoever opened it keeps its ticket, which names nobody else's words; the other has one that names their own."""
    mailed = await said(db, vault, settings, email("an old matter", thread="t0", subject=""))
    texted = await said(db, vault, settings, whatsapp("hi there"))
    await close_all(db, vault, settings)
    await link(db, vault, ADDRESS, PHONE)
    lines = [whatsapp("my app crashes"), email("my invoice is wrong", thread="t1", subject="")]
    for line in lines if phone_first else reversed(lines):
        await said(db, vault, settings, line)
    await db.execute("UPDATE tickets SET summary_enc = '\\x01' WHERE status = 'open'")
    assert (await db.fetchrow("SELECT count(*) AS n FROM tickets WHERE status = 'open'"))["n"] == 1  # type: ignore[index]
    await unmerge_customers(db, vault, customer_id=texted)
    assert (await tickets(db, vault, texted))[1:] == [("open", "my app crashes", ["my app crashes"])]
    assert (await tickets(db, vault, mailed))[1:] == [("open", "my invoice is wrong", ["my invoice is wrong"])]
    # A summary may quote both.
    assert await db.fetch("SELECT id FROM tickets WHERE summary_enc IS NOT NULL") == []
    rows = await db.fetch(
        "SELECT c.last_channel, m.channel FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        " WHERE c.state = 'agent'"
    )
    assert all(row["last_channel"] == row["channel"] for row in rows)
    await no_crossing(db)
    assert await remembered(db, vault, settings, whatsapp("and now?")) == ["hi there", "my app crashes"]
    assert await remembered(db, vault, settings, email("and now?", thread="t1")) == [
        *("an old matter", "my invoice is wrong"),
    ]


async def test_what_went_on_in_the_other_s_matter_has_a_ticket_of_its_own(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The winner wrote in a matter that the loser had before: it gets a ticket, the loser keeps theirs."""
    mailed = await said(db, vault, settings, email("an old matter", thread="t0", subject=""))
    await close_all(db, vault, settings)
    texted = await said(db, vault, settings, whatsapp("my app crashes"))
    await link(db, vault, ADDRESS, PHONE)
    await said(db, vault, settings, email("my invoice is wrong", thread="t1", subject=""))
    await unmerge_customers(db, vault, customer_id=texted)
    assert await tickets(db, vault, texted) == [("open", "my app crashes", ["my app crashes"])]
    assert (await tickets(db, vault, mailed))[1:] == [("open", "my invoice is wrong", ["my invoice is wrong"])]
    await no_crossing(db)


async def test_a_thread_that_the_loser_began_since_is_the_loser_s(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The e-mail side goes: what it wrote in a thread of its own meanwhile goes with it."""
    mailed = await said(db, vault, settings, email("an old matter", thread="t0", subject=""))
    texted = await said(db, vault, settings, whatsapp("hi there"))
    await close_all(db, vault, settings)
    await merge_customers(db, texted, mailed)
    await said(db, vault, settings, email("my invoice is wrong", thread="t1", subject=""))
    await unmerge_customers(db, vault, customer_id=mailed)
    assert (await tickets(db, vault, mailed))[1:] == [("open", "my invoice is wrong", ["my invoice is wrong"])]
    assert len(await tickets(db, vault, texted)) == 1
    await no_crossing(db)


def unnamed(message: InboundMessage) -> InboundMessage:
    """The message of somebody whose program tells no name."""
    return message.model_copy(update={"sender": message.sender.model_copy(update={"name": ""})})


async def test_a_name_learnt_from_the_other_is_unlearnt(db: Database, vault: Vault, settings: Settings) -> None:
    """Ada's profile named the joined customer: the e-mail side had no name before and has none again."""
    mailed = await said(db, vault, settings, unnamed(email("hello")))
    texted = await said(db, vault, settings, whatsapp("hi there"))
    await link(db, vault, ADDRESS, PHONE)
    await said(db, vault, settings, whatsapp("how do i invite a colleague?"))
    named = "SELECT name_enc IS NOT NULL AS named FROM customers WHERE id = $1"
    assert (await db.fetchrow(named, mailed))["named"]  # type: ignore[index]
    await unmerge_customers(db, vault, customer_id=texted)
    assert not (await db.fetchrow(named, mailed))["named"]  # type: ignore[index]
    assert (await db.fetchrow(named, texted))["named"]  # type: ignore[index]


async def test_a_ticket_that_nobody_wrote_in_is_told_so(db: Database, vault: Vault, settings: Settings) -> None:
    """As an unmerge left some: a reply is refused in words, and so are tools on it."""
    await said(db, vault, settings, email("hello"))
    await db.execute(
        "INSERT INTO conversations (id, customer_id, trust, last_channel)"
        " SELECT gen_random_uuid(), id, 'verified', 'email' FROM customers"
    )
    await db.execute(
        "INSERT INTO tickets (id, conversation_id, customer_id, channel, subject_enc)"
        " SELECT 'HOLLOW0001', c.id, c.customer_id, 'email', '\\x01' FROM conversations c"
        " WHERE NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id)"
    )
    desk = desk_of(db, vault, settings)
    with pytest.raises(Rejected, match="no customer wrote") as refused:
        await desk.reply("HOLLOW0001", "hello")
    assert (refused.value.status, refused.value.reason) == (409, "no-route")
    with pytest.raises(Permanent, match="no customer wrote"):
        await conversation_of(db, "HOLLOW0001")
    await desk.close("HOLLOW0001", None)
