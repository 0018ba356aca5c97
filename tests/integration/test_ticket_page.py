"""A ticket's page on a real PostgreSQL: who sees what, where what is added goes, its files and its rating."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.channels.files import facts
from shared.channels.message import InboundMessage, Trust
from shared.channels.web.ticket import TicketRequest, added_message
from shared.channels.web.token import Holder
from shared.clock import SystemClock
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.desk import Desk
from shared.conversations.history import history
from shared.conversations.surveys import Surveys
from shared.conversations.ticket_page import TicketPage, TicketView
from shared.db.pool import Database
from shared.dead_letters.office import Office
from shared.errors import Rejected
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email

TYPED = Holder("TICKET", "ada@example.org", "Ada", Trust.CLAIMED)
PROVEN = replace(TYPED, trust=Trust.VERIFIED)
REQUEST = TicketRequest(
    name="Ada", email="ada@example.org", subject="Export", category="billing", message="How do I export my data?"
)


class System:
    """The inbox, the agent's commit, the desk and the page over one database."""

    def __init__(self, db: Database, vault: Vault, settings: Settings) -> None:
        self.db, self.vault, self.settings = db, vault, settings
        self.page = TicketPage(db, vault)
        self.desk = Desk(db, vault, self._nothing_to_supersede, Surveys(vault, settings))

    async def first(self, holder: Holder = TYPED) -> inbox.Stored:
        """The form is sent."""
        return await self.take(REQUEST.message_of(holder, datetime.now(UTC)))

    async def add(self, text: str, holder: Holder = TYPED, *files: Any) -> inbox.Stored:
        """A message on the page; its id is its text."""
        return await self.take(added_message(holder, text.replace(" ", "-"), text, datetime.now(UTC), files))

    async def take(self, message: InboundMessage) -> inbox.Stored:
        """Store a message as agent-run does."""
        return await inbox.store(self.db, self.vault, self.settings, message, uuid.uuid4().hex)

    async def answer(self, stored: inbox.Stored, text: str = "Open Settings.", outcome: str = "replied") -> None:
        """The agent's turn, delivered."""
        assert stored.lease is not None
        turn = (await mailbox.look(self.db, self.vault, stored.lease)).turn
        assert turn is not None
        reason = "refund" if outcome == "escalated" else None
        await commit_turn(self.db, self.vault, turn, Verdict(outcome, reason, text))
        await self.delivered()
        await mailbox.hand_back(self.db, stored.lease)

    async def delivered(self) -> None:
        """What was committed is out."""
        await self.db.execute("UPDATE deliveries SET status = 'delivered', finished_at = now()")

    async def read(self, holder: Holder = TYPED) -> TicketView:
        """The page."""
        view = await self.page.read(holder)
        assert view is not None
        return view

    async def texts(self, holder: Holder = TYPED) -> list[str]:
        """What stands on the page."""
        return [message.text for message in (await self.read(holder)).messages]

    async def redeem(self) -> UUID:
        """What following the mailed link does: the conversation becomes that of the address's customer."""
        owner = (await self.take(email("Hello", thread="mail"))).customer_id
        await self.db.execute("UPDATE messages SET outcome = 'replied' WHERE channel = 'email'")
        of_the_ticket = "(SELECT conversation_id FROM tickets WHERE id = 'TICKET')"
        for table, column, more in (
            ("messages", "conversation_id", ""),
            ("routes", "conversation_id", ""),
            ("tickets", "conversation_id", ""),
            ("conversations", "id", ", trust = 'verified', epoch = epoch + 1"),
        ):
            statement = f"UPDATE {table} SET customer_id = $1{more} WHERE {column} = {of_the_ticket}"  # noqa: S608
            await self.db.execute(statement, owner)
        return owner

    async def _nothing_to_supersede(self, _connection: Any, _conversation: UUID) -> int:
        return 0


@pytest.fixture
def system(db: Database, vault: Vault, settings: Settings) -> System:
    return System(db, vault, settings)


# -- what is added --------------------------------------------------------------------------------------


