"""Taking an address or number from a customer whose it is not, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.history import history
from shared.conversations.lease import Stale
from shared.conversations.unlink import unlink_identifiers
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.link import link, look_at_link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp
from tests.integration.test_merging import consistent, remembered, rows_of, said

ADDRESS, PHONE = "ada@example.org", "+12015550123"


async def owner_of(db: Database, vault: Vault, kind: str, value: str) -> UUID | None:
    """Whose a verified identifier is."""
    row = await db.fetchrow(
        "SELECT customer_id FROM customer_identifiers WHERE kind = $1 AND lookup = $2 AND trust = 'verified'",
        kind,
        vault.lookup(kind, value),
    )
    return row["customer_id"] if row else None


async def test_a_look_says_what_a_link_would_do_and_changes_nothing(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Whether each was known, and whose it was."""
    nobody = await look_at_link(db, vault, ADDRESS, PHONE)
    assert (nobody.customer_id, [side.was for side in nobody.sides]) == (None, ["unknown", "unknown"])
    ada = await said(db, vault, settings, email("hello"))
    before = await rows_of(db)
    known = await look_at_link(db, vault, ADDRESS, PHONE)
    assert (known.customer_id, [side.was for side in known.sides]) == (ada, ["theirs", "unknown"])
    assert await rows_of(db) == before
    await said(db, vault, settings, whatsapp("hello"))
    assert [side.was for side in (await look_at_link(db, vault, ADDRESS, PHONE)).sides] == ["theirs", "another"]


