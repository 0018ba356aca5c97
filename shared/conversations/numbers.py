"""What a WhatsApp message does besides being a message: it opens the window, lifts holds, stops, starts, takes back.

Everything here runs in the inbox's transaction, so it happens once, with the message (whatsapp_numbers has one
row a number, found by keyed hash). Confirmations are notices; of a stopped number only the farewell goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.language import language_of
from shared.channels.message import Channel, InboundMessage
from shared.channels.whatsapp.codes import STOPPED_CODES
from shared.channels.whatsapp.texts import fixed
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


async def out_of_reach(connection: Any, vault: Vault, settings: Settings, number: str) -> str | None:
    """Why nothing that can be left out is written to a number now: `opted-out`, or `outside-window` of 24 hours."""
    lasts = 24 * 3600 - settings.whatsapp_window_margin_s
    reach = await connection.fetchrow(SQL["reach"], lookup_of(vault, number), lasts, UUID(int=0))
    if reach is not None and reach["stopped"]:
        return "opted-out"
    return None if reach is not None and reach["open"] else "outside-window"


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
    arrival = _Arrival(connection, vault, settings, where, message, message_id)
    wrote = None if message.ignored in _NO_MESSAGE else message.received_at
    await connection.execute(SQL["wrote"], arrival.lookup, wrote)
    await arrival.withdraw()
    notice = await arrival.obey()
    if wrote is None:
        return ()
    due = [row["id"] for row in await connection.fetch(SQL["release_held"], where.route_id)]
    return (*due, *([notice] if notice else []))


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message just stored, within the inbox's transaction."""

    connection: Any
    vault: Vault
    settings: Settings
    where: Place
    message: InboundMessage
    message_id: UUID

    @property
    def lookup(self) -> bytes:
        return lookup_of(self.vault, self.message.sender.address)

    async def withdraw(self) -> None:
        """Take back what this message deletes or replaces, or this message itself: they come in any order."""
        facts, connection, route_id = self.message.whatsapp, self.connection, self.where.route_id
        gone = facts.edits or facts.deletes if facts else ""
        if facts is not None and gone:
            await connection.execute(SQL["withdraws"], self.message_id, gone)
            await connection.execute(SQL["withdraw"], route_id, gone, "edited" if facts.edits else "deleted")
        own = self.message.provider_message_id
        if (reason := await connection.fetchval(SQL["withdrawn_by"], route_id, own)) is not None:
            await connection.execute(SQL["withdraw"], route_id, own, reason)

    async def obey(self) -> UUID | None:
        """Do what a command asks, and confirm it unless Twilio did; the confirmation's delivery."""
        facts = self.message.whatsapp
        # START counts as said also where it is a word like any other, so that an older STOP finds it.
        if facts is None or await self._is_overtaken(facts.command):
            return None
        if self.message.ignored not in ("opt-out", OPTED_IN, "help"):
            return None
        kind = await self._carry_out(facts.command)
        if not kind or facts.settled:
            return None
        # The answer to what was asked meanwhile comes behind "welcome back"; a farewell waits for nothing.
        before = self.where.route_id if kind == "started" else None
        notice = await self._confirm(kind, facts.language or await self._language(), before)
        if kind == "stopped":
            await self.connection.execute(SQL["say_farewell"], self.lookup, notice)
        return notice

    async def _is_overtaken(self, command: str) -> bool:
        """Whether the opposite was said later and came first: events, and what a listing finds, come in any order."""
        if command not in ("stop", "start"):
            return False
        said = (self.lookup, self.message.received_at, command == "stop")
        return await self.connection.fetchval(SQL["commanded"], *said) is None

    async def _carry_out(self, command: str) -> str:
        """What to confirm; empty when there is nothing to say, as to a number that is stopped already."""
        connection, lookup = self.connection, self.lookup
        if command == "stop":
            return "stopped" if await connection.fetchval(SQL["stop"], lookup, CUSTOMER) else ""
        if command == "start":
            await connection.execute(SQL["start"], lookup)
            await self._welcome_back()
            return "started"
        return "" if await connection.fetchval(SQL["is_stopped"], lookup) else "help"

    async def _welcome_back(self) -> None:
        """What a person was asked for only because of the block is the agent's to answer, now that it can be heard."""
        here, connection = self.where.conversation_id, self.connection
        if await connection.fetchval(SQL["welcome_back"], here, STOPPED_CODES) is not None:
            await connection.execute(SQL["reopen_stopped"], here, STOPPED_CODES)
            await connection.execute(SQL["open_stopped_tickets"], here)

    async def _confirm(self, kind: str, language: str, route_id: UUID | None) -> UUID:
        text = fixed(kind, language, company=self.settings.company_name)
        sender, resolved = self.message.sender, self.where.resolved
        return await post(
            self.connection,
            self.vault,
            resolved.keys,
            customer_id=resolved.customer_id,
            conversation_id=self.where.conversation_id,
            notice=Notice(Channel.WHATSAPP, sender.address, text, name=sender.name, route_id=route_id),
        )

    async def _language(self) -> str:
        """Of what the customer wrote last; English for a stranger."""
        sealed = await self.connection.fetchval(SQL["latest_text"], self.where.route_id, self.message_id)
        if sealed is None:
            return "en"
        keys = await self.vault.keys_for(self.connection, [sealed])
        return language_of([keys.unseal("message.body", sealed)])
