"""Files of WhatsApp messages: fetched after the inbox commit, kept, told to the turn, and never in an answer's way."""

from __future__ import annotations

import pytest

from shared.channels.provider import ProviderDown, ProviderRefused
from shared.channels.whatsapp.contact_card import names
from shared.channels.whatsapp.content import MOST_FETCHED
from shared.channels.whatsapp.media import Fetched
from shared.conversations import mailbox
from shared.conversations.waiting_files import MOST_ATTEMPTS, WaitingFiles
from shared.db.pool import Database
from shared.privacy import blobs
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.integration.whatsapp_files import PNG, Source, states, stored, with_files

CARD = b"BEGIN:VCARD\r\nN:Example;Grace;;Dr.;\r\nFN:Dr. Grace\r\n  Example\r\nTEL:+12015550155\r\nEND:VCARD\r\n"


async def test_a_file_is_kept_and_told_to_the_turn(db: Database, vault: Vault, settings: Settings) -> None:
    """Type by content, size, hash, text; the contents lie in a blob of the customer's."""
    came = await stored(db, vault, settings, with_files("image/jpeg", "text/plain"))
    source = Source([Fetched(PNG, "image/jpeg"), Fetched(b"error 17 in line 3", "text/plain")])
    assert await WaitingFiles(db, vault, source).fetch(came.conversation_id) == 2
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    picture, text = seen.turn.messages[0].attachments
    assert (picture.content_type, picture.name, picture.size) == ("image/png", "attachment-1.png", len(PNG))
    assert text.text == "error 17 in line 3"
    assert not seen.turn.waits_for_files
    async with db.transaction() as connection:
        assert picture.blob is not None
        assert await blobs.contents(connection, vault, picture.blob) == PNG


async def test_it_is_fetched_once(db: Database, vault: Vault, settings: Settings) -> None:
    """A repeat of the event, and the sweep, find nothing to fetch."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([Fetched(PNG, "image/png")])
    files = WaitingFiles(db, vault, source)
    assert [await files.fetch(came.conversation_id) for _ in range(3)] == [1, 0, 0]
    assert len(source.asked) == 1


async def test_whose_card_it_is_is_told(db: Database, vault: Vault, settings: Settings) -> None:
    """The name, and nobody's number."""
    came = await stored(db, vault, settings, with_files("text/vcard", body=""))
    await WaitingFiles(db, vault, Source([Fetched(CARD, "text/vcard")])).fetch(came.conversation_id)
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    (card,) = seen.turn.messages[0].attachments
    assert card.text == "Contact card of Dr. Grace Example"


@pytest.mark.parametrize(
    ("card", "found"),
    [
        (CARD, ["Dr. Grace Example"]),
        (b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Ada;;;\n", ["Ada M\u00fcller"]),
        (b"BEGIN:VCARD\nitem1.FN:A\\, B\nEND:VCARD\nBEGIN:VCARD\nORG:Example Ltd;Sales\n", ["A, B", "Example Ltd"]),
        (b"BEGIN:VCARD\nTEL:1\nEND:VCARD", []),
        (b"", []),
        (b"\xff\xfe\x00", []),
    ],
)  # fmt: skip
def test_names_on_cards(card: bytes, found: list[str]) -> None:
    """As phones of different ages write them; what is no card names nobody."""
    assert names(card) == found


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (ProviderRefused("gone", code="not-found"), ("gone", "not-found")),
        (ProviderRefused("large", code="too-large"), ("refused", "too-large")),
        (ProviderRefused("elsewhere", code="foreign-host"), ("refused", "foreign-host")),
    ],
)
async def test_what_can_never_be_had_says_why(
    db: Database, vault: Vault, settings: Settings, fault: Exception, state: tuple[str, str]
) -> None:
    """For good, at once, with the reason where an operator looks."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([fault])
    await WaitingFiles(db, vault, source).fetch(came.conversation_id)
    assert await states(db) == [state]
    assert len(source.asked) == 1


async def test_what_fails_waits_for_the_sweep_and_ends(db: Database, vault: Vault, settings: Settings) -> None:
    """Twice at once, then with growing pauses, then `gone`: the answer was never kept waiting."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([ProviderDown("away", code="503")])
    files = WaitingFiles(db, vault, source)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert await files.fetch(came.conversation_id) == 1
        assert await files.fetch(came.conversation_id) == 0
        assert len(source.asked) == 2 * attempt
        if attempt < MOST_ATTEMPTS:
            assert await states(db) == [("waiting", "503")]
        await db.execute("UPDATE attachments SET next_at = now()")
    assert await states(db) == [("gone", "503")]
    assert await files.fetch(came.conversation_id) == 0


async def test_a_slow_store_does_not_eat_the_turn(
    db: Database, vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files of a message together have seconds, and no more."""
    monkeypatch.setattr("shared.conversations.waiting_files.BUDGET_S", 0.2)

    class Slow:
        async def fetch(self, url: str) -> Fetched:
            import asyncio

            await asyncio.sleep(30)
            raise AssertionError(url)

    came = await stored(db, vault, settings, with_files("image/png", "image/png"))
    assert await WaitingFiles(db, vault, Slow()).fetch(came.conversation_id) == 1
    assert await states(db) == [("waiting", "timeout"), ("waiting", None)]


async def test_more_files_than_are_kept_are_named_only(db: Database, vault: Vault, settings: Settings) -> None:
    """The twenty-first and on are refused at the door, as on every channel."""
    came = await stored(db, vault, settings, with_files(*(["image/png"] * (MOST_FETCHED + 2))))
    assert (await states(db))[MOST_FETCHED:] == [("refused", "too-many")] * 2
    assert await WaitingFiles(db, vault, Source([Fetched(PNG, "")])).fetch(came.conversation_id) == MOST_FETCHED
