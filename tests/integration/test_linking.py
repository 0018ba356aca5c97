"""Linking a phone and an e-mail address by a code: asked for by the agent, made true by the commit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from mcp import Client

from shared.agent.contract import TurnResult
from shared.agent.database_conversation import DatabaseConversation
from shared.agent.database_links import DatabaseLinks
from shared.agent.turn import AgentDeps, open_agent, run_turn
from shared.agent.verdict import ask, to_verdict
from shared.channels.limits import utf16_units
from shared.channels.message import Channel, InboundMessage, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import commit_turn
from shared.conversations.history import history
from shared.conversations.lease import Stale
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.delivery.alarms import Alarms
from shared.delivery.ledger import Ledger
from shared.delivery.send import Sending
from shared.identity.link import link
from shared.mcp.server import build_server
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.integration.test_ledger import Wire
from tests.unit.test_agent_tools import Shelf

PHONE, ADDRESS = "+12015550123", "ada@example.org"
ASKS = f"I wrote to you from {ADDRESS} last week"


@dataclass
class Side:
    """The system, as one test talks to it."""

    db: Database
    vault: Vault
    settings: Settings
    agent: AgentDeps

    async def write(self, message: InboundMessage) -> TurnResult:
        """A message, its turn with the offline model, and the commit."""
        stored = await inbox.store(self.db, self.vault, self.settings, message, f"e-{uuid4()}")
        assert stored.lease is not None
        while True:
            turn = (await mailbox.look(self.db, self.vault, stored.lease)).turn
            assert turn is not None
            said = await history(self.db, self.vault, turn, 20)
            result = await run_turn(self.agent, await ask(self.db, turn, said))
            with suppress(Stale):
                await commit_turn(self.db, self.vault, turn, to_verdict(turn, result))
                break
        if result.outcome == "replied":
            await mailbox.hand_back(self.db, stored.lease)
        return result

    async def notices(self) -> list[tuple[str, str]]:
        """What went to the other sides: address and text, oldest first."""
        rows = await self.db.fetch(
            "SELECT m.body_enc, r.address_enc FROM messages m JOIN routes r ON r.id = m.route_id"
            " WHERE m.kind = 'notice' ORDER BY m.seq"
        )
        async with self.db.transaction() as connection:
            keys = await self.vault.keys_for(
                connection, [v for row in rows for v in (row["body_enc"], row["address_enc"])]
            )
        return [
            (
                re.findall(r'"address": "([^"]+)"', keys.unseal("route.address", row["address_enc"]))[0],
                keys.unseal("message.body", row["body_enc"]),
            )
            for row in rows
        ]

    async def code(self) -> str:
        """The code in the last notice."""
        (found,) = re.findall(r"\b\d{6}\b", (await self.notices())[-1][1])
        return found

    async def customers(self) -> set[UUID]:
        """Whose messages there are."""
        rows = await self.db.fetch("SELECT DISTINCT customer_id FROM messages WHERE author = 'customer'")
        return {row["customer_id"] for row in rows}


@pytest_asyncio.fixture
async def side(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Side]:
    """A system whose help centre is empty."""
    async with open_agent(settings, Shelf(), links=DatabaseLinks(db, vault, settings)) as agent:
        yield Side(db, vault, settings, agent)


def other_than(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_phone_is_linked_to_an_address_and_the_next_turn_remembers(side: Side) -> None:
    """Asked on WhatsApp, the code mailed, said on WhatsApp: one customer, who is reminded of the mail; undoable."""
    await side.write(email("My export stops at 50 %", subject="Export stops"))
    told = await side.write(whatsapp(ASKS))
    assert told.text.startswith("I have sent a code to the e-mail address")
    assert utf16_units(told.text) <= 300
    ((address, mail),) = await side.notices()
    assert address == ADDRESS
    assert "WhatsApp (number ending 0123)" in mail
    assert "ignore this message" in mail
    assert PHONE not in mail
    assert len(await side.customers()) == 2
    done = await side.write(whatsapp(f"the code is {await side.code()}"))
    assert done.text.startswith("Thank you, that is the right code.")
    assert len(await side.customers()) == 1
    merge: Any = await side.db.fetchrow("SELECT id, cause, loser FROM customer_merges")
    assert merge["cause"] == "code"
    after = await read_by(side, whatsapp("so, my export?"))
    assert "My export stops at 50 %" in [message.text for message in after.history]
    assert after.to_acknowledge is not None
    assert after.to_acknowledge.subject == "Export stops"
    await unmerge_customers(side.db, side.vault, merge_id=merge["id"])
    assert len(await side.customers()) == 2


async def read_by(side: Side, message: InboundMessage) -> Any:
    """The turn as the agent is given it."""
    stored = await inbox.store(side.db, side.vault, side.settings, message, f"e-{uuid4()}")
    assert stored.lease is not None
    turn = (await mailbox.look(side.db, side.vault, stored.lease)).turn
    assert turn is not None
    return await ask(side.db, turn, await history(side.db, side.vault, turn, 20))


async def test_an_address_is_linked_to_a_phone_by_a_whatsapp_code(side: Side) -> None:
    """The other way round: asked by e-mail, the code on WhatsApp, one customer."""
    await side.write(whatsapp("my app crashes"))
    told = await side.write(email(f"Please link my number {PHONE} with this address.", subject="My number"))
    assert "I have sent a code by WhatsApp" in told.text
    ((number, text),) = await side.notices()
    assert number == PHONE
    assert utf16_units(text) <= 300
    assert "a…@example.org" in text
    await side.write(email(f"My code: {await side.code()}", thread="t1"))
    assert len(await side.customers()) == 1


async def test_a_number_that_is_silent_is_told_how_to_get_its_code(side: Side) -> None:
    """WhatsApp lets no code through a day after its last message; who asks is told what to do, and then it comes."""
    told = await side.write(email(f"Please link my number {PHONE} with this address.", subject="My number"))
    assert await delivered_on_whatsapp(side) == []
    assert "first write us anything on WhatsApp from that number" in " ".join(told.text.split())
    await side.write(whatsapp("my app crashes"))
    await side.write(email(f"None came. I have written to you there now: send a new code to my number {PHONE}"))
    assert await delivered_on_whatsapp(side) == [(await side.notices())[-1][1]]


async def delivered_on_whatsapp(side: Side) -> list[str]:
    """Send every notice that waits; those that reached their number."""
    wire, alarms = Wire(), Alarms()
    sending = Sending(Ledger(side.db, side.vault, side.settings), dict.fromkeys(Channel, wire), alarms)
    for row in await side.db.fetch(
        "SELECT d.id FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.kind = 'notice' ORDER BY d.seq"
    ):
        await sending.deliver(row["id"])
    await alarms.close()
    return [sent.text for sent in wire.delivered]


async def test_an_unknown_address_becomes_the_asker_s_and_nothing_tells(side: Side) -> None:
    """No oracle: the words are the same for an address that nobody has; mail from there is the asker's afterwards."""
    await side.write(email("hello there", sender="bob@example.net", thread="t5"))
    known = await side.write(whatsapp("I wrote to you from bob@example.net", sender="+12015550111"))
    unknown = await side.write(whatsapp(ASKS))
    assert known.text == unknown.text
    await side.write(whatsapp(await side.code()))
    stored = await inbox.store(side.db, side.vault, side.settings, email("it is me"), "e9")
    texted: Any = await side.db.fetchrow(
        "SELECT customer_id FROM messages WHERE channel = 'whatsapp' AND author = 'customer' ORDER BY seq DESC"
    )
    assert stored.customer_id == texted["customer_id"]


