"""The link that verifies a typed address: what is mailed, what following it joins, and what stays hidden."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from shared.agent.database_conversation import DatabaseConversation
from shared.channels.gmail.compose import compose
from shared.channels.message import Channel, InboundMessage, Sender, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.confirm import MailedLinks, redeem_link
from shared.conversations.history import history
from shared.conversations.unmerge import unmerge_customers
from shared.conversations.verification import _say_there_is_no_url
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.errors import Rejected
from shared.identity.link import link, merge_customers
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.conftest import make_settings

REPLY = Verdict(outcome="replied", reason=None, text="Open Settings, then Export.")
PRIVATE = "my secret project is late"


@pytest.fixture
def settings(dsn: str) -> Settings:
    """With the form's public address."""
    return make_settings(
        database_url=SecretStr(dsn),
        database_pool_size=24,
        form_public_url="https://form.example.com/",
        gmail_aliases=("help@example.com",),
    )


def later(ticket: str, text: str, trust: Trust, number: int = 1, sender: str = "ada@example.org") -> InboundMessage:
    """A message added on a ticket's page, by whoever holds a token of that trust."""
    first = form(text, sender=sender, ticket_id=ticket)
    who = Sender(kind="email", address=sender, name="Ada", trust=trust, trust_reason="link")
    return first.model_copy(
        update={"sender": who, "provider_message_id": f"{ticket}:{trust}:{number}", "form": None, "subject": ""}
    )


async def take(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> inbox.Stored:
    """Store under an event of its own."""
    return await inbox.store(db, vault, settings, message, f"e-{message.provider_message_id}")


async def turn_of(db: Database, vault: Vault, stored: inbox.Stored) -> mailbox.OpenTurn:
    """What the lease's holder sees."""
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    return turn


async def answered(db: Database, vault: Vault, stored: inbox.Stored, text: str = REPLY.text) -> list[str]:
    """Answer the turn, and give the lease back; what it read before."""
    turn = await turn_of(db, vault, stored)
    read = [said.text for said in await history(db, vault, turn, 20)]
    await commit_turn(db, vault, turn, Verdict("replied", None, text))
    await mailbox.hand_back(db, turn.lease)
    return read


async def mails(db: Database, vault: Vault, settings: Settings) -> list[bytes]:
    """The notices as they go to Gmail."""
    ledger = Ledger(db, vault, settings)
    rows = await db.fetch(
        "SELECT d.route_id FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.kind = 'notice'"
    )
    claims = [await ledger.claim(row["route_id"]) for row in rows]
    return [compose(claim.outbound, settings) for claim in claims if claim]


def token_in(mail: bytes) -> str:
    """The token of the link in a mail."""
    found = re.search(
        r"https://form\.example\.com/verify\?token=([\w-]{43})", mail.decode().replace("=\r\n", "").replace("=3D", "=")
    )
    assert found
    return found[1]


async def linked(db: Database, vault: Vault, settings: Settings, ticket: InboundMessage) -> tuple[inbox.Stored, str]:
    """A ticket typed into the form, and the token that was mailed for it."""
    stored = await take(db, vault, settings, ticket)
    assert stored.due
    (mail,) = await mails(db, vault, settings)
    return stored, token_in(mail)


async def test_a_typed_address_is_mailed_fixed_words_and_a_link(db: Database, vault: Vault, settings: Settings) -> None:
    """To that address alone, without anything that was typed: no name, no subject, no text."""
    ticket = form("Buy cheap watches at once").model_copy(update={"subject": "Winner!"})
    stored, token = await linked(db, vault, settings, ticket)
    (mail,) = [await _again(db, vault, settings, stored)]
    assert "ada@example.org" in mail
    assert "ignore this message" in mail
    for typed in ("watches", "Winner", "Ada <", "Hello Ada"):
        assert typed not in mail
    rows = await db.fetch("SELECT t::text AS line FROM verifications t")
    assert token not in str(rows)


async def _again(db: Database, vault: Vault, settings: Settings, stored: inbox.Stored) -> str:
    await db.execute("UPDATE deliveries SET status = 'queued', claimed_until = NULL")
    (mail,) = await mails(db, vault, settings)
    return mail.decode().replace("=\r\n", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ich kann die Datei nicht finden und wie kann ich sie exportieren?", "Bestätigen Sie"),
        ("Hola, no puedo encontrar el archivo, como lo puedo exportar?", "Confirme su"),
        ("Bonjour, je ne trouve pas le fichier et comment je peux exporter", "Confirmez votre"),
        ("لا أستطيع العثور على الملف", "تأكيد عنوان"),
        ("مجھے فائل نہیں مل رہی", "اپنے ای میل"),
        ("Nie mogę znaleźć pliku", "Confirm your"),
    ],
)
async def test_the_mail_speaks_the_message_s_language(
    db: Database, vault: Vault, settings: Settings, text: str, words: str
) -> None:
    """English where we have no words for it."""
    stored = await take(db, vault, settings, form(text).model_copy(update={"subject": "x"}))
    row: Any = await db.fetchrow("SELECT subject_enc FROM messages WHERE kind = 'notice'")
    async with db.transaction() as connection:
        keys = await vault.keys(connection, [stored.customer_id])
    assert keys.unseal("message.subject", row["subject_enc"]).startswith(words)


