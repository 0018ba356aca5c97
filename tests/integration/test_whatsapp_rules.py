"""WhatsApp's rules on a real PostgreSQL: the 24-hour window, templates, mail in its place, STOP and START.

What was delivered is what the wire's end took: see tests/integration/test_ledger.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.agent.verdict import ask
from shared.channels.limits import over_limit
from shared.channels.message import Channel, InboundMessage
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused
from shared.channels.whatsapp.message import inbound_message
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.desk import Desk
from shared.conversations.history import history
from shared.conversations.notices import Notice, post
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger, supersede
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, whatsapp
from tests.conftest import make_settings
from tests.integration.test_ledger import Wire, make_due, said, status_of

NUMBER = "+12015550123"
TEMPLATE = "HX" + "a" * 32
GERMAN = "HX" + "b" * 32


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Without a template; `with_template` has two."""
    return make_settings(database_url=SecretStr(dsn))


@pytest_asyncio.fixture
async def sending(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """send-reply's work, each channel on a wire of its own."""
    alarms = Alarms()
    yield Sending(Ledger(db, vault, settings), {channel: Wire() for channel in Channel}, alarms)
    await alarms.close()


@pytest_asyncio.fixture
async def with_template(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """The same with an approved template in two languages."""
    more = settings.model_copy(update={"twilio_template_sid": TEMPLATE, "twilio_template_sids": (f"de:{GERMAN}",)})
    alarms = Alarms()
    yield Sending(Ledger(db, vault, more), {channel: Wire() for channel in Channel}, alarms)
    await alarms.close()


def sent_on(sending: Sending, channel: Channel) -> list[Outbound]:
    """What reached customers on a channel."""
    wire = sending.senders[channel]
    assert isinstance(wire, Wire)
    return wire.delivered


async def store(sending: Sending, message: InboundMessage) -> inbox.Stored:
    ledger = sending.ledger
    return await inbox.store(ledger.db, ledger.vault, ledger.settings, message, str(uuid4()))


async def answer(sending: Sending, text: str, said_first: str = "hi", sender: str = NUMBER) -> UUID:
    """A customer writes, and the agent answers; the delivery, not sent yet."""
    ledger = sending.ledger
    stored = await store(sending, whatsapp(said_first, sender=sender))
    assert stored.lease is not None
    seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
    assert seen.turn is not None
    delivery_id = await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("replied", None, text))
    await mailbox.hand_back(ledger.db, stored.lease)
    assert delivery_id is not None
    return delivery_id


async def window_closes(sending: Sending) -> None:
    """Every number wrote a day ago."""
    await sending.ledger.db.execute("UPDATE whatsapp_numbers SET last_wrote_at = now() - interval '24 hours'")


async def know_address(sending: Sending) -> None:
    """The customer of NUMBER owns ada@example.org, confirmed."""
    ledger = sending.ledger
    await carry_out(sending, email("hello", sender="ada@example.org"))
    await carry_out(sending, whatsapp("hello"))
    await ledger.db.execute("UPDATE messages SET outcome = 'ignored', outcome_reason = 'test', outcome_at = now()")
    await link(ledger.db, ledger.vault, "ada@example.org", NUMBER)


async def ticket_reason(sending: Sending) -> str | None:
    row = await sending.ledger.db.fetchrow(
        "SELECT t.reason FROM tickets t JOIN conversations c ON c.id = t.conversation_id WHERE c.state = 'human'"
    )
    return row["reason"] if row else None


def twilio(body: str, **more: str) -> InboundMessage:
    """A message as the webhook makes it."""
    sid = f"SM{uuid4().hex}"
    fields = {"MessageSid": sid, "From": f"whatsapp:{NUMBER}", "Body": body, "MessageType": "text", **more}
    return inbound_message(fields, datetime.now(UTC))


# -- the window ------------------------------------------------------------------------------------------


async def test_inside_the_window_it_goes_out_as_it_is(sending: Sending) -> None:
    """The customer wrote a moment ago."""
    delivery_id = await answer(sending, "fine")
    await sending.deliver(delivery_id)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["fine"]


async def test_the_margin_keeps_away_from_the_edge(sending: Sending) -> None:
    """Ten minutes before WhatsApp closes it the window counts as closed; eleven before it is open."""
    db = sending.ledger.db
    delivery_id = await answer(sending, "at the edge")
    edge = "UPDATE whatsapp_numbers SET last_wrote_at = now() - interval '24 hours' + interval '11 minutes'"
    await db.execute(edge)
    await sending.deliver(delivery_id)
    assert len(sent_on(sending, Channel.WHATSAPP)) == 1
    late = await answer(sending, "too late")
    await db.execute(edge.replace("11", "9"))
    await sending.deliver(late)
    assert len(sent_on(sending, Channel.WHATSAPP)) == 1


async def test_outside_the_window_and_without_another_way_a_person_has_it(sending: Sending) -> None:
    """No template, no confirmed address: nothing is sent, and the ticket says why."""
    delivery_id = await answer(sending, "late")
    await window_closes(sending)
    await sending.deliver(delivery_id)
    assert await status_of(sending, delivery_id) == "failed"
    assert await ticket_reason(sending) == "delivery-failed:outside-window"
    assert not any(sent_on(sending, channel) for channel in Channel)


async def test_outside_the_window_a_confirmed_address_gets_it_by_mail(sending: Sending) -> None:
    """A mail with a subject of its own that says why it comes; the WhatsApp delivery points to it."""
    await know_address(sending)
    delivery_id = await answer(sending, "Choose Export in the settings.")
    await window_closes(sending)
    await sending.deliver(delivery_id)
    assert sent_on(sending, Channel.WHATSAPP) == []
    (mail,) = sent_on(sending, Channel.EMAIL)
    assert (mail.to, mail.own_subject) == ("ada@example.org", "Our answer to your WhatsApp message")
    assert "Choose Export in the settings." in mail.text
    assert "WhatsApp" in mail.text
    assert over_limit(Channel.EMAIL, mail.text) is None
    row = await sending.ledger.db.fetchrow("SELECT status, rerouted_to FROM deliveries WHERE id = $1", delivery_id)
    assert row is not None
    assert (row["status"], str(row["rerouted_to"])) == ("rerouted", mail.delivery_id)
    assert await ticket_reason(sending) is None


async def test_a_claimed_address_is_no_way_out(sending: Sending) -> None:
    """An address that was only typed gets nothing."""
    delivery_id = await answer(sending, "late")
    db = sending.ledger.db
    await db.execute(
        "INSERT INTO customer_identifiers (customer_id, kind, lookup, value_enc, trust)"
        " SELECT customer_id, 'email', '\\x00', value_enc, 'claimed' FROM customer_identifiers LIMIT 1"
    )
    await window_closes(sending)
    await sending.deliver(delivery_id)
    assert sent_on(sending, Channel.EMAIL) == []
    assert await status_of(sending, delivery_id) == "failed"


async def test_a_person_s_late_reply_goes_by_mail_too(sending: Sending) -> None:
    """People answer after days: the same way out, in their name."""
    await know_address(sending)
    ledger = sending.ledger
    await store(sending, whatsapp("hello?"))
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets WHERE channel = 'whatsapp'"))["id"]  # type: ignore[index]
    delivery_id, _ = await Desk(ledger.db, ledger.vault, supersede).reply(ticket, "Grace here: done.")
    await window_closes(sending)
    await sending.deliver(delivery_id)
    (mail,) = sent_on(sending, Channel.EMAIL)
    assert mail.author == "human"
    assert "Grace here: done." in mail.text


async def test_a_template_asks_the_customer_to_write_back_and_the_reply_waits(with_template: Sending) -> None:
    """The template goes out alone; the reply follows when the customer answers, before anything newer, once."""
    sending = with_template
    delivery_id = await answer(sending, "Choose Export.")
    await window_closes(sending)
    await sending.deliver(delivery_id)
    (asked,) = sent_on(sending, Channel.WHATSAPP)
    assert asked.template is not None
    assert (asked.to, asked.template.sid, asked.template.variables) == (NUMBER, TEMPLATE, {"1": "Tideline"})
    assert await status_of(sending, delivery_id) == "deferred"
    stored = await store(sending, whatsapp("yes?"))
    assert stored.due == (delivery_id,)
    await sending.deliver(delivery_id)
    await sending.deliver(delivery_id)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)[1:]] == ["Choose Export."]


