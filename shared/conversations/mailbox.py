"""A conversation is a mailbox with one worker: what its holder sees, and how the lease ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.channels.gmail.forwarded import points_at_quote
from shared.channels.message import TRUST_ORDER, Attachment, Channel, EmailHeaders, Trust
from shared.conversations.files import files_of, opened
from shared.conversations.lease import DEAD_AFTER_S, Lease, Stale
from shared.conversations.spoken_of import notes_of
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Permanent
from shared.privacy.vault import Keyset, Vault
from shared.settings import Settings

SQL = load("mailbox")
#: Within this time files that a page announced come. Later the sweep has the words answered without them.
FILES_FOLLOW_S = 60.0


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """One unanswered message, opened. `handed_over`: a handoff that went out answered it, and no person did."""

    id: UUID
    subject: str
    text: str
    received_at: datetime
    attempts: int
    handed_over: bool
    attachments: tuple[Attachment, ...]
    email: EmailHeaders | None
    #: What is to be known of it besides its words (shared.conversations.spoken_of).
    notes: tuple[str, ...] = ()
    #: Files were sent with it that come as the next message.
    files_follow: bool = False
    #: What it quotes, where that is its matter: a forward, or a text that points at it.
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The conversation's ticket, opened. `follow_up_at`: when its customer is asked again, if nothing comes first."""

    id: str
    subject: str
    status: str
    category: str
    priority: str
    opened_at: datetime
    follow_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """The unanswered messages of one conversation on one reply route.

    `trust` is the least of theirs and the conversation's. `quiet_s` is how long nothing came,
    `waited_s` how long the first has waited, in seconds of the database's clock.
    """

    lease: Lease
    customer_id: UUID
    route_id: UUID
    channel: Channel
    to_name: str
    to_address: str
    trust: Trust
    epoch: int
    messages: tuple[OpenMessage, ...]
    quiet_s: float
    waited_s: float
    ticket: Ticket | None = None
    #: Whether this conversation has an answer of ours on this channel already: then no greeting is due.
    answered_here: bool = False

    @property
    def message_ids(self) -> list[UUID]:
        """Of the messages this turn answers."""
        return [message.id for message in self.messages]

    @property
    def waits_for_files(self) -> bool:
        """Whether a file of these messages is still at its provider."""
        files = [file for message in self.messages for file in message.attachments]
        return any(file.ref and file.blob is None and not file.refused for file in files)

    @property
    def awaits_files(self) -> bool:
        """Whether files that were sent with one of these messages may still come: both are one turn."""
        follow = any(message.files_follow for message in self.messages)
        return follow and not any(message.attachments for message in self.messages) and self.waited_s < FILES_FOLLOW_S


@dataclass(frozen=True, slots=True)
class Look:
    """One look into the mailbox: `turn` is None when nothing is left to do. `arrived` goes to `release`."""

    arrived: int
    turn: OpenTurn | None


async def look(db: Database, vault: Vault, lease: Lease) -> Look:
    """What is to be done now. Raises Stale when the lease was lost."""
    async with db.transaction() as connection:
        row = await connection.fetchrow(SQL["look"], lease.conversation_id, lease.token)
        if row is None:
            raise Stale("the lease is another's")
        if row["state"] != "agent":
            return Look(row["arrived"], None)
        messages = await connection.fetch(SQL["open_messages"], lease.conversation_id)
        if not messages:
            return Look(row["arrived"], None)
        return Look(row["arrived"], await _turn(connection, vault, lease, row, messages))


async def peek(db: Database, vault: Vault, conversation_id: UUID) -> OpenTurn:
    """The conversation as it stands, without its lease: for a client that reads, and writes by `commit_change`.

    `messages` may be empty. Raises Permanent for an unknown conversation or one that a person has.
    """
    async with db.transaction() as connection:
        row = await connection.fetchrow(SQL["peek"], conversation_id)
        if row is None or row["state"] != "agent":
            raise Permanent("there is no such conversation with the agent", reason="unknown-conversation")
        messages = await connection.fetch(SQL["open_messages"], conversation_id)
        return await _turn(connection, vault, Lease(conversation_id, UUID(int=0)), row, messages)


async def count_attempt(db: Database, turn: OpenTurn) -> int:
    """Count one attempt before the work is done; the highest count among the messages."""
    rows = await db.fetch(SQL["count_attempt"], turn.message_ids)
    return max((row["attempts"] for row in rows), default=0)


