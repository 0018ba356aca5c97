"""The delivery ledger on a real PostgreSQL: never two answers, never none, whatever the provider does.

The provider here is a wire's end that records what reached it; the real wire formats are tested in
tests/contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from shared.channels.message import Channel
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused, Receipt
from shared.channels.status import DeliveryStatus
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.doors import CLOSED_S, FAILURES_TO_CLOSE, MOST_AT_ONCE, ChannelDoors
from shared.delivery.ledger import Ledger
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from shared.errors import Rejected, Retryable
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, whatsapp

Fault = Callable[[Outbound], Exception | None]


class Wire:
    """A provider: `delivered` is what customers got; `before` and `after` fail a call around its effect."""

    def __init__(self) -> None:
        self.delivered: list[Outbound] = []
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.looks: list[Exception] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def send(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]]) -> Receipt:
        if self.before:
            raise self.before.pop(0)
        self.delivered.append(outbound)
        if self.after:
            raise self.after.pop(0)
        return Receipt(f"SM{len(self.delivered)}")

    async def find(self, outbound: Outbound) -> Receipt | None:
        if self.looks:
            raise self.looks.pop(0)
        if self.meanwhile is not None:
            await self.meanwhile()
            return None
        found = [i for i, sent in enumerate(self.delivered) if sent.delivery_id == outbound.delivery_id]
        return Receipt(f"SM{found[0] + 1}") if found else None


@pytest_asyncio.fixture
async def sending(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """send-reply's work, with alarms, on a wire."""
    alarms = Alarms()
    wire = Wire()
    yield Sending(Ledger(db, vault, settings), dict.fromkeys(Channel, wire), alarms)
    await alarms.close()


def wire_of(sending: Sending) -> Wire:
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    return wire


async def reply(sending: Sending, text: str, sender: str = "+12015550123") -> UUID:
    """Answer one more WhatsApp message of this customer; the delivery's id."""
    ledger = sending.ledger
    stored = await inbox.store(ledger.db, ledger.vault, ledger.settings, whatsapp("hi", sender=sender), str(uuid4()))
    assert stored.lease is not None
    seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
    assert seen.turn is not None
    delivery_id = await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("replied", None, text))
    await mailbox.hand_back(ledger.db, stored.lease)
    assert delivery_id is not None
    return delivery_id


async def make_due(sending: Sending) -> None:
    """Let the database's clock pass every wait."""
    await sending.ledger.db.execute(
        "UPDATE deliveries SET next_at = now() - interval '1 second' WHERE next_at IS NOT NULL"
    )
    await sending.ledger.db.execute(
        "UPDATE deliveries SET claimed_until = now() - interval '1 second' WHERE claimed_until IS NOT NULL"
    )


def said(delivery_id: UUID, status: str, error_code: str | None = None, attempt: int = 1) -> DeliveryStatus:
    """One callback."""
    return DeliveryStatus(
        delivery_id=str(delivery_id),
        attempt=attempt,
        sid="SM1",
        status=status,
        error_code=error_code,
        at=datetime.now(UTC),
    )


async def status_of(sending: Sending, delivery_id: UUID) -> str:
    row = await sending.ledger.db.fetchrow("SELECT status FROM deliveries WHERE id = $1", delivery_id)
    return row["status"]


async def test_twenty_events_for_one_delivery_send_once(sending: Sending) -> None:
    """Copies of the event, at once, reach the customer once; those in the way are told to come back."""
    delivery_id = await reply(sending, "once")
    results = await asyncio.gather(*(sending.deliver(delivery_id) for _ in range(20)), return_exceptions=True)
    assert all(result is None or isinstance(result, Retryable) for result in results)
    assert [sent.text for sent in wire_of(sending).delivered] == ["once"]
    assert await status_of(sending, delivery_id) == "sent"


async def test_an_outage_defers_and_then_sends_once(sending: Sending) -> None:
    """The provider down: the row waits with a next time, the event is done with, and later it goes out."""
    wire_of(sending).before = [ProviderDown("503", code="down"), ProviderDown("429", code="rate", retry_after_s=7)]
    delivery_id = await reply(sending, "later")
    for _ in range(3):
        await sending.deliver(delivery_id)
        await make_due(sending)
    assert [sent.text for sent in wire_of(sending).delivered] == ["later"]
    assert await status_of(sending, delivery_id) == "sent"


