"""Two workers, and callbacks out of their order, on one WhatsApp reply: one way out, and none lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from unittest.mock import AsyncMock

import pytest

from shared.channels.message import Channel
from shared.channels.provider import Outbound, OutcomeUnknown, Receipt
from shared.delivery.alarms import Alarms
from shared.delivery.outbound import handle_outbound
from shared.delivery.reroute import undeliverable
from shared.delivery.send import Sending
from shared.delivery.status import apply_status
from shared.events.envelope import DELIVERY_STATUS
from shared.events.received import ReceivedEvent
from tests.integration.test_ledger import Wire, make_due, said, status_of
from tests.integration.whatsapp_side import (
    answer,
    carry_out,
    know_address,
    sent_on,
    ticket_reason,
    twilio,
    window_closes,
)


async def twice_barred(sending: Sending) -> None:
    """Two workers learn that the window is closed before either writes it down."""
    delivery_id = await answer(sending, "Choose Export.")
    await window_closes(sending)
    for _ in range(2):
        assert await sending.ledger.claim(await route_of(sending, delivery_id)) is not None
    for _ in range(2):
        for route_id in await undeliverable(sending.ledger, delivery_id, 0, "outside-window"):
            await sending.work_on(route_id)
    assert await status_of(sending, delivery_id) == "deferred"


async def route_of(sending: Sending, delivery_id: object) -> object:
    row = await sending.ledger.db.fetchrow("SELECT route_id FROM deliveries WHERE id = $1", delivery_id)
    return row["route_id"]


async def test_what_another_worker_just_held_is_not_given_to_a_person_too(with_template: Sending) -> None:
    """One template, and the reply waits."""
    await twice_barred(with_template)
    assert [bool(one.template) for one in sent_on(with_template, Channel.WHATSAPP)] == [True]
    assert await ticket_reason(with_template) is None


async def test_what_another_worker_just_held_does_not_go_by_mail_too(with_template: Sending) -> None:
    """As above, where an address is confirmed."""
    await know_address(with_template)
    await twice_barred(with_template)
    assert [bool(one.template) for one in sent_on(with_template, Channel.WHATSAPP)] == [True]
    assert sent_on(with_template, Channel.EMAIL) == []


async def test_two_workers_ask_each_of_ten_customers_once(with_template: Sending) -> None:
    """Two processes, each with its own alarms, at once."""
    alarms = Alarms()
    other = Sending(with_template.ledger, with_template.senders, alarms)
    for number in range(10):
        delivery_id = await answer(with_template, "Choose Export.", sender=f"+120155501{number:02d}")
        await window_closes(with_template)
        both = (with_template.deliver(delivery_id), other.deliver(delivery_id))
        await asyncio.gather(*both, return_exceptions=True)
        assert await status_of(with_template, delivery_id) == "deferred"
    await alarms.close()
    assert [bool(one.template) for one in sent_on(with_template, Channel.WHATSAPP)] == [True] * 10


@pytest.mark.parametrize("late", ["accepted", "queued", "sending", "sent", "failed"])
async def test_a_late_callback_of_a_failed_attempt_loses_nothing(sending: Sending, late: str) -> None:
    """63018, and then what came before it: the next attempt is made all the same."""
    delivery_id = await answer(sending, "slower")
    await sending.deliver(delivery_id)
    await apply_status(sending.ledger, said(delivery_id, "failed", "63018"))
    await apply_status(sending.ledger, said(delivery_id, late, "63016" if late == "failed" else None))
    assert await status_of(sending, delivery_id) == "deferred"
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["slower", "slower"]


async def test_what_arrived_after_all_is_not_sent_again(sending: Sending) -> None:
    """`delivered` is proof, whatever was said before."""
    delivery_id = await answer(sending, "there")
    await sending.deliver(delivery_id)
    await apply_status(sending.ledger, said(delivery_id, "failed", "63018"))
    await apply_status(sending.ledger, said(delivery_id, "delivered"))
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["there"]


async def test_another_message_of_the_same_attempt_changes_nothing(sending: Sending) -> None:
    """A second sid under one attempt is another message: its failure is not this one's."""
    delivery_id = await answer(sending, "mine")
    await sending.deliver(delivery_id)
    other = said(delivery_id, "failed", "63016").model_copy(update={"sid": "SM999"})
    assert await apply_status(sending.ledger, other) == ()
    assert await status_of(sending, delivery_id) == "sent"
    await apply_status(sending.ledger, said(delivery_id, "failed", "63018"))
    await apply_status(sending.ledger, other.model_copy(update={"status": "delivered"}))
    assert await status_of(sending, delivery_id) == "deferred"


