"""Kills, outages, poison and privacy: nothing lost, nothing doubled, nothing shown."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from shared.events.signature import sign
from tests.system import System, eventually, new_address, new_number, stays

QUESTION = "how do i export my data?"


def on_postgres(system: System, *statements: str) -> None:
    """Run statements as the owner."""

    async def run() -> None:
        connection = await asyncpg.connect(system.endpoints["postgres"])
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.mark.parametrize("function", ["agent-run", "send-reply"])
def test_a_killed_function_finishes_its_messages(system: System, function: str) -> None:
    """(h) kill -9 of both copies in the middle: restarted, finished within 60 s, one answer each."""
    numbers = [new_number() for _ in range(4)]
    if function == "send-reply":
        # The provider carries it out and takes its time to say so: the kill falls into the call.
        system.fault("twilio", "slow", 4, ms=2500)
    for number in numbers:
        system.whatsapp(QUESTION, sender=number)
    time.sleep(1.6 if function == "agent-run" else 2.6)  # into the work, not a wait for it
    assert system.kill(function)
    eventually(lambda: all(system.whatsapps_to(number) for number in numbers), 60)
    eventually(lambda: len(system.pids(function)) == 2, 30)
    stays(lambda: all(len(system.whatsapps_to(number)) == 1 for number in numbers), 6)


def test_a_lost_response_is_not_answered_twice(system: System) -> None:
    """The provider took the message and dropped the connection: found again, not sent again."""
    number, address = new_number(), new_address()
    system.fault("twilio", "lost_response", 6)
    system.fault("gmail", "lost_response", 6)
    system.whatsapp(QUESTION, sender=number)
    system.email(QUESTION, sender=address)
    eventually(lambda: system.whatsapps_to(number) and system.mails_to(address), 60)
    stays(lambda: len(system.whatsapps_to(number)) == 1 and len(system.mails_to(address)) == 1, 25)


def test_one_channel_down_leaves_the_others_up(system: System) -> None:
    """Twilio is away: the web answers, /health says so, and WhatsApp's answer comes afterwards, once."""
    number = new_number()
    system.fault("twilio", "outage", 8)
    system.whatsapp(QUESTION, sender=number)
    ticket = system.form(QUESTION)
    eventually(lambda: system.answers_on(ticket), 15)
    health = eventually(lambda: degraded(system), 15)
    assert health["status"] == "ok"
    eventually(lambda: system.whatsapps_to(number), 90)
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4)
    eventually(
        lambda: (
            system.http("GET", system.endpoints["functions"]["send-reply"] + "/health").json()["channels"]["whatsapp"][
                "status"
            ]
            == "ok"
        )
    )


def degraded(system: System) -> dict[str, Any] | None:
    response = system.http("GET", system.endpoints["functions"]["send-reply"] + "/health")
    assert response.status_code == 200
    body = response.json()
    return body if body["channels"]["whatsapp"]["status"] == "degraded" else None


@pytest.mark.parametrize("part", ["kafka", "postgres"])
def test_an_outage_under_traffic_loses_and_doubles_nothing(system: System, part: str) -> None:
    """(i) The part is away for 20 s while all channels go on writing; every accepted message gets one answer."""
    traffic = Traffic(system)
    with traffic:
        assert system.fte("stop", part).returncode == 0
        time.sleep(20)
        assert system.fte("start", part).returncode == 0
        time.sleep(3)
    assert traffic.accepted
    eventually(lambda: not traffic.unanswered(), 120)
    stays(lambda: not traffic.doubled(), 8)


class Traffic:
    """Customers on three channels, one message a second each; keeps what was accepted."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self.accepted: list[tuple[str, Any]] = []

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._end.wait(1.0):
            for write in (self._email, self._whatsapp, self._form):
                self._try(write)

    def _try(self, write: Callable[[], None]) -> None:
        # Refused with 503: not accepted, and the customer was told.
        with suppress(AssertionError):
            write()

    def _email(self) -> None:
        address = new_address()
        self._system.email(QUESTION, sender=address)
        self.accepted.append(("email", address))

    def _whatsapp(self) -> None:
        number = new_number()
        if self._system.whatsapp(QUESTION, sender=number)["status_code"] == 200:
            self.accepted.append(("whatsapp", number))

    def _form(self) -> None:
        self.accepted.append(("web", self._system.form(QUESTION)))

    def unanswered(self) -> list[Any]:
        """Accepted and not answered yet."""
        return [who for (channel, who), count in self._answers() if count == 0]

    def doubled(self) -> list[Any]:
        """Answered more than once."""
        return [who for (channel, who), count in self._answers() if count > 1]

    def _answers(self) -> list[tuple[tuple[str, Any], int]]:
        counts = {
            "email": lambda who: len(self._system.mails_to(who)),
            "whatsapp": lambda who: len(self._system.whatsapps_to(who)),
            "web": lambda who: len(self._system.answers_on(who)),
        }
        return [((channel, who), counts[channel](who)) for channel, who in self.accepted]


@pytest.mark.parametrize(("signed", "cause"), [(True, "bad-event-data"), (False, "unsigned-event")])
def test_poison_reaches_the_dead_letters(system: System, signed: bool, cause: str) -> None:
    """(j) Data that fits no schema, ours or a stranger's: a dead letter; what is behind it is answered."""
    event_id = str(uuid.uuid4())
    publish(system, event_id, b'{"nonsense": true}', signed=signed)
    row = eventually(lambda: letter(system, event_id))
    assert row["status"] == "waiting"
    assert row["cause"] == cause
    number = new_number()
    system.whatsapp(QUESTION, sender=number)
    eventually(lambda: system.whatsapps_to(number))
    system.kn("dead-letters", "discard", row["id"], "--yes", "--reason", "made by a test")
    assert letter(system, event_id)["status"] == "discarded"


