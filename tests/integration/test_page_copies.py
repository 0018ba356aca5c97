"""Answers on a ticket's page that are mailed too: to whom, how often, and what they are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.channels.gmail.compose import compose
from shared.channels.message import Channel, EmailHeaders, InboundMessage, Trust
from shared.channels.provider import ProviderDown, ProviderRefused
from shared.channels.web.sender import WebReplySender
from shared.channels.web.token import Holder
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.confirm import redeem_link
from shared.conversations.history import history
from shared.conversations.ticket_page import TicketPage
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger
from shared.delivery.send import Sending
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form
from tests.conftest import make_settings
from tests.integration.test_ledger import Wire
from tests.integration.test_verification import later, linked, take, turn_of

SAID = "Hello Ada,\n\nOpen Settings, then Export.\n\nTideline Support"


@pytest.fixture
def settings(dsn: str) -> Settings:
    """With the form's public address."""
    return make_settings(
        database_url=SecretStr(dsn), database_pool_size=24, form_public_url="https://form.example.com/"
    )


@pytest_asyncio.fixture
async def sending(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Sending]:
    """send-reply's work: the page as it is, mail on a wire."""
    alarms = Alarms()
    senders = {Channel.WEB: WebReplySender(), Channel.EMAIL: Wire(), Channel.WHATSAPP: Wire()}
    yield Sending(Ledger(db, vault, settings), senders, alarms)
    await alarms.close()


def wire_of(sending: Sending) -> Wire:
    """Where mails end."""
    wire = sending.senders[Channel.EMAIL]
    assert isinstance(wire, Wire)
    return wire


def mails(sending: Sending) -> list[EmailMessage]:
    """The answers that were mailed, as a mail program reads them."""
    sent = [outbound for outbound in wire_of(sending).delivered if "verify?token=" not in outbound.text]
    composed = [compose(outbound, sending.ledger.settings) for outbound in sent]
    return [message_from_bytes(raw, policy=policy.default) for raw in composed]


async def say(sending: Sending, stored: inbox.Stored, text: str = SAID) -> UUID:
    """The agent answers, and the answer goes out; its delivery."""
    ledger = sending.ledger
    turn = await turn_of(ledger.db, ledger.vault, stored)
    delivery_id = await commit_turn(ledger.db, ledger.vault, turn, Verdict("replied", None, text))
    assert delivery_id is not None
    await mailbox.hand_back(ledger.db, turn.lease)
    await sending.deliver(delivery_id)
    return delivery_id


async def person_says(sending: Sending, ticket: str, text: str) -> None:
    """`kn-fte tickets reply`."""
    delivery_id, _ = await desk_of(sending.ledger.db, sending.ledger.vault, sending.ledger.settings).reply(ticket, text)
    await sending.deliver(delivery_id)


def signed(text: str = "How do I export?", sender: str = "ada@example.org") -> InboundMessage:
    """The first message of a visitor whom the embedding site signed for."""
    message = form(text, sender=sender)
    who = message.sender.model_copy(update={"trust": Trust.VERIFIED, "trust_reason": "signed-visitor"})
    return message.model_copy(update={"sender": who})


async def confirmed(db: Database, vault: Vault, settings: Settings) -> tuple[InboundMessage, inbox.Stored]:
    """A ticket typed into the form whose link was followed."""
    ticket = form()
    stored, token = await linked(db, vault, settings, ticket)
    await db.execute("UPDATE deliveries SET status = 'sent', claimed_until = NULL")
    await redeem_link(db, vault, token)
    return ticket, stored