async def test_five_wrong_codes_end_it_and_a_code_works_once(side: Side) -> None:
    """Each guess counts, also many in one message; the right one is of no use afterwards, nor twice."""
    await side.write(whatsapp(ASKS))
    code = await side.code()
    for _ in range(5):
        wrong = await side.write(whatsapp(other_than(code)))
        assert wrong.text.startswith("That code is not the right one")
    assert not (await side.write(whatsapp(code))).text.startswith("Thank you")
    row: Any = await side.db.fetchrow("SELECT attempts, used_at FROM verifications")
    assert tuple(row) == (5, None)
    assert await side.db.fetch("SELECT id FROM customer_identifiers WHERE kind = 'email' AND trust = 'verified'") == []


async def test_a_code_is_the_asker_s_alone_and_old_ones_are_dead(side: Side) -> None:
    """Another customer's code, an expired one, and one that a newer request replaced, link nothing."""
    await side.write(whatsapp(ASKS))
    first = await side.code()
    stranger = await side.write(whatsapp(first, sender="+12015550177"))
    assert not stranger.text.startswith("Thank you")
    await side.write(whatsapp(ASKS))
    second = await side.code()
    if first != second:
        assert (await side.write(whatsapp(first))).text.startswith("That code")
    await side.db.execute("UPDATE verifications SET expires_at = now()")
    assert not (await side.write(whatsapp(second))).text.startswith("Thank you")
    assert await side.db.fetch("SELECT id FROM customer_identifiers WHERE kind = 'email' AND trust = 'verified'") == []


