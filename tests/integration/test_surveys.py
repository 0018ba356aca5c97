"""Satisfaction asked after a close, on a real PostgreSQL: whom, where, once; and what counts as an answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr

from shared.channels.limits import over_limit
from shared.channels.message import Channel, InboundMessage, Trust, WhatsAppFacts
from shared.channels.web.sender import WebReplySender
from shared.channels.web.ticket import added_message
from shared.channels.web.token import Holder
from shared.channels.whatsapp.texts import LANGUAGES
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.survey_answers import MailedSurveys, score_of
from shared.conversations.surveys import survey_text
from shared.conversations.ticket_page import TicketPage
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger
from shared.delivery.send import Sending
from shared.errors import Rejected
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp
from tests.conftest import make_settings
from tests.integration.test_ledger import Wire

LINK = re.compile(r"https://form\.example\.com/rate\?token=([\w-]{43})\b")


@pytest.fixture
def settings(dsn: str) -> Settings:
    """With the form's public address, which links begin with."""
    return make_settings(
        database_url=SecretStr(dsn), database_pool_size=24, form_public_url="https://form.example.com/"
    )


def counted(name: str, **labels: str) -> float:
    """What a metric says so far."""
    return REGISTRY.get_sample_value(f"fte_{name}_total", labels) or 0.0


class Case:
    """Matters that are answered, delivered and closed; one process's delivery beside them."""

    def __init__(self, sending: Sending) -> None:
        ledger = sending.ledger
        self.sending, self.db, self.vault, self.settings = sending, ledger.db, ledger.vault, ledger.settings
        self.id, self.ticket = UUID(int=0), ""

    async def store(self, message: InboundMessage) -> inbox.Stored:
        """As agent-run does."""
        return await inbox.store(self.db, self.vault, self.settings, message, str(uuid4()))

    async def answered(self, message: InboundMessage, outcome: str = "replied") -> None:
        """A message with an answer, or a handoff, that is delivered."""
        stored = await self.store(message)
        assert stored.lease is not None
        turn = (await mailbox.look(self.db, self.vault, stored.lease)).turn
        assert turn is not None
        reason = None if outcome == "replied" else "refund"
        delivery_id = await commit_turn(self.db, self.vault, turn, Verdict(outcome, reason, "Choose Export, then CSV."))
        assert delivery_id is not None
        for due in stored.due:
            await self.sending.deliver(due)
        if outcome == "replied":
            await mailbox.hand_back(self.db, stored.lease)
        await self.sending.deliver(delivery_id)
        self.id = stored.conversation_id
        row: Any = await self.db.fetchrow("SELECT id FROM tickets WHERE conversation_id = $1", self.id)
        self.ticket = row["id"]

    async def reply(self, text: str = "I have seen to it. Sam") -> None:
        """A person's word, delivered."""
        delivery_id, _ = await desk_of(self.db, self.vault, self.settings).reply(self.ticket, text)
        await self.sending.deliver(delivery_id)

    async def close(self, reason: str | None = None, *, survey: bool = True) -> str:
        """What came of asking; what is due is sent, twice."""
        desk = desk_of(self.db, self.vault, self.settings)
        _, asking = await desk.close(self.ticket, reason, "sam", survey=survey)
        for _ in range(2):
            if asking.delivery_id is not None:
                await self.sending.deliver(asking.delivery_id)
        return asking.result

    def sent(self, channel: Channel) -> list[str]:
        """What went out there behind the answer."""
        wire = self.sending.senders[channel]
        assert isinstance(wire, Wire)
        return [one.text for one in wire.delivered if "closed" in one.text or "abgeschlossen" in one.text]

    async def rating(self) -> tuple[int, str] | None:
        """The score and its channel."""
        row = await self.db.fetchrow("SELECT score, channel FROM ratings WHERE ticket_id = $1", self.ticket)
        return (row["score"], row["channel"]) if row else None


