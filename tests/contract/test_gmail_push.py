"""gmail-push over a real socket: what Gmail and Pub/Sub do, what reaches Kafka, what they are told."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.channels.message import InboundMessage
from shared.events.envelope import CONVERSATION_WAKE, MESSAGE_RECEIVED
from shared.local.postgres import APP, EmbeddedPostgres
from shared.local.server_process import free_port
from tests.conftest import random_key
from tests.contract.gmail_push_side import CUSTOMER, World, eventually, key_server
from tests.contract.served import MemoryKafka, served, simulated
from tests.unit.test_gmail_push import push, token

_AUDIENCE = "https://support.example.com/hooks/gmail"
_ACCOUNT = "push@example.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture(scope="module")
def world(postgres: EmbeddedPostgres, kafka: MemoryKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    name, gmail_port = f"t_{uuid.uuid4().hex[:16]}", free_port()
    asyncio.run(postgres.create_database(name, template="fte_template"))
    gmail_url = f"http://127.0.0.1:{gmail_port}"
    credentials = {
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
        "token_uri": f"{gmail_url}/token",
    }
    environment = {
        "DATABASE_URL": postgres.dsn(APP, name),
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "FTE_EVENT_KEY": random_key(),
        "FTE_LOOKUP_KEY": random_key(),
        "FTE_MASTER_KEY": f"k1:{random_key()}",
        "GMAIL_API_BASE_URL": gmail_url,
        "GMAIL_CREDENTIALS": json.dumps(credentials),
        "GMAIL_CERTS_URL": f"{gmail_url}/certs",
        "GMAIL_PUSH_AUDIENCE": _AUDIENCE,
        "GMAIL_PUSH_SERVICE_ACCOUNT": _ACCOUNT,
        "GMAIL_TOPIC": "projects/local/topics/gmail",
    }
    folder = tmp_path_factory.mktemp("gmail-push")
    with served("gmail_push", folder, environment) as function:
        options = ("--push-url", f"{function.url}/hooks/gmail", "--push-audience", _AUDIENCE)
        with simulated("gmail", folder, gmail_port, *options, "--push-service-account", _ACCOUNT) as gmail:
            yield World(function, gmail, kafka, environment)
    asyncio.run(postgres.drop_database(name))


def test_a_mail_becomes_one_event(world: World) -> None:
    """Acknowledged once Kafka has it; the attributes carry nobody's address."""
    message_id = world.mail()
    eventually(world.settled)
    (event,) = world.events(message_id)
    assert (event["ce_type"], event["ce_source"]) == (MESSAGE_RECEIVED, "fte/email")
    message = InboundMessage.model_validate(event["data"])
    assert (message.text, message.sender.address) == ("How do I export my invoices?", CUSTOMER)
    assert (message.sender.trust, message.sender.trust_reason) == ("verified", "dmarc=pass")
    attributes = json.dumps({name: str(value) for name, value in event.items() if name != "data"})
    assert "ada" not in attributes.lower()


def test_a_repeated_push_says_nothing_new(world: World) -> None:
    """Pub/Sub delivers at least once: answered, and neither it nor a poll publishes again."""
    message_id = world.mail()
    eventually(world.settled)
    before = world.row()
    assert world.push(repeat=3) == [204, 204, 204]
    assert world.poll().status_code == 200
    assert len(world.events(message_id)) == 1
    assert int(world.row()["cursor"]) >= int(before["cursor"])


def test_many_mails_at_once_are_each_one_event(world: World) -> None:
    """Pushes overlap; every message is there, and none twice."""
    ids = [world.mail(f"Question {number}") for number in range(12)]
    eventually(world.settled)
    assert [len(world.events(each)) for each in ids] == [1] * 12


@pytest.mark.parametrize("bad", ["missing", "signature", "audience", "email", "unverified", "issuer", "expired"])
def test_without_googles_word_nothing_is_read(world: World, bad: str) -> None:
    """401, and Gmail is not asked: what lies there stays there."""
    world.control("watch/lapse")
    message_id = world.mail()
    assert world.push(bad_token=bad) == [401]
    assert world.events(message_id) == []
    with world.function.client() as client:
        assert 'fte_refused_requests_total{function="gmail-push"' in client.get("/metrics").text


def test_a_poll_finds_what_no_push_announced(world: World) -> None:
    """The watch lapsed unnoticed: the poll reads the mailbox and renews the watch, so that pushes go on."""
    world.control("watch/lapse")
    message_id = world.mail()
    assert world.settled()
    world.sql("UPDATE channel_cursors SET watch_expires = now() WHERE channel = 'email' RETURNING channel")
    assert world.poll().status_code == 200
    assert len(world.events(message_id)) == 1
    assert (world.row()["watch_expires"] - world.row()["seen_at"]).days >= 6
    pushed = world.mail()
    eventually(lambda: len(world.events(pushed)) == 1)


def test_a_new_key_of_googles_is_accepted(world: World) -> None:
    """Fetched when it first appears."""
    assert world.push(rotate_key=True) == [204]