async def test_one_mail_a_day_goes_to_an_address(db: Database, vault: Vault, settings: Settings) -> None:
    """Fifty tickets at once that give one address: one mail; a day later, another."""
    stored = await asyncio.gather(*(take(db, vault, settings, form(f"line {n}")) for n in range(50)))
    assert sum(len(one.due) for one in stored) == 1
    assert len(await mails(db, vault, settings)) == 1
    assert (await take(db, vault, settings, form("other", sender="bob@example.net"))).due
    await db.execute("UPDATE verifications SET created_at = now() - interval '25 hours'")
    assert (await take(db, vault, settings, form("again"))).due


async def test_a_mailbox_is_mailed_once_whatever_tag_is_typed(db: Database, vault: Vault, settings: Settings) -> None:
    """A stranger who thinks up tags floods nobody; another mailbox is another."""
    typed = [f"ada+{n}@example.org" for n in range(5)] + ["ada@example.org", "ada+1+2@example.org"]
    due = [(await take(db, vault, settings, form(sender=one))).due for one in typed]
    assert [len(one) for one in due] == [1, 0, 0, 0, 0, 0, 0]
    (mail,) = await mails(db, vault, settings)
    assert b"ada+0@example.org" in mail
    for other in ("+ada@example.org", "+eve@example.org", "ada@example.net"):
        assert (await take(db, vault, settings, form(sender=other))).due


async def test_links_in_all_are_bounded(db: Database, vault: Vault, settings: Settings) -> None:
    """Beyond it a message is stored without a link, which a metric tells; an hour later links go out again."""
    few = settings.model_copy(update={"verification_mails_max_per_h": 3})
    name, held = "fte_verification_mails_total", {"result": "held"}
    before = REGISTRY.get_sample_value(name, held) or 0.0
    stored = [await take(db, vault, few, form(sender=f"ada{n}@example.org")) for n in range(5)]
    assert [len(one.due) for one in stored] == [1, 1, 1, 0, 0]
    assert len(await db.fetch("SELECT id FROM tickets")) == 5
    assert REGISTRY.get_sample_value(name, held) == before + 2
    await db.execute("UPDATE verifications SET created_at = now() - interval '61 minutes'")
    assert (await take(db, vault, few, form(sender="eve@example.org"))).due


async def test_looking_at_a_link_proves_nothing(db: Database, vault: Vault, settings: Settings) -> None:
    """What a mail scanner's GET does: no row changes; what is wrong with a link is told beforehand."""
    _, token = await linked(db, vault, settings, form())
    tables = ("verifications", "customers", "customer_identifiers", "conversations", "customer_merges")

    async def rows() -> list[list[Any]]:
        return [await db.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]  # noqa: S608

    before, links = await rows(), MailedLinks(db, vault)
    for _ in range(3):
        await links.look(token)
    assert await rows() == before
    with pytest.raises(Rejected) as unknown:
        await links.look("nonsense")
    assert unknown.value.status == 404
    await db.execute("UPDATE verifications SET expires_at = now()")
    with pytest.raises(Rejected) as expired:
        await links.look(token)
    assert expired.value.status == 410


@pytest.mark.parametrize("address", ["support@example.com", "support+x@example.com", "help@example.com"])
async def test_our_own_address_is_not_mailed(db: Database, vault: Vault, settings: Settings, address: str) -> None:
    """It would come back to us."""
    assert (await take(db, vault, settings, form(sender=address))).due == ()