def test_what_postgres_refused_is_replayed_and_answered_once(system: System) -> None:
    """(j) A statement PostgreSQL refuses goes to the dead letters; mended and replayed, it answers once."""
    number = new_number()
    on_postgres(
        system,
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused by a test'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    before = {row["id"] for row in system.kn("dead-letters", "list")}
    try:
        system.whatsapp(QUESTION, sender=number)
        row = eventually(lambda: next((r for r in system.kn("dead-letters", "list") if r["id"] not in before), None))
    finally:
        on_postgres(system, "DROP TRIGGER refuse ON messages", "DROP FUNCTION refuse()")
    assert row["cause"] == "database-refused"
    for _ in range(2):
        system.kn("dead-letters", "replay", row["id"], "--yes")
    eventually(lambda: system.whatsapps_to(number))
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4)


def publish(system: System, event_id: str, data: bytes, *, signed: bool) -> None:
    """An event that no webhook made; `signed` as if by one with a bug."""
    producer = Producer({"bootstrap.servers": system.endpoints["kafka"]})
    attributes = {"specversion": "1.0", "id": event_id, "source": "a/test", "type": "fte.message.received"}
    if signed:
        key = base64.b64decode(json.loads((system.home / "keys.json").read_text())["FTE_EVENT_KEY"])
        attributes["ftesig"] = sign(key, event_id, attributes["type"], attributes["source"], data)
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    producer.produce("fte.inbound", value=data, key=b"x", headers=[*headers, ("content-type", b"application/json")])
    assert producer.flush(10) == 0


def letter(system: System, event_id: str) -> dict[str, Any] | None:
    return next((row for row in system.kn("dead-letters", "list") if row["event_id"] == event_id), None)


NASTY = {
    "emoji": "👍🏽🎉",
    "right-to-left": "كيف يمكنني تصدير بياناتي؟",
    "nul": "export\x00 data?",
    "long": "export " * 14_000,
}


@pytest.mark.parametrize("kind", NASTY)
def test_nasty_texts_end_in_an_outcome(system: System, kind: str) -> None:
    """Emoji alone, 100 kB, right-to-left, NUL: each ends in exactly one outcome on each channel."""
    number, address = new_number(), new_address()
    system.whatsapp(NASTY[kind], sender=number)
    system.email(NASTY[kind].replace("\x00", ""), sender=address)
    system.form(NASTY[kind])
    eventually(lambda: not open_messages(system))


def open_messages(system: System) -> int:
    return system.kn("status")["waiting"]


def test_a_wrong_signature_or_token_stores_nothing(system: System) -> None:
    """Wrong or missing: 401 or 403, and nothing reaches the inbox."""
    functions = system.endpoints["functions"]
    before = system.kn("status")["inbound_day"]
    forged = {"From": "whatsapp:+12015550199", "Body": "hi", "MessageSid": "SM1"}
    assert system.http("POST", functions["whatsapp-webhook"] + "/", data=forged).status_code == 403
    signed = {"X-Twilio-Signature": "AAAA"}
    assert system.http("POST", functions["whatsapp-webhook"] + "/", data=forged, headers=signed).status_code == 403
    push = {"message": {"data": "e30=", "messageId": "1"}, "subscription": "s"}
    assert system.http("POST", functions["gmail-push"] + "/", json=push).status_code in (401, 403)
    assert system.http("GET", functions["dlq-review"] + "/tickets").status_code == 401
    event = {"ce-id": "1", "ce-source": "x", "ce-type": "fte.message.received", "ce-specversion": "1.0"}
    assert system.http("POST", functions["agent-run"] + "/", json={}, headers=event).status_code == 401
    assert system.kn("status")["inbound_day"] == before


def test_no_address_or_text_in_logs_or_in_the_database(system: System) -> None:
    """(k) Every log and a plain dump of every table, searched for what customers wrote."""
    address, number, word = new_address(), new_number(), f"quokka{uuid.uuid4().hex[:6]}"
    system.email(f"How do I export my data? {word}", sender=address, subject=f"About {word}")
    system.whatsapp(f"how do i export my data? {word}", sender=number)
    page = system.form(f"How do I export my data? {word}", sender=f"x{address}")
    eventually(lambda: system.mails_to(address) and system.whatsapps_to(number) and system.answers_on(page))
    dump = asyncio.run(dumped(system.endpoints["postgres"]))
    logs = "".join(path.read_text(errors="replace") for path in (system.home / "logs").glob("*.log"))
    assert len(dump) > 10_000
    assert "turn_committed" in logs
    for secret in (address, number, number.removeprefix("+"), word):
        assert secret not in dump
        assert secret not in logs


async def dumped(dsn: str) -> str:
    """Every row of every table, as text and with its bytes decoded."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        parts: list[str] = []
        for table in tables:
            for row in await connection.fetch(f'SELECT * FROM "{table["tablename"]}"'):  # noqa: S608  from pg_tables
                parts += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()]
        return "\n".join(parts)
    finally:
        await connection.close()


def test_logs_are_json_with_the_fields_an_operator_searches(system: System) -> None:
    """R7.2: each line of agent-run is JSON with timestamp, level, function, event_type and the three ids."""
    number = new_number()
    system.whatsapp(QUESTION, sender=number)
    eventually(lambda: system.whatsapps_to(number))
    lines = [json.loads(line) for line in (system.home / "logs" / "agent-run.log").read_text().splitlines()]
    kinds = Counter(line["event_type"] for line in lines)
    assert kinds["turn_committed"]
    for line in lines:
        assert {"timestamp", "level", "function", "event_type", "customer_id", "conversation_id", "channel"} <= set(
            line
        )