async def test_a_lost_response_is_found_and_not_sent_again(sending: Sending) -> None:
    """Carried out, answer lost: the look finds it, so the customer gets one message."""
    wire_of(sending).after = [OutcomeUnknown("dropped", code="disconnect")]
    delivery_id = await reply(sending, "lost")
    await sending.deliver(delivery_id)
    assert await status_of(sending, delivery_id) == "unknown"
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert len(wire_of(sending).delivered) == 1
    assert await status_of(sending, delivery_id) == "sent"


async def test_unknown_and_surely_not_sent_is_sent(sending: Sending) -> None:
    """Unknown outcome, nothing found: it goes out, once."""
    wire_of(sending).before = [OutcomeUnknown("timeout", code="timeout")]
    delivery_id = await reply(sending, "again")
    await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert [sent.attempt for sent in wire_of(sending).delivered] == [2]


async def test_a_killed_sender_is_judged_only_after_its_claim(sending: Sending) -> None:
    """kill -9 after the provider took it: until the claim runs out others wait, then they look, not send."""
    delivery_id = await reply(sending, "killed")
    claim = await sending.ledger.claim((await sending.ledger.route_of(delivery_id)) or uuid4())
    assert claim is not None
    await wire_of(sending).send(claim.outbound, sending.ledger.draft_keeper(claim.outbound))
    with pytest.raises(Retryable):
        await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert len(wire_of(sending).delivered) == 1
    assert await status_of(sending, delivery_id) == "sent"


async def test_replies_on_one_route_keep_their_order(sending: Sending) -> None:
    """The second reply's event does not overtake the first; finishing the first sends the second."""
    wire_of(sending).before = [ProviderDown("503", code="down")]
    first = await reply(sending, "first")
    second = await reply(sending, "second")
    await sending.deliver(second)
    assert wire_of(sending).delivered == []
    await make_due(sending)
    await sending.deliver(first)
    assert [sent.text for sent in wire_of(sending).delivered] == ["first", "second"]


async def test_an_ambiguous_outcome_ends_with_a_person_after_minutes(sending: Sending) -> None:
    """Unknown blocks its route for minutes, not for ever: then a person has it and the next goes out."""
    wire_of(sending).after = [OutcomeUnknown("dropped", code="disconnect")]
    first = await reply(sending, "first")
    second = await reply(sending, "second")
    await sending.deliver(first)
    await make_due(sending)
    await sending.ledger.db.execute(
        "UPDATE deliveries SET unknown_since = now() - interval '1 hour' WHERE id = $1", first
    )
    wire_of(sending).looks = [OutcomeUnknown("two alike", code="ambiguous")]
    await sending.deliver(second)
    assert await status_of(sending, first) == "failed"
    assert await status_of(sending, second) == "sent"
    row = await sending.ledger.db.fetchrow("SELECT t.status, t.reason, c.state FROM tickets t, conversations c")
    assert (row["status"], row["state"]) == ("escalated", "human")
    assert row["reason"] == "delivery-failed:outcome-unknown"


async def test_a_long_outage_does_not_lose_what_was_surely_not_sent(sending: Sending) -> None:
    """Unknown for longer than the limit because nobody could look: once the look says no, it is sent."""
    wire_of(sending).before = [OutcomeUnknown("503", code="503")]
    delivery_id = await reply(sending, "patient")
    await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.ledger.db.execute("UPDATE deliveries SET unknown_since = now() - interval '1 hour'")
    wire_of(sending).looks = [ProviderDown("503", code="down")]
    await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert [sent.text for sent in wire_of(sending).delivered] == ["patient"]


async def test_a_permanent_refusal_goes_to_a_person(sending: Sending) -> None:
    """21211: failed at once, the conversation is a person's, and nothing is tried again."""
    wire_of(sending).before = [ProviderRefused("no such number", code="21211")]
    delivery_id = await reply(sending, "never")
    await sending.deliver(delivery_id)
    await sending.deliver(delivery_id)
    assert wire_of(sending).delivered == []
    assert await status_of(sending, delivery_id) == "failed"
    assert (await sending.ledger.db.fetchrow("SELECT state FROM conversations"))["state"] == "human"


