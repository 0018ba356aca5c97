"""STOP, START and HELP on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.channels.message import Channel
from shared.channels.provider import OutcomeUnknown, ProviderDown, ProviderRefused
from shared.conversations import mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.inbox import Stored
from shared.conversations.notices import Notice, post
from shared.delivery.reroute import undeliverable
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from tests.builders import desk_of, email, whatsapp
from tests.integration.test_ledger import Wire, make_due, said, status_of
from tests.integration.whatsapp_side import (
    NUMBER,
    answer,
    carry_out,
    know_address,
    sent_on,
    store,
    ticket_reason,
    twilio,
)


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
    by_person, conversation_id = await desk_of(ledger.db, ledger.vault, ledger.settings).reply(
        ticket, "a person's word"
    )
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


async def test_a_start_that_comes_late_lifts_no_later_stop(sending: Sending) -> None:
    """Missed by the webhook and found by listing, or tried again by Kafka: what was said last counts."""
    await carry_out(sending, twilio("STOP"))
    missed = twilio("START")
    await carry_out(sending, twilio("Stop!"))
    await carry_out(sending, missed)
    late = await answer(sending, "not any more", said_first="one more question")
    await sending.deliver(late)
    (farewell,) = sent_on(sending, Channel.WHATSAPP)
    assert "START" in farewell.text
    assert await status_of(sending, late) == "failed"


@pytest.mark.parametrize("seconds", [2, 0])
async def test_a_stop_that_comes_late_undoes_no_later_start(sending: Sending, seconds: int) -> None:
    """But of two that were said in one moment STOP counts: what is not sent can be sent later."""
    stop, start = twilio("STOP"), twilio("Start")
    await carry_out(sending, start.model_copy(update={"received_at": stop.received_at + timedelta(seconds=seconds)}))
    await carry_out(sending, stop)
    after = await answer(sending, "here you are", said_first="how do I export?")
    await sending.deliver(after)
    assert await status_of(sending, after) == ("sent" if seconds else "failed")


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
    second, _ = await desk_of(ledger.db, ledger.vault, ledger.settings).reply(ticket, "still there?")
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


# -- START gives back what only the block had given to a person ------------------------------------------


async def asks_while_stopped(sending: Sending, text: str = "the answer") -> None:
    """STOP, a question, and an answer that the block keeps back: a person has the conversation."""
    await carry_out(sending, twilio("STOP"))
    await sending.deliver(await answer(sending, text, said_first="how do I export?"))
    assert await ticket_reason(sending) == "delivery-failed:opted-out"


async def answer_what_is_open(sending: Sending, stored: Stored, text: str = "the answer") -> list[str]:
    """The worker that got the lease with a message answers what is open; what it answered."""
    ledger = sending.ledger
    assert stored.lease is not None
    seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
    if seen.turn is None:
        return []
    delivery_id = await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("replied", None, text))
    await mailbox.hand_back(ledger.db, stored.lease)
    assert delivery_id is not None
    await sending.deliver(delivery_id)
    return [message.text for message in seen.turn.messages]


async def state_of_conversation(sending: Sending) -> tuple[str, str, str | None]:
    row = await sending.ledger.db.fetchrow(
        "SELECT c.state, t.status, t.reason FROM conversations c JOIN tickets t ON t.conversation_id = c.id"
    )
    assert row is not None
    return row["state"], row["status"], row["reason"]


async def test_start_gives_the_question_back_to_the_agent(sending: Sending) -> None:
    """What was asked while stopped, and after it, is answered once, behind the confirmation, and not again."""
    await asks_while_stopped(sending)
    await carry_out(sending, whatsapp("and as a table?", sender=NUMBER))
    stored = await store(sending, twilio("START"))
    assert await state_of_conversation(sending) == ("agent", "open", None)
    assert await answer_what_is_open(sending, stored) == ["how do I export?", "and as a table?"]
    texts = [one.text for one in sent_on(sending, Channel.WHATSAPP)]
    # The reply's route has the confirmation before it, though nobody has asked for that one yet.
    assert [text[:12] for text in texts[1:]] == ["Welcome back", "the answer"]
    again = await carry_out(sending, twilio("START"))
    # From a number that is not stopped it is a message like any other.
    assert again.due == ()
    rows = await sending.ledger.db.fetch("SELECT 1 FROM messages WHERE author = 'customer' AND outcome IS NULL")
    assert len(rows) == 1
    assert len(sent_on(sending, Channel.WHATSAPP)) == 3


async def test_start_leaves_to_the_person_what_they_answered(sending: Sending) -> None:
    """A person wrote meanwhile, though the block kept that back too: they have it."""
    await asks_while_stopped(sending)
    ledger = sending.ledger
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    await desk_of(ledger.db, ledger.vault, ledger.settings).reply(ticket, "by a person")
    await carry_out(sending, twilio("START"))
    state, status, _ = await state_of_conversation(sending)
    assert (state, status) == ("human", "escalated")


async def test_start_leaves_a_ticket_to_whom_it_was_assigned(sending: Sending) -> None:
    """Somebody sees to it, whether they wrote yet or not."""
    await asks_while_stopped(sending)
    ledger = sending.ledger
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    await desk_of(ledger.db, ledger.vault, ledger.settings).assign(ticket, "grace")
    await carry_out(sending, twilio("START"))
    assert (await state_of_conversation(sending))[0] == "human"


async def test_start_leaves_to_the_person_what_is_theirs_for_another_reason(sending: Sending) -> None:
    """A refund stays a person's matter, whether its handoff was delivered or not."""
    ledger = sending.ledger
    await carry_out(sending, twilio("STOP"))
    stored = await store(sending, whatsapp("refund me", sender=NUMBER))
    assert stored.lease is not None
    seen = await mailbox.look(ledger.db, ledger.vault, stored.lease)
    assert seen.turn is not None
    handoff = await commit_turn(ledger.db, ledger.vault, seen.turn, Verdict("escalated", "refund", "a person will"))
    assert handoff is not None
    await sending.deliver(handoff)
    assert await ticket_reason(sending) == "delivery-failed:opted-out"
    await carry_out(sending, twilio("START"))
    assert (await state_of_conversation(sending))[0] == "human"


