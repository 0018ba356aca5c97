"""Files that are still at their provider: fetched after the inbox commit, kept, and told to the turn as facts.

A file that cannot be had never keeps an answer: it is tried twice within seconds, then by the sweep after one
minute, four, sixteen and an hour, and then it is `gone` with the reason, which the operator sees.
"""

from __future__ import annotations

import asyncio
import mimetypes
import time
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from shared.channels.files import facts
from shared.channels.message import Attachment
from shared.channels.provider import ProviderDown, ProviderError
from shared.channels.whatsapp.contact_card import told
from shared.channels.whatsapp.content import CONTACT_CARDS
from shared.channels.whatsapp.media import Fetched
from shared.db.pool import Database
from shared.db.queries import load
from shared.observability.logs import logger
from shared.privacy import blobs
from shared.privacy.vault import Erased, Vault

SQL = load("waiting_files")

#: Attempts of a file before it is given up, the first of them at once.
MOST_ATTEMPTS = 5
#: Seconds that fetching may take in all before an answer; what is left is the sweep's.
BUDGET_S = 8.0
_FIRST_WAIT_S = 60.0
_PAUSE_S = 0.3
_REFUSED = {"too-large", "foreign-host"}


class FileSource(Protocol):
    """Where files wait; shared.channels.whatsapp.media.MediaClient is the real one."""

    async def fetch(self, url: str) -> Fetched:
        """Raises ProviderRefused for what never works, ProviderDown for what may work later."""
        ...


@dataclass(frozen=True, slots=True)
class WaitingFiles:
    """Fetches what waits."""

    db: Database
    vault: Vault
    source: FileSource

    async def fetch(self, conversation_id: UUID) -> int:
        """Fetch what this conversation waits for and may be asked for now; how many were tried."""
        rows = await self.db.fetch(SQL["waiting"], conversation_id)
        deadline = time.monotonic() + BUDGET_S
        tried = 0
        for row in rows:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            tried += await self._one(row["id"], left)
        return tried

    async def _one(self, file_id: UUID, left: float) -> int:
        row = await self.db.fetchrow(SQL["claim"], file_id, _FIRST_WAIT_S)
        if row is None:
            return 0
        try:
            async with self.db.transaction() as connection:
                keys = await self.vault.keys_for(connection, [row["name_enc"], row["ref_enc"]])
            name, url = keys.unseal("attachment.name", row["name_enc"]), keys.unseal("attachment.ref", row["ref_enc"])
            async with asyncio.timeout(left):
                fetched = await self._fetched(url)
            await self._keep(row, name, fetched)
        except (ProviderError, TimeoutError, Erased) as error:
            await self._not_kept(row, error)
        return 1

    async def _fetched(self, url: str) -> Fetched:
        try:
            return await self.source.fetch(url)
        except ProviderDown as error:
            if error.code in ("auth", "not-configured"):
                raise
            await asyncio.sleep(_PAUSE_S)
            return await self.source.fetch(url)

    async def _keep(self, row: Any, name: str, fetched: Fetched) -> None:
        declared = row["content_type"] or fetched.content_type
        file = await asyncio.to_thread(_facts, name, declared, fetched.data)
        owner = row["customer_id"]
        async with self.db.transaction() as connection:
            keys = await self.vault.keys(connection, [owner])
            blob = await blobs.keep(connection, self.vault, fetched.data)
            await blobs.adopt(connection, self.vault, keys, owner, blob)
            await connection.fetchrow(
                SQL["kept"],
                row["id"],
                keys.seal(owner, "attachment.name", file.name),
                file.content_type,
                file.size,
                bytes.fromhex(file.sha256),
                file.pages,
                keys.seal(owner, "attachment.text", file.text) if file.text else None,
                blob,
            )
        logger().info("file_kept", content_type=file.content_type, size=file.size, attempt=row["attempts"])

    async def _not_kept(self, row: Any, error: BaseException) -> None:
        reason = error.reason if isinstance(error, ProviderError | Erased) else "timeout"
        again = isinstance(error, ProviderDown | TimeoutError) and row["attempts"] < MOST_ATTEMPTS
        state = "waiting" if again else "refused" if reason in _REFUSED else "gone"
        await self.db.execute(SQL["not_kept"], row["id"], state, reason)
        logger().warning("file_not_kept", state=state, reason=reason, attempt=row["attempts"])


def _facts(name: str, declared: str, data: bytes) -> Attachment:
    """As every channel's; a contact card's text are the names on it, and the name gets its type's ending."""
    file = facts(name, declared, data)
    ending = mimetypes.guess_extension(file.content_type) or ""
    named = file.name if file.name.endswith(ending) else f"{file.name}{ending}"
    text = told(data) if declared in CONTACT_CARDS else file.text
    return file.model_copy(update={"name": named, "text": text})
