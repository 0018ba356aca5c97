"""form-submit over a real socket: what a page sends, what reaches Kafka, what the page is told."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.envelope import INBOUND, MESSAGE_RECEIVED, header_map
from shared.local.server_process import free_port
from tests.conftest import random_key
from tests.contract.served import MemoryKafka, Served, served

_BODY = {
    "name": "Ada Example",
    "email": "Ada@Example.org",
    "phone": "+1 201 555 0123",
    "subject": "Exporting",
    "category": "technical",
    "message": "How do I export my data?",
}


@pytest.fixture(scope="module")
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    (folder / "index.html").write_text("<!doctype html><title>Form</title>")
    (folder / "widget.js").write_text("void 0")
    return folder


@pytest.fixture(scope="module")
def environment(kafka: MemoryKafka, dist: Path) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        # PostgreSQL is away: messages are taken all the same.
        "DATABASE_URL": f"postgresql://fte@127.0.0.1:{free_port()}/fte",
        "FTE_MASTER_KEY": f"k1:{random_key()}",
        "FTE_LOOKUP_KEY": random_key(),
        "FTE_EVENT_KEY": random_key(),
        "FTE_TICKET_KEY": random_key(),
        "FORM_ALLOWED_ORIGINS": "https://shop.example.com",
        "FORM_DIST_DIR": str(dist),
        "FORM_RATE_EXEMPT": "127.0.0.0/8",
    }


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Served]:
    with served("form_submit", tmp_path_factory.mktemp("form"), environment) as function:
        yield function


def _events(kafka: MemoryKafka, ticket: str) -> list[dict[str, Any]]:
    found = [{**header_map(r.headers() or []), "data": json.loads(r.value() or b"{}")} for r in kafka.records(INBOUND)]
    return [event for event in found if event["data"]["provider_message_id"] == ticket]


def _post(form: Served, **changes: Any) -> Any:
    with form.client() as client:
        return client.post("/tickets", json=_BODY | changes)


def test_a_message_is_taken_once_kafka_has_it(form: Served, kafka: MemoryKafka) -> None:
    """202, and one event whose attributes carry nobody's address; PostgreSQL was not needed."""
    answer = _post(form)
    assert answer.status_code == 202
    (event,) = _events(kafka, answer.json()["ticket_id"])
    assert (event["ce_type"], event["ce_source"]) == (MESSAGE_RECEIVED, "fte/web")
    data = event.pop("data")
    assert data["sender"] | {"name": ""} == {
        "kind": "email", "address": "ada@example.org", "name": "", "trust": "claimed", "trust_reason": "typed-address",
    }  # fmt: skip
    assert data["form"] == {"category": "technical", "phone": "+12015550123"}
    assert "example.org" not in json.dumps(event)


@pytest.mark.parametrize("message", ["🙏🏽", "مرحبا", "a\u0000b", "x" * 100_000, "😀" * 100_000])
def test_messages_of_any_kind_are_taken_whole(form: Served, kafka: MemoryKafka, message: str) -> None:
    """Emoji, right to left, NUL, 100 kB and more."""
    answer = _post(form, message=message)
    (event,) = _events(kafka, answer.json()["ticket_id"])
    assert event["data"]["text"] == message.replace("\0", "")


def test_a_double_click_is_one_ticket(form: Served, kafka: MemoryKafka) -> None:
    """Two requests under one key: the same ticket and the same event twice."""
    key = {"Idempotency-Key": secrets.token_hex(8)}
    with form.client(headers=key) as client:
        first, second = (client.post("/tickets", json=_BODY) for _ in range(2))
    assert first.json() == second.json()
    one, two = _events(kafka, first.json()["ticket_id"])
    assert one["ce_id"] == two["ce_id"]


