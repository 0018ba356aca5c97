"""A comment above a forward: stored apart, and together again for the agent that answers it. On a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from shared.agent.prompt import QUOTE_MARK, current_text
from shared.agent.verdict import ask
from shared.channels.gmail.inbound import to_inbound
from shared.conversations import inbox, mailbox
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.unit.test_gmail_message import _raw

_PAYLOADS = Path(__file__).parents[1] / "payloads" / "gmail"


async def told(db: Database, vault: Vault, settings: Settings, name: str) -> str:
    """What the agent is given of one mail of the collection."""
    message = to_inbound(_raw((_PAYLOADS / f"{name}.eml").read_bytes(), id=name, thread_id=name), settings)
    stored = await inbox.store(db, vault, settings, message, name)
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    return current_text(await ask(db, turn, ()))


async def test_the_forwarded_question_reaches_the_agent(db: Database, vault: Vault, settings: Settings) -> None:
    """With the comment, as data."""
    text = await told(db, vault, settings, "forward-gmail")
    assert "Is this from you?" in text
    assert f'{QUOTE_MARK}"' in text
    assert "You owe us 5 euros" in text


async def test_the_quote_below_a_reply_does_not(db: Database, vault: Vault, settings: Settings) -> None:
    """It is what we wrote, and the history has it."""
    assert "open Settings" not in await told(db, vault, settings, "gmail-web-en")
