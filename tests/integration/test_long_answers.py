"""The rest of a long answer, on a real PostgreSQL: kept with the reply, mailed once, also after a later link."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.channels.provider import Outbound, Receipt
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.letters import SQL as LETTERS
from shared.conversations.long_answers import PAST_OFFER_D, mail_wanted
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.identity.link import link
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, whatsapp

NUMBER, ADDRESS = "+12015550123", "ada@example.org"
WHOLE = "First this. Then that. " * 150 + "Further details: https://help.example.com/a"


async def turn(db: Database, vault: Vault, settings: Settings, text: str, verdict: Verdict) -> inbox.Stored:
    """A WhatsApp message and what the agent decides of it."""
    stored = await inbox.store(db, vault, settings, whatsapp(text, sender=NUMBER), str(uuid4()))
    assert stored.lease is not None
    seen = await mailbox.look(db, vault, stored.lease)
    assert seen.turn is not None
    await commit_turn(db, vault, seen.turn, verdict)
    await mailbox.hand_back(db, stored.lease)
    return stored


async def know_address(db: Database, vault: Vault, settings: Settings) -> None:
    """The number's customer owns ADDRESS too."""
    stored = await inbox.store(db, vault, settings, email("hello", sender=ADDRESS), str(uuid4()))
    assert stored.lease is not None
    await mailbox.hand_back(db, stored.lease)
    await db.execute("UPDATE messages SET outcome = 'ignored', outcome_reason = 'test' WHERE outcome IS NULL")
    await link(db, vault, ADDRESS, NUMBER)


async def mails(db: Database, vault: Vault, settings: Settings) -> list[Outbound]:
    """What send-reply would hand to Gmail."""
    ledger, found = Ledger(db, vault, settings), []
    for row in await db.fetch("SELECT route_id FROM deliveries WHERE channel = 'email' ORDER BY seq"):
        while (claim := await ledger.claim(row["route_id"])) is not None:
            found.append(claim.outbound)
            await ledger.finish(claim.outbound, Receipt(f"g{len(found)}"))
    return found


async def offered(db: Database, conversation_id: object) -> tuple[bool, bool]:
    row = await db.fetchrow(LETTERS["is_offered"], conversation_id)
    assert row is not None
    return row["offered"], row["mailable"]


async def test_a_yes_mails_all_of_it_once(db: Database, vault: Vault, settings: Settings) -> None:
    """The whole, with a subject of its own and within 500 words, to the confirmed address; however often asked for."""
    stored = await turn(db, vault, settings, "how?", Verdict("replied", None, "So. Write YES.", whole=WHOLE))
    await know_address(db, vault, settings)
    assert await offered(db, stored.conversation_id) == (True, True)
    assert await mail_wanted(db, vault, "Tideline Support", stored.conversation_id) == []
    await turn(db, vault, settings, "yes", Verdict("replied", None, "On its way.", takes_offer=True))
    both = await asyncio.gather(*(mail_wanted(db, vault, "Tideline Support", stored.conversation_id) for _ in range(4)))
    assert sum(len(one) for one in both) == 1
    (mail,) = await mails(db, vault, settings)
    assert (mail.to, mail.own_subject) == (ADDRESS, "The whole answer to your question on WhatsApp")
    assert mail.text.startswith("Hello Ada Example,\n\nHere is the whole answer")
    assert "First this. Then that." in mail.text
    assert over_limit(Channel.EMAIL, mail.text) is None


async def test_a_wish_waits_for_the_address(db: Database, vault: Vault, settings: Settings) -> None:
    """Wanted while no address is known; mailed by whoever looks after the link, and found by the sweep."""
    stored = await turn(db, vault, settings, "how?", Verdict("replied", None, "So. Write YES.", whole=WHOLE))
    await turn(db, vault, settings, "yes", Verdict("replied", None, "Which address?", takes_offer=True))
    assert await mail_wanted(db, vault, "Team", stored.conversation_id) == []
    assert await db.fetch(LETTERS["due"]) == []
    await know_address(db, vault, settings)
    assert [row["conversation_id"] for row in await db.fetch(LETTERS["due"])] == [stored.conversation_id]
    assert len(await mail_wanted(db, vault, "Team", stored.conversation_id)) == 1
    assert await db.fetch(LETTERS["due"]) == []


async def test_our_next_word_ends_the_offer(db: Database, vault: Vault, settings: Settings) -> None:
    """A yes to something else mails nothing."""
    stored = await turn(db, vault, settings, "how?", Verdict("replied", None, "So. Write YES.", whole=WHOLE))
    await turn(db, vault, settings, "and that?", Verdict("replied", None, "Do you mean this?"))
    assert await offered(db, stored.conversation_id) == (False, False)
    await turn(db, vault, settings, "yes", Verdict("replied", None, "Good.", takes_offer=True))
    await know_address(db, vault, settings)
    assert await mail_wanted(db, vault, "Team", stored.conversation_id) == []


async def test_a_lapsed_offer_can_still_be_taken(db: Database, vault: Vault, settings: Settings) -> None:
    """The newest alone, once, and as long as it is not old."""
    await turn(db, vault, settings, "how?", Verdict("replied", None, "So. Write YES.", whole="The older rest."))
    stored = await turn(
        db, vault, settings, "and?", Verdict("replied", None, "So. Write YES.", whole="The newer rest.")
    )
    await turn(db, vault, settings, "and that?", Verdict("replied", None, "Choose a colour."))
    assert await past(db, stored.conversation_id) == "lapsed"
    await know_address(db, vault, settings)
    await turn(db, vault, settings, "YES", Verdict("replied", None, "On its way.", takes_past_offer=True))
    assert len(await mail_wanted(db, vault, "Team", stored.conversation_id)) == 1
    (mail,) = await mails(db, vault, settings)
    assert ("The newer rest." in mail.text, "The older rest." in mail.text) == (True, False)
    assert await past(db, stored.conversation_id) == "sent"
    await turn(db, vault, settings, "YES", Verdict("replied", None, "Was sent.", takes_past_offer=True))
    assert await mail_wanted(db, vault, "Team", stored.conversation_id) == []
    await db.execute("UPDATE long_answers SET created_at = now() - interval '31 days'")
    assert await past(db, stored.conversation_id) is None


async def past(db: Database, conversation_id: object) -> str | None:
    row = await db.fetchrow(LETTERS["past_offer"], conversation_id, PAST_OFFER_D)
    return row["state"] if row else None


async def test_nothing_of_it_lies_in_the_open(db: Database, vault: Vault, settings: Settings) -> None:
    """Sealed under the customer's key like every text."""
    await turn(db, vault, settings, "how?", Verdict("replied", None, "So. Write YES.", whole="a secret rest"))
    row = await db.fetchrow("SELECT text_enc FROM long_answers")
    assert row is not None
    assert b"secret" not in row["text_enc"]
