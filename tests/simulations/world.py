"""What simulated people can do: write on each channel, follow links, say codes; and who truly did what."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from shared.channels.message import Channel, EmailHeaders, FormFields, InboundMessage, Sender, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.codes import LinkAct, judged, standing
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.confirm import redeem_link
from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings

_TOKEN = re.compile(r"/verify\?token=([\w-]{43})")


@dataclass
class Person:
    """Somebody. `name` is the simulation's own word for them; the system never sees it."""

    name: str
    email: str = ""
    phone: str = ""
    chance: Random = field(default_factory=Random)


@dataclass
class Truth:
    """Who wrote each message, and whose each address is: what the system is measured against."""

    writers: dict[str, str] = field(default_factory=dict[str, str])
    holders: dict[bytes, str] = field(default_factory=dict[bytes, str])
    #: People who are nobody's customer: they forge, guess, and type what is not theirs.
    strangers: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class World:
    """The system under simulation, entered at its inbox."""

    db: Database
    vault: Vault
    settings: Settings
    truth: Truth

    def holds(self, person: Person, kind: str, value: str) -> None:
        """From now on this address or number is theirs."""
        self.truth.holders[self.vault.lookup(kind, value)] = person.name

    async def mail(
        self, person: Person, *, thread: str = "", trust: Trust = Trust.VERIFIED, sender: str = ""
    ) -> inbox.Stored:
        """An e-mail; forged when `trust` and `sender` say so."""
        thread = thread or uuid.uuid4().hex[:12]
        return await self._store(
            person,
            Channel.EMAIL,
            thread,
            Sender(kind="email", address=sender or person.email, name="", trust=trust, trust_reason="simulated"),
            email=EmailHeaders(gmail_thread_id=thread),
        )

    async def text(self, person: Person, *, holder: Person | None = None) -> inbox.Stored:
        """A WhatsApp message; from a shared device it is its holder's number that writes."""
        sender = Sender(kind="phone", address=person.phone, name="", trust=Trust.VERIFIED, trust_reason="simulated")
        return await self._store(holder or person, Channel.WHATSAPP, person.phone, sender)

    async def form(
        self, person: Person, *, ticket: str = "", trust: Trust = Trust.CLAIMED, address: str = ""
    ) -> tuple[str, inbox.Stored]:
        """A form's message: the ticket, and what was stored."""
        ticket = ticket or uuid.uuid4().hex[:24].upper()
        sender = Sender(kind="email", address=address or person.email, name="", trust=trust, trust_reason="simulated")
        fields = FormFields(category="general")
        return ticket, await self._store(person, Channel.WEB, ticket, sender, form=fields)

    async def follow_link(self, stored: inbox.Stored) -> bool:
        """Read the mail that verifies an address and follow its link; False when none was sent."""
        text = await self._notice(stored.due[0]) if stored.due else ""
        found = _TOKEN.search(text)
        if found:
            await redeem_link(self.db, self.vault, found[1])
        return bool(found)

    async def ask_for_code(self, person: Person, kind: str, address: str) -> str:
        """On WhatsApp: ask to link an address; the code that arrived there, empty when none was sent."""
        stored = await self.text(person)
        async with self.db.transaction() as connection:
            state = await standing(connection, self.vault, stored.customer_id, kind, address)  # type: ignore[arg-type]
        act = LinkAct(state, kind=kind, address=address, company="Tideline", team="Support")  # type: ignore[arg-type]
        await self._answer(stored, act)
        rows = await self.db.fetch(
            "SELECT delivery_id FROM verifications WHERE conversation_id = $1 AND kind = 'code'"
            " ORDER BY created_at DESC LIMIT 1",
            stored.conversation_id,
        )
        found = re.search(r"\b\d{6}\b", await self._notice(rows[0]["delivery_id"])) if rows else None
        return found[0] if found and state == "sent" else ""

    async def say_code(self, person: Person, code: str) -> str:
        """On WhatsApp: say a code; what it came to."""
        stored = await self.text(person)
        async with self.db.transaction() as connection:
            state = await judged(connection, self.vault, stored.customer_id, code)
        await self._answer(stored, LinkAct(state, code=code) if state else None)
        return state or "none"

    async def operator_links(self, person: Person) -> None:
        """`kn-fte customers link`: the operator knows them."""
        await link(self.db, self.vault, person.email, person.phone)

    async def years_pass(self, phone: str) -> None:
        """Nobody writes from a number for longer than it takes to be given to others."""
        await self.db.execute(
            "UPDATE customer_identifiers SET seen_at = now() - make_interval(days => $1)"
            " WHERE kind = 'phone' AND lookup = $2",
            self.settings.number_stale_d + 20,
            self.vault.lookup("phone", phone),
        )

    async def _store(
        self, writer: Person, channel: Channel, thread: str, sender: Sender, **more: object
    ) -> inbox.Stored:
        provider_id = uuid.uuid4().hex
        self.truth.writers[provider_id] = writer.name
        message = InboundMessage(
            channel=channel,
            provider_message_id=provider_id,
            received_at=datetime.now(UTC),
            sender=sender,
            thread=thread,
            subject="" if channel is Channel.WHATSAPP else "A question",
            text="How do I export my data?",
            **more,  # type: ignore[arg-type]
        )
        stored = await inbox.store(self.db, self.vault, self.settings, message, provider_id)
        if stored.lease is not None and channel is not Channel.WHATSAPP:
            await mailbox.hand_back(self.db, stored.lease)
        return stored

    async def _answer(self, stored: inbox.Stored, act: LinkAct | None) -> None:
        await self.db.execute("UPDATE conversations SET lease_expires = now() WHERE id = $1", stored.conversation_id)
        seen = await inbox.look_again(self.db, self.settings, stored.conversation_id, uuid.uuid4().hex)
        if seen is None or seen.lease is None:
            raise Rejected("the conversation is not the agent's", status=409)
        turn = (await mailbox.look(self.db, self.vault, seen.lease)).turn
        if turn is not None:
            await commit_turn(self.db, self.vault, turn, Verdict("replied", None, "Here you are.", link=act))
        await mailbox.hand_back(self.db, seen.lease)

    async def _notice(self, delivery_id: UUID | None) -> str:
        row = await self.db.fetchrow(
            "SELECT body_enc FROM messages m JOIN deliveries d ON d.message_id = m.id WHERE d.id = $1", delivery_id
        )
        async with self.db.transaction() as connection:
            keys = await self.vault.keys_for(connection, [row["body_enc"]])  # type: ignore[index]
        return keys.unseal("message.body", row["body_enc"])  # type: ignore[index]
