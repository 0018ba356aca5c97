"""Two robots never go on for ever, and nobody who is taken for one is dropped: on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from pydantic import SecretStr

from shared.channels.message import InboundMessage, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.loops import REPEATED, TOO_MANY, normalised, traces_of
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form
from tests.conftest import make_settings

_ANSWER = Verdict("replied", None, "Open Settings, then Export.")
_AUTO = "Thank you for your message. Your request #{n} was received on Tuesday, {n} November 2026 at 10:{n} AM (CET)."


async def arrive(
    db: Database, vault: Vault, settings: Settings, message: InboundMessage, verdict: Verdict = _ANSWER
) -> tuple[str | None, str | None]:
    """A message arrives and the agent answers what it may; the message's outcome and reason."""
    stored = await inbox.store(db, vault, settings, message, uuid.uuid4().hex)
    if stored.lease is not None:
        turn = (await mailbox.look(db, vault, stored.lease)).turn
        if turn is not None:
            await commit_turn(db, vault, turn, verdict)
        await mailbox.hand_back(db, stored.lease)
    row: Any = await db.fetchrow(
        "SELECT outcome, outcome_reason FROM messages WHERE provider_message_id = $1", message.provider_message_id
    )
    return row["outcome"], row["outcome_reason"]


async def answers(db: Database) -> int:
    row: Any = await db.fetchrow("SELECT count(*) AS n FROM deliveries")
    return row["n"]


@pytest.mark.parametrize("trust", [Trust.VERIFIED, Trust.CLAIMED])
async def test_a_loop_in_a_thread_ends_after_two_answers(
    db: Database, vault: Vault, settings: Settings, trust: Trust
) -> None:
    """The robot's text changes in numbers and days alone: two answers, then a person has it, silently."""
    outcomes = [await arrive(db, vault, settings, email(_AUTO.format(n=n), trust=trust)) for n in range(10, 16)]
    assert outcomes[:3] == [("replied", None), ("replied", None), ("escalated", REPEATED)]
    assert set(outcomes[3:]) == {("escalated", "with-person")}
    assert await answers(db) == 2
    ticket: Any = await db.fetchrow("SELECT t.status, t.reason, c.state FROM tickets t JOIN conversations c ON true")
    assert tuple(ticket) == ("escalated", REPEATED, "human")


@pytest.mark.parametrize("trust", [Trust.VERIFIED, Trust.CLAIMED])
async def test_a_loop_over_threads_ends_after_two_answers(
    db: Database, vault: Vault, settings: Settings, trust: Trust
) -> None:
    """A robot that begins a thread each time, from a tagged address each time."""
    mails = [
        email(_AUTO.format(n=n), thread=f"t{n}", sender=f"desk+{n}@example.org", trust=trust) for n in range(10, 14)
    ]
    outcomes = [await arrive(db, vault, settings, mail) for mail in mails]
    assert outcomes == [*[("replied", None)] * 2, *[("escalated", REPEATED)] * 2]
    assert await answers(db) == 2


async def test_a_thread_in_which_the_sender_changes_ends_too(db: Database, vault: Vault, settings: Settings) -> None:
    """A ticket system that writes from another mailbox each time."""
    mails = [email(_AUTO.format(n=n), sender=f"agent{n}@example.org") for n in range(10, 14)]
    outcomes = [(await arrive(db, vault, settings, mail))[0] for mail in mails]
    assert outcomes == ["replied", "replied", "escalated", "escalated"]
    assert await answers(db) == 2


