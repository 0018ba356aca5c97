"""Mails of ours that begin a thread: an answer that WhatsApp could not carry, or had no room for.

Only ever to an address that the customer is known to own; a reply to it joins the conversation like any mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel
from shared.channels.plain_text import one_line
from shared.conversations.notices import own_route
from shared.db.queries import load
from shared.privacy.vault import Keyset, Vault

SQL = load("letters")
_NAME = re.compile(r"[^\W\d_][\w .'’-]{0,59}")


@dataclass(frozen=True, slots=True)
class Addressee:
    """A confirmed e-mail address and the name to greet, which may be empty."""

    address: str
    name: str


async def confirmed(connection: Any, vault: Vault, customer_id: UUID) -> Addressee | None:
    """The customer's newest verified e-mail address, or None."""
    row = await connection.fetchrow(SQL["verified_email"], customer_id)
    if row is None:
        return None
    keys = await vault.keys_for(connection, [row["value_enc"], row["name_enc"]])
    name = one_line(keys.unseal("customer.name", row["name_enc"]), 60) if row["name_enc"] else ""
    return Addressee(keys.unseal("identifier", row["value_enc"]), name if _NAME.fullmatch(name) else "")


async def open_thread(
    connection: Any, vault: Vault, keys: Keyset, customer_id: UUID, conversation_id: UUID, to: Addressee
) -> UUID:
    """A route for a mail that answers no mail; the route's id."""
    whom = Channel.EMAIL, to.address, to.name
    return await own_route(connection, vault, keys, customer_id, conversation_id, "letter", whom)