def test_the_page_of_a_ticket_waits_for_postgres(form: Served) -> None:
    """A valid token gets 503 to come again, a wrong one the 404 that costs nothing."""
    given = _post(form).json()
    with form.client() as client:
        ours = client.get(f"/tickets/{given['ticket_id']}", params={"token": given["token"]})
        wrong = client.get(f"/tickets/{given['ticket_id']}", params={"token": "wrong"})
        health = client.get("/health")
    assert (ours.status_code, ours.headers["retry-after"]) == (503, "2")
    assert (wrong.status_code, wrong.json()["error"]["reason"]) == (404, "no-such-ticket")
    assert health.status_code == 200
    assert health.json()["channels"]["web"] == {"status": "degraded", "reason": "postgres-away"}


def test_a_ticket_that_is_not_stored_yet_reads_received(tmp_path: Path, environment: dict[str, str], dsn: str) -> None:
    """With PostgreSQL there and no row: received, and the channel is well."""
    with served("form_submit", tmp_path, environment | {"DATABASE_URL": dsn}) as function:
        given = _post(function).json()
        with function.client(headers={"Authorization": f"Bearer {given['token']}"}) as client:
            read = client.get(f"/tickets/{given['ticket_id']}")
            health = client.get("/health")
    assert (read.status_code, read.json()["status"], read.json()["messages"]) == (200, "received", [])
    assert health.json()["channels"]["web"] == {"status": "ok"}


def test_without_kafka_nothing_is_promised(tmp_path: Path, environment: dict[str, str]) -> None:
    """503, never a 2xx; health says why."""
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}", "KAFKA_PUBLISH_TIMEOUT_S": "1.5"}
    with served("form_submit", tmp_path, environment | away) as function:
        answer = _post(function)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        with function.client() as client:
            assert (client.get("/health").status_code, client.get("/widget.js").status_code) == (503, 200)


@pytest.mark.parametrize("declared", [True, False])
def test_too_much_is_too_large(form: Served, declared: bool) -> None:
    """413 in the one shape of errors, whether the length was declared or only found out."""
    body = json.dumps(_BODY | {"message": "x" * 1_100_000}).encode()
    content = body if declared else iter([body[:600_000], body[600_000:]])
    with form.client(headers={"Content-Type": "application/json"}) as client:
        answer = client.post("/tickets", content=content)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "too-large")


def _files(*sizes: int) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (f"{n}.bin", bytes([1]) * size, "application/octet-stream")) for n, size in enumerate(sizes)]


@pytest.fixture
def with_postgres(tmp_path: Path, environment: dict[str, str], dsn: str) -> Iterator[Served]:
    """The form with a database, and limits of its own on files."""
    limits = {"FORM_MAX_FILE_BYTES": "3000000", "FORM_MAX_UPLOAD_BYTES": "5000000"}
    with served("form_submit", tmp_path, environment | {"DATABASE_URL": dsn} | limits) as function:
        yield function