async def test_a_claimed_address_is_mailed_no_answer(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """The agent's and a person's stand on the page alone, also where that address belongs to a known customer."""
    await take(db, vault, settings, email())
    ticket = form()
    await say(sending, await take(db, vault, settings, ticket))
    await person_says(sending, ticket.thread, "I looked it up for you. Sam")
    page = await TicketPage(db, vault).read(Holder(ticket.thread, "ada@example.org", "Ada", Trust.CLAIMED))
    assert page is not None
    assert [one.author for one in page.messages] == ["customer", "agent", "human"]
    assert mails(sending) == []
    assert await db.fetch("SELECT id FROM messages WHERE kind = 'copy'") == []


async def test_a_signed_visitor_is_mailed_each_answer_once(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """The answer in full with the page's subject, one thread for all of a page, however often delivery is asked for."""
    ticket = signed()
    asked = await say(sending, await take(db, vault, settings, ticket))
    await asyncio.gather(*(sending.deliver(asked) for _ in range(5)))
    await person_says(sending, ticket.thread, "All rows are in it. Sam")
    first, second = mails(sending)
    assert (str(first["To"]), str(first["Subject"]), first["In-Reply-To"]) == (
        "Ada <ada@example.org>",
        "Re: Export",
        None,
    )
    body = first.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text.startswith(SAID)
    assert "reply to this e-mail" in text
    assert (str(first["Auto-Submitted"]), second["Auto-Submitted"]) == ("auto-replied", None)
    assert str(second["Subject"]) == "Re: Export"
    assert str(second["In-Reply-To"]) == str(first["Message-ID"])
    assert "All rows are in it. Sam" in second.as_string()


async def test_a_followed_link_lets_later_answers_be_mailed(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """Also what a person answers to the words that were typed before it, and one thread for both tokens' answers."""
    ticket, stored = await confirmed(db, vault, settings)
    await say(sending, stored)
    await say(sending, await take(db, vault, settings, later(ticket.thread, "And then?", Trust.VERIFIED)), "Then save.")
    first, second = mails(sending)
    assert (str(first["To"]), str(first["Subject"])) == ("Ada <ada@example.org>", "Re: Export")
    assert str(second["In-Reply-To"]) == str(first["Message-ID"])


async def test_what_was_answered_before_the_click_is_not_mailed_afterwards(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """The link leads to it."""
    ticket = form()
    stored, token = await linked(db, vault, settings, ticket)
    asked = await say(sending, stored)
    await redeem_link(db, vault, token)
    await sending.deliver(asked)
    assert mails(sending) == []


async def test_an_undone_click_ends_the_mails(db: Database, vault: Vault, settings: Settings, sending: Sending) -> None:
    """The address is another customer's again, and only claimed on that page."""
    await take(db, vault, settings, email())
    _, stored = await confirmed(db, vault, settings)
    await unmerge_customers(db, vault, customer_id=stored.customer_id)
    await say(sending, stored)
    assert mails(sending) == []


async def test_a_setting_switches_it_off_and_our_own_address_gets_none(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """FORM_MAIL_ANSWERS, and a mail that would come back to us."""
    off = replace(sending.ledger, settings=settings.model_copy(update={"form_mail_answers": False}))
    await say(replace(sending, ledger=off), await take(db, vault, settings, signed()))
    await say(sending, await take(db, vault, settings, signed(sender="support@example.com")))
    assert mails(sending) == []


async def test_a_copy_is_no_second_answer(db: Database, vault: Vault, settings: Settings, sending: Sending) -> None:
    """Neither on the page, nor in what the agent reads, nor among what was delivered or hinders closing."""
    wire_of(sending).before.append(ProviderDown("away", code="503"))
    ticket = signed()
    await say(sending, await take(db, vault, settings, ticket))
    row: Any = await db.fetchrow("SELECT status FROM deliveries WHERE channel = 'email'")
    assert row["status"] == "deferred"
    page = await TicketPage(db, vault).read(Holder(ticket.thread, "ada@example.org", "Ada", Trust.VERIFIED))
    assert page is not None
    assert [one.text for one in page.messages if one.author == "agent"] == [SAID]
    again = await take(db, vault, settings, later(ticket.thread, "And then?", Trust.VERIFIED))
    turn = await turn_of(db, vault, again)
    assert [said.text for said in await history(db, vault, turn, 20)] == ["How do I export?", SAID]
    await mailbox.hand_back(db, turn.lease)
    await db.execute("UPDATE messages SET outcome = 'replied' WHERE author = 'customer'")
    await desk_of(db, vault, settings).close(ticket.thread, None)


async def test_a_mail_that_fails_wakes_nobody_and_is_seen(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """The answer stands on the page: the conversation stays the agent's, and the delivery says what happened."""
    wire_of(sending).before.append(ProviderRefused("no such mailbox", code="550"))
    await say(sending, await take(db, vault, settings, signed()))
    rows = await db.fetch("SELECT d.channel, d.status, d.error_code, c.state FROM deliveries d, conversations c")
    assert {tuple(row) for row in rows} == {("web", "delivered", None, "agent"), ("email", "failed", "550", "agent")}


async def test_a_reply_to_the_mail_goes_on_with_the_ticket(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """By what it refers to, whatever thread Gmail put it into; the change of channel is noted, the answer is mailed."""
    stored = await take(db, vault, settings, signed())
    await say(sending, stored)
    (mail,) = mails(sending)
    headers = EmailHeaders(gmail_thread_id="t9", message_id="<m@example.org>", references=(str(mail["Message-ID"]),))
    reply = await take(db, vault, settings, email("And the images?", thread="t9").model_copy(update={"email": headers}))
    assert (reply.conversation_id, reply.customer_id) == (stored.conversation_id, stored.customer_id)
    row: Any = await db.fetchrow("SELECT metadata::text, last_channel FROM conversations")
    assert row["last_channel"] == "email"
    assert '"from": "web"' in row["metadata"]
    await say(sending, reply, "Images too.")
    assert [str(one["In-Reply-To"]) for one in mails(sending)[1:]] == ["<m@example.org>"]


async def test_a_takeover_lets_the_copy_of_what_was_said_go_out(
    db: Database, vault: Vault, settings: Settings, sending: Sending
) -> None:
    """What stands on the page was said; what was withdrawn before it got there is mailed by nobody."""
    wire_of(sending).before.append(ProviderDown("away", code="503"))
    ticket = signed()
    stored = await take(db, vault, settings, ticket)
    await say(sending, stored)
    again = await take(db, vault, settings, later(ticket.thread, "And then?", Trust.VERIFIED))
    turn = await turn_of(db, vault, again)
    withdrawn = await commit_turn(db, vault, turn, Verdict("replied", None, "Withdrawn."))
    assert withdrawn is not None
    await person_says(sending, ticket.thread, "I am Sam.")
    await sending.deliver(withdrawn)
    await db.execute("UPDATE deliveries SET next_at = now() WHERE status = 'deferred'")
    row: Any = await db.fetchrow("SELECT id FROM deliveries WHERE status = 'deferred'")
    await sending.deliver(row["id"])
    texts = [outbound.text for outbound in wire_of(sending).delivered if "verify" not in outbound.text]
    assert [text.splitlines()[0] for text in texts] == ["Hello Ada,", "I am Sam."]