@pytest.mark.parametrize("thread", ["t1", "t2"], ids=["in the thread", "in a new thread"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
async def test_who_asks_the_same_once_more_is_answered(
    db: Database, vault: Vault, settings: Settings, thread: str, *, closed: bool
) -> None:
    """Also after a person closed the matter, and after it went to a person: silence would be worse."""
    for question, outcome in (("How do I export my data?", "replied"), ("I want my money back.", "escalated")):
        handed = Verdict(outcome, "refund" if outcome == "escalated" else None, "A colleague will answer.")
        assert await arrive(db, vault, settings, email(question), handed) == (outcome, handed.reason)
        await db.execute("UPDATE deliveries SET status = 'sent', finished_at = now()")
        if closed:
            ticket: Any = await db.fetchrow("SELECT id FROM tickets WHERE status <> 'closed'")
            await desk_of(db, vault, settings).close(ticket["id"], "done", survey=False)
        if closed or outcome == "replied" or thread != "t1":
            again = email(question, thread=thread)
            assert await arrive(db, vault, settings, again, handed) == (outcome, handed.reason)
        await db.execute("UPDATE conversations SET state = 'closed'")
        await db.execute("UPDATE tickets SET status = 'closed'")


async def test_who_was_taken_for_a_robot_is_answered_in_a_new_thread(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A person who sent the same question three times, and then another one."""
    question = "How do I export my data to a spreadsheet?"
    for _ in range(2):
        assert await arrive(db, vault, settings, email(question)) == ("replied", None)
    assert await arrive(db, vault, settings, email(question)) == ("escalated", REPEATED)
    other = email("And how do I invite a colleague?", thread="t2")
    assert await arrive(db, vault, settings, other) == ("replied", None)


async def test_the_same_question_of_two_people_is_two_questions(db: Database, vault: Vault, settings: Settings) -> None:
    """Another sender in another thread, and a sender whose first mail was not answered yet."""
    question = "How do I export my data to a spreadsheet?"
    for sender, thread in (("ada@example.org", "t1"), ("grace@example.org", "t2")):
        assert await arrive(db, vault, settings, email(question, sender=sender, thread=thread)) == ("replied", None)
    unanswered = email("Where is the button for the export?", sender="joan@example.org", thread="t3")
    await inbox.store(db, vault, settings, unanswered, "e1")
    again = unanswered.model_copy(update={"provider_message_id": "again"})
    await inbox.store(db, vault, settings, again, "e2")
    rows = await db.fetch("SELECT outcome FROM messages m WHERE author = 'customer' ORDER BY seq DESC LIMIT 2")
    assert [row["outcome"] for row in rows] == [None, None]


async def test_a_word_that_comes_twice_is_no_loop(db: Database, vault: Vault, settings: Settings) -> None:
    """ "Yes" answers two questions; the third time it is one."""
    outcomes = [(await arrive(db, vault, settings, email("Yes, 4!")))[0] for _ in range(3)]
    assert outcomes == ["replied", "replied", "escalated"]


@pytest.mark.parametrize(
    ("limits", "threads", "senders"),
    [({"mail_thread_max_per_h": 3}, 1, 5), ({"mail_sender_max_per_h": 3}, 5, 1)],
    ids=["in a thread", "from a sender"],
)
async def test_more_than_a_person_writes_goes_to_a_person(
    db: Database, vault: Vault, settings: Settings, limits: dict[str, int], threads: int, senders: int
) -> None:
    """Different texts each time: the limit an hour ends it, and an hour later the agent answers again."""
    bounded = settings.model_copy(update=limits)
    words = ("red", "green", "blue", "white", "black")
    mails = [
        email(f"Where is the {word} one?", thread=f"t{n % threads}", sender=f"a{n % senders}@example.org")
        for n, word in enumerate(words)
    ]
    outcomes = [await arrive(db, vault, bounded, mail) for mail in mails]
    assert outcomes == [("replied", None)] * 3 + [("escalated", TOO_MANY)] * 2
    await db.execute("UPDATE messages SET stored_at = stored_at - interval '61 minutes'")
    later = email("And where is the grey one?", thread="later", sender="a0@example.org")
    assert await arrive(db, vault, bounded, later) == ("replied", None)


async def test_whoever_forges_a_customer_does_not_mute_them(db: Database, vault: Vault, settings: Settings) -> None:
    """Forged mails, held or claimed, in the customer's thread and others: the customer is answered all the same."""
    question = "How do I export my data to a spreadsheet?"
    for n in range(35):
        trust = Trust.HELD if n % 2 else Trust.CLAIMED
        await arrive(db, vault, settings, email(f"{question} {'x' * n}", thread=f"t{n % 3}", trust=trust))
    await arrive(db, vault, settings, email(question, trust=Trust.CLAIMED))
    assert await arrive(db, vault, settings, email(question, thread="t9")) == ("replied", None)
    assert await arrive(db, vault, settings, email("And where is the red one?", thread="t9")) == ("replied", None)


def test_a_held_mail_leaves_no_trace() -> None:
    """Nobody answers it, so it makes no loop."""
    vault = Vault.from_settings(make_settings(database_url=SecretStr("")))
    assert traces_of(vault, email(trust=Trust.HELD)) is None


_COLOURS = ("red", "green", "blue", "white", "black", "grey", "pink", "brown", "orange", "yellow", "violet", "golden")


async def test_a_forged_address_is_sent_a_few_answers_at_most(db: Database, vault: Vault, settings: Settings) -> None:
    """Each mail in a thread of its own: three answers an hour and ten a day, then a person has them, silently."""
    outcomes: list[tuple[str | None, str | None]] = []
    for n, colour in enumerate(_COLOURS):
        mail = email(f"Where is the {colour} one?", thread=f"t{n}", trust=Trust.CLAIMED)
        outcomes.append(await arrive(db, vault, settings, mail))
        if n == 4 or n >= 7:
            await db.execute("UPDATE messages SET stored_at = stored_at - interval '61 minutes'")
    assert outcomes[:5] == [("replied", None)] * 3 + [("escalated", TOO_MANY)] * 2
    assert outcomes[5:8] == [("replied", None)] * 3
    assert outcomes[8:] == [("replied", None)] * 4
    last = email("Where is the last one?", thread="last", trust=Trust.CLAIMED)
    assert await arrive(db, vault, settings, last) == ("escalated", TOO_MANY)
    assert await answers(db) == 10
    await db.execute("UPDATE messages SET stored_at = stored_at - interval '1 day'")
    again = email("Where is the first one?", thread="again", trust=Trust.CLAIMED)
    assert await arrive(db, vault, settings, again) == ("replied", None)


async def test_forged_mails_that_come_at_once_are_counted(db: Database, vault: Vault, settings: Settings) -> None:
    """None is answered yet when the next one comes: those that still may be count as answers."""
    mails = [email(f"Where is the {colour} one?", thread=colour, trust=Trust.CLAIMED) for colour in _COLOURS[:6]]
    await asyncio.gather(*(inbox.store(db, vault, settings, mail, uuid.uuid4().hex) for mail in mails))
    rows = await db.fetch("SELECT outcome_reason FROM messages WHERE author = 'customer'")
    assert sorted(str(row["outcome_reason"]) for row in rows) == ["None"] * 3 + [TOO_MANY] * 3


_VARIED = (
    "Dear {name}, many thanks for writing to the service desk of Example Trading. We have registered what you wrote "
    "and one of our colleagues will come back to you as soon as possible. "
    "This mailbox is read from nine until five on working days; meanwhile our "
    "handbook explains orders, invoices, shipments, returns, accounts and passwords. {extra}"
)


@pytest.mark.parametrize("trust", [Trust.VERIFIED, Trust.CLAIMED])
@pytest.mark.parametrize("threads", [1, 4])
async def test_a_loop_whose_text_varies_ends_too(
    db: Database, vault: Vault, settings: Settings, trust: Trust, threads: int
) -> None:
    """A name and a closing word change each time; nine words in ten are the same."""
    names, extras = ("Ada", "Grace", "Joan", "Mary"), ("", "Stay healthy!", "Sincerely", "Until then")
    mails = [
        email(_VARIED.format(name=names[n], extra=extras[n]), thread=f"t{n % threads}", trust=trust) for n in range(4)
    ]
    outcomes = [await arrive(db, vault, settings, mail) for mail in mails]
    assert outcomes[:3] == [("replied", None), ("replied", None), ("escalated", REPEATED)]
    assert await answers(db) == 2


async def test_a_person_who_asks_about_much_the_same_is_answered(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Many words in common are not most of the words."""
    for text in (
        "How do I export my data to a spreadsheet?",
        "How do I import my contacts from a spreadsheet?",
        "Thanks! The export of my data to a spreadsheet works now, but where do I find the import of contacts?",
        "Thanks! And the export of my invoices, does it keep the numbers of the customers as they are?",
    ):
        assert await arrive(db, vault, settings, email(text)) == ("replied", None)


async def test_a_thread_gets_so_many_a_day(db: Database, vault: Vault, settings: Settings) -> None:
    """Slower than the limit an hour, and never ending."""
    bounded = settings.model_copy(update={"mail_thread_max_per_d": 4})
    outcomes: list[tuple[str | None, str | None]] = []
    for n, colour in enumerate(_COLOURS[:5]):
        outcomes.append(
            await arrive(db, vault, bounded, email(f"Where is the {colour} one?", sender=f"a{n}@example.org"))
        )
        await db.execute("UPDATE messages SET stored_at = stored_at - interval '61 minutes'")
    assert outcomes == [("replied", None)] * 4 + [("escalated", TOO_MANY)]


async def test_the_window_passes(db: Database, vault: Vault, settings: Settings) -> None:
    """What was answered long ago may be asked again."""
    question = "How do I export my data to a spreadsheet?"
    await arrive(db, vault, settings, email(question))
    await db.execute("UPDATE messages SET stored_at = stored_at - interval '25 hours'")
    assert await arrive(db, vault, settings, email(question)) == ("replied", None)


async def test_ignored_mails_and_other_channels_leave_no_trace(db: Database, vault: Vault, settings: Settings) -> None:
    """Only what may be answered counts; nobody's robot reads the page."""
    for n in range(4):
        await arrive(db, vault, settings, email(_AUTO.format(n=n), ignored="auto-submitted"))
        await arrive(db, vault, settings, form("how do i export my data please?"))
    row: Any = await db.fetchrow("SELECT count(*) AS n FROM messages WHERE sender_hash IS NOT NULL")
    assert row["n"] == 0
    assert await arrive(db, vault, settings, email(_AUTO.format(n=9))) == ("replied", None)


def test_what_is_compared_is_the_words() -> None:
    """No number, id, day or month; case and spacing folded; nothing readable is kept."""
    one = normalised("Ticket A7-99: received on Tue, 3 November 2026 at 10:12 AM.\nThank  You!")
    assert one == normalised("TICKET B8-12: received on Wed, 14 December 2026 at 9:01 PM.  Thank you")
    assert normalised("123 456") == ""
    vault = Vault.from_settings(make_settings(database_url=SecretStr("")))
    traces = traces_of(vault, email("12345"))
    assert traces is not None
    assert traces.text != traces_of(vault, email("How do I export?")).text  # type: ignore[union-attr]
