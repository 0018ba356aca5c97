"""The mail that verifies an address typed into the web form: fixed words and a link, once a day and mailbox at most.

It is written with the message, in the inbox's transaction. Whoever typed the address may be anybody, so
nothing they wrote stands in it: no name, no subject, no text.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from shared.channels.language import ENGLISH, language_written
from shared.channels.message import Channel, InboundMessage, Trust
from shared.conversations.notice_texts import notice_text
from shared.conversations.notices import Notice, post
from shared.conversations.placing import Place
from shared.db.queries import load
from shared.observability.logs import logger
from shared.observability.metrics import VERIFICATION_MAILS
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("verifications")

_TOKEN_BYTES = 32


async def verify_address(
    connection: Any, vault: Vault, settings: Settings, where: Place, message: InboundMessage
) -> UUID | None:
    """Post the link for a claimed message that opened a ticket on the web; the delivery to ask for, or None."""
    if not _wants_link(settings, where, message):
        return None
    address = message.sender.address
    lookup = vault.lookup("email", _mailbox(address))
    await connection.fetchval(SQL["lock_address"], lookup)
    if await connection.fetchval(SQL["mailed_lately"], lookup) or await _too_many(connection, settings):
        return None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    owner, keys = where.resolved.customer_id, where.resolved.keys
    notice = _link_mail(settings, address, token, language_written([message.text], [message.subject]) or ENGLISH)
    delivery_id = await post(
        connection, vault, keys, customer_id=owner, conversation_id=where.conversation_id, notice=notice
    )
    await connection.execute(
        SQL["create"],
        uuid.uuid4(),
        "link",
        owner,
        where.conversation_id,
        "email",
        lookup,
        keys.seal(owner, "identifier", address),
        link_secret(vault, token),
        delivery_id,
        timedelta(days=settings.verification_link_d).total_seconds(),
    )
    VERIFICATION_MAILS.labels("posted").inc()
    return delivery_id


def link_secret(vault: Vault, token: str) -> bytes:
    """What is kept of a link's token: a keyed hash."""
    return vault.lookup("verification-link", token)


def is_ours(settings: Settings, address: str) -> bool:
    """Whether mail to a normalised address comes back to us, with a tag behind a plus or without."""
    ours = {one.strip().lower() for one in (settings.gmail_mailbox, *settings.gmail_aliases)}
    return address in ours or _mailbox(address) in ours


def _mailbox(address: str) -> str:
    """Without the tag behind a plus (RFC 5233), by which a mailbox has as many addresses as anybody likes."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


async def _too_many(connection: Any, settings: Settings) -> bool:
    """Whether as many were mailed within the hour, over all addresses, as may be; a few more at once can slip by."""
    if await connection.fetchval(SQL["mailed_in_all"]) < settings.verification_mails_max_per_h:
        return False
    VERIFICATION_MAILS.labels("held").inc()
    logger().warning("verification_mails_held", most=settings.verification_mails_max_per_h)
    return True


def _wants_link(settings: Settings, where: Place, message: InboundMessage) -> bool:
    sender = message.sender
    claimed = message.channel is Channel.WEB and sender.trust is Trust.CLAIMED and sender.kind == "email"
    if not (claimed and where.opened) or message.ignored or is_ours(settings, sender.address):
        return False
    if not settings.form_public_url:
        _say_there_is_no_url()
    return bool(settings.form_public_url)


@cache
def _say_there_is_no_url() -> None:
    """Once a process: nobody who uses the form can be verified."""
    logger().warning("no_verification_links", reason="FORM_PUBLIC_URL is not set")


def _link_mail(settings: Settings, address: str, token: str, language: str) -> Notice:
    link = f"{settings.form_public_url.rstrip('/')}/verify?token={token}"
    days = f"{settings.verification_link_d:g}"
    text = notice_text("link", language, team=settings.support_team_name, link=link, days=days)
    return Notice(Channel.EMAIL, address, text, subject=notice_text("link.subject", language))