@pytest_asyncio.fixture
async def case(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Case]:
    """Nothing yet."""
    alarms = Alarms()
    senders = {Channel.WEB: WebReplySender(), Channel.EMAIL: Wire(), Channel.WHATSAPP: Wire()}
    yield Case(Sending(Ledger(db, vault, settings), senders, alarms))
    await alarms.close()


def signed(message: InboundMessage) -> InboundMessage:
    """The same of a visitor whom the embedding site signed for."""
    who = message.sender.model_copy(update={"trust": Trust.VERIFIED, "trust_reason": "signed-visitor"})
    return message.model_copy(update={"sender": who})


# -- asking ---------------------------------------------------------------------------------------------


async def test_whatsapp_is_asked_for_a_number_and_a_number_is_the_rating(case: Case) -> None:
    """Once, in fixed words; the number is stored as ignored, opens nothing, and is counted."""
    asked, rated = (
        counted("surveys", channel="whatsapp", result="asked"),
        counted("ratings", channel="whatsapp", score="4"),
    )
    await case.answered(whatsapp())
    assert await case.close() == "asked"
    (question,) = case.sent(Channel.WHATSAPP)
    assert "1" in question
    assert "5" in question
    message = whatsapp("4")
    for _ in range(2):  # Twilio tells it twice
        stored = await case.store(message)
    assert (stored.conversation_id, stored.lease) == (case.id, None)
    assert await case.rating() == (4, "whatsapp")
    rows = await case.db.fetch("SELECT outcome, outcome_reason FROM messages WHERE author = 'customer' ORDER BY seq")
    assert [(row["outcome"], row["outcome_reason"]) for row in rows][1:] == [("ignored", "rating")]
    states = await case.db.fetch(
        "SELECT c.state, t.status FROM conversations c JOIN tickets t ON t.conversation_id = c.id"
    )
    assert [(row["state"], row["status"]) for row in states] == [("closed", "closed")]
    assert counted("surveys", channel="whatsapp", result="asked") == asked + 1
    assert counted("ratings", channel="whatsapp", score="4") == rated + 1


async def test_a_second_number_corrects_the_first(case: Case) -> None:
    """The last word counts, as on the page."""
    await case.answered(whatsapp())
    await case.close()
    for text in ("1", "5"):
        await case.store(whatsapp(text))
    assert await case.rating() == (5, "whatsapp")


async def words_first(case: Case) -> str:
    await case.store(whatsapp("one more thing, where are my invoices?"))
    return "3"


async def too_late(case: Case) -> str:
    await case.db.execute("UPDATE surveys SET expires_at = now() - interval '1 minute'")
    return "3"


async def no_number(case: Case) -> str:
    return "3 of them are missing"


async def not_out_yet(case: Case) -> str:
    await case.db.execute("UPDATE deliveries SET status = 'queued' WHERE id = (SELECT delivery_id FROM surveys)")
    return "3"


async def not_asked(case: Case) -> str:
    await case.db.execute("DELETE FROM surveys")
    return "3"


@pytest.mark.parametrize("between", [words_first, too_late, no_number, not_out_yet, not_asked])
async def test_any_other_word_is_an_ordinary_message(case: Case, between: Callable[[Case], Awaitable[str]]) -> None:
    """It opens a matter of its own, with a ticket, and rates nothing."""
    await case.answered(whatsapp())
    assert await case.close() == "asked"
    stored = await case.store(whatsapp(await between(case)))
    assert stored.conversation_id != case.id
    assert await case.rating() is None
    open_: Any = await case.db.fetchrow("SELECT count(*) AS n FROM tickets WHERE status = 'open'")
    assert open_["n"] == 1


async def test_a_number_from_before_the_question_is_no_answer_to_it(case: Case) -> None:
    """A webhook that comes late, of what was written before the close."""
    await case.answered(whatsapp())
    await case.close()
    early = whatsapp("2").model_copy(update={"received_at": datetime.now(UTC) - timedelta(minutes=10)})
    await case.store(early)
    assert await case.rating() is None


