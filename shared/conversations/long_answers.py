"""The rest of answers that WhatsApp had no room for: kept, offered, and mailed once the customer wants it.

It goes to an e-mail address that is known to be theirs; where there is none yet, it waits until there is
(a code, a link, an operator), and is then mailed by the next turn or the sweep.
"""

from __future__ import annotations

import re
import uuid
from typing import Any
from uuid import UUID

from shared.channels.limits import MOST_WORDS, words
from shared.channels.message import Channel
from shared.channels.whatsapp.texts import fixed, letter
from shared.conversations.letters import SQL, Addressee, confirmed, open_thread
from shared.db.pool import Database
from shared.observability.logs import logger
from shared.privacy.vault import Keyset, Vault

#: Words that greeting, reason, closing and name may take of a mail's.
_FRAME = 60
#: For so long a yes may still mean an offer.
PAST_OFFER_D = 30
_PIECE = re.compile(r"(\n+)|(?<=[.!?…؟۔])\s+")


async def note_reply(
    connection: Any, keys: Keyset, owner: UUID, conversation_id: UUID, message_id: UUID, whole: str, language: str
) -> None:
    """Our next word ends an offer that nobody took up; `whole`, if any, is offered by it."""
    await connection.execute(SQL["lapse"], conversation_id)
    if whole:
        sealed = keys.seal(owner, "long_answer", whole)
        await connection.execute(SQL["offer"], uuid.uuid4(), conversation_id, message_id, sealed, language)


async def accept(connection: Any, conversation_id: UUID) -> None:
    """The customer said yes to what was offered."""
    await connection.execute(SQL["accept"], conversation_id)


async def accept_past(connection: Any, conversation_id: UUID) -> None:
    """The customer said yes to the last offer after it had lapsed, and to nothing else that we said."""
    await connection.execute(SQL["accept_past"], conversation_id)


async def mail_wanted(db: Database, vault: Vault, team: str, conversation_id: UUID) -> list[UUID]:
    """Mail what is wanted, if by now an address is confirmed; the deliveries to ask for."""
    async with db.transaction() as connection:
        rows = await connection.fetch(SQL["wanted"], conversation_id)
        to = await confirmed(connection, vault, rows[0]["customer_id"]) if rows else None
        if to is None:
            return []
        return [await _mail(connection, vault, team, row, to) for row in rows]


async def _mail(connection: Any, vault: Vault, team: str, row: Any, to: Addressee) -> UUID:
    owner, conversation_id, language = row["customer_id"], row["conversation_id"], row["language"]
    keys = await vault.keys_for(connection, [row["text_enc"]])
    whole = within(keys.unseal("long_answer", row["text_enc"]), MOST_WORDS[Channel.EMAIL] - _FRAME)
    keys = await vault.keys(connection, [owner])
    message_id, delivery_id = uuid.uuid4(), uuid.uuid4()
    route_id = await open_thread(connection, vault, keys, owner, conversation_id, to)
    subject = keys.seal(owner, "message.subject", fixed("rest_subject", language))
    body = keys.seal(owner, "message.body", letter("rest", language, whole, name=to.name, team=team))
    await connection.execute(SQL["insert_letter"], message_id, conversation_id, owner, route_id, subject, body)
    await connection.execute(SQL["insert_delivery"], delivery_id, message_id, conversation_id, route_id)
    await connection.execute(SQL["sent"], row["id"], delivery_id)
    logger().info("long_answer_mailed", channel="email")
    return delivery_id


def within(text: str, most: int) -> str:
    """The text up to so many words, ending at a sentence or a line."""
    if words(text) <= most:
        return text
    kept = ""
    for piece in _PIECE.split(text):
        if piece is None or not piece.strip():
            kept += piece or " "
            continue
        if words(kept + piece) > most:
            break
        kept += piece if kept.endswith(("\n", " ")) or not kept else f" {piece}"
    return kept.strip()
