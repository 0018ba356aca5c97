"""A WhatsApp customer and an agent on a real PostgreSQL, for the tests of WhatsApp's rules.

What was delivered is what the wire's end took: see tests/integration/test_ledger.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from shared.channels.message import Channel, InboundMessage
from shared.channels.provider import Outbound
from shared.channels.whatsapp.message import inbound_message
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.delivery.send import Sending
from shared.identity.link import link
from tests.builders import email, whatsapp
from tests.integration.test_ledger import Wire

NUMBER = "+12015550123"
TEMPLATE = "HX" + "a" * 32
GERMAN = "HX" + "b" * 32


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


def asked_text(sending: Sending) -> str:
    return next(one.text for one in sent_on(sending, Channel.WHATSAPP) if one.template)


async def carry_out(sending: Sending, message: InboundMessage) -> inbox.Stored:
    """A message comes in, and what it made due goes out."""
    stored = await store(sending, message)
    if stored.lease is not None:
        await mailbox.hand_back(sending.ledger.db, stored.lease)
    for delivery_id in stored.due:
        await sending.deliver(delivery_id)
    return stored
