"""A card's number that a customer writes is kept nowhere as text: on a real PostgreSQL and in the event."""

from __future__ import annotations

from typing import Any

import pytest

from shared.channels.message import InboundMessage
from shared.channels.publish import publish_inbound
from shared.conversations import inbox, mailbox
from shared.conversations.history import history
from shared.db.pool import Database
from shared.events.envelope import Event
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp

NUMBER, WORDS = "4111 1111 1111 1111", "My card {} was charged twice, order 4000 1234 5678 9012"


class Kept:
    """What was published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, topic: str, event: Event) -> None:
        """Keep it."""
        self.events.append(event)


@pytest.mark.parametrize("made", [email, whatsapp, form])
async def test_a_card_s_number_is_in_no_event_ticket_turn_or_history(
    db: Database, vault: Vault, settings: Settings, made: Any
) -> None:
    """The last four digits are; also of an event from before masking."""
    message: InboundMessage = made(WORDS.format(NUMBER)).model_copy(update={"subject": f"Card {NUMBER}"})
    kept = Kept()
    await publish_inbound(kept, settings, message)
    assert NUMBER.encode() not in kept.events[0].data
    stored = await inbox.store(db, vault, settings, message, "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    assert turn.ticket is not None
    assert turn.messages[0].text == WORDS.format("•••• 1111")
    assert turn.messages[0].subject == turn.ticket.subject == "Card •••• 1111"
    again = message.model_copy(update={"provider_message_id": "again", "text": "and?"})
    await inbox.store(db, vault, settings, again, "e2")
    await db.execute("UPDATE messages SET outcome = 'replied' WHERE provider_message_id <> 'again'")
    later = (await mailbox.look(db, vault, stored.lease)).turn
    assert later is not None
    assert [one.text for one in await history(db, vault, later, 5)] == [WORDS.format("•••• 1111")]
