"""What becomes of a reply that WhatsApp refuses after it was sent, on a real PostgreSQL: 63016, 63018, for good."""

from __future__ import annotations

import asyncio

import pytest

from shared.channels.message import Channel
from shared.channels.provider import ProviderRefused
from shared.conversations import mailbox
from shared.conversations.history import history
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from shared.privacy.vault import Vault
from tests.builders import desk_of, whatsapp
from tests.integration.test_ledger import Wire, make_due, said, status_of
from tests.integration.whatsapp_side import (
    answer,
    asked_text,
    know_address,
    sent_on,
    store,
    ticket_reason,
    window_closes,
)


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


async def test_after_63016_the_window_counts_as_closed(sending: Sending) -> None:
    """What WhatsApp says beats our own reckoning, until the customer writes again."""
    first = await answer(sending, "one")
    await sending.deliver(first)
    await apply_status(sending.ledger, said(first, "failed", "63016"))
    await sending.ledger.db.execute("UPDATE conversations SET state = 'agent'")
    ledger = sending.ledger
    ticket = (await ledger.db.fetchrow("SELECT id FROM tickets"))["id"]  # type: ignore[index]
    late, _ = await desk_of(ledger.db, ledger.vault, ledger.settings).reply(ticket, "person")
    await sending.deliver(late)
    assert await status_of(sending, late) == "failed"
    await store(sending, whatsapp("again"))
    third, _ = await desk_of(ledger.db, ledger.vault, ledger.settings).reply(ticket, "person again")
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