async def test_the_template_speaks_the_reply_s_language(with_template: Sending) -> None:
    """A variant of its own where there is one."""
    delivery_id = await answer(with_template, "Ich habe die Rechnung nicht gefunden, bitte senden Sie mir die Nummer.")
    await window_closes(with_template)
    await with_template.deliver(delivery_id)
    (asked,) = sent_on(with_template, Channel.WHATSAPP)
    assert asked.template is not None
    assert asked.template.sid == GERMAN


async def test_one_template_however_many_replies_wait(with_template: Sending) -> None:
    """Events repeat, replies pile up: the customer is asked once, and gets all of them in order."""
    first = await answer(with_template, "one")
    second = await answer(with_template, "two")
    await window_closes(with_template)
    for delivery_id in (first, second, first, second):
        await with_template.deliver(delivery_id)
    assert len(sent_on(with_template, Channel.WHATSAPP)) == 1
    await store(with_template, whatsapp("here I am"))
    await with_template.deliver(first)
    assert [one.text for one in sent_on(with_template, Channel.WHATSAPP)[1:]] == ["one", "two"]


async def test_nobody_wrote_back_so_it_goes_by_mail_or_to_a_person(with_template: Sending) -> None:
    """After DELIVERY_MAX_AGE_H the wait is over."""
    delivery_id = await answer(with_template, "in vain")
    await window_closes(with_template)
    await with_template.deliver(delivery_id)
    db = with_template.ledger.db
    await db.execute("UPDATE deliveries SET created_at = now() - interval '25 hours', next_at = now() WHERE held")
    await with_template.deliver(delivery_id)
    assert await status_of(with_template, delivery_id) == "failed"
    assert await ticket_reason(with_template) == "delivery-failed:too-old"
    assert len(sent_on(with_template, Channel.WHATSAPP)) == 1


