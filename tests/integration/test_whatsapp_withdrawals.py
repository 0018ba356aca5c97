"""Reactions, deletions and edits on a real PostgreSQL."""

from __future__ import annotations

import pytest

from shared.conversations import mailbox
from shared.delivery.send import Sending
from tests.builders import whatsapp
from tests.integration.test_ledger import status_of
from tests.integration.whatsapp_side import (
    answer,
    store,
    twilio,
    window_closes,
)


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


@pytest.mark.parametrize(("kind", "text"), [("deleted", ""), ("edited", "the March invoice")])
async def test_a_withdrawal_that_comes_before_its_message(sending: Sending, kind: str, text: str) -> None:
    """Webhooks keep no order: what was taken back already is stored as such, and answered by nobody."""
    question = whatsapp("the April invoice")
    first = await store(sending, twilio(text, MessageType=kind, OriginalMessageSid=question.provider_message_id))
    second = await store(sending, question)
    row = await sending.ledger.db.fetchrow(
        "SELECT outcome, outcome_reason, withdrawn_at FROM messages WHERE provider_message_id = $1",
        question.provider_message_id,
    )
    assert row is not None
    assert (row["outcome"], row["outcome_reason"], row["withdrawn_at"] is not None) == ("ignored", kind, True)
    lease = first.lease or second.lease
    assert lease is not None
    turn = (await mailbox.look(sending.ledger.db, sending.ledger.vault, lease)).turn
    said = [one.text for one in turn.messages] if turn else []
    assert said == ([] if kind == "deleted" else ["[an earlier message, edited]\nthe March invoice"])


async def test_a_stranger_s_early_withdrawal_takes_nothing_back(sending: Sending) -> None:
    """Only on the customer's own route."""
    question = whatsapp("mine", sender="+12015550177")
    await store(sending, twilio("", MessageType="deleted", OriginalMessageSid=question.provider_message_id))
    await store(sending, question)
    row = await sending.ledger.db.fetchrow(
        "SELECT outcome FROM messages WHERE provider_message_id = $1", question.provider_message_id
    )
    assert row is not None
    assert row["outcome"] is None
