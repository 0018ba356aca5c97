"""What a WhatsApp message is about besides its words: the message it replies to, and that it is forwarded.

Told to whoever answers as notes: they are not the customer's words, and no rule looks for a matter in them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.channels.message import WhatsAppFacts
from shared.conversations.numbers import SQL
from shared.privacy.vault import Keyset, Vault

#: Characters of the message replied to that are told.
_QUOTED = 300
_FORWARDED = {
    "once": "forwarded: written by somebody else, not by the customer",
    "often": "forwarded many times: written by somebody else, not by the customer",
}


async def notes_of(
    connection: Any, vault: Vault, customer_id: UUID, rows: Sequence[Any], keys: Keyset
) -> dict[UUID, tuple[str, ...]]:
    """The notes of these messages' rows by message; those without any are left out."""
    facts = {row["id"]: _facts(row, keys) for row in rows if row["channel"] == "whatsapp"}
    sids = sorted({one.replies_to for one in facts.values() if one.replies_to})
    quoted = await _quoted(connection, vault, customer_id, sids) if sids else {}
    found = {message_id: _notes(one, quoted) for message_id, one in facts.items()}
    return {message_id: notes for message_id, notes in found.items() if notes}


async def _quoted(connection: Any, vault: Vault, customer_id: UUID, sids: list[str]) -> dict[str, str]:
    """What is replied to, of this customer's conversations alone, in words."""
    rows = await connection.fetch(SQL["spoken_of"], customer_id, sids)
    keys = await vault.keys_for(connection, [row["body_enc"] for row in rows])
    return {row["sid"]: _told(row["author"], keys.unseal("message.body", row["body_enc"])) for row in rows}


def _told(author: str, text: str) -> str:
    whose = "their own earlier message" if author == "customer" else "our message"
    return f"they reply to {whose}: {json.dumps(text[:_QUOTED], ensure_ascii=False)}"


def _notes(facts: WhatsAppFacts, quoted: dict[str, str]) -> tuple[str, ...]:
    replied = quoted.get(facts.replies_to, "they reply to a message that is not here") if facts.replies_to else ""
    return tuple(note for note in (replied, _FORWARDED.get(facts.forwarded, "")) if note)


def _facts(row: Any, keys: Keyset) -> WhatsAppFacts:
    details = json.loads(keys.unseal("message.details", row["details_enc"])) if row["details_enc"] else {}
    return WhatsAppFacts.model_validate(details.get("whatsapp") or {})