async def test_what_is_added_goes_on_on_the_same_page(system: System) -> None:
    """One conversation and ticket; each message has the id that its sender was given; the answer has ours."""
    first = await system.first()
    await system.answer(first)
    second = await system.add("And now")
    assert second.conversation_id == first.conversation_id
    view = await system.read()
    assert [(message.id, message.text) for message in view.messages][::2] == [
        ("TICKET", "How do I export my data?"),
        ("And-now", "And now"),
    ]
    assert uuid.UUID(view.messages[1].id)
    assert view.status == "open"
    assert await system.db.fetch("SELECT id FROM tickets") == [("TICKET",)]


async def test_the_first_message_may_come_last(system: System) -> None:
    """Events have no order: the ticket is what the form said it is all the same."""
    early = await system.add("And now")
    late = await system.first()
    assert late.conversation_id == early.conversation_id
    (ticket,) = await system.db.fetch("SELECT id, category, subject_enc FROM tickets")
    assert (ticket["id"], ticket["category"]) == ("TICKET", "billing")
    async with system.db.transaction() as connection:
        keys = await system.vault.keys_for(connection, [ticket["subject_enc"]])
    assert keys.unseal("ticket.subject", ticket["subject_enc"]) == "Export"
    assert len(await system.texts()) == 2


@pytest.mark.parametrize("holder", [TYPED, PROVEN])
async def test_a_closed_ticket_is_opened_again_on_its_page(system: System, holder: Holder) -> None:
    """The same ticket and conversation, with the agent again; what was said before still stands there."""
    first = await system.first(holder)
    await system.answer(first)
    await system.desk.close("TICKET", None)
    assert (await system.read(holder)).status == "closed"
    again = await system.add("It stopped working", holder)
    assert again.conversation_id == first.conversation_id
    assert again.lease is not None
    assert (await system.read(holder)).status == "open"
    assert len(await system.texts(holder)) == 3
    (ticket,) = await system.db.fetch("SELECT status, closed_at FROM tickets")
    assert tuple(ticket) == ("open", None)
    await system.answer(again, "Try again.")
    assert (await system.read(holder)).status == "answered"


async def test_what_is_added_while_a_person_has_it_waits_for_them(system: System) -> None:
    """Escalated stays escalated, and the page says that a person is on it."""
    first = await system.first()
    await system.answer(first, "A colleague will write to you.", "escalated")
    added = await system.add("Hello?")
    assert added.lease is None
    view = await system.read()
    assert (view.status, view.can_rate) == ("escalated", False)
    row = await system.db.fetchrow("SELECT outcome, outcome_reason FROM messages ORDER BY seq DESC LIMIT 1")
    assert tuple(row or ()) == ("escalated", "with-person")


# -- who sees what --------------------------------------------------------------------------------------


async def test_what_the_verified_say_and_are_told_is_not_on_the_claimed_page(system: System) -> None:
    """After the link: one conversation, two pages. Who opened the ticket sees only what was said there."""
    first = await system.first()
    await system.answer(first, "Open Settings.")
    await system.redeem()
    verified = await system.add("My invoice is wrong", PROVEN)
    assert verified.conversation_id == first.conversation_id
    await system.answer(verified, "Your invoice of May")
    assert await system.texts(PROVEN) == [
        "How do I export my data?",
        "Open Settings.",
        "My invoice is wrong",
        "Your invoice of May",
    ]
    assert await system.texts(TYPED) == ["How do I export my data?", "Open Settings."]
    await system.add("me again", TYPED)
    assert "me again" in await system.texts(PROVEN)
    assert await system.texts(TYPED) == ["How do I export my data?", "Open Settings.", "me again"]


