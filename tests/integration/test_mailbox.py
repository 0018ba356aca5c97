"""One message, exactly one outcome: inbox, lease, turn and commit on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from shared.channels.message import InboundMessage, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.history import history
from shared.conversations.lease import Lease, Stale
from shared.db.pool import Database
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp

REPLY = Verdict(outcome="replied", reason=None, text="Open Settings, then Export.")


async def take_in(db: Database, vault: Vault, settings: Settings, message: object, event: str = "e1") -> inbox.Stored:
    """Store a message as agent-run does."""
    return await inbox.store(db, vault, settings, message, event)  # type: ignore[arg-type]


async def the_turn(db: Database, vault: Vault, lease: Lease | None) -> mailbox.OpenTurn:
    """The turn that the lease's holder sees."""
    assert lease is not None
    turn = (await mailbox.look(db, vault, lease)).turn
    assert turn is not None
    return turn


async def test_a_message_is_stored_once_however_often_it_comes(db: Database, vault: Vault, settings: Settings) -> None:
    """Ten copies at once, under one event id and under others, store one message in one conversation."""
    message = email()
    results = await asyncio.gather(*(take_in(db, vault, settings, message, f"e{i % 3}") for i in range(10)))
    assert sum(result.new for result in results) == 1
    assert len({result.conversation_id for result in results}) == 1
    assert (await db.fetchrow("SELECT count(*) AS n FROM messages"))["n"] == 1


async def test_three_first_messages_at_once_make_one_customer(db: Database, vault: Vault, settings: Settings) -> None:
    """Simultaneous first messages of one number share a customer, a conversation, and one lease."""
    results = await asyncio.gather(*(take_in(db, vault, settings, whatsapp(f"line {i}"), f"e{i}") for i in range(3)))
    assert len({result.customer_id for result in results}) == 1
    assert len({result.conversation_id for result in results}) == 1
    assert sum(result.lease is not None for result in results) == 1


async def has_died(db: Database) -> None:
    """The lease's worker has not renewed it for longer than a living one would."""
    await db.execute("UPDATE conversations SET lease_expires = lease_expires - interval '2 seconds'")


