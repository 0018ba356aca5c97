"""What came along with messages: stored with its message, opened with it again.

A file is `kept` when its contents lie in a blob, `waiting` while they are still at the provider, `refused`
or `gone` with the reason when they never will be here. Its facts are always here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from shared.channels.message import Attachment, InboundMessage
from shared.privacy import blobs
from shared.privacy.blobs import SQL
from shared.privacy.vault import Keyset, Vault


async def store_files(
    connection: Any, vault: Vault, keys: Keyset, owner: UUID, message_id: UUID, message: InboundMessage
) -> UUID | None:
    """Store the attachments of a new message and give its blobs to their customer; the raw message's blob if kept."""
    named = [file.blob for file in message.attachments if file.blob]
    wanted = dict.fromkeys([*named, message.raw_blob] if message.raw_blob else named)
    ours = {blob for blob in wanted if await blobs.adopt(connection, vault, keys, owner, blob)}
    for ordinal, file in enumerate(message.attachments):
        await _store(connection, keys, owner, message_id, ordinal, file, ours)
    return message.raw_blob if message.raw_blob in ours else None


async def files_of(connection: Any, message_ids: Sequence[UUID]) -> list[Any]:
    """The rows of these messages' attachments, still sealed: their `*_enc` need keys."""
    return await connection.fetch(SQL["attachments_of"], list(message_ids))


def opened(rows: Iterable[Any], keys: Keyset) -> dict[UUID, tuple[Attachment, ...]]:
    """The attachments by message, in their order."""
    found: dict[UUID, tuple[Attachment, ...]] = {}
    for row in rows:
        found[row["message_id"]] = (*found.get(row["message_id"], ()), open_file(row, keys))
    return found


def open_file(row: Any, keys: Keyset) -> Attachment:
    """One attachment's row as facts."""
    return Attachment(
        name=keys.unseal("attachment.name", row["name_enc"]),
        content_type=row["content_type"],
        size=row["size"],
        sha256=row["sha256"].hex() if row["sha256"] else "",
        pages=row["pages"],
        text=keys.unseal("attachment.text", row["text_enc"]) if row["text_enc"] else "",
        ref=keys.unseal("attachment.ref", row["ref_enc"]) if row["ref_enc"] else "",
        blob=row["blob_id"],
        refused=(row["reason"] or "") if row["state"] in ("refused", "gone") else "",
    )


async def _store(
    connection: Any, keys: Keyset, owner: UUID, message_id: UUID, ordinal: int, file: Attachment, ours: set[UUID]
) -> None:
    state, reason = _state(file, ours)
    await connection.execute(
        SQL["store_attachment"],
        uuid.uuid4(),
        message_id,
        owner,
        ordinal,
        keys.seal(owner, "attachment.name", file.name),
        file.content_type,
        file.size,
        bytes.fromhex(file.sha256) or None,
        file.pages,
        keys.seal(owner, "attachment.text", file.text) if file.text else None,
        state,
        reason,
        keys.seal(owner, "attachment.ref", file.ref) if file.ref else None,
        file.blob if file.blob in ours else None,
    )


def _state(file: Attachment, ours: set[UUID]) -> tuple[str, str | None]:
    if file.refused:
        return "refused", file.refused
    if file.blob:
        return ("kept", None) if file.blob in ours else ("gone", "contents-lost")
    return ("waiting", None) if file.ref else ("gone", "no-contents")