async def test_nobody_wrote_back_and_the_address_is_known(with_template: Sending) -> None:
    """As above, by mail."""
    await know_address(with_template)
    delivery_id = await answer(with_template, "by mail then")
    await window_closes(with_template)
    await with_template.deliver(delivery_id)
    db = with_template.ledger.db
    await db.execute("UPDATE deliveries SET created_at = now() - interval '25 hours', next_at = now() WHERE held")
    await with_template.deliver(delivery_id)
    assert await status_of(with_template, delivery_id) == "rerouted"
    assert "by mail then" in sent_on(with_template, Channel.EMAIL)[0].text


async def test_a_template_that_is_refused_leaves_the_reply_another_way(with_template: Sending) -> None:
    """63027 or the like: by mail where the address is confirmed, at once."""
    await know_address(with_template)
    delivery_id = await answer(with_template, "no template")
    await window_closes(with_template)
    wire = with_template.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [ProviderRefused("no such template", code="63027")]
    await with_template.deliver(delivery_id)
    assert await status_of(with_template, delivery_id) == "rerouted"
    assert len(sent_on(with_template, Channel.EMAIL)) == 1


async def test_too_old_is_not_asked_for(with_template: Sending) -> None:
    """A reply that waited out a day's outage is not worth a template any more."""
    delivery_id = await answer(with_template, "old")
    await window_closes(with_template)
    await with_template.ledger.db.execute("UPDATE deliveries SET created_at = now() - interval '25 hours'")
    await with_template.deliver(delivery_id)
    assert sent_on(with_template, Channel.WHATSAPP) == []
    assert await status_of(with_template, delivery_id) == "failed"


# -- 63016 afterwards ------------------------------------------------------------------------------------


async def test_63016_after_sending_goes_by_mail_once(sending: Sending) -> None:
    """sent → failed (63016) → rerouted, however often and at once Twilio says so."""
    await know_address(sending)
    delivery_id = await answer(sending, "refused later")
    await sending.deliver(delivery_id)
    told = said(delivery_id, "undelivered", "63016")
    found = await asyncio.gather(*(apply_status(sending.ledger, told) for _ in range(8)))
    for route_id in {route for routes in found for route in routes}:
        await sending.work_on(route_id)
    assert [mail.to for mail in sent_on(sending, Channel.EMAIL)] == ["ada@example.org"]
    assert await status_of(sending, delivery_id) == "rerouted"
    assert await ticket_reason(sending) is None


