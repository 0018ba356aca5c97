"""A WhatsApp reply to one of several messages: whoever answers is told which."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.channels.whatsapp.message import inbound_message
from shared.conversations import mailbox
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import whatsapp
from tests.integration.whatsapp_files import stored


async def test_a_reply_tells_what_it_replies_to(db: Database, vault: Vault, settings: Settings) -> None:
    """Ours by the delivery's id, theirs by the message's; as a note, and not among the customer's words."""
    first = whatsapp("the blue one?")
    await stored(db, vault, settings, first)
    fields = {
        "MessageSid": "SM2",
        "From": "whatsapp:+12015550123",
        "Body": "no, this one",
        "OriginalRepliedMessageSid": first.provider_message_id,
        "Forwarded": "true",
    }
    await stored(db, vault, settings, inbound_message(fields, datetime.now(UTC)))
    seen = await _turn(db, vault)
    assert seen.messages[-1].text == "no, this one"
    assert seen.messages[-1].notes == (
        'they reply to their own earlier message: "the blue one?"',
        "forwarded: written by somebody else, not by the customer",
    )


async def test_a_reply_to_something_unknown_says_so(db: Database, vault: Vault, settings: Settings) -> None:
    """Also where the id is another customer's message: nobody is shown that."""
    theirs = whatsapp("a stranger's words", sender="+12015550188")
    await stored(db, vault, settings, theirs)
    fields = {"MessageSid": "SM3", "From": "whatsapp:+12015550123", "Body": "this"}
    fields |= {"OriginalRepliedMessageSid": theirs.provider_message_id}
    came = await stored(db, vault, settings, inbound_message(fields, datetime.now(UTC)))
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    assert seen.turn.messages[0].notes == ("they reply to a message that is not here",)


async def _turn(db: Database, vault: Vault) -> mailbox.OpenTurn:
    conversation: UUID = (await db.fetchrow("SELECT id FROM conversations"))["id"]  # type: ignore[index]
    return await mailbox.peek(db, vault, conversation)
