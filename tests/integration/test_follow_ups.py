"""A follow-up, on a real PostgreSQL: asked once, later, where the customer wrote, and never after something else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.channels.limits import over_limit
from shared.channels.message import Channel, InboundMessage
from shared.channels.whatsapp.texts import LANGUAGES
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.follow_ups import SQL, FollowUp, follow_up_text, say_due
from shared.conversations.lease import Stale
from shared.db.pool import Database
from shared.delivery.send import Sending
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, whatsapp
from tests.integration.test_ledger import Wire

WANTED = FollowUp(20, "did_it_work", "en")


class Case:
    """One conversation that was answered, with a follow-up behind the answer."""

    def __init__(self, db: Database, vault: Vault, settings: Settings) -> None:
        self.db, self.vault, self.settings = db, vault, settings
        self.id = UUID(int=0)

    async def turn(self, message: InboundMessage, verdict: Verdict) -> None:
        """A message, and what is decided of it."""
        stored = await inbox.store(self.db, self.vault, self.settings, message, str(uuid4()))
        assert stored.lease is not None
        seen = await mailbox.look(self.db, self.vault, stored.lease)
        assert seen.turn is not None
        self.id = stored.conversation_id
        await commit_turn(self.db, self.vault, seen.turn, verdict)
        if verdict.outcome != "escalated":
            await mailbox.hand_back(self.db, stored.lease)

    async def answered(self, message: InboundMessage, wanted: FollowUp = WANTED) -> None:
        """An answer with a follow-up, delivered, and the time come."""
        await self.turn(message, Verdict("replied", None, "Choose Export.", follow_up=wanted))
        await self.db.execute("UPDATE deliveries SET status = 'delivered', finished_at = now()")
        await self.db.execute("UPDATE follow_ups SET due_at = now() - interval '1 minute'")

    async def say(self) -> UUID | None:
        """What whoever is woken does."""
        return await say_due(self.db, self.vault, self.settings, self.id)

    async def states(self) -> list[tuple[str, str | None]]:
        """What became of each, oldest first."""
        rows = await self.db.fetch("SELECT state, reason FROM follow_ups ORDER BY created_at, decided_at")
        return [(row["state"], row["reason"]) for row in rows]

    async def desk(self, act: str, *arguments: Any) -> None:
        """An operator's act on its ticket."""
        row: Any = await self.db.fetchrow("SELECT id FROM tickets WHERE conversation_id = $1", self.id)
        await getattr(desk_of(self.db, self.vault, self.settings), act)(row["id"], *arguments)


@pytest.fixture
def case(db: Database, vault: Vault, settings: Settings) -> Case:
    """Nothing yet."""
    return Case(db, vault, settings)


@pytest.mark.parametrize("message", [email(), whatsapp()], ids=["email", "whatsapp"])
async def test_it_is_asked_once_on_the_route_of_the_question(
    case: Case, sending: Sending, message: InboundMessage
) -> None:
    """However many are woken at once: one message of ours, which answers none, and one delivery."""
    await case.answered(message)
    assert [row["conversation_id"] for row in await case.db.fetch(SQL["due"])] == [case.id]
    said = await asyncio.gather(*(case.say() for _ in range(4)))
    (delivery_id,) = [one for one in said if one is not None]
    await sending.deliver(delivery_id)
    wire = sending.senders[message.channel]
    assert isinstance(wire, Wire)
    (sent,) = wire.delivered
    assert sent.to == message.sender.address
    assert sent.text.startswith("Hello Ada" if message.channel is Channel.EMAIL else "Some time ago we answered")
    assert await case.states() == [("said", None)]
    assert await case.db.fetch(SQL["due"]) == []
    asked: Any = await case.db.fetchrow("SELECT count(*) AS n FROM messages WHERE author = 'customer'")
    assert asked["n"] == 1
    answers = await case.db.fetch("SELECT DISTINCT reply_id FROM messages WHERE author = 'customer'")
    (follow_up,) = await case.db.fetch("SELECT message_id FROM follow_ups")
    assert follow_up["message_id"] not in {row["reply_id"] for row in answers}


async def wrote(case: Case) -> None:
    await case.turn(whatsapp("it fails"), Verdict("replied", None, "Try again."))


async def wrote_and_waits(case: Case) -> None:
    await inbox.store(case.db, case.vault, case.settings, whatsapp("it fails"), str(uuid4()))


async def taken_over(case: Case) -> None:
    await case.desk("reply", "I look at it.")


async def taken_over_and_returned(case: Case) -> None:
    await case.desk("reply", "I look at it.")
    await case.db.execute("UPDATE deliveries SET status = 'delivered', finished_at = now()")
    await case.desk("give_back")


