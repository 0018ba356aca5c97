"""Notices: fixed texts of ours that answer nobody, such as a link to confirm or a code.

A notice goes out through the ledger as every text of ours does, on a route of its own, so that it waits
for no reply and no reply for it; or on a route it names, and then what is said there later comes behind it. It is no
part of any history or page, and one that fails gives no conversation to a person.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, Trust
from shared.db.queries import load
from shared.privacy.vault import Keyset, Vault

SQL = load("notices")


@dataclass(frozen=True, slots=True)
class Notice:
    """What to say and where: `address` is a normalised e-mail address or an E.164 number; `subject` e-mail's."""

    channel: Channel
    address: str
    text: str
    subject: str = ""
    name: str = ""
    #: A route to the same address whose later texts wait for this one.
    route_id: UUID | None = None


async def post(
    connection: Any, vault: Vault, keys: Keyset, *, customer_id: UUID, conversation_id: UUID, notice: Notice
) -> UUID:
    """Write a notice and its delivery within the caller's transaction; the delivery's id, to be asked for after it.

    `keys` must hold the customer's. The sweep asks for what the caller could not.
    """
    message_id, delivery_id = uuid.uuid4(), uuid.uuid4()
    channel, owner = notice.channel, customer_id
    to = channel, notice.address, notice.name
    route_id = notice.route_id or await own_route(connection, vault, keys, owner, conversation_id, "notice", to)
    subject = keys.seal(owner, "message.subject", notice.subject) if notice.subject else None
    body = keys.seal(owner, "message.body", notice.text)
    written = (message_id, conversation_id, owner, route_id, channel, Trust.CLAIMED, subject, body)
    await connection.execute(SQL["insert_notice"], *written)
    await connection.execute(SQL["insert_delivery"], delivery_id, message_id, conversation_id, route_id, channel)
    return delivery_id


async def own_route(
    connection: Any,
    vault: Vault,
    keys: Keyset,
    owner: UUID,
    conversation_id: UUID,
    what: str,
    to: tuple[Channel, str, str],
) -> UUID:
    """A route to (channel, address, name) that nothing else is on; `what` says of which kind its text is."""
    route_id, (channel, address, name) = uuid.uuid4(), to
    key = vault.lookup("route", json.dumps([channel, what, str(route_id)]))
    sealed = keys.seal(owner, "route.address", json.dumps({"address": address, "name": name, "thread": ""}))
    await connection.execute(SQL["open_route"], route_id, channel, key, owner, conversation_id, sealed)
    return route_id