async def test_63016_after_sending_asks_with_a_template(with_template: Sending) -> None:
    """The words are kept as a delivery of their own, which goes out when the customer writes back."""
    delivery_id = await answer(with_template, "kept")
    await with_template.deliver(delivery_id)
    for _ in range(2):
        for route_id in await apply_status(with_template.ledger, said(delivery_id, "failed", "63016")):
            await with_template.work_on(route_id)
    assert [bool(one.template) for one in sent_on(with_template, Channel.WHATSAPP)] == [False, True]
    stored = await store(with_template, whatsapp("hello again"))
    for waiting in stored.due:
        await with_template.deliver(waiting)
    assert [one.text for one in sent_on(with_template, Channel.WHATSAPP)] == ["kept", asked_text(with_template), "kept"]


def asked_text(sending: Sending) -> str:
    return next(one.text for one in sent_on(sending, Channel.WHATSAPP) if one.template)


async def test_after_63016_the_window_counts_as_closed(sending: Sending) -> None:
    """What WhatsApp says beats our own reckoning, until the customer writes again."""
    first = await answer(sending, "one")
    await sending.deliver(first)
    await apply_status(sending.ledger, said(first, "failed", "63016"))
    await sending.ledger.db.execute("UPDATE conversations SET state = 'agent'")
    ledger = sending.ledger
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    late, _ = await Desk(ledger.db, ledger.vault, supersede).reply(ticket, "person")
    await sending.deliver(late)
    assert await status_of(sending, late) == "failed"
    await store(sending, whatsapp("again"))
    third, _ = await Desk(ledger.db, ledger.vault, supersede).reply(ticket, "person again")
    await sending.deliver(third)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["one", "person again"]


async def test_a_rerouted_reply_stands_once_in_the_history(sending: Sending, vault: Vault) -> None:
    """What the customer got is what was said."""
    await know_address(sending)
    delivery_id = await answer(sending, "said once")
    await window_closes(sending)
    await sending.deliver(delivery_id)
    stored = await store(sending, whatsapp("thanks"))
    assert stored.lease is not None
    seen = await mailbox.look(sending.ledger.db, vault, stored.lease)
    assert seen.turn is not None
    texts = [one.text for one in await history(sending.ledger.db, vault, seen.turn, 20) if one.author == "agent"]
    assert len([text for text in texts if "said once" in text]) == 1


async def test_63018_in_a_callback_is_tried_again_later(sending: Sending) -> None:
    """Too fast for WhatsApp: not a person's business, a later attempt's."""
    delivery_id = await answer(sending, "slower")
    await sending.deliver(delivery_id)
    for _ in range(2):
        assert await apply_status(sending.ledger, said(delivery_id, "failed", "63018")) == ()
    assert await status_of(sending, delivery_id) == "deferred"
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["slower", "slower"]
    await apply_status(sending.ledger, said(delivery_id, "failed", "63018", attempt=1))
    assert await status_of(sending, delivery_id) == "sent"


@pytest.mark.parametrize("code", ["21211", "63003", "63024", "30003"])
async def test_a_permanent_code_reaches_a_person_and_no_other_channel(sending: Sending, code: str) -> None:
    """The number is wrong, not the hour: nobody guesses another way, even where an address is known."""
    await know_address(sending)
    delivery_id = await answer(sending, "never")
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [ProviderRefused("no", code=code)]
    await sending.deliver(delivery_id)
    assert await ticket_reason(sending) == f"delivery-failed:{code}"
    assert sent_on(sending, Channel.EMAIL) == []


# -- STOP, START, HELP -----------------------------------------------------------------------------------


async def carry_out(sending: Sending, message: InboundMessage) -> inbox.Stored:
    """A message comes in, and what it made due goes out."""
    stored = await store(sending, message)
    if stored.lease is not None:
        await mailbox.hand_back(sending.ledger.db, stored.lease)
    for delivery_id in stored.due:
        await sending.deliver(delivery_id)
    return stored


