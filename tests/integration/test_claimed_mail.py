"""A mail to an address that is only claimed carries nothing its writer wrote: composed from the real ledger."""

from __future__ import annotations

from email import message_from_bytes, policy

from shared.agent.verdict import ask
from shared.channels.gmail.compose import compose
from shared.channels.message import InboundMessage, Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.db.pool import Database
from shared.delivery.ledger import Ledger
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email

_SPAM = "Buy pills at https://evil.example.net today"


def mail(trust: Trust) -> InboundMessage:
    """One that says the same everywhere it can."""
    made = email(_SPAM, trust=trust, subject=_SPAM)
    assert made.email is not None
    headers = made.email.model_copy(update={"references": ("<evil.example.net@example.org>",)})
    return made.model_copy(
        update={"sender": made.sender.model_copy(update={"name": "Buy pills"}), "quoted": _SPAM, "email": headers}
    )


async def composed(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> bytes:
    """The answer's bytes, and nothing of the customer's in the turn that may be greeted."""
    stored = await inbox.store(db, vault, settings, message, "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    claimed = message.sender.trust is Trust.CLAIMED
    assert ((await ask(db, turn, ())).customer_name == "") is claimed
    delivery_id = await commit_turn(db, vault, turn, Verdict("replied", None, "Open Settings, then Export."))
    assert delivery_id is not None
    ledger = Ledger(db, vault, settings)
    route = await ledger.route_of(delivery_id)
    assert route is not None
    claim = await ledger.claim(route)
    assert claim is not None
    return compose(claim.outbound, settings)


async def test_a_claimed_sender_gets_none_of_their_own_words(db: Database, vault: Vault, settings: Settings) -> None:
    """No quote, no subject, no name, no chain of references; still in its thread."""
    raw = await composed(db, vault, settings, message := mail(Trust.CLAIMED))
    mime = message_from_bytes(raw, policy=policy.default)
    assert mime["Subject"] == "Re: your message to Tideline Support"
    assert mime["To"] == "ada@example.org"
    assert message.email is not None
    assert mime["In-Reply-To"] == message.email.message_id
    everything = raw.decode() + "".join(part.get_content() for part in mime.walk() if not part.is_multipart())
    assert not [word for word in ("pills", "evil", "wrote:", "blockquote") if word in everything]
    assert "Open Settings, then Export." in everything


async def test_a_verified_sender_gets_the_original_below(db: Database, vault: Vault, settings: Settings) -> None:
    """The rule is about claims alone."""
    raw = await composed(db, vault, settings, mail(Trust.VERIFIED))
    mime = message_from_bytes(raw, policy=policy.default)
    assert mime["Subject"] == f"Re: {_SPAM}"
    assert "Buy pills" in mime["To"]
    assert "> Buy pills at" in mime.get_body(("plain",)).get_content()  # type: ignore[union-attr]
