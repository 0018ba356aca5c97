"""Merging and parting customers on a real PostgreSQL: what goes, what comes back, and what is refused."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from shared.channels.message import Attachment, InboundMessage
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.history import history
from shared.conversations.lease import Stale
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.link import link, merge_customers
from shared.privacy import blobs
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.conftest import make_settings

REPLY = Verdict(outcome="replied", reason=None, text="Open Settings, then Export.")
#: What is a customer's by its own row.
OWNED = (
    *("customer_identifiers", "conversations", "routes", "messages", "attachments", "blobs", "tickets"),
    *("decisions", "verifications", "ratings", "notes"),
)
#: Every table that names a customer, so that a new one cannot be forgotten; the record of merges apart.
TABLES = """
SELECT DISTINCT c.table_name
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
  AND (c.column_name IN ('customer_id', 'conversation_id', 'message_id') OR c.table_name = 'customers')
"""


@pytest.fixture
def settings(dsn: str) -> Settings:
    """With as many connections as several copies of a function hold."""
    return make_settings(database_url=SecretStr(dsn), database_pool_size=24)


async def rows_of(db: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row that may be a customer's, but for the epochs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in [row["table_name"] for row in await db.fetch(TABLES)]:
        rows = await db.fetch(f"SELECT to_jsonb(t) - 'epoch' AS row FROM {table} t ORDER BY to_jsonb(t)::text")  # noqa: S608
        found[table] = [json.loads(row["row"]) for row in rows]
    return found


async def said(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> UUID:
    """A message that was answered; its customer."""
    stored = await inbox.store(db, vault, settings, message, f"e-{uuid4()}")
    if stored.lease is not None:
        turn = (await mailbox.look(db, vault, stored.lease)).turn
        assert turn is not None
        await commit_turn(db, vault, turn, REPLY)
        await mailbox.hand_back(db, stored.lease)
    return stored.customer_id


async def remembered(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> list[str]:
    """What the customer's next turn reads."""
    stored = await inbox.store(db, vault, settings, message, f"e-{uuid4()}")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    read = [one.text for one in await history(db, vault, turn, 50) if one.author == "customer"]
    await commit_turn(db, vault, turn, REPLY)
    await mailbox.hand_back(db, stored.lease)
    return read


async def with_file(db: Database, vault: Vault, message: InboundMessage) -> InboundMessage:
    """The message with a file whose contents are kept, and its raw form."""
    async with db.transaction() as connection:
        file, raw = await blobs.keep(connection, vault, b"PDF"), await blobs.keep(connection, vault, b"raw")
    attachment = Attachment(name="a.pdf", content_type="application/pdf", size=3, blob=file)
    return message.model_copy(update={"attachments": (attachment,), "raw_blob": raw})


async def two_customers(db: Database, vault: Vault, settings: Settings) -> tuple[UUID, UUID]:
    """Ada by e-mail and on WhatsApp, with all that may hang on a customer."""
    mailed = await said(db, vault, settings, await with_file(db, vault, email("my invoice", thread="t1")))
    texted = await said(db, vault, settings, await with_file(db, vault, whatsapp("the app crashes")))
    for customer in (mailed, texted):
        await db.execute(
            "INSERT INTO verifications (id, kind, customer_id, conversation_id, identifier_kind, lookup, value_enc,"
            " secret, expires_at) SELECT gen_random_uuid(), 'code', $1, id, 'phone', '\\x01', '\\x02', '\\x03', now()"
            " FROM conversations WHERE customer_id = $1",
            customer,
        )
        await db.execute(
            "INSERT INTO ratings (ticket_id, conversation_id, customer_id, channel, score)"
            " SELECT id, conversation_id, customer_id, channel, 5 FROM tickets WHERE customer_id = $1",
            customer,
        )
        await db.execute(
            "INSERT INTO notes (id, ticket_id, conversation_id, customer_id, author, text_enc)"
            " SELECT gen_random_uuid(), id, conversation_id, customer_id, 'sam', '\\x01' FROM tickets"
            " WHERE customer_id = $1",
            customer,
        )
    return mailed, texted


async def owners(db: Database, table: str) -> set[UUID]:
    """Whose rows a table has."""
    return {row["customer_id"] for row in await db.fetch(f"SELECT DISTINCT customer_id FROM {table}")}  # noqa: S608