async def test_a_person_supersedes_what_is_not_being_sent(sending: Sending, db: Database, vault: Vault) -> None:
    """Takeover: the agent's queued reply never goes out, its question is escalated, the person's goes out."""
    delivery_id = await reply(sending, "from the agent")
    desk = desk_of(db, vault, sending.ledger.settings)
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]
    persons, _ = await desk.reply(ticket, "from a person")
    await sending.deliver(delivery_id)
    await sending.deliver(persons)
    assert [(sent.text, sent.author) for sent in wire_of(sending).delivered] == [("from a person", "human")]
    row = await db.fetchrow("SELECT outcome, outcome_reason FROM messages WHERE author = 'customer'")
    assert (row["outcome"], row["outcome_reason"]) == ("escalated", "takeover")


async def test_returning_reopens_what_nobody_answered(sending: Sending, db: Database, vault: Vault) -> None:
    """Messages that came while a person had it, and got no reply, are the agent's again after the return."""
    await reply(sending, "from the agent")
    desk = desk_of(db, vault, sending.ledger.settings)
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]
    await desk.reply(ticket, "from a person")
    await inbox.store(db, vault, sending.ledger.settings, whatsapp("and one more thing"), "e5")
    conversation_id, reopened, _ = await desk.give_back(ticket)
    assert reopened == 1
    again = await inbox.look_again(db, sending.ledger.settings, conversation_id, "e6")
    assert again is not None
    assert again.lease is not None
    seen = await mailbox.look(db, vault, again.lease)
    assert seen.turn is not None
    assert [message.text for message in seen.turn.messages] == ["and one more thing"]


async def test_closing_fails_while_something_is_unanswered(sending: Sending, db: Database, vault: Vault) -> None:
    """An undelivered reply keeps the ticket open; once delivered it closes, and a second close says so."""
    delivery_id = await reply(sending, "answer")
    desk = desk_of(db, vault, sending.ledger.settings)
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]
    with pytest.raises(Rejected) as refused:
        await desk.close(ticket, None)
    assert refused.value.reason == "unanswered"
    await sending.deliver(delivery_id)
    await desk.close(ticket, None)
    with pytest.raises(Rejected) as closed:
        await desk.close(ticket, None)
    assert closed.value.reason == "closed"


@pytest.mark.parametrize("order", [("sent", "delivered", "read"), ("read", "sent", "delivered"), ("delivered", "sent")])
async def test_statuses_only_move_forward(sending: Sending, order: tuple[str, ...]) -> None:
    """Callbacks in any order leave the furthest status."""
    delivery_id = await reply(sending, "status")
    await sending.deliver(delivery_id)
    for word in order:
        await apply_status(sending.ledger, said(delivery_id, word))
    assert await status_of(sending, delivery_id) == ("read" if "read" in order else "delivered")


async def test_a_callback_settles_an_unknown_outcome(sending: Sending) -> None:
    """The status callback is proof: no look, no second message, and the route goes on."""
    wire_of(sending).after = [OutcomeUnknown("dropped", code="disconnect")]
    delivery_id = await reply(sending, "proof")
    await sending.deliver(delivery_id)
    assert await apply_status(sending.ledger, said(delivery_id, "delivered")) == (
        await sending.ledger.route_of(delivery_id),
    )
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert len(wire_of(sending).delivered) == 1
    assert await status_of(sending, delivery_id) == "delivered"


async def test_63016_after_sending_goes_to_a_person(sending: Sending, db: Database) -> None:
    """Outside the window is learnt from a callback: failed, and a person has the conversation."""
    delivery_id = await reply(sending, "window")
    await sending.deliver(delivery_id)
    await apply_status(sending.ledger, said(delivery_id, "undelivered", "63016"))
    assert await status_of(sending, delivery_id) == "failed"
    row = await db.fetchrow("SELECT reason FROM tickets")
    assert row["reason"] == "delivery-failed:63016"


async def test_a_callback_during_the_look_keeps_it_from_being_sent_again(sending: Sending) -> None:
    """The look sees nothing yet, the callback says delivered: the row is settled, and there is one message."""
    wire_of(sending).after = [OutcomeUnknown("dropped", code="disconnect")]
    delivery_id = await reply(sending, "once")
    await sending.deliver(delivery_id)
    await make_due(sending)
    wire_of(sending).meanwhile = lambda: apply_status(sending.ledger, said(delivery_id, "delivered"))
    await sending.deliver(delivery_id)
    assert len(wire_of(sending).delivered) == 1
    assert await status_of(sending, delivery_id) == "delivered"