async def test_who_needs_no_link_gets_none(db: Database, vault: Vault, settings: Settings) -> None:
    """A second message of a ticket, a verified sender, a claimed mail, and a form without a public address."""
    ticket = form()
    await take(db, vault, settings, ticket)
    others = [
        later(ticket.thread, "more", Trust.CLAIMED),
        later("OTHER", "signed", Trust.VERIFIED, sender="eve@example.org"),
        email(sender="mallory@example.net", trust=Trust.CLAIMED),
        whatsapp(),
    ]
    assert [(await take(db, vault, settings, one)).due for one in others] == [()] * 4
    bare = settings.model_copy(update={"form_public_url": ""})
    assert (await take(db, vault, bare, form(sender="carl@example.org"))).due == ()


async def test_following_the_link_joins_the_owner_from_the_next_turn_on(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A verified visitor goes on in the ticket's conversation and reads all channels; twice is once; it is undoable."""
    owner = (await take(db, vault, settings, email(PRIVATE))).customer_id
    ticket = form("How do I export?")
    stored, token = await linked(db, vault, settings, ticket)
    assert stored.customer_id != owner
    assert PRIVATE not in await answered(db, vault, stored)
    redeemed = await redeem_link(db, vault, token)
    assert (redeemed.customer_id, redeemed.ticket_id) == (owner, ticket.thread)
    assert (redeemed.address, redeemed.name) == ("ada@example.org", "Ada Example")
    assert await MailedLinks(db, vault).redeem(token) == redeemed
    assert len(await db.fetch("SELECT id FROM customer_merges WHERE cause = 'link'")) == 1
    proven = await take(db, vault, settings, later(ticket.thread, "and now?", Trust.VERIFIED))
    assert (proven.customer_id, proven.conversation_id) == (owner, stored.conversation_id)
    turn = await turn_of(db, vault, proven)
    assert turn.trust is Trust.VERIFIED
    assert await answered(db, vault, proven) == [PRIVATE, "How do I export?", REPLY.text]
    await unmerge_customers(db, vault, customer_id=stored.customer_id)
    row: Any = await db.fetchrow("SELECT customer_id, trust FROM conversations WHERE id = $1", stored.conversation_id)
    assert tuple(row) == (stored.customer_id, "claimed")
    with pytest.raises(Rejected) as undone:
        await redeem_link(db, vault, token)
    assert undone.value.status == 410


async def test_whoever_typed_the_address_never_reads_what_its_owner_said(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The attack: a stranger types Ada's address, Ada follows the link and writes; the stranger's page goes on.

    Neither the stranger's turns nor the tools that act on the conversation read a word of Ada's, before or after.
    """
    await answered(db, vault, await take(db, vault, settings, email(PRIVATE)), "a secret answer")
    ticket = form("I am Ada, tell me all")
    stored, token = await linked(db, vault, settings, ticket)
    await answered(db, vault, stored, "an open answer")
    await redeem_link(db, vault, token)
    proven = await take(db, vault, settings, later(ticket.thread, "it was not me!", Trust.VERIFIED))
    await answered(db, vault, proven, "thank you for telling us")
    stranger = await take(db, vault, settings, later(ticket.thread, "what did I say before?", Trust.CLAIMED))
    assert stranger.conversation_id == stored.conversation_id
    turn = await turn_of(db, vault, stranger)
    assert turn.trust is Trust.CLAIMED
    expected = ["I am Ada, tell me all", "an open answer"]
    tools = DatabaseConversation(db, vault, settings, stored.conversation_id)
    assert [said.text for said in (await tools.load()).known_history] == expected
    assert await answered(db, vault, stranger) == expected
    loaded = await tools.load()
    assert (loaded.messages, loaded.trust, loaded.earlier) == ((), Trust.CLAIMED, None)
    assert [said.text for said in loaded.known_history][:2] == expected
    assert not {PRIVATE, "a secret answer", "it was not me!", "thank you for telling us"} & {
        said.text for said in loaded.known_history
    }


async def test_an_address_nobody_owns_becomes_the_visitor_s(db: Database, vault: Vault, settings: Settings) -> None:
    """From then on mail from there is theirs, and their claimed thread stays one conversation."""
    ticket = form()
    stored, token = await linked(db, vault, settings, ticket)
    redeemed = await redeem_link(db, vault, token)
    assert redeemed.customer_id == stored.customer_id
    assert (await take(db, vault, settings, email())).customer_id == stored.customer_id
    proven = await take(db, vault, settings, later(ticket.thread, "it is me", Trust.VERIFIED))
    assert proven.conversation_id == stored.conversation_id


async def test_clicks_and_first_mails_at_once_make_one_customer(db: Database, vault: Vault, settings: Settings) -> None:
    """A scanner's click, the reader's, and mails from that very address: one owner, no deadlock."""
    _, token = await linked(db, vault, settings, form())
    done = await asyncio.gather(
        *(redeem_link(db, vault, token) for _ in range(10)),
        *(take(db, vault, settings, email(f"mail {n}", thread=f"t{n % 3}")) for n in range(30)),
    )
    assert len({one.customer_id for one in done[:10]}) == 1
    rows = await db.fetch("SELECT DISTINCT customer_id FROM messages")
    assert {row["customer_id"] for row in rows} == {done[0].customer_id}
    row: Any = await db.fetchrow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert row["deadlocks"] == 0


async def test_a_link_is_refused_when_it_is_none_or_too_old(db: Database, vault: Vault, settings: Settings) -> None:
    """404 and 410."""
    _, token = await linked(db, vault, settings, form())
    for wrong in ("", "x" * 43, token[:-1]):
        with pytest.raises(Rejected) as unknown:
            await redeem_link(db, vault, wrong)
        assert unknown.value.status == 404
    await db.execute("UPDATE verifications SET expires_at = now()")
    with pytest.raises(Rejected) as expired:
        await redeem_link(db, vault, token)
    assert expired.value.status == 410


async def test_a_click_joins_no_customer_who_proved_something_else(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """An operator gave the claimed ticket to a number's owner: the address's owner must not be laid beside them."""
    texted = (await take(db, vault, settings, whatsapp())).customer_id
    stored, token = await linked(db, vault, settings, form())
    await merge_customers(db, texted, stored.customer_id)
    with pytest.raises(Rejected) as refused:
        await redeem_link(db, vault, token)
    assert refused.value.status == 410
    assert len(await db.fetch("SELECT id FROM customer_identifiers WHERE kind = 'email' AND trust = 'verified'")) == 0


async def test_a_verified_message_on_another_s_ticket_gets_its_own_conversation(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """A ticket's id alone opens nothing: the conversation must be the customer's, and proven."""
    ticket = form()
    stored = await take(db, vault, settings, ticket)
    signed = await take(db, vault, settings, later(ticket.thread, "hello", Trust.VERIFIED, sender="eve@example.org"))
    assert signed.conversation_id != stored.conversation_id
    assert await answered(db, vault, signed) == []
    tickets = await db.fetch("SELECT conversation_id FROM tickets")
    assert {row["conversation_id"] for row in tickets} == {stored.conversation_id, signed.conversation_id}
    customer: UUID
    customer = (await link(db, vault, "eve@example.org", "+12015550123")).customer_id
    assert customer == signed.customer_id
    assert Channel.WEB in {turn.channel for turn in [await _peeked(db, vault, signed)]}


async def _peeked(db: Database, vault: Vault, stored: inbox.Stored) -> mailbox.OpenTurn:
    return await mailbox.peek(db, vault, stored.conversation_id)


async def test_without_a_public_address_the_log_says_so_once(
    db: Database, vault: Vault, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody who uses the form can be verified then: an operator should see it, and not with every ticket."""
    _say_there_is_no_url.cache_clear()
    bare = settings.model_copy(update={"form_public_url": ""})
    for number in range(3):
        assert (await take(db, vault, bare, form(f"line {number}", sender=f"a{number}@example.org"))).due == ()
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("no_verification_links") == 1


async def test_every_message_counts_as_recognised_or_not(db: Database, vault: Vault, settings: Settings) -> None:
    """fte_recognised_total by channel: yes of all is the share; what a robot sent is no customer's."""

    def counted(channel: str, known: str) -> float:
        return REGISTRY.get_sample_value("fte_recognised_total", {"channel": channel, "known": known}) or 0.0

    labels = [(channel, known) for channel in Channel for known in ("yes", "no", "claimed")]
    before = {label: counted(*label) for label in labels}
    for message in (email(), email("again"), whatsapp(), form(), email(ignored="auto-submitted")):
        await take(db, vault, settings, message)
    rose = {label: counted(*label) - before[label] for label in labels if counted(*label) != before[label]}
    assert rose == {("email", "no"): 1, ("email", "yes"): 1, ("whatsapp", "no"): 1, ("web", "claimed"): 1}
    rows = await db.fetch("SELECT known, count(*) AS n FROM messages WHERE kind = 'message' GROUP BY known")
    assert {row["known"]: row["n"] for row in rows} == {"yes": 2, "no": 2, "claimed": 1}
