"""`kn-fte` as an operator uses it: a real desk, a real PostgreSQL, a process and sometimes a terminal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.agent.contract import TurnInput
from shared.agent.verdict import ask
from shared.channels.message import InboundMessage
from shared.clock import SystemClock
from shared.conversations import inbox, mailbox
from shared.conversations.commit import Verdict, commit_turn
from shared.conversations.history import history
from shared.db.pool import Database
from shared.dead_letters.roll_call import open_roll_call
from shared.events.data import ConversationWake
from shared.events.envelope import CONVERSATION_WAKE, INBOUND, new_event
from shared.events.kafka import KafkaProducer
from shared.events.topics import create_topics
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.conftest import make_settings
from tests.integration.desk_side import Operator, operator

ADDRESS, PHONE = "ada@example.org", "+12015550123"


@pytest.fixture
def settings(dsn: str, memory_kafka: str) -> Settings:
    """With Kafka besides the database."""
    return make_settings(database_url=SecretStr(dsn), kafka_bootstrap_servers=memory_kafka)


@pytest_asyncio.fixture
async def sam(db: Database, vault: Vault, settings: Settings) -> AsyncIterator[Operator]:
    """An operator."""
    await create_topics(settings, replication=1)
    producer = await KafkaProducer.open(settings)
    async with operator(db, vault, settings, producer) as found:
        yield found
    await producer.close()


async def test_a_number_nobody_wrote_from_is_asked_about_and_can_be_taken_away(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """No, or a program without --yes: nothing is done. Yes, or --yes: linked, and said what it was. Unlinked: gone."""
    stored = await inbox.store(db, vault, settings, email(), "e1")
    refused = await sam.kn("customers", "link", ADDRESS, PHONE, answer="n")
    assert refused.code == 1
    assert f"Nobody has written from {PHONE}" in refused.err
    shown = (await sam.kn("customers", "show", ADDRESS, "-o", "json")).json
    assert [one["value"] for one in shown["identifiers"]] == [ADDRESS]
    unasked = await sam.kn("customers", "link", ADDRESS, PHONE)
    assert (unasked.code, "Say so with --yes" in unasked.err) == (1, True)
    shown = (await sam.kn("customers", "show", ADDRESS, "-o", "json")).json
    assert [one["value"] for one in shown["identifiers"]] == [ADDRESS]

    agreed = await sam.kn("customers", "link", ADDRESS, PHONE, answer="y")
    assert agreed.code == 0
    assert f"kn-fte customers unlink {PHONE}" in agreed.out
    again = (await sam.kn("customers", "link", ADDRESS, PHONE, "-o", "json")).json
    assert [one["was"] for one in again["identifiers"]] == ["theirs", "theirs"]

    taken = (await sam.kn("customers", "unlink", PHONE, "-o", "json")).json
    assert [(row["identifier"], row["customer_id"], row["moved_to"]) for row in taken] == [
        (PHONE, str(stored.customer_id), None)
    ]
    gone = await sam.kn("customers", "show", PHONE)
    assert gone.code == 1
    linked = (await sam.kn("customers", "link", ADDRESS, PHONE, "--yes", "-o", "json")).json
    assert [one["was"] for one in linked["identifiers"]] == ["theirs", "unknown"]
    last = await sam.kn("customers", "unlink", ADDRESS, PHONE)
    assert (last.code, len(last.err.splitlines())) == (1, 1)
    assert "`kn-fte customers show WHO`" in last.err


async def taken(
    db: Database, vault: Vault, settings: Settings, message: InboundMessage, verdict: Verdict
) -> tuple[str, TurnInput]:
    """A message and its turn, decided so: its ticket, and what the agent was given."""
    stored = await inbox.store(db, vault, settings, message, message.provider_message_id)
    assert stored.lease is not None
    turn = (await mailbox.look(db, vault, stored.lease)).turn
    assert turn is not None
    given = await ask(db, turn, await history(db, vault, turn, 20))
    await commit_turn(db, vault, turn, verdict)
    if verdict.outcome == "replied":
        await mailbox.hand_back(db, stored.lease)
    row: Any = await db.fetchrow("SELECT id FROM tickets WHERE conversation_id = $1", stored.conversation_id)
    return row["id"], given


async def delivered(db: Database) -> None:
    """Everything that was to be sent is out."""
    await db.execute("UPDATE deliveries SET status = 'sent', finished_at = now() WHERE status = 'queued'")


REFUND = Verdict("escalated", "refund", "A colleague will answer.", summary="Who: Ada")
ANSWER = Verdict("replied", None, "Open Settings, then Export.", model="gpt-4.1-mini", tokens_in=1200, tokens_out=80)


async def test_a_list_tells_who_waits_for_us_from_who_was_answered(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """Both stand as escalated: one waits for a person, one for its customer; the status counts the first."""
    waiting, _ = await taken(db, vault, settings, email(thread="t1"), REFUND)
    answered, _ = await taken(db, vault, settings, whatsapp(), REFUND)
    open_, _ = await taken(db, vault, settings, form(), ANSWER)
    await sam.kn("tickets", "reply", answered, "I have looked into it. Sam")
    rows = {row["id"]: row for row in (await sam.kn("tickets", "list", "-o", "json")).json}
    assert {name: row["waits_for"] for name, row in rows.items()} == {
        waiting: "person",
        answered: "customer",
        open_: "customer",
    }
    assert rows[waiting]["waits_since"] is not None
    only = (await sam.kn("tickets", "list", "--waits-for", "person", "-o", "json")).json
    assert [row["id"] for row in only] == [waiting]
    counts = await sam.office.status()
    assert (counts["escalated"], counts["waiting_person"]) == (2, 1)
    # What never arrived is not answered.
    await db.execute("UPDATE deliveries SET status = 'failed' WHERE author = 'human'")
    assert (await sam.office.status())["waiting_person"] == 2


async def test_closing_keeps_why_it_came_to_a_person(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """The reason of the closing stands beside it, sealed."""
    ticket, _ = await taken(db, vault, settings, email(), REFUND)
    await delivered(db)
    await sam.kn("tickets", "close", ticket, "--reason", "solved by telephone with Ada")
    # However its letters are typed.
    shown = (await sam.kn("tickets", "show", ticket.lower(), "-o", "json")).json
    assert (shown["reason"], shown["close_reason"], shown["waits_for"]) == (
        "refund",
        "solved by telephone with Ada",
        None,
    )
    row: Any = await db.fetchrow("SELECT to_jsonb(t)::text AS raw FROM tickets t")
    assert "telephone" not in row["raw"]


async def test_a_ticket_is_somebody_s(sam: Operator, db: Database, vault: Vault, settings: Settings) -> None:
    """Assigned by name, listed by --mine and --assigned, taken by whoever replies first; given back, nobody's."""
    ticket, _ = await taken(db, vault, settings, email(), REFUND)
    other, _ = await taken(db, vault, settings, whatsapp(), REFUND)
    assert (await sam.kn("tickets", "assign", ticket, "-o", "json")).json["assigned_to"] == "sam"
    alex = replace(sam, name="alex")
    assert (await alex.kn("tickets", "list", "--mine", "-o", "json")).json == []
    assert [row["id"] for row in (await sam.kn("tickets", "list", "--mine", "-o", "json")).json] == [ticket]
    assert [row["id"] for row in (await sam.kn("tickets", "list", "--assigned", "", "-o", "json")).json] == [other]
    await alex.kn("tickets", "reply", ticket, "Alex here.")
    await alex.kn("tickets", "reply", other, "Alex here.")
    mine = (await sam.kn("tickets", "list", "--mine", "-o", "json")).json
    assert [row["id"] for row in mine] == [ticket], "who has it keeps it"
    assert [row["id"] for row in (await sam.kn("tickets", "list", "--assigned", "alex", "-o", "json")).json] == [other]
    await alex.kn("tickets", "return", other)
    assert (await sam.kn("tickets", "show", other, "-o", "json")).json["assigned_to"] is None
    assert (await sam.kn("tickets", "assign", ticket, "--nobody", "-o", "json")).json["assigned_to"] is None
    acts = await db.fetch("SELECT action, details ->> 'by' AS by FROM operator_actions ORDER BY id")
    assert [tuple(row) for row in acts][:3] == [
        ("tickets.assign", "sam"),
        ("tickets.reply", "alex"),
        ("tickets.reply", "alex"),
    ]


