"""A conversation given back: what the model is sent has the person's words, and never a note of theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from shared.agent.turn import open_agent, run_turn
from shared.agent.verdict import ask, to_verdict
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.history import history
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp
from tests.integration.test_agent_wire import SEARCH, control
from tests.unit.test_agent_tools import Shelf
from tests.unit.test_agent_turn import GOOD, PAGE

WORDS = "I have moved your workspace to the Lisbon region. Sam"
NOTE = "They are about to leave us"


@pytest.mark.parametrize("message", [email, whatsapp, lambda text: form(text, ticket_id="PAGE")])
async def test_the_person_s_words_are_in_the_run_s_input(
    endpoint: str,
    db: Database,
    vault: Vault,
    settings: Settings,
    message: Any,
) -> None:
    """Handed over, answered and noted by a person, returned, asked again: seen at the endpoint, on each channel."""
    stored = await inbox.store(db, vault, settings, message("Please move us to another region"), "e1")
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    await commit_turn(db, vault, turn, Verdict("escalated", "human", "A colleague will answer."))
    row: Any = await db.fetchrow("SELECT id FROM tickets")
    desk = desk_of(db, vault, settings)
    await desk.note(row["id"], NOTE, "sam")
    await desk.reply(row["id"], WORDS, "sam")
    await desk.give_back(row["id"], "sam")
    again = message("And how do I export my data?")
    if again.channel == "web":
        # A later message on the same page.
        again = again.model_copy(update={"provider_message_id": "PAGE.2", "form": None, "subject": ""})
    woken = await inbox.store(db, vault, settings, again, "e2")
    assert woken.conversation_id == stored.conversation_id
    assert woken.lease is not None
    turn = (await mailbox.look(db, vault, woken.lease)).turn
    assert turn is not None
    await control(endpoint, "script", {"turns": [SEARCH, {"content": GOOD}]})
    live = settings.model_copy(update={"openai_api_key": SecretStr("local"), "openai_base_url": f"{endpoint}/v1"})
    async with open_agent(live, Shelf(PAGE)) as agent:
        result = await run_turn(agent, await ask(db, turn, await history(db, vault, turn, 20)))
    await commit_turn(db, vault, turn, to_verdict(turn, result))
    asked = [json.dumps(one["body"], ensure_ascii=False) for one in await control(endpoint, "requests")]
    assert len(asked) >= 2
    assert all(WORDS in body and "a colleague of ours wrote" in body for body in asked)
    assert not any(NOTE in body for body in asked)