async def test_redelivery_of_the_same_event_takes_a_dead_worker_s_lease(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A crash costs a retry: the event that held the lease gets it again, another event does not."""
    message = email()
    first = await take_in(db, vault, settings, message, "e1")
    await has_died(db)
    other = await take_in(db, vault, settings, email(provider_id="m2"), "e2")
    again = await take_in(db, vault, settings, message, "e1")
    assert first.lease is not None
    assert other.lease is None
    assert again.lease is not None
    with pytest.raises(Stale):
        await mailbox.look(db, vault, first.lease)


async def test_a_copy_of_an_event_does_not_rob_its_living_worker(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A webhook told twice makes two records with one id: the second is told that the first is at work."""
    message = email()
    first = await take_in(db, vault, settings, message, "e1")
    copy = await take_in(db, vault, settings, message, "e1")
    assert (copy.lease, copy.at_work) == (None, True)
    assert (await the_turn(db, vault, first.lease)).messages
    other = await take_in(db, vault, settings, email(provider_id="m2"), "e2")
    assert (other.lease, other.at_work) == (None, False)


async def test_an_arrival_during_the_turn_makes_the_release_miss(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """No wake-up is lost: a message stored after the look keeps its holder from releasing."""
    first = await take_in(db, vault, settings, whatsapp("one"), "e1")
    turn = await the_turn(db, vault, first.lease)
    await commit_turn(db, vault, turn, REPLY)
    assert first.lease is not None
    seen = await mailbox.look(db, vault, first.lease)
    assert seen.turn is None
    second = await take_in(db, vault, settings, whatsapp("two"), "e2")
    assert second.lease is None
    assert not await mailbox.release(db, first.lease, seen.arrived)
    turn = await the_turn(db, vault, first.lease)
    assert [message.text for message in turn.messages] == ["two"]


async def test_release_lets_the_next_event_in(db: Database, vault: Vault, settings: Settings) -> None:
    """After a release a new message takes the lease."""
    first = await take_in(db, vault, settings, whatsapp("one"), "e1")
    await commit_turn(db, vault, await the_turn(db, vault, first.lease), REPLY)
    assert first.lease is not None
    seen = await mailbox.look(db, vault, first.lease)
    assert await mailbox.release(db, first.lease, seen.arrived)
    assert (await take_in(db, vault, settings, whatsapp("two"), "e2")).lease is not None


async def test_only_one_of_two_workers_commits(db: Database, vault: Vault, settings: Settings) -> None:
    """The fencing token: a worker whose lease was taken over writes nothing, so there is one reply."""
    message = email()
    slow = await the_turn(db, vault, (await take_in(db, vault, settings, message, "e1")).lease)
    await has_died(db)
    quick = await the_turn(db, vault, (await take_in(db, vault, settings, message, "e1")).lease)
    await commit_turn(db, vault, quick, REPLY)
    with pytest.raises(Stale):
        await commit_turn(db, vault, slow, REPLY)
    assert (await db.fetchrow("SELECT count(*) AS n FROM deliveries"))["n"] == 1


async def test_a_turn_answers_all_open_messages_of_its_route(db: Database, vault: Vault, settings: Settings) -> None:
    """Three quick lines are one turn, and each line gets its outcome."""
    stored = [await take_in(db, vault, settings, whatsapp(f"line {i}"), f"e{i}") for i in range(3)]
    turn = await the_turn(db, vault, stored[0].lease)
    assert [message.text for message in turn.messages] == ["line 0", "line 1", "line 2"]
    await commit_turn(db, vault, turn, REPLY)
    rows = await db.fetch("SELECT outcome, count(*) AS n FROM messages WHERE author = 'customer' GROUP BY outcome")
    assert [(row["outcome"], row["n"]) for row in rows] == [("replied", 3)]


async def test_an_escalation_silences_the_agent_and_later_messages_wait_for_the_person(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """One handoff, then silence: what arrives while a person has it ends as escalated, without a lease."""
    first = await take_in(db, vault, settings, whatsapp("I want my money back"), "e1")
    turn = await the_turn(db, vault, first.lease)
    await commit_turn(db, vault, turn, Verdict(outcome="escalated", reason="refund", text="A colleague will reply."))
    later = await take_in(db, vault, settings, whatsapp("hello?"), "e2")
    assert later.lease is None
    row = await db.fetchrow("SELECT outcome, outcome_reason FROM messages WHERE author = 'customer' ORDER BY seq DESC")
    assert (row["outcome"], row["outcome_reason"]) == ("escalated", "with-person")
    ticket = await db.fetchrow("SELECT status, reason FROM tickets")
    assert (ticket["status"], ticket["reason"]) == ("escalated", "refund")


async def test_a_held_message_waits_for_a_person_and_is_not_answered(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """dmarc=fail: stored, escalated, nothing sent, and not in the imitated customer's conversation."""
    real = await take_in(db, vault, settings, email(), "e1")
    forged = await take_in(db, vault, settings, email("Change my bank details", trust=Trust.HELD), "e2")
    assert forged.lease is None
    assert forged.conversation_id != real.conversation_id
    assert forged.customer_id != real.customer_id


async def test_an_ignored_message_wakes_nobody(db: Database, vault: Vault, settings: Settings) -> None:
    """A robot's mail has its outcome at the door, no worker and no ticket."""
    stored = await take_in(db, vault, settings, email(ignored="auto-submitted"))
    assert stored.lease is None
    row = await db.fetchrow("SELECT outcome, outcome_reason FROM messages")
    assert (row["outcome"], row["outcome_reason"]) == ("ignored", "auto-submitted")
    assert (await db.fetchrow("SELECT count(*) AS n FROM tickets"))["n"] == 0


async def escalate(db: Database, vault: Vault, stored: inbox.Stored) -> None:
    """The agent hands over."""
    verdict = Verdict(outcome="escalated", reason="refund", text="A colleague will reply.")
    await commit_turn(db, vault, await the_turn(db, vault, stored.lease), verdict)


async def test_a_reaction_does_not_bring_the_agent_back(db: Database, vault: Vault, settings: Settings) -> None:
    """While a person has it: an ignored message stays there, and so does what the customer writes next."""
    first = await take_in(db, vault, settings, whatsapp("refund please"), "e1")
    await escalate(db, vault, first)
    reaction = whatsapp("").model_copy(update={"ignored": "reaction"})
    assert (await take_in(db, vault, settings, reaction, "e2")).conversation_id == first.conversation_id
    later = await take_in(db, vault, settings, whatsapp("how do I export?"), "e3")
    assert (later.conversation_id, later.lease) == (first.conversation_id, None)


@pytest.mark.parametrize("channel", ["email", "whatsapp"])
async def test_what_follows_an_ignored_message_has_a_ticket(
    db: Database, vault: Vault, settings: Settings, channel: str
) -> None:
    """An out-of-office note, or a reaction, first: the matter that comes after it is one an operator can see."""
    make = email if channel == "email" else whatsapp
    await take_in(db, vault, settings, make("away").model_copy(update={"ignored": "out-of-office"}), "e1")
    await escalate(db, vault, await take_in(db, vault, settings, make("refund me"), "e2"))
    rows = await db.fetch("SELECT status FROM tickets")
    assert [row["status"] for row in rows] == ["escalated"]


async def test_a_person_keeps_a_conversation_over_a_long_weekend(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The idle limit ends the agent's conversations, not a person's."""
    first = await take_in(db, vault, settings, whatsapp("refund please"), "e1")
    await escalate(db, vault, first)
    await db.execute("UPDATE conversations SET last_activity_at = now() - interval '100 hours'")
    later = await take_in(db, vault, settings, whatsapp("any news?"), "e2")
    assert (later.conversation_id, later.lease) == (first.conversation_id, None)


async def test_a_typed_address_never_joins_the_customer_who_owns_it(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The form's claimed address gets a customer of its own and sees nothing of the real one's history."""
    verified = await take_in(db, vault, settings, email("My secret project is late", sender="ada@example.org"), "e1")
    await commit_turn(db, vault, await the_turn(db, vault, verified.lease), REPLY)
    claimed = await take_in(db, vault, settings, form(sender="ada@example.org"), "e2")
    assert claimed.customer_id != verified.customer_id
    turn = await the_turn(db, vault, claimed.lease)
    assert turn.trust is Trust.CLAIMED
    assert await history(db, vault, turn, 20) == ()


async def test_a_linked_number_continues_the_e_mail_conversation(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """R1.5, R4.2, R4.3: same customer, same conversation, switch recorded, e-mail in the history."""
    mailed = await take_in(db, vault, settings, email("The export stops at 50 %", sender="ada@example.org"), "e1")
    await commit_turn(db, vault, await the_turn(db, vault, mailed.lease), REPLY)
    linked = await link(db, vault, "ada@example.org", "+12015550123")
    assert (linked.customer_id, linked.merge_id) == (mailed.customer_id, None)
    assert [side.was for side in linked.sides] == ["theirs", "unknown"]
    texted = await take_in(db, vault, settings, whatsapp("still stuck", sender="+12015550123"), "e9")
    assert texted.customer_id == mailed.customer_id
    assert texted.conversation_id == mailed.conversation_id
    row = await db.fetchrow("SELECT metadata -> 'channel_switches' -> 0 ->> 'to' AS switched FROM conversations")
    assert row["switched"] == "whatsapp"


async def test_linking_two_known_customers_merges_them_and_bumps_the_epoch(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A turn under way during a merge writes nothing; after it the history holds both sides."""
    texted = await take_in(db, vault, settings, whatsapp("the app crashes"), "e1")
    turn = await the_turn(db, vault, texted.lease)
    mailed = await take_in(db, vault, settings, email("invoice question"), "e2")
    linked = await link(db, vault, "ada@example.org", "+12015550123")
    assert linked.merge_id is not None
    assert linked.customer_id == mailed.customer_id
    assert [side.was for side in linked.sides] == ["theirs", "another"]
    with pytest.raises(Stale):
        await commit_turn(db, vault, turn, REPLY)
    said = await history(db, vault, await the_turn(db, vault, mailed.lease), 20)
    assert [message.text for message in said] == ["the app crashes"]


async def test_history_is_cut_at_whole_turns(db: Database, vault: Vault, settings: Settings) -> None:
    """With a limit of three, the answer whose question fell off is left out."""
    for number in range(3):
        stored = await take_in(db, vault, settings, whatsapp(f"question {number}"), f"e{number}")
        await commit_turn(db, vault, await the_turn(db, vault, stored.lease), REPLY)
        assert stored.lease is not None
        await mailbox.hand_back(db, stored.lease)
    last = await take_in(db, vault, settings, whatsapp("question 3"), "e8")
    said = await history(db, vault, await the_turn(db, vault, last.lease), 3)
    assert [(message.author, message.text) for message in said] == [("customer", "question 2"), ("agent", REPLY.text)]


async def test_no_address_and_no_text_in_a_dump(db: Database, vault: Vault, settings: Settings) -> None:
    """Every row of every table, as text, shows neither address, name nor message."""
    stored = await take_in(db, vault, settings, email("Zebra crossing", sender="ada@example.org"), "e1")
    verdict = Verdict("escalated", "human", "A Quagga will answer", summary="Okapi", record={"why": "Tapir"})
    await commit_turn(db, vault, await the_turn(db, vault, stored.lease), verdict)
    tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    dump = ""
    for table in tables:
        rows = await db.fetch(f"SELECT t::text AS line FROM {table['tablename']} t")  # noqa: S608  names come from pg_tables
        dump += "\n".join(row["line"] for row in rows)
    readable = dump + "".join(
        bytes.fromhex(part[2:66]).decode("latin-1") for part in dump.split('"') if part[:2] == "\\x"
    )
    for word in ("ada@", "Ada", "Zebra", "Quagga", "Okapi", "Tapir", "A question"):
        assert word not in readable


async def test_arrivals_and_commits_of_one_customer_do_not_deadlock(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Messages that arrive while replies are committed wait for each other, and none is aborted."""

    async def write(number: int) -> None:
        await take_in(db, vault, settings, whatsapp(f"line {number}"), f"a{number}")

    async def answer() -> None:
        for _ in range(10):
            stored = await take_in(db, vault, settings, whatsapp("ping"), "holder")
            if stored.lease is None:
                continue
            seen = await mailbox.look(db, vault, stored.lease)
            if seen.turn is not None:
                with suppress(Stale):
                    await commit_turn(db, vault, seen.turn, REPLY)

    before = await _deadlocks(db)
    await asyncio.gather(answer(), *(write(number) for number in range(40)))
    assert await _deadlocks(db) == before


@pytest.mark.parametrize(
    ("first", "later", "same"),
    [
        (email("one"), email("two"), False),
        (whatsapp("one"), whatsapp("two"), False),
        (
            form("one", ticket_id="PAGE"),
            form("two", ticket_id="PAGE").model_copy(update={"provider_message_id": "PAGE.2", "form": None}),
            True,
        ),
    ],
    ids=["email", "whatsapp", "web"],
)
async def test_what_comes_after_closing(
    db: Database, vault: Vault, settings: Settings, first: InboundMessage, later: InboundMessage, same: bool
) -> None:
    """The runbook of a takeover: a new conversation with a ticket of its own, but a page is one matter for good."""
    stored = await take_in(db, vault, settings, first)
    await commit_turn(db, vault, await the_turn(db, vault, stored.lease), REPLY)
    await db.execute("UPDATE deliveries SET status = 'sent', finished_at = now()")
    ticket = str(await _value(db, "SELECT id FROM tickets"))
    await desk_of(db, vault, settings).close(ticket, None, survey=False)
    again = await take_in(db, vault, settings, later, "e2")
    assert (again.conversation_id == stored.conversation_id) is same
    rows = await db.fetch("SELECT id, status FROM tickets ORDER BY created_at")
    assert [row["status"] for row in rows] == (["open"] if same else ["closed", "open"])


async def _value(db: Database, query: str) -> object:
    row = await db.fetchrow(query)
    return row[0] if row else None


async def _deadlocks(db: Database) -> int:
    row = await db.fetchrow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return row["deadlocks"]