async def test_a_number_that_replaces_another_message_is_no_answer(case: Case) -> None:
    """An edited message is told in brackets and goes to whoever reads."""
    await case.answered(whatsapp())
    await case.close()
    facts = WhatsAppFacts(edits="SM00000000000000000000000000000001")
    await case.store(whatsapp("2").model_copy(update={"whatsapp": facts}))
    assert await case.rating() is None


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1", 1),
        (" 5. ", 5),
        ("*4*", 4),
        ("4/5", 4),
        ("3!", 3),
        ("٤", 4),
        ("۵", 5),
        ("4️⃣", 4),
        ("⭐⭐⭐", 3),
        *(
            (text, None)
            for text in ("0", "6", "10", "-1", "4?", "4 5", "", "two", "45", "3/4", "⭐⭐⭐⭐⭐⭐", "4 4 4 4 4 4 4")
        ),
    ],
)
def test_what_is_a_bare_number(text: str, score: int | None) -> None:
    """One digit of any script, or stars, and nothing that says more."""
    assert score_of(text) == score


async def test_mail_is_asked_by_a_link_in_its_thread(case: Case) -> None:
    """In the customer's language; opening changes nothing, and what is posted is the rating."""
    await case.answered(email("Guten Tag, wie kann ich die Daten exportieren und wo ist das?"))
    assert await case.close() == "asked"
    (text,) = case.sent(Channel.EMAIL)
    assert text.startswith("Guten Tag,")
    (token,) = LINK.findall(text)
    mailed = MailedSurveys(case.db, case.vault)
    assert await mailed.look(token) == "de"
    assert await case.rating() is None
    assert await mailed.rate(token, 2, "zu langsam") == "de"
    assert await mailed.rate(token, 4, "") == "de"
    assert await case.rating() == (4, "email")
    with pytest.raises(Rejected) as unknown:
        await mailed.rate("x" * 43, 5, "")
    assert unknown.value.status == 404
    await case.db.execute("UPDATE surveys SET expires_at = now()")
    with pytest.raises(Rejected) as expired:
        await mailed.look(token)
    assert expired.value.status == 410


async def test_a_typed_address_is_asked_on_its_page_and_mailed_nothing(case: Case) -> None:
    """The question is delivered there, is no message of the thread, and its stars rate."""
    message = form()
    await case.answered(message)
    page, holder = TicketPage(case.db, case.vault), Holder(message.thread, "ada@example.org", "Ada", Trust.CLAIMED)
    view = await page.read(holder)
    assert view is not None
    assert not view.asked
    before = len(view.messages)
    assert await case.close() == "asked"
    view = await page.read(holder)
    assert view is not None
    assert (view.asked, view.status, len(view.messages)) == (True, "closed", before)
    assert case.sent(Channel.EMAIL) == []
    await page.rate(holder, 5, "")
    assert await case.rating() == (5, "web")


async def test_a_proven_visitor_is_asked_by_mail_and_may_answer_on_the_page(case: Case) -> None:
    """As their answers are: one question, in the mail thread of the page."""
    message = signed(form())
    await case.answered(message)
    assert await case.close() == "asked"
    (text,) = case.sent(Channel.EMAIL)
    assert LINK.search(text)
    view = await TicketPage(case.db, case.vault).read(Holder(message.thread, "ada@example.org", "Ada", Trust.VERIFIED))
    assert view is not None
    assert view.asked


async def test_nobody_is_asked_twice_about_one_matter(case: Case) -> None:
    """A page that is opened again and closed again; a second operator at the same time."""
    message = form()
    await case.answered(message)
    assert await case.close() == "asked"
    holder = Holder(message.thread, "ada@example.org", "Ada", Trust.CLAIMED)
    await case.answered(added_message(holder, "again", "And on a phone?", datetime.now(UTC)))
    assert await case.close() == "asked-before"
    rows: Any = await case.db.fetchrow("SELECT count(*) AS n FROM surveys")
    assert rows["n"] == 1