async def test_a_mistyped_number_that_nobody_wrote_from_leaves_no_trace(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Every row is as it was before the link; the act is on record without the number."""
    ada = await said(db, vault, settings, email("hello"))
    before = await rows_of(db)
    await link(db, vault, ADDRESS, PHONE)
    assert await owner_of(db, vault, "phone", PHONE) == ada
    (taken,) = await unlink_identifiers(db, vault, [("phone", PHONE)])
    assert (taken.customer_id, taken.moved_to, taken.conversations) == (ada, None, 0)
    assert await rows_of(db) == before
    actions = await db.fetch("SELECT action, subject, details::text AS told FROM operator_actions ORDER BY id")
    assert [(row["action"], row["subject"]) for row in actions] == [
        ("customers.link", str(ada)),
        ("customers.unlink", str(ada)),
    ]
    assert not any("555" in row["told"] for row in actions)
    assert await said(db, vault, settings, whatsapp("hello, who are you?")) != ada


async def test_who_wrote_from_it_takes_their_words_along(db: Database, vault: Vault, settings: Settings) -> None:
    """The stranger's lines went on in Ada's conversation: parted, neither reads the other's."""
    ada = await said(db, vault, settings, email("my invoice", thread="t1"))
    await link(db, vault, ADDRESS, PHONE)
    assert await said(db, vault, settings, whatsapp("the app crashes")) == ada
    (taken,) = await unlink_identifiers(db, vault, [("phone", PHONE)])
    assert taken.moved_to not in (None, ada)
    assert taken.conversations == 1
    assert await remembered(db, vault, settings, whatsapp("and now?")) == ["the app crashes"]
    assert await remembered(db, vault, settings, email("and now?", thread="t1")) == ["my invoice"]
    assert await owner_of(db, vault, "phone", PHONE) == taken.moved_to
    assert await owner_of(db, vault, "email", ADDRESS) == ada
    assert (await db.fetchrow("SELECT count(*) AS n FROM tickets WHERE customer_id = $1", taken.moved_to))["n"] == 1  # type: ignore[index]
    await consistent(db)


async def test_a_conversation_of_their_own_goes_with_them(db: Database, vault: Vault, settings: Settings) -> None:
    """Written before the other's: nothing is parted, the ticket stays what it was."""
    await link(db, vault, ADDRESS, PHONE)
    stored = await inbox.store(db, vault, settings, whatsapp("the app crashes"), "e1")
    ticket: Any = await db.fetchrow("SELECT id FROM tickets")
    (taken,) = await unlink_identifiers(db, vault, [("phone", PHONE)])
    row: Any = await db.fetchrow("SELECT id, customer_id, conversation_id FROM tickets")
    assert tuple(row) == (ticket["id"], taken.moved_to, stored.conversation_id)
    await consistent(db)


async def test_what_waits_for_a_person_still_waits(db: Database, vault: Vault, settings: Settings) -> None:
    """A conversation that a person had: the parted one is theirs too, with a ticket that they see."""
    await said(db, vault, settings, email("my invoice", thread="t1"))
    await link(db, vault, ADDRESS, PHONE)
    stored = await inbox.store(db, vault, settings, whatsapp("I want my money back"), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    await commit_turn(db, vault, turn, Verdict("escalated", "refund", "A colleague will answer."))
    (taken,) = await unlink_identifiers(db, vault, [("phone", PHONE)])
    row: Any = await db.fetchrow(
        "SELECT t.id, t.status, c.state FROM tickets t JOIN conversations c ON c.id = t.conversation_id"
        " WHERE t.customer_id = $1",
        taken.moved_to,
    )
    assert (row["status"], row["state"]) == ("escalated", "human")
    await desk_of(db, vault, settings).reply(row["id"], "Sorted out. Sam")
    delivery: Any = await db.fetchrow("SELECT channel FROM deliveries WHERE author = 'human'")
    assert delivery["channel"] == "whatsapp"


async def test_a_turn_under_way_writes_nothing(db: Database, vault: Vault, settings: Settings) -> None:
    """What was decided from the joined history is not sent."""
    await said(db, vault, settings, email("my invoice", thread="t1"))
    await link(db, vault, ADDRESS, PHONE)
    stored = await inbox.store(db, vault, settings, whatsapp("what did I ask?"), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    assert (await history(db, vault, turn, 20))[0].text == "my invoice"
    await unlink_identifiers(db, vault, [("phone", PHONE)])
    with pytest.raises(Stale):
        await commit_turn(db, vault, turn, Verdict("replied", None, "You asked for an invoice."))


async def test_what_may_not_be_taken_says_why(db: Database, vault: Vault, settings: Settings) -> None:
    """Nobody's, all there is of somebody, what came by a merge; one refused leaves the other where it is."""
    with pytest.raises(Rejected) as nobody:
        await unlink_identifiers(db, vault, [("phone", PHONE)])
    assert nobody.value.status == 404
    await said(db, vault, settings, email("hello"))
    with pytest.raises(Rejected, match="all there is"):
        await unlink_identifiers(db, vault, [("email", ADDRESS)])
    await said(db, vault, settings, whatsapp("hello"))
    linked = await link(db, vault, ADDRESS, PHONE)
    before = await rows_of(db)
    with pytest.raises(Rejected, match=f"merge {linked.merge_id}") as merged:
        await unlink_identifiers(db, vault, [("email", ADDRESS), ("phone", PHONE)])
    assert merged.value.reason == "came-by-merge"
    assert await rows_of(db) == before
    await unmerge_customers(db, vault, merge_id=linked.merge_id)


async def test_a_claimed_address_is_nobodys_to_be_taken(db: Database, vault: Vault, settings: Settings) -> None:
    """Typed into the form it stands beside a conversation and belongs to nobody: that is said."""
    await said(db, vault, settings, form("hello"))
    before = await rows_of(db)
    with pytest.raises(Rejected, match="only claimed") as claimed:
        await unlink_identifiers(db, vault, [("email", ADDRESS)])
    assert (claimed.value.status, claimed.value.reason) == (404, "unconfirmed-address")
    assert "nothing to unlink" in str(claimed.value)
    assert await rows_of(db) == before


async def test_an_unmerge_after_an_unlink_still_parts_the_rest(db: Database, vault: Vault, settings: Settings) -> None:
    """A merge's record names what left since: it stays where it went."""
    ada = await said(db, vault, settings, email("my invoice", thread="t1"))
    await link(db, vault, ADDRESS, PHONE)
    bob = await said(db, vault, settings, email("bob here", sender="bob@example.net", thread="t2"))
    linked = await link(db, vault, "bob@example.net", PHONE)
    assert linked.merge_id is not None
    await said(db, vault, settings, whatsapp(f"hello {uuid4()}"))
    await unmerge_customers(db, vault, merge_id=linked.merge_id)
    (taken,) = await unlink_identifiers(db, vault, [("phone", PHONE)])
    assert taken.customer_id == ada
    assert len({ada, bob, taken.moved_to}) == 3
    await consistent(db)
