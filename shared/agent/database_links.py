"""Linking as the tools ask about it, over the database. Reads alone: the commit makes it true."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.agent.contract import TurnInput
from shared.channels.addresses import normalise_phone
from shared.conversations.codes import Kind, State, judged, standing
from shared.conversations.verification import is_ours
from shared.db.pool import Database
from shared.errors import Rejected
from shared.privacy.vault import Vault
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class DatabaseLinks:
    """See shared.agent.ports.LinkPort."""

    db: Database
    vault: Vault
    settings: Settings

    async def standing(self, turn: TurnInput, kind: Kind, address: str) -> State | None:
        """sent, limit or already; None for an address of our own."""
        if is_ours(self.settings, address) or address == self._own_number():
            return None
        async with self.db.transaction() as connection:
            return await standing(connection, self.vault, UUID(turn.customer_id), kind, address)

    async def judged(self, turn: TurnInput, code: str) -> State | None:
        """linked, wrong or conflict; None while no code is awaited."""
        async with self.db.transaction() as connection:
            return await judged(connection, self.vault, UUID(turn.customer_id), code)

    def _own_number(self) -> str:
        try:
            return normalise_phone(self.settings.twilio_whatsapp_from)
        except Rejected:
            return ""