async def test_a_claimed_turn_is_not_told_what_the_verified_said(system: System) -> None:
    """In the same conversation: the agent that answers the claimed page has not read the other one."""
    await system.answer(await system.first(), "Open Settings.")
    await system.redeem()
    await system.answer(await system.add("My invoice is wrong", PROVEN), "Your invoice of May")
    claimed = await system.add("What did I ask?", TYPED)
    assert claimed.lease is not None
    turn = (await mailbox.look(system.db, system.vault, claimed.lease)).turn
    assert turn is not None
    assert turn.trust is Trust.CLAIMED
    said = [one.text for one in await history(system.db, system.vault, turn, 20)]
    assert said == ["How do I export my data?", "Open Settings."]


async def test_a_person_answers_where_was_written_last(system: System) -> None:
    """A reply to the verified stands on their page alone, one to the claimed page on both."""
    await system.answer(await system.first())
    await system.redeem()
    await system.add("My invoice is wrong", PROVEN)
    await system.desk.reply("TICKET", "About your invoice")
    await system.add("And the export?", TYPED)
    await system.desk.reply("TICKET", "About the export")
    await system.delivered()
    assert "About your invoice" not in await system.texts(TYPED)
    assert "About the export" in await system.texts(TYPED)
    assert {"About your invoice", "About the export"} <= set(await system.texts(PROVEN))


async def test_the_verified_do_not_join_a_conversation_that_is_not_theirs(system: System) -> None:
    """Until the conversation is moved, a conversation and a ticket of their own; visible on their page alone."""
    first = await system.first()
    other = await system.add("It is me", PROVEN)
    assert other.conversation_id != first.conversation_id
    assert other.customer_id != first.customer_id
    assert await system.texts(PROVEN) == ["How do I export my data?", "It is me"]
    assert await system.texts(TYPED) == ["How do I export my data?"]
    tickets = await system.db.fetch("SELECT id FROM tickets WHERE conversation_id = $1", other.conversation_id)
    assert len(tickets) == 1
    assert tickets[0]["id"] != "TICKET"


async def test_a_signed_visitor_goes_on_with_their_e_mail_on_a_page_of_its_own(system: System) -> None:
    """The matter is the open one, and yet the page, its ticket and its rating are there."""
    mail = await system.take(email("How do I export?"))
    await system.answer(mail)
    signed = await system.first(PROVEN)
    assert signed.conversation_id == mail.conversation_id
    assert await system.texts(PROVEN) == ["How do I export my data?"]
    await system.answer(signed, "As I wrote by e-mail")
    await system.page.rate(PROVEN, 5, "")
    assert len(await system.db.fetch("SELECT id FROM tickets WHERE id = 'TICKET'")) == 1
    assert (await system.page.read(TYPED)) is None


async def test_another_tickets_token_shows_nothing(system: System) -> None:
    """Neither another ticket of the same address, nor another address on the ticket."""
    await system.first()
    assert await system.page.read(replace(TYPED, ticket="OTHER")) is None
    assert await system.page.read(replace(TYPED, address="eve@example.org")) is None


async def test_an_erased_customers_page_is_gone(system: System) -> None:
    """410, and a reason."""
    await system.first()
    await system.db.execute("UPDATE customers SET data_key = NULL, erased_at = now()")
    with pytest.raises(Rejected) as gone:
        await system.page.read(TYPED)
    assert gone.value.status == 410


# -- files ----------------------------------------------------------------------------------------------


async def attached(system: System, holder: Holder = TYPED) -> UUID:
    """A text file attached on the page; its id there."""
    blob = uuid.uuid4()
    for _ in range(2):
        await system.page.keep(blob, b"row 500 fails")
    file = facts("notes.txt", "text/plain", b"row 500 fails").model_copy(update={"blob": blob})
    await system.add("See the file", holder, file)
    view = await system.read(holder)
    (shown,) = view.messages[-1].attachments
    assert (shown.name, shown.content_type, shown.size) == ("notes.txt", "text/plain", 13)
    assert shown.id is not None
    return shown.id