async def test_stop_is_confirmed_once_and_then_there_is_silence(sending: Sending) -> None:
    """One farewell that tells the way back; after it neither the agent, a notice nor a person reaches the number."""
    ledger = sending.ledger
    await answer(sending, "hello")
    await carry_out(sending, twilio("STOP"))
    await carry_out(sending, twilio("Stop!"))
    (farewell,) = [one for one in sent_on(sending, Channel.WHATSAPP) if "START" in one.text]
    assert "Tideline" in farewell.text
    late = await answer(sending, "not any more", said_first="one more question")
    await sending.deliver(late)
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    by_person, conversation_id = await Desk(ledger.db, ledger.vault, supersede).reply(ticket, "a person's word")
    await sending.deliver(by_person)
    async with ledger.db.transaction() as connection:
        customer = await connection.fetchval("SELECT id FROM customers")
        keys = await ledger.vault.keys(connection, [customer])
        code = Notice(Channel.WHATSAPP, NUMBER, "code 123")
        notice = await post(
            connection, ledger.vault, keys, customer_id=customer, conversation_id=conversation_id, notice=code
        )
    await sending.deliver(notice)
    assert sent_on(sending, Channel.WHATSAPP)[-1] is farewell
    assert [await status_of(sending, one) for one in (late, by_person, notice)] == ["failed"] * 3
    assert await ticket_reason(sending) == "delivery-failed:opted-out"


async def test_stop_outruns_what_waits_to_be_sent(sending: Sending) -> None:
    """A reply committed before STOP and not sent yet is not sent after it."""
    waiting = await answer(sending, "just too late")
    await carry_out(sending, twilio("STOP"))
    await sending.deliver(waiting)
    assert "just too late" not in [one.text for one in sent_on(sending, Channel.WHATSAPP)]
    assert await status_of(sending, waiting) == "failed"


async def test_other_channels_go_on_after_stop(sending: Sending) -> None:
    """STOP on WhatsApp says nothing of e-mail."""
    await know_address(sending)
    await carry_out(sending, twilio("STOP"))
    ledger = sending.ledger
    stored = await store(sending, email("and by mail?", sender="ada@example.org", thread="t2"))
    assert stored.lease is not None
    seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
    assert seen.turn is not None
    delivery_id = await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("replied", None, "yes, by mail"))
    assert delivery_id is not None
    await sending.deliver(delivery_id)
    assert "yes, by mail" in [one.text for one in sent_on(sending, Channel.EMAIL)]


async def test_start_lifts_the_block(sending: Sending) -> None:
    """Welcomed back, and answered again."""
    await carry_out(sending, twilio("STOP"))
    await carry_out(sending, twilio("START"))
    await sending.deliver(await answer(sending, "here again"))
    texts = [one.text for one in sent_on(sending, Channel.WHATSAPP)]
    assert len(texts) == 3
    assert (texts[1].startswith("Welcome back"), texts[2]) == (True, "here again")


async def test_start_without_a_stop_is_a_message_like_any_other(sending: Sending) -> None:
    """'Start' may be an answer to a question of ours."""
    stored = await carry_out(sending, twilio("Start"))
    assert stored.due == ()
    assert (await sending.ledger.db.fetchrow("SELECT outcome FROM messages"))["outcome"] is None  # type: ignore[index]


async def test_help_answers_with_a_fixed_text(sending: Sending) -> None:
    """Who we are, that a person may take over, and how to stop."""
    await carry_out(sending, twilio("HELP"))
    await carry_out(sending, twilio("Hilfe"))
    texts = [one.text for one in sent_on(sending, Channel.WHATSAPP)]
    assert ("support of Tideline" in texts[0], "Support von Tideline" in texts[1]) == (True, True)


@pytest.mark.parametrize(
    ("before", "word", "confirmed"),
    [
        ("Wie kann ich meine Daten exportieren?", "STOP", "keine WhatsApp-Nachrichten mehr"),
        ("¿Cómo puedo cambiar mi contraseña?", "stop", "No recibirá más"),
        ("مرحبا، كيف أغير لغة التطبيق؟", "STOP", "لن تصلك"),
        ("hi", "ARRÊT", "Vous ne recevrez plus"),
        ("hi", "إيقاف", "لن تصلك"),
        ("hi", "بند کریں", "کوئی پیغام نہیں"),
        ("hi", "BAJA", "No recibirá más"),
    ],
)
async def test_the_confirmation_is_in_the_customer_s_language(
    sending: Sending, before: str, word: str, confirmed: str
) -> None:
    """The word's language, or else that of what they wrote before."""
    await store(sending, whatsapp(before))
    await carry_out(sending, twilio(word))
    assert confirmed in sent_on(sending, Channel.WHATSAPP)[-1].text