async def test_the_same_reply_is_sent_once_unless_it_is_meant(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """A second press of the key is refused and says how to mean it; other words, or a minute later, go out."""
    ticket, _ = await taken(db, vault, settings, email(), REFUND)
    assert (await sam.kn("tickets", "reply", ticket, "It is done. Sam")).code == 0
    twice = await sam.kn("tickets", "reply", ticket, "It is done. Sam\n")
    assert twice.code == 1
    assert "--again" in twice.err
    count = "SELECT count(*) AS n FROM deliveries WHERE author = 'human'"
    assert (await db.fetch(count))[0]["n"] == 1
    assert (await sam.kn("tickets", "reply", ticket, "It is done. Sam", "--again")).code == 0
    assert (await sam.kn("tickets", "reply", ticket, "It is done, and paid. Sam")).code == 0
    await db.execute("UPDATE messages SET received_at = received_at - interval '61 seconds'")
    assert (await sam.kn("tickets", "reply", ticket, "It is done. Sam")).code == 0
    assert (await db.fetch(count))[0]["n"] == 4


async def test_a_note_is_for_us_alone(sam: Operator, db: Database, vault: Vault, settings: Settings) -> None:
    """Sealed, shown to operators with its author; no delivery, no page and no turn has it, and it answers nobody."""
    words = "Ada is about to leave us: be kind"
    ticket, _ = await taken(db, vault, settings, form(ticket_id="PAGE"), REFUND)
    before = (await db.fetchrow("SELECT count(*) AS n FROM deliveries"))["n"]  # type: ignore[index]
    assert (await sam.kn("tickets", "note", ticket, words)).code == 0
    assert (await db.fetchrow("SELECT count(*) AS n FROM deliveries"))["n"] == before  # type: ignore[index]
    shown = (await sam.kn("tickets", "show", ticket, "-o", "json")).json
    assert [(note["author"], note["text"]) for note in shown["notes"]] == [("sam", words)]
    assert words in (await sam.kn("tickets", "show", ticket)).out
    assert shown["waits_for"] == "person"
    for table in ("notes", "messages", "tickets", "operator_actions"):
        rows = [row["raw"] for row in await db.fetch(f"SELECT to_jsonb(t)::text AS raw FROM {table} t")]  # noqa: S608
        assert "be kind" not in str(rows), table
    await sam.kn("tickets", "return", ticket)
    stored: Any = await db.fetchrow("SELECT conversation_id FROM tickets")
    woken = await inbox.look_again(db, settings, stored["conversation_id"], "wake")
    assert woken is not None
    assert woken.lease is not None
    turn = (await mailbox.look(db, vault, woken.lease)).turn
    assert turn is not None
    given = await ask(db, turn, await history(db, vault, turn, 20))
    assert "be kind" not in repr(given)


async def test_what_a_person_left_goes_back_and_who_waits_is_alarmed_of(
    sam: Operator, db: Database, vault: Vault, settings: Settings
) -> None:
    """A person's last word: the agent has it again. The customer's: it stays with us, counted as overdue."""
    answered, _ = await taken(db, vault, settings, email(thread="t1"), REFUND)
    waiting, _ = await taken(db, vault, settings, whatsapp(), REFUND)
    asked_again, _ = await taken(db, vault, settings, email(sender="bob@example.net", thread="t2"), REFUND)
    unsent, _ = await taken(db, vault, settings, email(sender="eve@example.net", thread="t3"), REFUND)
    for ticket in (answered, asked_again, unsent):
        assert (await sam.kn("tickets", "reply", ticket, "It is done. Sam")).code == 0
    await inbox.store(db, vault, settings, email("and?", sender="bob@example.net", thread="t2"), "e9")
    await delivered(db)
    await db.execute(
        "UPDATE deliveries SET status = 'deferred' WHERE author = 'human' AND conversation_id ="
        " (SELECT conversation_id FROM tickets WHERE id = $1)",
        unsent,
    )
    sweep = replace(sam.office.sweep, human_idle_s=24 * 3600.0)
    found = await sweep.run()
    assert (found["returned"], found["overdue"]) == (0, 0)
    await db.execute("UPDATE messages SET received_at = received_at - interval '25 hours'")
    await db.execute("UPDATE conversations SET handed_over_at = handed_over_at - interval '25 hours'")
    assert (await replace(sweep, human_idle_s=0.0).run())["returned"] == 0
    found = await sweep.run()
    assert (found["returned"], found["overdue"]) == (1, 2)
    rows = {row["id"]: row["status"] for row in (await sam.kn("tickets", "list", "-o", "json")).json}
    assert rows == {answered: "open", waiting: "escalated", asked_again: "escalated", unsent: "escalated"}
    _, given = await taken(db, vault, settings, email("thanks, and how do I export?", thread="t1"), ANSWER)
    assert [(one.author, one.text) for one in given.history if one.author == "human"] == [("human", "It is done. Sam")]


async def test_why_tells_what_a_reply_rests_on(sam: Operator, db: Database, vault: Vault, settings: Settings) -> None:
    """For people and for programs; a cost that nobody knows is no zero."""
    record = {
        "passages": [{"document_id": "export", "version": 3, "heading_path": "Export", "url": "", "score": 0.9}],
        "tool_calls": [{"name": "search_knowledge", "arguments_hash": "x", "arguments_size": 9, "ok": True}],
        "checks": [{"attempt": 1, "reasons": []}],
    }
    ticket, _ = await taken(db, vault, settings, email("Where is my export?"), replace(ANSWER, record=record))
    (decision,) = (await sam.kn("tickets", "show", ticket, "--why", "-o", "json")).json
    assert (decision["model"], decision["tokens_in"], decision["cost_usd"]) == ("gpt-4.1-mini", 1200, None)
    assert (decision["asked"], decision["reply"]) == ("Where is my export?", ANSWER.text)
    assert decision["record"]["passages"][0]["version"] == 3
    said = (await sam.kn("tickets", "show", ticket, "--why")).out
    for words in ("export@3", "search_knowledge ok", "draft 1: passed", "1200 in, 80 out", "unknown"):
        assert words in said
    assert "messages" not in json.dumps(decision)


async def test_a_stopped_agent_and_what_waits_for_it_are_seen(sam: Operator, settings: Settings) -> None:
    """The desk asks each function and Kafka: one that does not answer is down, and its events are counted."""
    before = (await _called(settings, sam.url))["agent-run"]["waiting"]
    event = new_event(
        CONVERSATION_WAKE,
        source="fte/test",
        data=ConversationWake(conversation_id="00000000-0000-4000-8000-000000000000").encoded(),  # type: ignore[arg-type]
        key="k",
        now=SystemClock().now(),
    )
    await sam.office.producer.publish(INBOUND, event)
    functions = await _called(settings, sam.url)
    assert (functions["agent-run"]["status"], functions["agent-run"]["waiting"]) == ("down", before + 1)
    assert functions["dlq-review"]["status"] == "unavailable"
    assert (functions["form-submit"]["status"], functions["form-submit"]["waiting"]) == ("unknown", None)


async def _called(settings: Settings, desk: str) -> dict[str, dict[str, Any]]:
    # Nobody listens on port 9 of this machine; the desk of these tests has no /health.
    urls = ("agent-run=http://127.0.0.1:9", f"dlq-review={desk}")
    async with open_roll_call(settings.model_copy(update={"function_urls": urls})) as roll_call:
        return await roll_call.call()
