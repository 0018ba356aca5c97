"""Counters tell what was committed: on a real PostgreSQL, with transactions that fail at their end."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.channels.message import Trust
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_defeat, commit_turn
from shared.conversations.loops import REPEATED
from shared.db.pool import Database
from shared.errors import Retryable
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email
from tests.integration.test_mail_loops import arrive


class _Failing(Database):
    """The very database, whose transactions do all their work and break at the commit."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with self._db.transaction() as connection:
            yield connection
            raise ConnectionError("broken at the commit")


def _counted(outcome: str, reason: str) -> float:
    labels = {"channel": "email", "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("fte_outcomes_total", labels) or 0.0


def _recognised(known: str) -> float:
    return REGISTRY.get_sample_value("fte_recognised_total", {"channel": "email", "known": known}) or 0.0


async def _rolled_back_and_then_kept(db: Database, vault: Vault, settings: Settings, message: Any) -> None:
    with pytest.raises(Retryable):
        await inbox.store(_Failing(db), vault, settings, message, "event")
    await inbox.store(db, vault, settings, message, "event")


async def test_a_message_is_counted_once_it_is_stored(db: Database, vault: Vault, settings: Settings) -> None:
    """Its sender known or not, and an outcome at the door; the attempt that was rolled back counts nothing."""
    before = _recognised("no"), _counted("escalated", "held"), _counted("ignored", "precedence")
    await _rolled_back_and_then_kept(db, vault, settings, email("Hello"))
    held = email("Hello", trust=Trust.HELD, sender="held@example.org")
    await _rolled_back_and_then_kept(db, vault, settings, held)
    robot = email("News", sender="news@example.org").model_copy(update={"ignored": "precedence"})
    await _rolled_back_and_then_kept(db, vault, settings, robot)
    after = _recognised("no"), _counted("escalated", "held"), _counted("ignored", "precedence")
    assert tuple(now - then for now, then in zip(after, before, strict=True)) == (1, 1, 1)


async def test_a_loop_is_counted_once_it_is_stored(db: Database, vault: Vault, settings: Settings) -> None:
    """What else waited there goes to the person with it, and is counted with it."""
    text = "Thank you for your message. We will answer it within two days at the latest."
    for _ in range(2):
        await arrive(db, vault, settings, email(text))
    before = _counted("escalated", REPEATED)
    await _rolled_back_and_then_kept(db, vault, settings, email(text))
    assert _counted("escalated", REPEATED) - before == 1


@pytest.mark.parametrize("defeat", [True, False])
async def test_a_turn_is_counted_once_it_is_committed(
    db: Database, vault: Vault, settings: Settings, defeat: bool
) -> None:
    """Also the messages that go to a person beside the one that was answered so."""
    stored = await inbox.store(db, vault, settings, email("Hello"), uuid.uuid4().hex)
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    reason = "repeated-failure"
    before = _counted("escalated", reason)
    for database in (_Failing(db), db):
        try:
            if defeat:
                await commit_defeat(database, stored.lease, reason)
            else:
                await commit_turn(database, vault, turn, Verdict("escalated", reason, "A person will answer you."))
        except Retryable:
            assert database is not db
            assert _counted("escalated", reason) == before
    assert _counted("escalated", reason) - before == 1