async def closed(case: Case) -> None:
    await case.desk("close", None)


async def merged(case: Case) -> None:
    stored = await inbox.store(case.db, case.vault, case.settings, email("hello"), str(uuid4()))
    assert stored.lease is not None
    await case.db.execute("UPDATE messages SET outcome = 'ignored', outcome_reason = 'test' WHERE outcome IS NULL")
    await link(case.db, case.vault, "ada@example.org", "+12015550123")


async def stopped(case: Case) -> None:
    await case.db.execute("UPDATE whatsapp_numbers SET stopped_at = now(), stop_reason = 'word'")


async def window_closed(case: Case) -> None:
    await case.db.execute("UPDATE whatsapp_numbers SET last_wrote_at = now() - interval '24 hours'")


async def nobody_was_here(case: Case) -> None:
    await case.db.execute("UPDATE follow_ups SET due_at = now() - interval '25 hours'")


async def answer_waits(case: Case) -> None:
    await case.db.execute("UPDATE deliveries SET status = 'deferred', next_at = now()")


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (wrote, "customer-wrote"),
        (wrote_and_waits, "customer-wrote"),
        (taken_over, "with-person"),
        (taken_over_and_returned, "customer-wrote"),
        (closed, "closed"),
        (merged, "moved-on"),
        (stopped, "opted-out"),
        (window_closed, "outside-window"),
        (nobody_was_here, "too-late"),
        (answer_waits, "answer-on-its-way"),
    ],
)
async def test_whatever_came_in_between_ends_it(
    case: Case, between: Callable[[Case], Awaitable[None]], reason: str
) -> None:
    """The customer's word, a person, a close, a merge, STOP, the window: nothing is sent, and the reason is kept."""
    await case.answered(whatsapp())
    await between(case)
    before: Any = await case.db.fetchrow("SELECT count(*) AS n FROM deliveries")
    assert await case.say() is None
    assert await case.states() == [("dropped", reason)]
    after: Any = await case.db.fetchrow("SELECT count(*) AS n FROM deliveries")
    assert after["n"] == before["n"]


async def test_nobody_is_asked_twice_without_having_written(case: Case) -> None:
    """A later one takes the place of one that waits; after one that was said the customer must speak first."""
    await case.answered(email())
    await case.turn(email("and on a phone?"), Verdict("replied", None, "There too.", follow_up=WANTED))
    assert await case.states() == [("dropped", "replaced"), ("waiting", None)]
    await case.db.execute("UPDATE deliveries SET status = 'delivered', finished_at = now()")
    await case.db.execute("UPDATE follow_ups SET due_at = now() WHERE state = 'waiting'")
    assert await case.say() is not None
    async with case.db.transaction() as connection:
        again = (uuid4(), case.id, (await connection.fetchval("SELECT route_id FROM follow_ups LIMIT 1")))
        assert await connection.fetchval(SQL["schedule"], *again, "did_it_work", "en", 5, []) is None
    await case.turn(email("thanks, and now?"), Verdict("replied", None, "So.", follow_up=WANTED))
    assert (await case.states())[-1] == ("waiting", None)


async def test_it_is_put_down_with_the_reply_or_not_at_all(case: Case) -> None:
    """A turn that lost its lease, or that hands over, leaves none."""
    stored = await inbox.store(case.db, case.vault, case.settings, email(), str(uuid4()))
    assert stored.lease is not None
    turn = (await mailbox.look(case.db, case.vault, stored.lease)).turn
    assert turn is not None
    await case.db.execute("UPDATE conversations SET epoch = epoch + 1")
    with pytest.raises(Stale):
        await commit_turn(case.db, case.vault, turn, Verdict("replied", None, "So.", follow_up=WANTED))
    await case.db.execute("UPDATE conversations SET epoch = epoch - 1")
    handed = Verdict("escalated", "human", "A colleague answers.", follow_up=WANTED)
    await commit_turn(case.db, case.vault, turn, handed)
    assert await case.states() == []


@pytest.mark.parametrize("language", [*LANGUAGES, "nl"])
@pytest.mark.parametrize("purpose", ["did_it_work", "still_open"])
@pytest.mark.parametrize("channel", list(Channel))
def test_the_words_fit_their_channel(channel: Channel, purpose: str, language: str) -> None:
    """Each language, each purpose, within the limits, and long enough for a letter."""
    text = follow_up_text(channel, purpose, language, name="Ada Example", team="Tideline Support")
    assert over_limit(channel, text) is None
    assert len(text.split()) >= 30 or channel is Channel.WHATSAPP
    assert "{" not in text