async def test_what_twilio_answered_itself_is_not_answered_again(sending: Sending) -> None:
    """Advanced Opt-Out: the block is kept here too, the words are Twilio's."""
    stored = await carry_out(sending, twilio("cancel", OptOutType="STOP"))
    assert stored.due == ()
    late = await answer(sending, "late")
    await sending.deliver(late)
    assert (sent_on(sending, Channel.WHATSAPP), await status_of(sending, late)) == ([], "failed")
    await sending.ledger.db.execute("UPDATE conversations SET state = 'agent'")
    await carry_out(sending, twilio("yes", OptOutType="START"))
    await sending.deliver(await answer(sending, "back"))
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["back"]


@pytest.mark.parametrize("how", ["refusal", "callback"])
async def test_21610_is_a_block_too(sending: Sending, how: str) -> None:
    """Twilio keeps a list of its own: what it says is remembered, and not tried again."""
    first = await answer(sending, "one")
    if how == "refusal":
        wire = sending.senders[Channel.WHATSAPP]
        assert isinstance(wire, Wire)
        wire.before = [ProviderRefused("unsubscribed", code="21610")]
        await sending.deliver(first)
    else:
        await sending.deliver(first)
        await apply_status(sending.ledger, said(first, "failed", "21610"))
    delivered = len(sent_on(sending, Channel.WHATSAPP))
    assert await ticket_reason(sending) == "delivery-failed:21610"
    row = await sending.ledger.db.fetchrow("SELECT stop_reason FROM whatsapp_numbers")
    assert row is not None
    assert row["stop_reason"] == "provider"
    ledger = sending.ledger
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    second, _ = await Desk(ledger.db, ledger.vault, supersede).reply(ticket, "still there?")
    await sending.deliver(second)
    assert len(sent_on(sending, Channel.WHATSAPP)) == delivered


async def test_a_stop_that_comes_twice_is_stored_once(sending: Sending) -> None:
    """The same webhook again confirms nothing again."""
    message = twilio("STOP")
    await carry_out(sending, message)
    await carry_out(sending, message)
    assert len(sent_on(sending, Channel.WHATSAPP)) == 1


async def test_a_farewell_survives_an_outage(sending: Sending) -> None:
    """The provider is away for a moment: the farewell is deferred and then sent, though the number is stopped."""
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [ProviderDown("away", code="connection")]
    stored = await carry_out(sending, twilio("STOP"))
    await make_due(sending)
    await sending.deliver(stored.due[0])
    assert len(sent_on(sending, Channel.WHATSAPP)) == 1


async def test_an_unknown_outcome_is_looked_at_even_when_the_number_stopped(sending: Sending) -> None:
    """What may have gone out before STOP is judged, and not sent again."""
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.after = [OutcomeUnknown("lost", code="connection")]
    delivery_id = await answer(sending, "perhaps")
    await sending.deliver(delivery_id)
    await store(sending, twilio("STOP"))
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert await status_of(sending, delivery_id) == "sent"
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)].count("perhaps") == 1


# -- what reactions and withdrawals do -------------------------------------------------------------------


async def test_a_reaction_neither_opens_the_window_nor_calls_the_reply(with_template: Sending) -> None:
    """A thumb is no message: the reply goes on waiting."""
    delivery_id = await answer(with_template, "wait")
    await window_closes(with_template)
    await with_template.deliver(delivery_id)
    stored = await store(with_template, twilio("👍", MessageType="reaction"))
    assert stored.due == ()
    await with_template.deliver(delivery_id)
    assert await status_of(with_template, delivery_id) == "deferred"


