"""What came along with a ticket's messages, for an operator to take out: files of every channel, raw mails.

Whatever it is, it is handed over as bytes to be saved: no browser may take it for a page of ours. The token of a
link of ours in it, as in a reply to the mail that verifies an address, is hidden; all else is as it came.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Response

from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.privacy import blobs
from shared.privacy.mask import masked_mail
from shared.privacy.vault import Erased, Vault

SQL = load("tickets")
_IDENTITY = load("identity")


@dataclass(frozen=True, slots=True)
class Downloads:
    """Takes contents out of the vault, and writes down that it did."""

    db: Database
    vault: Vault

    async def attachment(self, ticket_id: str, attachment_id: UUID) -> tuple[str, bytes]:
        """Name and contents of one file. Raises Rejected: 404 no such file here, 410 its contents are gone."""
        async with self.db.transaction() as connection:
            row = await connection.fetchrow(SQL["attachment"], ticket_id, attachment_id)
            if row is None:
                raise _unknown("no such file with this ticket", "unknown-attachment")
            details = {"attachment": str(attachment_id)}
            data = await self._taken(connection, "tickets.attachment", ticket_id, details, row["blob_id"])
            keys = await self.vault.keys_for(connection, [row["name_enc"]])
            name = keys.unseal("attachment.name", row["name_enc"])
        return name or "unnamed", data

    async def raw(self, ticket_id: str, message_id: UUID) -> tuple[str, bytes]:
        """Name and bytes of one message as the provider had it. Raises Rejected as above."""
        async with self.db.transaction() as connection:
            row = await connection.fetchrow(SQL["raw"], ticket_id, message_id)
            if row is None:
                raise _unknown("no such message with this ticket", "unknown-message")
            details = {"message": str(message_id)}
            data = await self._taken(connection, "tickets.raw", ticket_id, details, row["raw_blob_id"])
        return f"{message_id}.eml", data

    async def _taken(
        self, connection: Any, action: str, ticket_id: str, details: dict[str, str], blob_id: UUID | None
    ) -> bytes:
        data = None
        with suppress(Erased):
            data = await blobs.contents(connection, self.vault, blob_id) if blob_id else None
        if data is None:
            raise Rejected("its contents are not here", status=410, reason="contents-gone")
        await connection.execute(_IDENTITY["record_action"], action, ticket_id, json.dumps(details))
        return await asyncio.to_thread(masked_mail, data)


def add_downloads(router: APIRouter, downloads: Downloads) -> None:
    """The two routes."""

    @router.get("/tickets/{ticket_id}/attachments/{attachment_id}")
    async def attachment(ticket_id: str, attachment_id: UUID) -> Response:
        return _to_be_saved(*await downloads.attachment(ticket_id, attachment_id))

    @router.get("/tickets/{ticket_id}/messages/{message_id}/raw")
    async def raw(ticket_id: str, message_id: UUID) -> Response:
        return _to_be_saved(*await downloads.raw(ticket_id, message_id))


def _to_be_saved(name: str, data: bytes) -> Response:
    return Response(
        data,
        media_type="application/octet-stream",
        headers={
            # RFC 6266: the name in its encoded form alone, so that nothing in it is syntax.
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )


def _unknown(message: str, reason: str) -> Rejected:
    return Rejected(message, status=404, reason=reason)
