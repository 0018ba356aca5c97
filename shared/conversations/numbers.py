"""What a WhatsApp message does besides being a message: it opens the window, lifts holds, stops, starts, takes back.

Everything here runs in the inbox's transaction, so it happens once, with the message (whatsapp_numbers has one
row a number, found by keyed hash). Confirmations are notices; of a stopped number only the farewell goes out.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.channels.message import Channel, InboundMessage
from shared.channels.whatsapp.texts import fixed
from shared.channels.whatsapp.tongue import tongue
from shared.conversations.notices import Notice, post
from shared.conversations.placing import Place
from shared.db.queries import load
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("numbers")

OPTED_IN = "opt-in"
CUSTOMER = "customer"
#: What opens no window, being no message that a person typed.
_NO_MESSAGE = {"reaction", "deleted", "own-message"}


def lookup_of(vault: Vault, number: str) -> bytes:
    """The keyed hash of a number, as identities use it."""
    return vault.lookup("phone", number)


async def understood(connection: Any, vault: Vault, message: InboundMessage) -> InboundMessage:
    """The message, with START as the command that it is from a stopped number, and as a word from any other."""
    facts = message.whatsapp
    if facts is None or facts.command != "start" or message.ignored:
        return message
    if facts.settled or await connection.fetchval(SQL["is_stopped"], lookup_of(vault, message.sender.address)):
        return message.model_copy(update={"ignored": OPTED_IN})
    return message


async def note_arrival(
    connection: Any, vault: Vault, settings: Settings, where: Place, message: InboundMessage, message_id: UUID
) -> tuple[UUID, ...]:
    """Everything a WhatsApp message changes besides itself; the deliveries to ask for after the commit."""
    if message.channel is not Channel.WHATSAPP:
        return ()
    lookup, facts = lookup_of(vault, message.sender.address), message.whatsapp
    wrote = None if message.ignored in _NO_MESSAGE else message.received_at
    await connection.execute(SQL["wrote"], lookup, wrote)
    if facts is not None and (gone := facts.edits or facts.deletes):
        reason = "edited" if facts.edits else "deleted"
        await connection.execute(SQL["withdraw"], where.route_id, gone, reason)
    notice = await _obey(connection, vault, settings, where, message, message_id, lookup)
    if wrote is None:
        return ()
    due = [row["id"] for row in await connection.fetch(SQL["release_held"], where.route_id)]
    return (*due, *([notice] if notice else []))


async def _obey(
    connection: Any,
    vault: Vault,
    settings: Settings,
    where: Place,
    message: InboundMessage,
    message_id: UUID,
    lookup: bytes,
) -> UUID | None:
    """Do what a command asks, and confirm it unless Twilio did; the confirmation's delivery."""
    facts = message.whatsapp
    if facts is None or message.ignored not in ("opt-out", OPTED_IN, "help"):
        return None
    kind = "help"
    if facts.command == "stop":
        kind = "stopped"
        if not await connection.fetchval(SQL["stop"], lookup, CUSTOMER):
            return None
    elif facts.command == "start":
        kind = "started"
        await connection.execute(SQL["start"], lookup)
    elif await connection.fetchval(SQL["is_stopped"], lookup):
        return None
    if facts.settled:
        return None
    language = facts.language or await _language(connection, vault, where, message_id)
    text = fixed(kind, language, company=settings.company_name)
    notice = await post(
        connection,
        vault,
        where.resolved.keys,
        customer_id=where.resolved.customer_id,
        conversation_id=where.conversation_id,
        notice=Notice(Channel.WHATSAPP, message.sender.address, text, name=message.sender.name),
    )
    if kind == "stopped":
        await connection.execute(SQL["say_farewell"], lookup, notice)
    return notice


async def _language(connection: Any, vault: Vault, where: Place, message_id: UUID) -> str:
    """Of what the customer wrote last; English for a stranger."""
    sealed = await connection.fetchval(SQL["latest_text"], where.route_id, message_id)
    if sealed is None:
        return "en"
    keys = await vault.keys_for(connection, [sealed])
    return tongue(keys.unseal("message.body", sealed))