def test_a_mail_that_a_person_answered_is_not_answered_after_a_resync(world: World) -> None:
    """Nobody told us of it in time; what was only passed on to a colleague still waits for its answer."""
    eventually(world.settled)
    world.control("watch/lapse")
    answered, passed_on = world.mail(), world.mail()
    world.answer_by_hand(answered)
    world.answer_by_hand(passed_on, to="colleague@example.com")
    world.control("history/forget")
    world.sql("UPDATE channel_cursors SET watch_expires = now() WHERE channel = 'email' RETURNING channel")
    assert world.poll().status_code == 200
    assert [event["data"]["ignored"] for event in world.events(answered)] == ["answered-by-hand"]
    assert [event["data"]["ignored"] for event in world.events(passed_on)] == [""]


def test_a_mail_set_aside_is_looked_at_by_itself(world: World) -> None:
    """What an event of ours names is fetched, without a look at the rest; one that is gone is done."""
    eventually(world.settled)
    cursor = world.row()["cursor"]
    message_id = world.mail()
    eventually(world.settled)
    before = len(world.events(message_id))
    asked = json.dumps({"channel": "email", "message": message_id}).encode()
    assert world.poll(data=asked).status_code == 200
    assert world.poll(data=b'{"channel":"email","message":"00000000000000aa"}').status_code == 200
    events = world.events(message_id)
    assert (len(events) - before, len({event["ce_id"] for event in events})) == (1, 1)
    assert int(world.row()["cursor"]) >= int(cursor)


def test_a_forgotten_history_is_made_good(world: World) -> None:
    """Everything recent again under the same ids, and the new mail among it."""
    known = world.mail()
    eventually(world.settled)
    oldest = int(world.control("history/forget")["historyId"])
    assert int(world.row()["cursor"]) < oldest
    message_id = world.mail()
    eventually(world.settled)
    assert len(world.events(message_id)) == 1
    again = world.events(known)
    assert (len(again), len({event["ce_id"] for event in again})) == (2, 1)
    assert int(world.row()["cursor"]) > oldest


def test_a_cursor_that_is_ahead_of_the_mailbox_is_made_good(world: World) -> None:
    """Another mailbox's, or one restored from a backup: a bounded look at INBOX, the same ids, and no second answer."""
    known = world.mail()
    eventually(world.settled)
    world.sql("UPDATE channel_cursors SET cursor = '99999999999' WHERE channel = 'email' RETURNING channel")
    world.control("watch/lapse")
    message_id = world.mail()
    assert world.poll().status_code == 200
    assert len(world.events(message_id)) == 1
    assert len({event["ce_id"] for event in world.events(known)}) == 1
    assert int(world.row()["cursor"]) < 99999999999
    watched = world.control("history/forget")
    assert int(watched["historyId"]) > 0
    assert world.poll().status_code == 200


def test_spam_is_not_read_until_a_person_rescues_it(world: World) -> None:
    """Never SPAM; what is moved to INBOX is picked up like any other mail, once."""
    message_id = world.mail(spam=True)
    eventually(world.settled)
    assert world.poll().status_code == 200
    assert world.events(message_id) == []
    world.relabel(message_id, add=["INBOX"], remove=["SPAM"])
    assert world.poll().status_code == 200
    assert len(world.events(message_id)) == 1
    world.relabel(message_id, add=[], remove=["INBOX"])
    world.relabel(message_id, add=["INBOX"], remove=[])
    eventually(world.settled)
    assert world.poll().status_code == 200
    assert len({event["ce_id"] for event in world.events(message_id)}) == 1


def test_the_watch_s_end_is_a_metric_and_a_state(world: World, tmp_path: Path) -> None:
    """Shown by a process that never saw the watch made; near or past its end the channel says what to do."""
    due = "UPDATE channel_cursors SET watch_expires = {} WHERE channel = 'email' RETURNING channel"
    world.sql(due.format("now() + interval '6 days 12 hours'"))
    assert world.email_health() == {"status": "ok"}
    with served("gmail_push", tmp_path, world.environment) as restarted, restarted.client() as client:
        [line] = [line for line in client.get("/metrics").text.splitlines() if line.startswith("fte_gmail_watch_exp")]
    assert abs(float(line.split()[1]) - world.row()["watch_expires"].timestamp()) < 1
    for passes, reason in (("6 days 7 hours", "watch-expires-soon"), ("6 hours", "watch-expired")):
        world.sql(due.format(f"watch_expires - interval '{passes}'"))
        health = world.email_health()
        assert (health["status"], health["reason"]) == ("degraded", reason)
        assert "fte gmail watch" in health["action"]
    assert world.poll().status_code == 200
    assert world.email_health() == {"status": "ok"}


def test_withdrawn_access_is_a_state_that_says_what_to_do(world: World) -> None:
    """`auth`, the other channels well; and it mends itself once the token is good again."""
    world.control("tokens/revoke", json={"refresh_too": True})
    message_id = world.mail()
    assert world.push() == [503]
    health = world.email_health()
    assert (health["status"], health["reason"]) == ("degraded", "auth")
    assert "fte gmail login" in health["action"]
    with world.function.client() as client:
        channels = client.get("/health").json()["channels"]
    assert [channels[name]["status"] for name in ("whatsapp", "web")] == ["ok", "ok"]
    world.control("tokens/revoke", json={"refresh_too": False})
    eventually(lambda: len(world.events(message_id)) == 1)
    eventually(lambda: world.email_health() == {"status": "ok"})