async def test_codes_are_limited_by_asker_and_by_target(side: Side) -> None:
    """Three an hour, five a day: for one who asks for many addresses, and for an address that many ask for."""
    for number in range(3):
        told = await side.write(whatsapp(f"I wrote to you from a{number}@example.org"))
        assert told.text.startswith("I have sent a code")
    assert "cannot send another code" in (await side.write(whatsapp("I wrote to you from b@example.org"))).text
    for number in range(3):
        sender = f"+120155501{number:02}"
        told = await side.write(whatsapp("I wrote to you from eve@example.org", sender=sender))
        assert told.text.startswith("I have sent a code")
    late = await side.write(whatsapp("I wrote to you from eve@example.org", sender="+12015550199"))
    assert "cannot send another code" in late.text
    assert len(await side.notices()) == 6


async def test_who_is_not_verified_cannot_link(side: Side) -> None:
    """A typed address asks for no code and says none; nothing is sent."""
    await side.write(form(f"I wrote to you from {PHONE}, please link my number {PHONE}"))
    await side.write(email(f"please link my number {PHONE}", sender="eve@example.org", trust=Trust.CLAIMED))
    assert await side.db.fetch("SELECT id FROM verifications WHERE kind = 'code'") == []


async def test_our_own_address_and_what_is_linked_already_get_no_code(side: Side) -> None:
    """No mail to ourselves; and no need for one."""
    await side.write(whatsapp("I wrote to you from support@example.com", sender="+12015550111"))
    await link(side.db, side.vault, ADDRESS, PHONE)
    told = await side.write(whatsapp(ASKS))
    assert told.text.startswith("That one is linked with you already")
    assert await side.notices() == []


async def test_two_of_a_kind_are_not_joined_by_a_code(side: Side) -> None:
    """A shared phone must not lay two people's mail beside each other: a person decides, and the customer is told."""
    await link(side.db, side.vault, "bob@example.net", PHONE)
    await side.write(email("my secret", thread="t7"))
    await side.write(whatsapp(ASKS))
    result = await side.write(whatsapp(await side.code()))
    assert (result.outcome, result.reason) == ("escalated", "link_conflict")
    assert "kn-fte customers link" in result.summary
    assert len(await side.customers()) == 2
    row: Any = await side.db.fetchrow("SELECT used_at IS NOT NULL AS used FROM verifications")
    assert row["used"]


async def test_a_code_said_in_two_conversations_at_once_links_once(side: Side) -> None:
    """Both turns see the right code; one commit joins, the other finds it used and starts over."""
    await side.write(email("hi", thread="t1", subject="hi"))
    await side.write(whatsapp("hi"))
    await side.write(email(f"please link my number {PHONE}", thread="t2", subject="x"))
    code = await side.code()
    results = await asyncio.gather(
        side.write(email(f"code {code}", thread="t1", subject="x")),
        side.write(email(f"code {code}", thread="t2", subject="x")),
    )
    assert sum("that is the right code" in result.text for result in results) == 1
    assert len(await side.customers()) == 1
    assert len(await side.db.fetch("SELECT id FROM customer_merges")) == 1