async def extend(db: Database, settings: Settings, lease: Lease) -> None:
    """Begin the lease's time anew, before a turn. Raises Stale when it was lost."""
    if await db.fetchrow(SQL["extend"], lease.conversation_id, lease.token, settings.lease_s) is None:
        raise Stale("the lease is another's")


async def abandon(db: Database, settings: Settings, lease: Lease) -> None:
    """Leave the lease to its event's redelivery, which then takes it over at once."""
    await db.execute(SQL["abandon"], lease.conversation_id, lease.token, settings.lease_s - DEAD_AFTER_S)


async def release(db: Database, lease: Lease, arrived: int) -> bool:
    """Give the lease back if nothing arrived since `arrived` was read; False: look again.

    Checking and releasing are one statement: as two they lose the message in between.
    """
    return await db.fetchrow(SQL["release"], lease.conversation_id, lease.token, arrived) is not None


async def hand_back(db: Database, lease: Lease) -> None:
    """Give the lease back with work left; the caller publishes a wake event."""
    await db.execute(SQL["hand_back"], lease.conversation_id, lease.token)


async def waiting_deliveries(db: Database, conversation_id: UUID) -> list[UUID]:
    """Replies committed and not yet claimed: their event may have died with its publisher."""
    return [row["id"] for row in await db.fetch(SQL["waiting_deliveries"], conversation_id)]


def _sealed(rows: Sequence[Any]) -> list[bytes]:
    return [value for row in rows for name, value in row.items() if name.endswith("_enc") and value]


async def _turn(connection: Any, vault: Vault, lease: Lease, row: Any, messages: Sequence[Any]) -> OpenTurn:
    """The messages with their files and the ticket, opened; `row` says where to answer where there is no message."""
    files = await files_of(connection, [m["id"] for m in messages])
    ticket = await connection.fetchrow(SQL["ticket_of"], lease.conversation_id)
    keys = await vault.keys_for(connection, _sealed([row, *messages, *files, *([ticket] if ticket else [])]))
    notes = await notes_of(connection, vault, row["customer_id"], messages, keys)
    first = messages[0] if messages else row
    attached = opened(files, keys)
    trust = max({Trust(m["trust"]) for m in messages} | {Trust(row["trust"])}, key=TRUST_ORDER.index)
    address = json.loads(keys.unseal("route.address", first["address_enc"]))
    return OpenTurn(
        lease=lease,
        customer_id=row["customer_id"],
        route_id=first["route_id"],
        channel=Channel(first["channel"]),
        to_name=address["name"],
        to_address=address["address"],
        trust=trust,
        epoch=row["epoch"],
        messages=tuple(_open(m, keys, attached.get(m["id"], ()), notes.get(m["id"], ())) for m in messages),
        quiet_s=first["quiet_s"] if messages else 0.0,
        waited_s=first["waited_s"] if messages else 0.0,
        ticket=_ticket(ticket, keys),
        answered_here=await connection.fetchval(
            SQL["answered_here"], lease.conversation_id, first["channel"], trust.value
        ),
    )


def _ticket(row: Any, keys: Keyset) -> Ticket | None:
    if row is None:
        return None
    subject = keys.unseal("ticket.subject", row["subject_enc"])
    facts = row["status"], row["category"], row["priority"], row["created_at"], row["follow_up_at"]
    return Ticket(row["id"], subject, *facts)


def _open(row: Any, keys: Keyset, files: tuple[Attachment, ...], notes: tuple[str, ...]) -> OpenMessage:
    details = json.loads(keys.unseal("message.details", row["details_enc"])) if row["details_enc"] else {}
    subject = keys.unseal("message.subject", row["subject_enc"]) if row["subject_enc"] else ""
    text, quoted = keys.unseal("message.body", row["body_enc"]), details.get("quoted") or ""
    return OpenMessage(
        id=row["id"],
        subject=subject,
        text=text,
        quoted=quoted if points_at_quote(subject, text, quoted) else "",
        received_at=row["received_at"],
        attempts=row["attempts"],
        handed_over=row["handed_over"],
        attachments=files,
        files_follow=bool((details.get("form") or {}).get("files")),
        email=EmailHeaders.model_validate(details["email"]) if details.get("email") else None,
        notes=notes,
    )
