"""Files on a real PostgreSQL: sealed, given to their customer, opened with their message, gone with their key."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from shared.agent.prompt import current_text
from shared.agent.verdict import ask
from shared.channels.files import facts
from shared.channels.message import InboundMessage
from shared.conversations import inbox, mailbox
from shared.db.pool import Database
from shared.errors import Permanent
from shared.privacy import blobs
from shared.privacy.vault import Erased, Vault
from shared.settings import Settings
from tests.builders import email

SECRET = b"the invoice of Ada Example"


async def kept(db: Database, vault: Vault, data: bytes = SECRET) -> uuid.UUID:
    """A blob whose message has not been stored."""
    async with db.transaction() as connection:
        return await blobs.keep(connection, vault, data)


async def read(db: Database, vault: Vault, blob: uuid.UUID) -> bytes | None:
    """A blob's contents."""
    async with db.transaction() as connection:
        return await blobs.contents(connection, vault, blob)


def with_file(blob: uuid.UUID, data: bytes = SECRET) -> InboundMessage:
    """A mail with one text file and its raw form kept."""
    file = facts("invoice.txt", "text/plain", data).model_copy(update={"blob": blob})
    return email().model_copy(update={"attachments": (file,), "raw_blob": blob})


async def test_a_file_is_sealed_given_to_its_customer_and_erased_with_them(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Nothing readable lies in the table; after the message the key is the customer's; erased is erased."""
    blob = await kept(db, vault)
    assert await read(db, vault, blob) == SECRET
    stored = await inbox.store(db, vault, settings, with_file(blob), "e1")
    row: Any = await db.fetchrow("SELECT * FROM blobs WHERE id = $1", blob)
    assert row["customer_id"] == stored.customer_id
    assert b"invoice" not in row["data_enc"]
    assert await read(db, vault, blob) == SECRET
    await db.execute("UPDATE customers SET data_key = NULL, erased_at = now()")
    with pytest.raises(Erased):
        await read(db, vault, blob)


async def test_a_turn_is_given_the_facts_and_the_text(db: Database, vault: Vault, settings: Settings) -> None:
    """The agent reads what the file is and how it begins."""
    stored = await inbox.store(db, vault, settings, with_file(await kept(db, vault)), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    assert turn.messages[0].attachments[0].text == SECRET.decode()
    told = current_text(await ask(db, turn, ()))
    assert "[attached file: invoice.txt, text/plain]" in told
    assert '"the invoice of Ada Example"' in told


async def test_a_blob_of_another_is_not_taken(db: Database, vault: Vault, settings: Settings) -> None:
    """An id is no proof: the second message that names a blob is stored without it, and the first keeps it."""
    blob = await kept(db, vault)
    first = await inbox.store(db, vault, settings, with_file(blob), "e1")
    other = with_file(blob).model_copy(update={"sender": email(sender="grace@example.net").sender, "thread": "t2"})
    await inbox.store(db, vault, settings, other, "e2")
    rows = await db.fetch("SELECT state, reason, blob_id FROM attachments ORDER BY state")
    assert [tuple(row) for row in rows] == [("gone", "contents-lost", None), ("kept", None, blob)]
    assert (await db.fetchrow("SELECT customer_id FROM blobs"))["customer_id"] == first.customer_id  # type: ignore[index]


async def test_contents_moved_to_another_row_do_not_open(db: Database, vault: Vault) -> None:
    """The blob's id is authenticated with its contents."""
    one, two = await kept(db, vault), await kept(db, vault, b"other")
    await db.execute(
        "UPDATE blobs SET (key_enc, data_enc) = (SELECT key_enc, data_enc FROM blobs WHERE id = $1) WHERE id = $2",
        one,
        two,
    )
    with pytest.raises(Permanent):
        await read(db, vault, two)
    assert await read(db, vault, uuid.uuid4()) is None
