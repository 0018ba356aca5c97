"""WhatsApp's 24-hour window on a real PostgreSQL: templates, and mail in its place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from shared.agent.verdict import ask
from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.channels.provider import ProviderRefused
from shared.conversations import mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.delivery.send import Sending
from tests.builders import desk_of, whatsapp
from tests.integration.test_ledger import Wire, make_due, status_of
from tests.integration.whatsapp_side import (
    GERMAN,
    NUMBER,
    TEMPLATE,
    answer,
    know_address,
    sent_on,
    store,
    ticket_reason,
    window_closes,
)


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
    delivery_id, _ = await desk_of(ledger.db, ledger.vault, ledger.settings).reply(ticket, "Grace here: done.")
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