async def test_a_message_taken_back_is_not_answered(sending: Sending) -> None:
    """Deleted before anybody answered: it ends as ignored, and is no history."""
    question = whatsapp("how do I export?")
    stored = await store(sending, question)
    await store(sending, twilio("", MessageType="deleted", OriginalMessageSid=question.provider_message_id))
    row = await sending.ledger.db.fetchrow(
        "SELECT outcome, outcome_reason, withdrawn_at FROM messages WHERE provider_message_id = $1",
        question.provider_message_id,
    )
    assert row is not None
    assert (row["outcome"], row["outcome_reason"], row["withdrawn_at"] is not None) == ("ignored", "deleted", True)
    assert stored.lease is not None
    assert (await mailbox.look(sending.ledger.db, sending.ledger.vault, stored.lease)).turn is None


async def test_an_edit_is_answered_in_place_of_what_it_corrects(sending: Sending) -> None:
    """The turn has the correction alone."""
    wrong = whatsapp("the April invoice")
    stored = await store(sending, wrong)
    await store(
        sending, twilio("the March invoice", MessageType="edited", OriginalMessageSid=wrong.provider_message_id)
    )
    assert stored.lease is not None
    seen = await mailbox.look(sending.ledger.db, sending.ledger.vault, stored.lease)
    assert seen.turn is not None
    assert [one.text for one in seen.turn.messages] == ["[an earlier message, edited]\nthe March invoice"]


async def test_nobody_takes_back_another_s_message(sending: Sending) -> None:
    """The id of a stranger's message withdraws nothing."""
    question = whatsapp("mine", sender="+12015550177")
    await store(sending, question)
    await store(sending, twilio("", MessageType="deleted", OriginalMessageSid=question.provider_message_id))
    row = await sending.ledger.db.fetchrow(
        "SELECT outcome FROM messages WHERE provider_message_id = $1", question.provider_message_id
    )
    assert row is not None
    assert row["outcome"] is None


async def test_a_window_is_a_number_s_own(sending: Sending) -> None:
    """Another customer's message opens nothing here."""
    delivery_id = await answer(sending, "late")
    await window_closes(sending)
    await store(sending, whatsapp("fresh", sender="+12015550188"))
    await sending.deliver(delivery_id)
    assert await status_of(sending, delivery_id) == "failed"


async def test_an_old_copy_of_a_message_does_not_open_the_window(sending: Sending) -> None:
    """What counts is when the customer wrote, not when we learnt of it."""
    delivery_id = await answer(sending, "late")
    await window_closes(sending)
    old = whatsapp("found later").model_copy(update={"received_at": datetime.now(UTC) - timedelta(hours=25)})
    await store(sending, old)
    await sending.deliver(delivery_id)
    assert await status_of(sending, delivery_id) == "failed"


async def test_a_reply_written_back_to_in_the_same_moment_is_not_held(with_template: Sending) -> None:
    """The customer writes while the reply is being held: whoever comes second sees the other, and it goes out."""
    for _ in range(3):
        delivery_id = await answer(with_template, "crossing")
        await window_closes(with_template)
        before = len(sent_on(with_template, Channel.WHATSAPP))
        stored, _sent = await asyncio.gather(
            store(with_template, whatsapp("me again")), with_template.deliver(delivery_id)
        )
        for waiting in stored.due:
            await with_template.deliver(waiting)
        await make_due(with_template)
        await with_template.deliver(delivery_id)
        said_since = [one.text for one in sent_on(with_template, Channel.WHATSAPP)[before:] if one.template is None]
        assert said_since == ["crossing"]
        if stored.lease is not None:
            await mailbox.hand_back(with_template.ledger.db, stored.lease)
        await with_template.ledger.db.execute("UPDATE whatsapp_numbers SET asked_at = NULL")


async def test_the_first_word_after_a_template_is_known_as_such(with_template: Sending) -> None:
    """And no later one."""
    ledger = with_template.ledger
    delivery_id = await answer(with_template, "waiting")
    await window_closes(with_template)
    await with_template.deliver(delivery_id)
    for expected in (True, False):
        stored = await store(with_template, whatsapp("yes"))
        assert stored.lease is not None
        seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
        assert seen.turn is not None
        assert (await ask(ledger.db, seen.turn, ())).called_back is expected
        await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("replied", None, "ok"))
        await mailbox.hand_back(ledger.db, stored.lease)