async def test_a_file_is_kept_once_shown_and_given_out(system: System) -> None:
    """Its bytes, and only from the page that shows it."""
    await system.first()
    file = await attached(system)
    got = await system.page.file(TYPED, file)
    assert got is not None
    assert (got.name, got.content_type, got.data) == ("notes.txt", "text/plain", b"row 500 fails")
    assert (await system.db.fetchrow("SELECT count(*) AS n FROM blobs"))["n"] == 1  # type: ignore[index]
    assert await system.page.file(PROVEN, file) is not None
    assert await system.page.file(replace(TYPED, ticket="OTHER"), file) is None
    assert await system.page.file(TYPED, uuid.uuid4()) is None


async def test_the_verified_s_files_are_not_the_claimed_page_s(system: System) -> None:
    """An id that leaks opens nothing."""
    await system.first()
    await system.redeem()
    file = await attached(system, PROVEN)
    assert await system.page.file(PROVEN, file) is not None
    assert await system.page.file(TYPED, file) is None


async def test_a_verified_message_s_file_is_not_the_claimed_page_s_in_one_route_either(system: System) -> None:
    """The message's own trust decides, as it does for its words."""
    await system.first()
    file = await attached(system)
    assert await system.page.file(TYPED, file) is not None
    message = "(SELECT message_id FROM attachments WHERE id = $1)"
    await system.db.execute(f"UPDATE messages SET trust = 'verified' WHERE id = {message}", file)  # noqa: S608
    assert await system.texts(TYPED) == ["How do I export my data?"]
    assert await system.page.file(PROVEN, file) is not None
    assert await system.page.file(TYPED, file) is None


async def test_a_file_whose_contents_are_gone_is_named_without_an_id(system: System) -> None:
    """The page does not offer what it cannot give."""
    await system.first()
    lost = facts("lost.txt", "text/plain", b"x").model_copy(update={"blob": uuid.uuid4()})
    await system.add("See the file", TYPED, lost)
    (shown,) = (await system.read()).messages[-1].attachments
    assert (shown.id, shown.name) == (None, "lost.txt")


# -- rating ---------------------------------------------------------------------------------------------


async def test_the_last_rating_counts_and_its_words_are_sealed(system: System) -> None:
    """One row a ticket; the desk's holder reads it, a dump does not; before an answer nothing is rated."""
    with pytest.raises(Rejected):
        await system.page.rate(TYPED, 5, "")
    first = await system.first()
    with pytest.raises(Rejected) as early:
        await system.page.rate(TYPED, 5, "")
    assert (early.value.status, early.value.reason) == (409, "not-answered")
    await system.answer(first)
    assert (await system.read()).rating is None
    await system.page.rate(TYPED, 2, "too long")
    await system.page.rate(TYPED, 4, "better now")
    view = await system.read()
    assert (view.rating.score if view.rating else None, view.can_rate) == (4, True)
    (row,) = await system.db.fetch("SELECT * FROM ratings")
    assert b"better" not in row["comment_enc"]
    shown = (await _office(system).ticket("TICKET"))["rating"]
    assert (shown["score"], shown["comment"]) == (4, "better now")
    await system.page.rate(TYPED, 5, "")
    assert (await _office(system).ticket("TICKET"))["rating"]["comment"] is None


async def test_thanks_after_the_answer_leave_the_page_answered(system: System) -> None:
    """What needs no answer is no open question: the page goes on to say so, and the answer may be rated."""
    stored = await system.first()
    await system.answer(stored)
    await system.answer(await system.add("Thank you!"), text="", outcome="ignored")
    view = await system.read()
    assert (view.status, view.can_rate) == ("answered", True)
    await system.page.rate(TYPED, 5, "")
    await system.add("One more thing.")
    assert (await system.read()).status == "open"


async def test_a_closed_ticket_may_be_rated(system: System) -> None:
    """The answer stands, whoever closed it."""
    await system.answer(await system.first())
    await system.desk.close("TICKET", None)
    await system.page.rate(TYPED, 3, "")
    assert (await system.read()).status == "closed"


def _office(system: System) -> Office:
    nothing: Any = None
    return Office(
        settings=system.settings,
        db=system.db,
        vault=system.vault,
        producer=nothing,
        clock=SystemClock(),
        box=nothing,
        sweep=nothing,
        desk=nothing,
        library=nothing,
    )