async def test_of_two_who_close_at_once_one_asks(case: Case) -> None:
    """The other is refused, as closing twice is."""
    await case.answered(email())
    desk = desk_of(case.db, case.vault, case.settings)
    ends = await asyncio.gather(*(desk.close(case.ticket, None) for _ in range(4)), return_exceptions=True)
    assert len([end for end in ends if not isinstance(end, Exception)]) == 1
    assert all(isinstance(end, Rejected | tuple) for end in ends)
    rows: Any = await case.db.fetchrow("SELECT count(*) AS n FROM messages WHERE kind = 'notice'")
    assert rows["n"] == 1


async def test_who_was_not_answered_is_not_asked(case: Case) -> None:
    """A handoff is no answer; nor is what came before a question that a person put away."""
    await case.answered(email("I want a refund"), "escalated")
    assert await case.close("spam") == "unanswered"
    await case.answered(email("How do I export?", thread="t2"))
    await case.db.execute("UPDATE conversations SET state = 'human' WHERE id = $1", case.id)
    await case.store(email("And who pays me back?", thread="t2"))
    assert await case.close("abuse") == "unanswered"
    await case.answered(email("My money back, please", thread="t3"), "escalated")
    await case.reply()
    assert await case.close() == "asked"


async def test_who_rated_before_is_not_asked(case: Case) -> None:
    """They have told us."""
    message = form()
    await case.answered(message)
    await TicketPage(case.db, case.vault).rate(Holder(message.thread, "ada@example.org", "Ada", Trust.CLAIMED), 3, "")
    assert await case.close() == "rated-before"


async def test_a_claimed_mail_is_asked_nothing(case: Case) -> None:
    """Whoever writes in another's name has us mail that person no question."""
    await case.answered(email(trust=Trust.CLAIMED))
    assert await case.close() == "unverified"
    assert case.sent(Channel.EMAIL) == []


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ("UPDATE whatsapp_numbers SET last_wrote_at = now() - interval '24 hours'", "outside-window"),
        ("UPDATE whatsapp_numbers SET stopped_at = now(), stop_reason = 'word'", "opted-out"),
    ],
)
async def test_whatsapp_s_rules_are_kept(case: Case, change: str, result: str) -> None:
    """No template is spent on it, and nobody is handed over for it."""
    await case.answered(whatsapp())
    await case.db.execute(change)
    assert await case.close() == result
    state: Any = await case.db.fetchrow("SELECT state FROM conversations")
    assert state["state"] == "closed"


async def test_a_window_that_closes_meanwhile_costs_nobody_anything(case: Case) -> None:
    """Asked, and then too late to send: it fails, and no person is given the matter back."""
    await case.answered(whatsapp())
    _, asking = await desk_of(case.db, case.vault, case.settings).close(case.ticket, None)
    assert asking.delivery_id is not None
    await case.db.execute("UPDATE whatsapp_numbers SET last_wrote_at = now() - interval '25 hours'")
    await case.sending.deliver(asking.delivery_id)
    assert case.sent(Channel.WHATSAPP) == []
    row: Any = await case.db.fetchrow(
        "SELECT c.state, t.status FROM conversations c JOIN tickets t ON t.conversation_id = c.id"
    )
    assert (row["state"], row["status"]) == ("closed", "closed")


async def test_it_can_be_left_out_and_switched_off(case: Case) -> None:
    """By whoever closes, and by CSAT_ASK."""
    await case.answered(email())
    assert await case.close(survey=False) == "not-wanted"
    await case.answered(email("And how do I import?", thread="t2"))
    case.settings = case.settings.model_copy(update={"csat_ask": False})
    assert await case.close() == "off"
    assert case.sent(Channel.EMAIL) == []


async def test_without_a_public_address_no_link_is_mailed(case: Case) -> None:
    """There would be nowhere to lead."""
    case.settings = case.settings.model_copy(update={"form_public_url": ""})
    await case.answered(email())
    assert await case.close() == "no-public-url"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", list(Channel))
def test_the_words_fit_their_channel(settings: Settings, channel: Channel, language: str) -> None:
    """Each language, within the limits, nothing left open."""
    text = survey_text(channel, language, settings, "t" * 43)
    assert over_limit(channel, text) is None
    assert "{" not in text
    assert bool(LINK.search(text)) is (channel is Channel.EMAIL)