async def test_a_failure_of_an_older_attempt_does_not_fail_the_newer(sending: Sending) -> None:
    """Attempt 1 was thought lost and then failed; attempt 2 is the one that counts."""
    wire_of(sending).before = [OutcomeUnknown("502", code="502")]
    delivery_id = await reply(sending, "second try")
    await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.deliver(delivery_id)
    await apply_status(sending.ledger, said(delivery_id, "failed", "30008", attempt=1))
    assert await status_of(sending, delivery_id) == "sent"
    await apply_status(sending.ledger, said(delivery_id, "delivered", attempt=2))
    assert await status_of(sending, delivery_id) == "delivered"


async def test_a_failed_delivery_leaves_no_message_without_outcome(
    sending: Sending, db: Database, vault: Vault
) -> None:
    """The person who gets the conversation gets what the agent had not answered yet too, and can close it."""
    wire_of(sending).before = [ProviderRefused("opted out", code="21610")]
    delivery_id = await reply(sending, "never")
    await inbox.store(db, vault, sending.ledger.settings, whatsapp("second"), "e2")
    await sending.deliver(delivery_id)
    rows = await db.fetch("SELECT outcome FROM messages WHERE author = 'customer' ORDER BY seq")
    assert [row["outcome"] for row in rows] == ["replied", "escalated"]
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]
    await desk_of(db, vault, sending.ledger.settings).close(ticket, "unreachable")


async def test_a_failure_after_the_close_opens_the_ticket_again(sending: Sending, db: Database, vault: Vault) -> None:
    """The answer never came through after all: a person sees it, and so does what the customer writes next."""
    delivery_id = await reply(sending, "closed too soon")
    await sending.deliver(delivery_id)
    ticket = (await db.fetchrow("SELECT id FROM tickets"))["id"]
    await desk_of(db, vault, sending.ledger.settings).close(ticket, None)
    await apply_status(sending.ledger, said(delivery_id, "failed", "63016"))
    row = await db.fetchrow("SELECT t.status, c.state FROM tickets t JOIN conversations c ON c.id = t.conversation_id")
    assert (row["status"], row["state"]) == ("escalated", "human")


async def test_a_hanging_provider_is_not_called_without_bound(sending: Sending) -> None:
    """Beyond the bound a delivery is deferred at once, so that other channels keep their place in the queue."""
    entered = asyncio.Event()
    release = asyncio.Event()
    inside = 0

    async def hang(outbound: Outbound, keep_draft: object) -> Receipt:
        nonlocal inside
        inside += 1
        if inside == MOST_AT_ONCE:
            entered.set()
        await release.wait()
        return Receipt(f"SM{outbound.delivery_id}")

    wire_of(sending).send = hang  # type: ignore[method-assign]
    deliveries = [
        await reply(sending, f"to {n}", sender=f"+120155501{n:02d}") for n in range(10, 10 + MOST_AT_ONCE + 3)
    ]
    calls = [asyncio.create_task(sending.deliver(one)) for one in deliveries[:MOST_AT_ONCE]]
    await asyncio.wait_for(entered.wait(), 10)
    for one in deliveries[MOST_AT_ONCE:]:
        await asyncio.wait_for(sending.deliver(one), 5)
        assert await status_of(sending, one) == "deferred"
    release.set()
    await asyncio.gather(*calls)
    assert inside == MOST_AT_ONCE


async def test_a_provider_that_keeps_failing_is_left_alone_for_a_moment() -> None:
    """After five failures in a row the door is closed; after the pause one call tries."""
    now = [0.0]
    doors = ChannelDoors(lambda: now[0])

    async def fail() -> str:
        try:
            async with doors.through(Channel.WHATSAPP):
                raise OutcomeUnknown("hangs", code="timeout")
        except (OutcomeUnknown, ProviderDown) as error:
            return error.code

    assert [await fail() for _ in range(FAILURES_TO_CLOSE)] == ["timeout"] * FAILURES_TO_CLOSE
    assert await fail() == "closed"
    async with doors.through(Channel.EMAIL):
        pass
    now[0] = CLOSED_S
    assert await fail() == "timeout"
    assert await fail() == "closed"
    now[0] = 2 * CLOSED_S
    async with doors.through(Channel.WHATSAPP):
        pass
    assert await fail() == "timeout"
    assert await fail() == "timeout"
