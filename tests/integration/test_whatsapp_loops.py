"""Two robots never go on for ever on WhatsApp either, and nobody who writes in short lines is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.channels.message import InboundMessage
from shared.channels.whatsapp.message import inbound_message
from shared.conversations.loops import REPEATED, TOO_MANY
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import whatsapp
from tests.integration.test_mail_loops import answers, arrive

_AUTO = "Hello {name}! Thanks for your message no. {n}. We are closed now and will get back to you on Monday, 9:{n} AM."
_REPLIED = ("replied", None)


async def test_a_robot_on_whatsapp_gets_four_answers(db: Database, vault: Vault, settings: Settings) -> None:
    """An away message of a business account: the same but for numbers and days; a person has it, without a word."""
    texts = [_AUTO.format(name="Ada", n=n) for n in range(10, 17)]
    outcomes = [await arrive(db, vault, settings, whatsapp(text)) for text in texts]
    assert outcomes[:5] == [_REPLIED] * 4 + [("escalated", REPEATED)]
    assert set(outcomes[5:]) == {("escalated", "with-person")}
    assert await answers(db) == 4


async def test_a_person_who_was_not_helped_may_ask_again(db: Database, vault: Vault, settings: Settings) -> None:
    """Silence would be worse than the same answer; asked a fifth time, a person has it."""
    question = "How do I export all of my data to a spreadsheet?"
    outcomes = [await arrive(db, vault, settings, whatsapp(question)) for _ in range(5)]
    assert outcomes == [_REPLIED] * 4 + [("escalated", REPEATED)]


async def test_a_robot_whose_text_varies_gets_no_more_than_a_person_writes(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """The limit an hour ends it; an hour after a person handed back, the number is answered again."""
    bounded = settings.model_copy(update={"whatsapp_max_per_h": 3})
    words = ("red", "green", "blue", "white", "black")
    texts = [f"do you have {word}" for word in words]
    outcomes = [await arrive(db, vault, bounded, whatsapp(text)) for text in texts]
    assert outcomes == [_REPLIED] * 3 + [("escalated", TOO_MANY), ("escalated", "with-person")]
    await db.execute("UPDATE messages SET stored_at = stored_at - interval '61 minutes'")
    await db.execute("UPDATE conversations SET state = 'agent'")
    assert await arrive(db, vault, bounded, whatsapp("and grey ones?")) == _REPLIED


async def test_a_slow_robot_ends_within_the_day(db: Database, vault: Vault, settings: Settings) -> None:
    """Below the limit an hour, and never ending."""
    bounded = settings.model_copy(update={"whatsapp_max_per_d": 2})
    outcomes: list[tuple[str | None, str | None]] = []
    for word in ("red", "green", "blue"):
        outcomes.append(await arrive(db, vault, bounded, whatsapp(f"do you have {word}")))
        await db.execute("UPDATE messages SET stored_at = stored_at - interval '61 minutes'")
    assert outcomes == [_REPLIED] * 2 + [("escalated", TOO_MANY)]


@pytest.mark.parametrize("text", ["Yes", "yes please", "hello?", "[sent without words: image/jpeg]", "12345", "👍 ok"])
async def test_a_line_that_people_write_again_is_no_loop(
    db: Database, vault: Vault, settings: Settings, text: str
) -> None:
    """An answer to our questions, a nudge, one more photo."""
    for _ in range(4):
        assert await arrive(db, vault, settings, whatsapp(text)) == _REPLIED


async def test_the_same_question_of_two_numbers_is_two_questions(
    db: Database, vault: Vault, settings: Settings
) -> None:
    question = "How do I export all of my data to a spreadsheet?"
    for number in ("+12015550123", "+12015550124"):
        assert await arrive(db, vault, settings, whatsapp(question, sender=number)) == _REPLIED


async def test_a_person_may_ask_again_the_next_day(db: Database, vault: Vault, settings: Settings) -> None:
    question = "How do I export all of my data to a spreadsheet?"
    assert await arrive(db, vault, settings, whatsapp(question)) == _REPLIED
    await db.execute("UPDATE messages SET stored_at = stored_at - interval '25 hours'")
    assert await arrive(db, vault, settings, whatsapp(question)) == _REPLIED


async def test_a_correction_resembles_what_it_corrects(db: Database, vault: Vault, settings: Settings) -> None:
    """Edited after the answer, one word changed: the correction is answered."""
    question = "How do I export all of my contacts and invoices of the year to a spreadsheet in one go, please?"

    def written(sid: str, text: str, **more: str) -> InboundMessage:
        fields = {"MessageSid": sid, "From": "whatsapp:+12015550123", "Body": text, **more}
        return inbound_message(fields, datetime.now(UTC))

    assert await arrive(db, vault, settings, written("SMsecret1", question)) == _REPLIED
    mended = written("SMsecret2", question + " thanks", MessageType="edit", OriginalMessageSid="SMsecret1")
    assert await arrive(db, vault, settings, mended) == _REPLIED
