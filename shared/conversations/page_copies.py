"""Answers on a ticket's page, mailed to its customer too: who left the page looks into the mailbox.

Only to the address that the page was opened with, and only once it is confirmed there: by a site's signature
or by the link in our mail. The page stays the record; the copy is no second answer, so it is counted, rated and
read as none, and one that fails gives the conversation to nobody (specs/decisions/0026-…). A mail in
reply to it goes on with the conversation, since it names a delivery of it (shared.conversations.placing).
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from uuid import UUID

from shared.channels.gmail.compose import reply_subject
from shared.channels.language import language_of
from shared.channels.message import Channel
from shared.conversations.notice_texts import notice_text
from shared.conversations.verification import is_ours
from shared.db.queries import load
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("copies")


async def copy_by_mail(connection: Any, vault: Vault, settings: Settings, delivery_id: UUID) -> UUID | None:
    """Write the copy of an answer that has just reached its page; the route to be sent on, or None where none is due.

    Within the caller's transaction, which holds the conversation: the answer is on its page exactly when its
    copy is in the ledger, and a second call writes nothing.
    """
    row = await connection.fetchrow(SQL["to_copy"], delivery_id) if settings.form_mail_answers else None
    if row is None:
        return None
    keys = await vault.keys_for(connection, [row["address_enc"], row["body_enc"]])
    page = json.loads(keys.unseal("route.address", row["address_enc"]))
    owner, conversation_id = row["customer_id"], row["conversation_id"]
    thread = await mailed_thread(connection, vault, settings, owner, conversation_id, page)
    if thread is None:
        return None
    text = keys.unseal("message.body", row["body_enc"])
    letter = f"{text.rstrip()}\n\n{notice_text('copy', language_of([text]))}"
    return await _write(connection, vault, row, thread, letter)


async def mailed_thread(
    connection: Any, vault: Vault, settings: Settings, owner: UUID, conversation_id: UUID, page: dict[str, str]
) -> tuple[UUID, str] | None:
    """By which route and under which subject what stands on a page is mailed to its customer; None where it is not.

    `page` is the page's route, opened; the conversation must be a verified one.
    """
    to = page["address"]
    if not settings.form_mail_answers or is_ours(settings, to):
        return None
    if not await connection.fetchval(SQL["is_confirmed"], owner, vault.lookup("email", to)):
        return None
    keys = await vault.keys(connection, [owner])
    # One thread in the customer's mailbox for a page, whichever of its tokens they hold.
    key = vault.lookup("route", json.dumps([Channel.EMAIL, "page", page["thread"], to]))
    address = keys.seal(owner, "route.address", json.dumps({**page, "thread": ""}))
    route_id = await connection.fetchval(SQL["thread"], uuid.uuid4(), key, owner, conversation_id, address)
    sealed = await connection.fetchval(SQL["first_subject"], page["thread"])
    subject = (await vault.keys_for(connection, [sealed])).unseal("message.subject", sealed) if sealed else ""
    return route_id, reply_subject(subject or f"your message to {settings.support_team_name}")


async def _write(connection: Any, vault: Vault, row: Any, thread: tuple[UUID, str], text: str) -> UUID | None:
    owner, conversation_id, (route_id, subject) = row["customer_id"], row["conversation_id"], thread
    keys = await vault.keys(connection, [owner])
    sealed = keys.seal(owner, "message.subject", subject), keys.seal(owner, "message.body", text)
    author, copy_of = row["author"], row["id"]
    written = (uuid.uuid4(), conversation_id, owner, route_id, author, row["trust"], *sealed, copy_of)
    message_id = await connection.fetchval(SQL["insert_copy"], *written)
    if message_id is None:
        return None
    await connection.execute(SQL["insert_delivery"], uuid.uuid4(), message_id, conversation_id, route_id, author)
    return route_id
