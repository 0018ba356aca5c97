"""What a mail leaves behind before its event is published: the raw message and its attachments, each in a blob.

A blob's id is a keyed hash of Gmail's message id, so a crash between here and the brokers costs nothing: the
redelivery finds what was kept, and an event that nobody got leaves one set of orphans and not a heap.
"""

from __future__ import annotations

from uuid import UUID

from shared.channels.gmail.inbound import Read
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import Attachment, Channel, InboundMessage
from shared.db.pool import Database
from shared.db.queries import load
from shared.privacy import blobs
from shared.privacy.vault import Vault

_INBOX = load("inbox")


async def is_stored(db: Database, message_id: str) -> bool:
    """Whether the message was taken in before. Raises Retryable without PostgreSQL."""
    return await db.fetchrow(_INBOX["find_message"], Channel.EMAIL, message_id) is not None


async def keep_mail(db: Database, vault: Vault, mail: RawMail, read: Read) -> InboundMessage:
    """The message with the ids of its blobs. What is stored already is not kept again.

    Raises Retryable without PostgreSQL.
    """
    message = read.message
    if await is_stored(db, mail.id):
        return message
    raw = await _kept(db, vault, mail, "raw", mail.raw)
    attachments: list[Attachment] = []
    for number, (file, contents) in enumerate(zip(message.attachments, read.contents, strict=True)):
        # An empty file is all told by its facts.
        blob = await _kept(db, vault, mail, str(number), contents) if contents else None
        attachments.append(file.model_copy(update={"blob": blob}))
    return message.model_copy(update={"raw_blob": raw, "attachments": tuple(attachments)})


async def _kept(db: Database, vault: Vault, mail: RawMail, part: str, contents: bytes) -> UUID:
    async with db.transaction() as connection:
        return await blobs.keep(connection, vault, contents, blobs.name_of(vault, Channel.EMAIL, mail.id, part))
