"""How content a customer is: asked once, when a person closes their matter, where they were answered last.

The question is a notice of fixed words, written by the transaction that closes, and goes out through the ledger: who
closes and dies leaves it to the sweep, and closing again asks nothing twice. WhatsApp is answered by a bare number,
mail by a link, a ticket's page by its stars; the answer is the ticket's rating. Nobody is asked who was not answered,
whose address is only claimed (but on the page), or who must not be written to now
(specs/decisions/0030-mood-is-told-and-satisfaction-is-asked.md).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.channels.fixed_texts import fixed_texts
from shared.channels.language import ENGLISH, language_of
from shared.channels.message import Channel, Trust
from shared.channels.whatsapp.texts import LANGUAGES
from shared.conversations.notices import Notice, post
from shared.conversations.numbers import out_of_reach
from shared.conversations.page_copies import mailed_thread
from shared.db.queries import load
from shared.privacy.vault import Erased, Vault
from shared.settings import Settings

SQL = load("surveys")
ASKED = "asked"

TEXTS = Path(__file__).with_name("surveys.txt")
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asking:
    """What came of a close: `result` is `asked` or why not; `delivery_id` is to be asked for after the commit."""

    channel: str
    result: str
    delivery_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """How the question goes: on `route_id`, which a page's or a mail's thread has; `subject` for a thread of ours."""

    channel: Channel
    address: str
    name: str
    route_id: UUID
    ticket_id: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Surveys:
    """Asks, within the transaction that closes a conversation and holds it."""

    vault: Vault
    settings: Settings

    async def ask(self, connection: Any, conversation_id: UUID, ticket_id: str, *, wanted: bool = True) -> Asking:
        """Write the question and its delivery, or say why not. Twice is once, for all tickets of a conversation."""
        row = await connection.fetchrow(SQL["about"], conversation_id)
        against = self._against(row, wanted=wanted)
        if against is not None:
            return Asking(row["channel"], against)
        try:
            way = await self._way(connection, conversation_id, ticket_id, row)
            if isinstance(way, str):
                return Asking(row["channel"], way)
            language = await self._language(connection, row["route_id"])
            delivery_id = await self._write(connection, conversation_id, row["customer_id"], way, language)
        except Erased:
            return Asking(row["channel"], "erased")
        return Asking(way.channel, ASKED, delivery_id)

    def _against(self, row: Any, *, wanted: bool) -> str | None:
        """What forbids it, whatever the channel."""
        reasons = {
            "off": not self.settings.csat_ask,
            "not-wanted": not wanted,
            "asked-before": row["asked"],
            "rated-before": row["rated"],
            "unanswered": row["route_id"] is None or not row["answered"] or row["waits"],
            "unverified": Trust.HELD in (row["proven"], row["trust"]),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    async def _way(self, connection: Any, conversation_id: UUID, ticket_id: str, row: Any) -> _Way | str:
        """Where it goes, or why nowhere."""
        keys = await self.vault.keys_for(connection, [row["address_enc"]])
        to = json.loads(keys.unseal("route.address", row["address_enc"]))
        way = _Way(Channel(row["channel"]), to["address"], to["name"], row["route_id"], ticket_id)
        if way.channel is Channel.WHATSAPP:
            return await out_of_reach(connection, self.vault, self.settings, way.address) or way
        if way.channel is Channel.WEB:
            return await self._of_page(connection, conversation_id, row, way, to)
        if Trust.CLAIMED in (row["proven"], row["trust"]):
            return "unverified"
        return way if self.settings.form_public_url else "no-public-url"

    async def _of_page(
        self, connection: Any, conversation_id: UUID, row: Any, way: _Way, page: dict[str, str]
    ) -> _Way | str:
        """On the page; or, as its answers are, by mail where its customer proved the address."""
        ticket_id = await connection.fetchval(SQL["own_ticket"], conversation_id, page["thread"], way.ticket_id)
        thread = None
        if row["proven"] == Trust.VERIFIED and self.settings.form_public_url:
            thread = await mailed_thread(
                connection, self.vault, self.settings, row["customer_id"], conversation_id, page
            )
        if thread is None:
            return _Way(way.channel, way.address, way.name, way.route_id, ticket_id)
        route_id, subject = thread
        return _Way(Channel.EMAIL, way.address, way.name, route_id, ticket_id, subject)

    async def _language(self, connection: Any, route_id: UUID) -> str:
        sealed = [row["body_enc"] for row in await connection.fetch(SQL["latest_texts"], route_id)]
        keys = await self.vault.keys_for(connection, sealed)
        told = language_of([keys.unseal("message.body", one) for one in sealed])
        return told if told in LANGUAGES else ENGLISH

    async def _write(self, connection: Any, conversation_id: UUID, owner: UUID, way: _Way, language: str) -> UUID:
        by_link = way.channel is Channel.EMAIL
        token = secrets.token_urlsafe(_TOKEN_BYTES) if by_link else ""
        text = survey_text(way.channel, language, self.settings, token)
        keys = await self.vault.keys(connection, [owner])
        notice = Notice(way.channel, way.address, text, way.subject, way.name, way.route_id)
        delivery_id = await post(
            connection, self.vault, keys, customer_id=owner, conversation_id=conversation_id, notice=notice
        )
        settings, secret = self.settings, survey_secret(self.vault, token) if token else None
        lasts = settings.csat_reply_h * 3600 if way.channel is Channel.WHATSAPP else settings.csat_link_d * 86400
        row = (way.ticket_id, delivery_id, way.channel, language, secret, lasts)
        await connection.execute(SQL["asked"], *row)
        return delivery_id


def survey_text(channel: Channel, language: str, settings: Settings, token: str) -> str:
    """The question in a language that we have words in; in a mail with its link."""
    text = fixed_texts(TEXTS)[f"{language}.{channel}"]
    link = f"{settings.form_public_url.rstrip('/')}/rate?token={token}"
    words = {"link": link, "days": f"{settings.csat_link_d:g}", "team": settings.support_team_name}
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def survey_secret(vault: Vault, token: str) -> bytes:
    """What is kept of a link's token: a keyed hash."""
    return vault.lookup("survey-link", token)