def test_gmail_away_is_told_and_made_good(world: World) -> None:
    """Not acknowledged while Gmail fails, degraded in health, and delivered once it is back."""
    world.control("faults", json={"kind": "outage", "for_s": 60})
    message_id = world.mail()
    eventually(lambda: world.email_health()["status"] == "degraded")
    assert world.push() == [503]
    assert world.email_health()["reason"] == "unavailable"
    world.control("faults", "DELETE")
    eventually(world.settled)
    assert len(world.events(message_id)) == 1
    assert world.email_health() == {"status": "ok"}


def test_a_poll_must_be_ours(world: World) -> None:
    """401 unsigned, 422 for another type or data that does not fit, 200 for a channel that needs no poll."""
    assert world.poll(ftesig="").status_code == 401
    assert world.poll(ftesig="0" * 64).status_code == 401
    assert world.poll(CONVERSATION_WAKE).status_code == 422
    assert world.poll(data=b'{"channel":"pigeon"}').status_code == 422
    assert world.poll(data=b'{"channel":"web"}').status_code == 200


def test_other_requests_are_refused(world: World) -> None:
    """Only POST; a body without a token is not read."""
    with world.function.client() as client:
        assert client.get("/hooks/gmail").status_code == 405
        assert client.post("/hooks/gmail", content=b"{}").json()["error"]["field"] == "Authorization"


@pytest.mark.parametrize("away", ["kafka", "postgres"])
def test_without_kafka_or_postgresql_pubsub_comes_again(world: World, tmp_path: Path, away: str) -> None:
    """503, and what was not acknowledged is found by the next look."""
    dead = f"127.0.0.1:{free_port()}"
    changes = {
        "kafka": {"KAFKA_BOOTSTRAP_SERVERS": dead, "KAFKA_PUBLISH_TIMEOUT_S": "1.5"},
        "postgres": {"DATABASE_URL": f"postgresql://fte@{dead}/fte", "DATABASE_TIMEOUT_S": "1.5"},
    }[away]
    world.control("watch/lapse")
    message_id = world.mail()
    before = world.row()["cursor"]
    with served("gmail_push", tmp_path, world.environment | changes) as function:
        cut_off = World(function, world.gmail, world.kafka, world.environment)
        answer = cut_off.poll()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        with function.client() as client:
            health = client.get("/health")
        assert (health.status_code, health.json()["reason"]) == (503, f"{away}-away")
    assert (world.row()["cursor"], world.events(message_id)) == (before, [])
    assert world.poll().status_code == 200
    assert len(world.events(message_id)) == 1


def test_unconfigured_means_closed(world: World, tmp_path: Path) -> None:
    """Without the audience no push passes; polls still do."""
    with served("gmail_push", tmp_path, world.environment | {"GMAIL_PUSH_AUDIENCE": ""}) as function:
        with function.client(headers={"Authorization": "Bearer e30.e30.x"}) as client:
            assert client.post("/").json()["error"]["reason"] == "not-configured"
        assert World(function, world.gmail, world.kafka, world.environment).poll().status_code == 200


def test_a_push_is_read_before_it_is_believed(world: World, tmp_path: Path) -> None:
    """With a good token: 400 naming the field, 413 for too much, 204 for another's mailbox without a look at ours."""
    world.control("watch/lapse")
    message_id = world.mail()
    with key_server() as url, served("gmail_push", tmp_path, world.environment | {"GMAIL_CERTS_URL": url}) as function:
        headers = {"Authorization": f"Bearer {token(aud=_AUDIENCE, email=_ACCOUNT)}"}
        with function.client(headers=headers) as client:
            refused = client.post("/", content=push({"emailAddress": CUSTOMER}))
            assert (refused.status_code, refused.json()["error"]["field"]) == (400, "message.data.historyId")
            assert CUSTOMER not in refused.text
            assert client.post("/", content=b"x" * 1_100_000).status_code == 413
            other = push({"emailAddress": "other@example.com", "historyId": 2**60})
            assert client.post("/", content=other).status_code == 204
            assert world.events(message_id) == []
            assert client.post(
                "/", content=push({"emailAddress": "support@example.com", "historyId": 2**60})
            ).is_success
    assert len(world.events(message_id)) == 1


def test_nothing_of_a_customer_is_logged(world: World) -> None:
    """After everything above: no address, no name, no word; each line is JSON and none tells of a bug."""
    log = world.function.log.read_text()
    assert '"event_type": "mailbox_read"' in log
    assert '"event_type": "bug"' not in log
    for secret in (CUSTOMER, "Private", "export my invoices", "private question", "secret", "ya29."):
        assert secret not in log
    assert all(json.loads(line) for line in log.splitlines() if line.startswith("{"))