async def test_a_second_stop_and_start_answers_the_second_question_alone(sending: Sending) -> None:
    """What a person settled the first time is not asked again."""
    await asks_while_stopped(sending)
    ledger = sending.ledger
    desk = desk_of(ledger.db, ledger.vault, ledger.settings)
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    await desk.reply(ticket, "by a person")
    await carry_out(sending, twilio("START"))
    await desk.give_back(ticket)
    await carry_out(sending, twilio("STOP"))
    await sending.deliver(await answer(sending, "the second", said_first="and the other thing?"))
    stored = await store(sending, twilio("START"))
    assert await answer_what_is_open(sending, stored) == ["and the other thing?"]


async def test_start_gives_back_what_twilio_s_own_block_stopped(sending: Sending) -> None:
    """21610 says the same as our list: the customer had opted out."""
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [ProviderRefused("unsubscribed", code="21610")]
    await sending.deliver(await answer(sending, "one", said_first="how do I export?"))
    stored = await store(sending, twilio("start", OptOutType="START"))
    assert await answer_what_is_open(sending, stored, "again") == ["how do I export?"]
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["again"]


async def test_a_question_taken_back_is_not_answered_after_start(sending: Sending) -> None:
    """Deleted while stopped: nobody need answer it any more."""
    await carry_out(sending, twilio("STOP"))
    question = twilio("how do I export?")
    stored = await store(sending, question)
    await answer_what_is_open(sending, stored)
    await sending.ledger.db.execute("UPDATE messages SET withdrawn_at = now() WHERE outcome = 'replied'")
    back = await store(sending, twilio("START"))
    assert await answer_what_is_open(sending, back) == []


async def test_start_between_the_look_at_the_block_and_its_failure(sending: Sending) -> None:
    """send-reply read the block before START was stored, and fails the reply after it: it is sent instead."""
    ledger = sending.ledger
    await carry_out(sending, twilio("STOP"))
    waiting = await answer(sending, "just in time")
    route_id = await ledger.route_of(waiting)
    assert route_id is not None
    claim = await ledger.claim(route_id)
    assert claim is not None
    assert claim.barred == "opted-out"
    await carry_out(sending, twilio("START"))
    for route in await undeliverable(ledger, waiting, claim.outbound.attempt, claim.barred):
        await sending.work_on(route)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)].count("just in time") == 1
    assert await state_of_conversation(sending) == ("agent", "open", None)