def test_files_are_larger_than_everything_else(with_postgres: Served, kafka: MemoryKafka) -> None:
    """Three megabytes are kept, sealed, and named in one event; a message that large is still refused."""
    given = _post(with_postgres).json()
    with with_postgres.client(headers={"Authorization": f"Bearer {given['token']}", "Idempotency-Key": "k"}) as client:
        path = f"/tickets/{given['ticket_id']}"
        answers = [client.post(f"{path}/attachments", files=_files(3_000_000)) for _ in range(2)]
        message = client.post(f"{path}/messages", json={"message": "x" * 1_100_000})
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    one, two = _events(kafka, f"{given['ticket_id']}.{answers[0].json()['message_id']}")
    assert one["ce_id"] == two["ce_id"]
    assert one["data"]["attachments"][0]["size"] == 3_000_000
    assert (message.status_code, message.json()["error"]["reason"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("sizes", "reason", "limit"),
    [((3_000_001,), "file-too-large", "3000000"), ((2_600_000,) * 2, "too-large", "5000000")],
)
def test_files_have_limits_that_are_named(
    with_postgres: Served, sizes: tuple[int, ...], reason: str, limit: str
) -> None:
    """413, of one file and of all of them, without reading on for ever."""
    given = _post(with_postgres).json()
    with with_postgres.client(headers={"Authorization": f"Bearer {given['token']}"}) as client:
        answer = client.post(f"/tickets/{given['ticket_id']}/attachments", files=_files(*sizes))
    assert (answer.status_code, answer.json()["error"]["reason"]) == (413, reason)
    assert limit in answer.json()["error"]["message"]


def test_rates_bind_the_socket_s_peer_whatever_it_says(tmp_path: Path, environment: dict[str, str]) -> None:
    """429 with the wait; a made-up X-Forwarded-For is no way round, and one network is exempt by setting."""
    rate = {"FORM_RATE_CLIENT": "2/minute", "FORM_RATE_EXEMPT": ""}
    with served("form_submit", tmp_path, environment | rate) as function, function.client() as client:
        answers = [
            client.post("/tickets", json=_BODY, headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(3)
        ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    exempt = rate | {"FORM_RATE_EXEMPT": "127.0.0.0/8,::1"}
    with served("form_submit", tmp_path, environment | exempt) as function, function.client() as client:
        assert {client.post("/tickets", json=_BODY).status_code for _ in range(5)} == {202}


def test_a_message_is_added_once_kafka_has_it(form: Served, kafka: MemoryKafka) -> None:
    """202 without PostgreSQL; the token's sender; a double click is one event twice."""
    given = _post(form).json()
    with form.client(headers={"Authorization": f"Bearer {given['token']}", "Idempotency-Key": "again"}) as client:
        path = f"/tickets/{given['ticket_id']}/messages"
        first, second = (client.post(path, json={"message": "And the \u0000import?"}) for _ in range(2))
    assert (first.status_code, first.json()) == (202, second.json())
    one, two = _events(kafka, f"{given['ticket_id']}.{first.json()['message_id']}")
    assert one["ce_id"] == two["ce_id"]
    assert one["data"]["text"] == "And the import?"
    assert (one["data"]["thread"], one["data"]["sender"]["address"]) == (given["ticket_id"], "ada@example.org")
    assert given["ticket_id"] not in one["ce_id"]


def test_the_form_is_served_and_only_listed_sites_may_call(form: Served) -> None:
    """Page, script, description and CORS go through the function's one entry."""
    with form.client(headers={"Origin": "https://shop.example.com"}) as client:
        assert client.get("/").headers["content-type"] == "text/html; charset=utf-8"
        assert client.head("/widget.js").status_code == 200
        assert "/tickets" in client.get("/openapi.json").json()["paths"]
        asked = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        for path in ("/tickets", "/tickets/T/messages", "/tickets/T/attachments", "/tickets/T/rating"):
            preflight = client.options(path, headers=asked)
            assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example.com"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from([*_BODY.values()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_BODY]) | st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_VALUES | st.fixed_dictionaries({name: st.text(max_size=20) | st.just(value) for name, value in _BODY.items()}))
def test_any_json_is_taken_or_refused(form: Served, value: object) -> None:
    """2xx or 4xx; never a fault of ours."""
    with form.client(headers={"Content-Type": "application/json"}) as client:
        assert client.post("/tickets", content=json.dumps(value).encode()).status_code < 500


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(form: Served, body: bytes) -> None:
    """4xx: no bytes of that length happen to be a ticket."""
    with form.client(headers={"Content-Type": "application/json"}) as client:
        assert 400 <= client.post("/tickets", content=body).status_code < 500


def test_nothing_of_a_customer_is_logged(form: Served) -> None:
    """No address, no name, no word, no token; and nothing above was a bug."""
    given = _post(form, message="a very private sentence").json()
    with form.client() as client:
        client.get(f"/tickets/{given['ticket_id']}", params={"token": given["token"]})
        client.get("/verify", params={"token": "a-link-that-was-mailed"})
    log = form.log.read_text()
    assert '"event_type": "message_accepted"' in log
    assert '"event_type": "bug"' not in log
    for secret in ("example.org", "2015550123", "Ada", "private sentence", given["token"], "a-link-that-was-mailed"):
        assert secret not in log
