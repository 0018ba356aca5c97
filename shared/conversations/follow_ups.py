"""What the agent asks later: whether it worked, or is still open. Once, in fixed words, on the route it was written on.

It is put down by the transaction that ends a turn, as everything that a tool wants. When it is due the sweep wakes the
conversation, and whoever wakes decides under the conversation's lock: it is said only if nothing came in between
(specs/decisions/0028-a-follow-up-is-no-answer.md). It answers no message, so it can be no second answer.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from shared.channels.fixed_texts import fixed_texts
from shared.channels.language import ENGLISH
from shared.channels.message import Channel
from shared.channels.whatsapp.texts import LANGUAGES, fixed
from shared.conversations.mailbox import OpenTurn
from shared.conversations.notices import SQL as NOTICES
from shared.conversations.numbers import out_of_reach
from shared.db.pool import Database
from shared.db.queries import load
from shared.observability.logs import logger
from shared.observability.metrics import FOLLOW_UPS
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("follow_ups")

Purpose = Literal["did_it_work", "still_open"]
#: The farthest that one may lie ahead, hours. On WhatsApp within the window that the customer's message opened, with
#: hours to spare for the sweep, a retry and an outage.
MOST_HOURS = 14 * 24
MOST_HOURS_WHATSAPP = 20
#: After as many hours behind its time nobody is asked any more.
TOO_LATE_H = 24

_FILE = Path(__file__).with_name("follow_ups.txt")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What to ask, in which language, and in how many hours from the commit."""

    hours: int
    purpose: Purpose
    language: str


async def schedule(connection: Any, turn: OpenTurn, wanted: FollowUp) -> None:
    """Put it down, in place of one that waits; nothing after one that was said and that nobody answered."""
    here = turn.lease.conversation_id
    await connection.execute(SQL["drop_waiting"], here, "replaced")
    row = (uuid.uuid4(), here, turn.route_id, wanted.purpose, wanted.language, wanted.hours, turn.message_ids)
    await connection.execute(SQL["schedule"], *row)


async def say_due(db: Database, vault: Vault, settings: Settings, conversation_id: UUID) -> UUID | None:
    """Say what is due, or drop it with its reason; the delivery to ask for. Twice is once."""
    async with db.transaction() as connection:
        held = await connection.fetchrow(SQL["hold"], conversation_id)
        due = await connection.fetchrow(SQL["due_of"], conversation_id, TOO_LATE_H) if held else None
        if held is None or due is None:
            return None
        to = json.loads(
            (await vault.keys_for(connection, [due["address_enc"]])).unseal("route.address", due["address_enc"])
        )
        reason = _passed(held, due)
        if reason is None and due["channel"] == Channel.WHATSAPP:
            reason = await out_of_reach(connection, vault, settings, to["address"])
        written = (
            None if reason else await _say(connection, vault, settings, conversation_id, held["customer_id"], due, to)
        )
        message_id, delivery_id = written or (None, None)
        await connection.execute(SQL["decide"], due["id"], "dropped" if reason else "said", reason, message_id)
    FOLLOW_UPS.labels(due["channel"], reason or "said").inc()
    logger().info("follow_up_decided", channel=due["channel"], reason=reason or "said")
    return delivery_id


def _passed(held: Any, due: Any) -> str | None:
    """What came in between, in a word."""
    if held["state"] != "agent":
        return "with-person" if held["state"] == "human" else "closed"
    if due["written"]:
        return "customer-wrote"
    if held["epoch"] != due["epoch"]:
        return "moved-on"
    if due["sending"]:
        return "answer-on-its-way"
    return "too-late" if due["late"] else None


async def _say(
    connection: Any, vault: Vault, settings: Settings, conversation_id: UUID, owner: UUID, due: Any, to: dict[str, str]
) -> tuple[UUID, UUID]:
    keys = await vault.keys(connection, [owner])
    channel, route_id = Channel(due["channel"]), due["route_id"]
    text = follow_up_text(channel, due["purpose"], due["language"], name=to["name"], team=settings.support_team_name)
    message_id, delivery_id = uuid.uuid4(), uuid.uuid4()
    body = keys.seal(owner, "message.body", text)
    await connection.execute(SQL["insert_message"], message_id, conversation_id, owner, route_id, channel, body)
    await connection.execute(NOTICES["insert_delivery"], delivery_id, message_id, conversation_id, route_id, channel)
    return message_id, delivery_id


def follow_up_text(channel: Channel, purpose: str, language: str, *, name: str, team: str) -> str:
    """The words in the channel's form; English where there are none in the language."""
    used = language if language in LANGUAGES else ENGLISH
    texts = fixed_texts(_FILE)
    if channel is Channel.WHATSAPP:
        return texts[f"{used}.{purpose}.short"]
    greeted = fixed("greeting", used, name=f" {name}" if name else "")
    signed = f"{fixed('closing', used)}\n{team}" if channel is Channel.EMAIL else team
    return f"{greeted}\n\n{texts[f'{used}.{purpose}']}\n\n{signed}"