@pytest.mark.parametrize("code", ["63018", "30001", "20429"])
async def test_every_code_for_now_is_tried_again(sending: Sending, code: str) -> None:
    """A rate, a full queue: nobody's business but the next attempt's, and a callback before the answer counts too."""
    delivery_id = await answer(sending, "again")
    await sending.deliver(delivery_id)
    await apply_status(sending.ledger, said(delivery_id, "failed", code))
    assert await status_of(sending, delivery_id) == "deferred"
    assert await ticket_reason(sending) is None


async def test_the_failure_of_an_older_attempt_does_not_touch_the_next(sending: Sending) -> None:
    """Judged as attempt 1's, carried out while attempt 2 is under way: no mail beside it."""
    await know_address(sending)
    delivery_id = await answer(sending, "twice")
    wire = sending.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [OutcomeUnknown("lost", code="timeout")]
    await sending.deliver(delivery_id)
    await make_due(sending)
    await sending.deliver(delivery_id)
    assert await undeliverable(sending.ledger, delivery_id, 1, "63016") == ()
    assert await status_of(sending, delivery_id) == "sent"
    assert (len(sent_on(sending, Channel.WHATSAPP)), sent_on(sending, Channel.EMAIL)) == (1, [])


async def test_a_failure_for_now_is_taken_up_without_the_sweep(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of the callback sets an alarm for the next attempt."""
    monkeypatch.setattr("shared.delivery.status.delay_s", lambda _: 0.01)
    delivery_id = await answer(sending, "soon")
    await sending.deliver(delivery_id)
    data = said(delivery_id, "failed", "63018").model_dump_json().encode()
    await handle_outbound(sending, ReceivedEvent({"id": "e1", "type": DELIVERY_STATUS}, "application/json", data))
    await asyncio.sleep(1)
    assert [one.text for one in sent_on(sending, Channel.WHATSAPP)] == ["soon", "soon"]


class ListingWire(Wire):
    """A provider that can only be asked for texts, as Twilio's list; what is taken is left out."""

    async def find(self, outbound: Outbound) -> Receipt | None:
        for place, sent in enumerate(self.delivered, start=1):
            if sent.text == outbound.text and f"SM{place}" not in outbound.taken_ids:
                return Receipt(f"SM{place}")
        return None


@pytest.fixture
def listing(sending: Sending) -> Sending:
    return replace(sending, senders={channel: ListingWire() for channel in Channel})


async def test_two_notices_of_the_same_words_are_told_apart(listing: Sending) -> None:
    """HELP twice, and the second one's outcome is lost: the first one's message is no proof of it."""
    await carry_out(listing, twilio("help"))
    wire = listing.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [OutcomeUnknown("lost", code="timeout")]
    (second,) = (await carry_out(listing, twilio("help"))).due
    await make_due(listing)
    await listing.deliver(second)
    assert await status_of(listing, second) == "sent"
    assert len(sent_on(listing, Channel.WHATSAPP)) == 2


async def test_what_is_found_but_is_another_s_ends_with_a_person(listing: Sending) -> None:
    """The other was settled between the claim and the look: ambiguous, unknown, and in the end a person's."""
    first = await answer(listing, "the same")
    await listing.deliver(first)
    second = await answer(listing, "another")
    wire = listing.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [OutcomeUnknown("lost", code="timeout")]
    await listing.deliver(second)
    found = Receipt("SM1")
    wire.find = AsyncMock(return_value=found)  # type: ignore[method-assign]
    await make_due(listing)
    await listing.deliver(second)
    assert await status_of(listing, second) == "unknown"
    await make_due(listing)
    await listing.ledger.db.execute(
        "UPDATE deliveries SET unknown_since = now() - interval '1 hour' WHERE id = $1", second
    )
    await listing.deliver(second)
    assert await ticket_reason(listing) == "delivery-failed:outcome-unknown"


@pytest.mark.parametrize(("status", "code", "becomes"), [("sent", None, "sent"), ("failed", "63018", "deferred")])
async def test_a_callback_with_another_s_id_is_applied_all_the_same(
    listing: Sending, status: str, code: str | None, becomes: str
) -> None:
    """A look mistook the two: the callback is proof, and breaks on nothing."""
    first = await answer(listing, "one")
    await listing.deliver(first)
    wire = listing.senders[Channel.WHATSAPP]
    assert isinstance(wire, Wire)
    wire.before = [OutcomeUnknown("lost", code="timeout")]
    second = await answer(listing, "two")
    await listing.deliver(second)
    await apply_status(listing.ledger, said(second, status, code))
    assert await status_of(listing, second) == becomes