async def test_a_merge_moves_all_and_an_unmerge_restores_exactly_what_was(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Every row of both customers, in every table, is as it was before."""
    winner, loser = await two_customers(db, vault, settings)
    before = await rows_of(db)
    await merge_customers(db, winner, loser)
    for table in OWNED:
        assert await owners(db, table) == {winner}, table
    assert await rows_of(db) != before
    parted = await unmerge_customers(db, vault, customer_id=loser)
    assert (parted.winner, parted.loser) == (winner, loser)
    assert await rows_of(db) == before
    actions = await db.fetch("SELECT action, subject FROM operator_actions ORDER BY id")
    assert [tuple(row) for row in actions] == [
        ("customers.merge", str(winner)),
        ("customers.unmerge", str(winner)),
    ]


async def test_chains_are_undone_in_reverse_and_only_so(db: Database, vault: Vault, settings: Settings) -> None:
    """A ← B, then C ← A: the first cannot be undone before the second; both undone, all is as it was."""
    first, second = await two_customers(db, vault, settings)
    third = await said(db, vault, settings, email("hello", sender="bob@example.net", thread="t9"))
    before = await rows_of(db)
    one = await merge_customers(db, first, second)
    two = await merge_customers(db, third, first)
    with pytest.raises(Rejected, match=f"undo merge {two} first") as refused:
        await unmerge_customers(db, vault, merge_id=one)
    assert refused.value.status == 409
    await unmerge_customers(db, vault, merge_id=two)
    await unmerge_customers(db, vault, merge_id=one)
    assert await rows_of(db) == before


async def test_what_was_written_since_goes_with_whose_it_is(db: Database, vault: Vault, settings: Settings) -> None:
    """A wrong merge undone: neither's next turn reads what the other wrote, before or since."""
    winner, loser = await two_customers(db, vault, settings)
    await merge_customers(db, winner, loser)
    assert "the app crashes" in await remembered(db, vault, settings, email("still waiting", thread="t1"))
    await said(db, vault, settings, whatsapp("on my phone again"))
    await said(db, vault, settings, email("a second matter", thread="t2"))
    await unmerge_customers(db, vault, customer_id=loser)
    theirs = await remembered(db, vault, settings, whatsapp("and now"))
    assert theirs == ["the app crashes", "on my phone again"]
    ours = await remembered(db, vault, settings, email("and now", thread="t2"))
    assert ours == ["my invoice", "still waiting", "a second matter"]
    crossed = await db.fetch(
        "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        " WHERE c.customer_id <> m.customer_id"
    )
    assert crossed == []


async def test_what_still_waits_is_answered_after_an_unmerge(db: Database, vault: Vault, settings: Settings) -> None:
    """The winner's open message in the loser's conversation gets one of its own, with the agent."""
    loser = await said(db, vault, settings, whatsapp("the app crashes"))
    winner = await said(db, vault, settings, whatsapp("hello", sender="+12015550188"))
    await merge_customers(db, winner, loser)
    # The winner's number goes on in the most recent conversation: make that the loser's.
    await db.execute("UPDATE conversations SET last_activity_at = now() - interval '1 hour' WHERE state = 'agent'")
    await db.execute(
        "UPDATE conversations SET last_activity_at = now() WHERE id ="
        " (SELECT conversation_id FROM messages WHERE author = 'customer' ORDER BY seq LIMIT 1)"
    )
    waiting = await inbox.store(db, vault, settings, whatsapp("wait", sender="+12015550188"), "e9")
    await unmerge_customers(db, vault, customer_id=loser)
    row: Any = await db.fetchrow(
        "SELECT c.customer_id, c.state, c.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        " WHERE m.outcome IS NULL AND m.author = 'customer'"
    )
    assert (row["customer_id"], row["state"]) == (winner, "agent")
    assert row["id"] != waiting.conversation_id
    stored = await inbox.look_again(db, settings, row["id"], "wake")
    assert stored is not None
    assert stored.lease is not None
    assert (await mailbox.look(db, vault, stored.lease)).turn is not None


async def test_refused_merges_say_what_to_do(db: Database, vault: Vault, settings: Settings) -> None:
    """With oneself, with nobody, with somebody merged already, with somebody erased; and an unmerge of nothing."""
    winner, loser = await two_customers(db, vault, settings)
    with pytest.raises(Rejected, match="with itself"):
        await merge_customers(db, winner, winner)
    with pytest.raises(Rejected, match="no customer"):
        await merge_customers(db, winner, uuid4())
    with pytest.raises(Rejected) as none:
        await unmerge_customers(db, vault, customer_id=loser)
    assert none.value.status == 404
    merge_id = await merge_customers(db, winner, loser)
    third = await said(db, vault, settings, email("hello", sender="bob@example.net", thread="t9"))
    with pytest.raises(Rejected, match=str(winner)) as merged:
        await merge_customers(db, third, loser)
    assert merged.value.status == 409
    await unmerge_customers(db, vault, merge_id=merge_id)
    with pytest.raises(Rejected, match="undone already"):
        await unmerge_customers(db, vault, merge_id=merge_id)
    again = await merge_customers(db, winner, loser)
    await db.execute("UPDATE customers SET data_key = NULL, erased_at = now() WHERE id = $1", loser)
    with pytest.raises(Rejected, match="erased"):
        await unmerge_customers(db, vault, merge_id=again)
    await db.execute("UPDATE customers SET data_key = NULL, erased_at = now() WHERE id = $1", third)
    with pytest.raises(Rejected, match="erased"):
        await merge_customers(db, winner, third)


async def test_claims_never_merge(db: Database, vault: Vault, settings: Settings) -> None:
    """Fifty who type one address, and its owner's mail: fifty-one customers, and nobody resolves by a claim."""
    typed = [form(f"line {number}", sender="ada@example.org") for number in range(50)]
    stored = await asyncio.gather(
        *(inbox.store(db, vault, settings, message, f"e{at}") for at, message in enumerate([*typed, email()]))
    )
    assert len({one.customer_id for one in stored}) == 51
    assert (await db.fetch("SELECT id FROM customer_merges")) == []


async def deadlocks(db: Database) -> int:
    """Of this database, since it was made."""
    row: Any = await db.fetchrow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return row["deadlocks"]


@pytest.mark.parametrize("channel", ["email", "whatsapp"])
async def test_fifty_first_messages_and_links_at_once_make_one_customer(
    db: Database, vault: Vault, settings: Settings, channel: str
) -> None:
    """Whoever comes first: messages of both sides and the operator's links end in one customer, without a deadlock."""

    async def write(number: int) -> None:
        own = email(f"mail {number}", thread=f"t{number % 5}") if channel == "email" else whatsapp(f"line {number}")
        await inbox.store(db, vault, settings, own, f"a{number}")

    async def other(number: int) -> None:
        theirs = whatsapp(f"line {number}") if channel == "email" else email(f"mail {number}", thread=f"t{number}")
        await inbox.store(db, vault, settings, theirs, f"b{number}")

    async def joined() -> None:
        await link(db, vault, "ada@example.org", "+12015550123")

    await asyncio.gather(*(write(n) for n in range(50)), *(other(n) for n in range(10)), *(joined() for _ in range(5)))
    assert await deadlocks(db) == 0
    assert len(await owners(db, "messages")) == 1
    assert len(await owners(db, "customer_identifiers")) == 1
    assert await owners(db, "conversations") == await owners(db, "routes") == await owners(db, "messages")


async def work_all(db: Database, vault: Vault, settings: Settings) -> None:
    """What a worker does with every conversation, short of answering."""
    for row in await db.fetch("SELECT id FROM conversations"):
        seen = await inbox.look_again(db, settings, row["id"], "holder")
        if seen is None or seen.lease is None:
            continue
        turn = (await mailbox.look(db, vault, seen.lease)).turn
        if turn is not None:
            await mailbox.count_attempt(db, turn)
        await mailbox.hand_back(db, seen.lease)


async def test_a_merge_while_its_customers_write_loses_nothing(db: Database, vault: Vault, settings: Settings) -> None:
    """Arrivals, turns, merges and unmerges of two customers at once: no deadlock, and every row agrees at the end."""
    winner, loser = await two_customers(db, vault, settings)

    async def write(number: int) -> None:
        await inbox.store(db, vault, settings, whatsapp(f"line {number}"), f"a{number}")
        await inbox.store(db, vault, settings, email(f"mail {number}", thread="t1"), f"b{number}")

    async def answer() -> None:
        for _ in range(20):
            await work_all(db, vault, settings)

    async def join_and_part() -> None:
        for _ in range(8):
            await merge_customers(db, winner, loser)
            await unmerge_customers(db, vault, customer_id=loser)

    await asyncio.gather(answer(), join_and_part(), *(write(number) for number in range(25)))
    assert await deadlocks(db) == 0
    for table in ("messages", "tickets", "routes"):
        crossed = await db.fetch(
            f"SELECT o.id FROM {table} o JOIN conversations c ON c.id = o.conversation_id"  # noqa: S608
            " WHERE c.customer_id <> o.customer_id"
        )
        assert crossed == [], table
    assert len(await owners(db, "messages")) == 2


async def test_a_number_long_unseen_is_somebody_else_s(db: Database, vault: Vault, settings: Settings) -> None:
    """Numbers are given to others: after NUMBER_STALE_D days a stranger on it reads nothing, its owner's mail all."""
    owner = (await link(db, vault, "ada@example.org", "+12015550123")).customer_id
    await said(db, vault, settings, whatsapp("my secret project"))
    await db.execute("UPDATE customer_identifiers SET seen_at = now() - interval '181 days'")
    read = await remembered(db, vault, settings, whatsapp("hello, I am new here"))
    assert read == []
    assert "my secret project" in await remembered(db, vault, settings, email("and me?", thread="t1"))
    assert await said(db, vault, settings, email("still me", thread="t1")) == owner
    assert make_settings(number_stale_d=1).number_stale_d == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_order_of_writing_joining_and_parting_ends_consistent(
    db: Database, vault: Vault, settings: Settings, seed: int
) -> None:
    """Six people, everything at once, refusals allowed: no deadlock, no row astray, and undoing all restores six."""
    chance = random.Random(seed)
    people = [(f"p{number}@example.org", f"+120155501{number:02}") for number in range(10, 16)]
    homes = [await said(db, vault, settings, email("hello", sender=mail, thread=mail)) for mail, _ in people]

    async def act() -> None:
        one, other = chance.sample(range(len(people)), 2)
        mail, phone = people[one]
        kind = chance.randrange(5)
        with suppress(Rejected):
            if kind == 0:
                await inbox.store(db, vault, settings, email("more", sender=mail, thread=mail), f"e-{uuid4()}")
            elif kind == 1:
                await inbox.store(db, vault, settings, whatsapp("more", sender=phone), f"e-{uuid4()}")
            elif kind == 2:
                await link(db, vault, mail, phone)
            elif kind == 3:
                await merge_customers(db, homes[one], homes[other])
            else:
                await unmerge_customers(db, vault, customer_id=homes[one])

    await asyncio.gather(*(act() for _ in range(120)))
    await consistent(db)
    while merges := await db.fetch("SELECT id FROM customer_merges WHERE undone_at IS NULL ORDER BY id DESC"):
        await unmerge_customers(db, vault, merge_id=merges[0]["id"])
    await consistent(db)
    found = await db.fetch("SELECT customer_id FROM customer_identifiers WHERE kind = 'email' ORDER BY customer_id")
    assert [row["customer_id"] for row in found] == sorted(homes)


async def consistent(db: Database) -> None:
    """No deadlock so far; every row lies with its conversation's customer, and nothing with somebody who went away."""
    assert await deadlocks(db) == 0
    for table in ("messages", "tickets", "decisions"):
        crossed = await db.fetch(
            f"SELECT o.id FROM {table} o JOIN conversations c ON c.id = o.conversation_id"  # noqa: S608
            " WHERE c.customer_id <> o.customer_id"
        )
        assert crossed == [], table
    for table in ("customer_identifiers", "conversations", "routes", "messages"):
        gone = await db.fetch(
            f"SELECT o.id FROM {table} o JOIN customers c ON c.id = o.customer_id WHERE c.merged_into IS NOT NULL"  # noqa: S608
        )
        assert gone == [], table


async def test_a_long_answer_goes_back_with_its_message(db: Database, vault: Vault, settings: Settings) -> None:
    """What was offered on the phone after a merge is the phone's after it was undone: the other is mailed nothing."""
    winner, loser = await two_customers(db, vault, settings)
    await merge_customers(db, winner, loser)
    await said(db, vault, settings, whatsapp("and how do I export everything?"))
    await db.execute(
        "INSERT INTO long_answers (id, conversation_id, message_id, text_enc, language)"
        " SELECT gen_random_uuid(), conversation_id, id, body_enc, 'en' FROM messages"
        " WHERE channel = 'whatsapp' AND author = 'agent' ORDER BY seq DESC LIMIT 1"
    )
    await unmerge_customers(db, vault, customer_id=loser)
    rows = await db.fetch(
        "SELECT l.conversation_id = m.conversation_id AS follows, c.customer_id FROM long_answers l"
        " JOIN messages m ON m.id = l.message_id JOIN conversations c ON c.id = l.conversation_id"
    )
    assert [tuple(row) for row in rows] == [(True, loser)]


async def test_a_turn_under_way_while_two_are_parted_writes_nothing(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Parting bumps the epoch: what was decided from the joined history is not sent."""
    winner, loser = await two_customers(db, vault, settings)
    await merge_customers(db, winner, loser)
    stored = await inbox.store(db, vault, settings, whatsapp("what did I ask by mail?"), "e-open")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    await unmerge_customers(db, vault, customer_id=loser)
    with pytest.raises(Stale):
        await commit_turn(db, vault, turn, REPLY)