@pytest.mark.parametrize(
    ("asks", "begins"),
    [
        (f"Ich habe euch schon von {ADDRESS} geschrieben", "Ich habe einen Code"),
        (f"Hola, les escribí desde {ADDRESS} la semana pasada", "He enviado un código"),
        (f"Bonjour, je vous ai écrit depuis {ADDRESS} pour ça", "J'ai envoyé un code"),
        (f"كتبت إليكم من {ADDRESS}", "أرسلت رمزا"),
        (f"میں نے آپ کو {ADDRESS} سے لکھا تھا", "میں نے آپ کے"),
        (f"meine E-Mail ist {ADDRESS}", "Ich habe einen Code"),
        (f"mi correo es {ADDRESS}", "He enviado un código"),
        (f"mon e-mail est {ADDRESS}", "J'ai envoyé un code"),
    ],
)
async def test_it_is_understood_and_answered_in_the_customer_s_language(side: Side, asks: str, begins: str) -> None:
    """Asked for, and confirmed by six digits that say nothing of a language."""
    told = await side.write(whatsapp(asks))
    assert told.text.startswith(begins)
    thanked = await side.write(whatsapp(await side.code()))
    assert thanked.text != told.text
    assert thanked.text[:5] in ("Viele", "Graci", "Merci", "شكرا ", "شکریہ")


async def test_the_agent_offers_to_link_where_nothing_is_found(side: Side) -> None:
    """Somebody who says they mailed us, and whom we do not know: asked for the address, then the code goes out."""
    offered = await side.write(whatsapp("I emailed you yesterday about my import, any news?"))
    assert (
        offered.text
        == "Which e-mail address did you write to us from? May I send a code there to see that it is yours?"
    )
    told = await side.write(whatsapp(ADDRESS))
    assert told.text.startswith("I have sent a code")


async def test_the_tools_link_over_mcp_too(side: Side) -> None:
    """One definition: each call is one transaction of the conversation, and one guess."""
    await side.write(email("my invoice"))
    await side.write(whatsapp("hi"))
    row: Any = await side.db.fetchrow("SELECT conversation_id FROM messages WHERE channel = 'whatsapp'")
    port = DatabaseConversation(side.db, side.vault, side.settings, row["conversation_id"])
    links = DatabaseLinks(side.db, side.vault, side.settings)
    async with Client(build_server(Shelf(), port, links)) as client:
        asked = await client.call_tool("request_identity_link", {"address": ADDRESS})
        assert asked.structured_content["noted"].startswith("sent")
        code = await side.code()
        wrong = await client.call_tool("confirm_identity_link", {"code": other_than(code)})
        assert wrong.structured_content["noted"].startswith("wrong")
        right = await client.call_tool("confirm_identity_link", {"code": code})
        assert right.structured_content["noted"].startswith("linked")
    assert len(await side.customers()) == 1


@pytest.mark.parametrize("known_before", [True, False])
async def test_a_yes_after_a_link_was_made_hears_that_it_is_done(side: Side, known_before: bool) -> None:
    """Offered to link, and an operator linked meanwhile, with or without a customer at the other side."""
    if known_before:
        await side.write(email("My export stops at 50 %", subject="Export stops"))
    await side.write(whatsapp("I emailed you yesterday about my import, any news?"))
    await link(side.db, side.vault, ADDRESS, PHONE)
    told = await side.write(whatsapp("YES"))
    assert (told.outcome, told.text) == (
        "replied",
        "That one is linked with you already, so there is nothing to do. How can I help you?",
    )


@pytest.mark.parametrize(
    ("mentions", "agrees", "asked"),
    [
        (
            "I emailed you yesterday about my import, any news?",
            "yes please",
            "Gladly. Please write me that e-mail address",
        ),
        (
            "Ich habe Ihnen gestern eine Mail wegen des Imports geschickt, gibt es etwas Neues?",
            "ja",
            "Gern. Bitte schreiben Sie",
        ),
    ],
)
async def test_a_yes_to_the_offer_is_asked_for_the_address(side: Side, mentions: str, agrees: str, asked: str) -> None:
    """A yes names no address: it is asked for, and then the code goes there."""
    offered = await side.write(whatsapp(mentions))
    assert "?" in offered.text
    told = await side.write(whatsapp(agrees))
    assert told.text.startswith(asked)
    sent = await side.write(whatsapp(ADDRESS))
    assert [address for address, _ in await side.notices()] == [ADDRESS]
    assert sent.outcome == "replied"


async def test_a_yes_by_mail_is_asked_for_the_number(side: Side) -> None:
    """The same by e-mail, in a mail's form."""
    offered = await side.write(email("I wrote to you on WhatsApp yesterday about my import. Any news?", subject="News"))
    assert "Which WhatsApp number" in offered.text
    told = await side.write(email("Yes, please", subject="Re: News"))
    assert "Gladly. Please write me that number here" in told.text
    assert "regards" in told.text
