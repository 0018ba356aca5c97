"""whatsapp-webhook over a real socket: what Twilio sends, what reaches Kafka, what Twilio is told."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.events.envelope import DELIVERY_STATUS, INBOUND, MESSAGE_RECEIVED, OUTBOUND, header_map
from shared.events.signature import is_ours
from shared.local.server_process import free_port
from tests.conftest import random_key
from tests.contract.served import MemoryKafka, served
from tests.contract.twilio_side import PAYLOADS, PUBLIC_URL, Pairs, Twilio, payload

_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@pytest.fixture(scope="module")
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture(scope="module")
def environment(kafka: MemoryKafka) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "FTE_EVENT_KEY": random_key(),
        "FTE_LOOKUP_KEY": random_key(),
        "TWILIO_AUTH_TOKEN": f"{secrets.token_hex(16)},{secrets.token_hex(16)}",
        "TWILIO_WEBHOOK_URL": PUBLIC_URL,
        "TWILIO_WHATSAPP_FROM": "whatsapp:+12015550100",
    }


@pytest.fixture(scope="module")
def twilio(
    tmp_path_factory: pytest.TempPathFactory, kafka: MemoryKafka, environment: dict[str, str]
) -> Iterator[Twilio]:
    with served("whatsapp_webhook", tmp_path_factory.mktemp("webhook"), environment) as function:
        new, _, old = environment["TWILIO_AUTH_TOKEN"].partition(",")
        yield Twilio(function, kafka, (new, old), environment["FTE_EVENT_KEY"])


def test_a_message_is_acknowledged_once_kafka_has_it(twilio: Twilio) -> None:
    """200 with empty TwiML, and one signed event whose attributes carry nobody's number."""
    pairs = payload("text")
    answer = twilio.post(pairs)
    assert (answer.status_code, answer.text) == (200, _TWIML)
    assert answer.headers["content-type"].startswith("text/xml")
    (event,) = twilio.message(dict(pairs)["MessageSid"])
    assert (event["ce_type"], event["ce_source"]) == (MESSAGE_RECEIVED, "fte/whatsapp")
    assert (event["data"]["channel"], event["data"]["thread"]) == ("whatsapp", "+12015550123")
    assert event["data"]["sender"]["trust"] == "verified"
    attributes = json.dumps({name: str(value) for name, value in event.items() if name != "data"})
    assert "2015550123" not in attributes


def test_the_event_is_ours(twilio: Twilio) -> None:
    """ftesig covers id, type, source and the very bytes of the data."""
    pairs = payload("text")
    twilio.post(pairs)
    record = next(r for r in twilio.kafka.records(INBOUND) if dict(pairs)["MessageSid"].encode() in (r.value() or b""))
    headers = header_map(record.headers() or [])
    signed = (headers["ce_id"], headers["ce_type"], headers["ce_source"], record.value() or b"")
    assert is_ours([base64.b64decode(twilio.event_key)], headers["ce_ftesig"], *signed)
    assert (record.key() or b"").decode() == headers["ce_partitionkey"]


def test_the_same_message_twice_is_the_same_event(twilio: Twilio) -> None:
    """Nothing signed carries a time, so a replay passes the door; its id makes it a repeat inside."""
    pairs = payload("text")
    assert [twilio.post(pairs).status_code for _ in range(2)] == [200, 200]
    first, second = twilio.message(dict(pairs)["MessageSid"])
    assert first["ce_id"] == second["ce_id"]
    assert first["key"] == second["key"]


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json") if "status" not in path.stem))
def test_every_kind_of_message_is_taken(twilio: Twilio, name: str) -> None:
    """Each recorded kind of message becomes exactly one event."""
    pairs = payload(name)
    assert twilio.post(pairs).status_code == 200
    assert len(twilio.message(dict(pairs)["MessageSid"])) == 1


def test_a_proxy_changes_nothing_that_matters(twilio: Twilio) -> None:
    """Host, scheme and the front of the path may differ: the configured URL is what was signed."""
    forwarded = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example.net", "Host": "10.0.0.7:8080"}
    assert twilio.post(payload("text"), to="/", headers=forwarded).status_code == 200
    assert twilio.post(payload("text"), to="/", headers={"Host": "[nonsense"}).status_code == 200


def test_a_query_is_part_of_what_is_signed(twilio: Twilio) -> None:
    """With the signed query: taken. With another: refused."""
    assert twilio.post(payload("text"), to="/hooks/whatsapp?a=%20b", url=f"{PUBLIC_URL}?a=%20b").status_code == 200
    assert twilio.post(payload("text"), to="/hooks/whatsapp?a=c", url=f"{PUBLIC_URL}?a=b").status_code == 403


def test_repeats_and_blanks_are_part_of_what_is_signed(twilio: Twilio) -> None:
    """A field may come twice, and empty."""
    assert twilio.post([*payload("text"), ("Tag", "2"), ("Tag", "1"), ("Tag", "2"), ("Empty", "")]).status_code == 200


def test_both_tokens_of_a_rotation_open(twilio: Twilio) -> None:
    """The old one until it is taken out of the setting."""
    assert [twilio.post(payload("text"), token=token).status_code for token in twilio.tokens] == [200, 200]


@pytest.mark.parametrize("signature", [None, "", "bm90IG91cnM="])
def test_without_a_signature_nothing_is_stored(twilio: Twilio, signature: str | None) -> None:
    """403, counted, and no event."""
    pairs = payload("text")
    answer = twilio.post(pairs, signature=signature)
    assert answer.status_code == 403
    assert answer.json()["error"]["field"] == "X-Twilio-Signature"
    assert twilio.message(dict(pairs)["MessageSid"]) == []
    with twilio.function.client() as client:
        assert 'fte_refused_requests_total{function="whatsapp-webhook"' in client.get("/metrics").text


def test_json_signed_by_its_hash_is_taken(twilio: Twilio) -> None:
    """The hash stands in the signed query; another body under it is refused."""
    pairs = payload("text")
    body = json.dumps(dict(pairs)).encode()
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = twilio.sign(f"{PUBLIC_URL}?{query}", [], twilio.tokens[0])
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
    with twilio.function.client(headers=headers) as client:
        assert client.post(f"/hooks/whatsapp?{query}", content=body + b" ").status_code == 403
        assert client.post(f"/hooks/whatsapp?{query}", content=body).status_code == 200
    assert len(twilio.message(dict(pairs)["MessageSid"])) == 1


@pytest.mark.parametrize(
    ("changes", "field"), [({"From": "+12015550123"}, "From"), ({"MessageSid": " "}, "MessageSid")]
)
def test_a_malformed_message_is_refused_without_an_echo(twilio: Twilio, changes: dict[str, str], field: str) -> None:
    """4xx naming the parameter, never repeating what it held."""
    answer = twilio.post(payload("text", **changes))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert "2015550123" not in answer.text


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("status_delivered", "delivered", None), ("status_failed_window", "failed", "63016")],
)
def test_a_status_callback_becomes_a_delivery_status(twilio: Twilio, name: str, status: str, code: str | None) -> None:
    """Delivery and attempt from the signed URL, the rest from the form, keyed by the delivery."""
    delivery = secrets.token_hex(8)
    query = f"delivery={delivery}&attempt=2"
    pairs = payload(name)
    answer = twilio.post(pairs, to=f"/hooks/whatsapp/status?{query}", url=f"{PUBLIC_URL}/status?{query}")
    assert answer.status_code == 200
    (event,) = [e for e in twilio.published(OUTBOUND) if e["data"]["delivery_id"] == delivery]
    assert (event["ce_type"], event["key"]) == (DELIVERY_STATUS, delivery.encode())
    told = event["data"]
    assert (told["attempt"], told["status"], told["error_code"]) == (2, status, code)
    assert told["sid"] == dict(pairs)["MessageSid"]
    assert "+1201" not in json.dumps(told)


def test_a_status_callback_cannot_be_moved_to_another_delivery(twilio: Twilio) -> None:
    """The query is under the signature; so is the path."""
    pairs = payload("status_delivered")
    signed = f"{PUBLIC_URL}/status?delivery=a&attempt=1"
    assert twilio.post(pairs, to="/hooks/whatsapp/status?delivery=b&attempt=1", url=signed).status_code == 403
    assert twilio.post(pairs, to="/hooks/whatsapp?delivery=a&attempt=1", url=signed).status_code == 403


def test_a_status_of_no_delivery_of_ours_is_refused(twilio: Twilio) -> None:
    """Signed, but about a message that was sent by other means."""
    answer = twilio.post(payload("status_sent"), to="/status", url=f"{PUBLIC_URL}/status")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "delivery")


def test_too_much_is_too_large(twilio: Twilio) -> None:
    """413 before anything is read into memory."""
    assert twilio.post([("Body", "x" * 1_100_000)], signature="x").status_code == 413


def test_only_post_is_answered(twilio: Twilio) -> None:
    """405 in the one shape of errors."""
    with twilio.function.client() as client:
        assert client.get("/hooks/whatsapp").json()["error"]["reason"] == "bad-method"


def test_health_names_the_channels(twilio: Twilio) -> None:
    """WhatsApp is well; of the others this function knows nothing."""
    with twilio.function.client() as client:
        health = client.get("/health")
    assert health.status_code == 200
    assert {name: each["status"] for name, each in health.json()["channels"].items()} == {
        "email": "unknown", "whatsapp": "ok", "web": "unknown",
    }  # fmt: skip


_NAMES = st.sampled_from(["Body", "From", "MessageSid", "NumMedia", "MediaUrl0", "MessageType"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_NAMES | st.text(max_size=5), st.text(max_size=60)), max_size=12))
def test_any_signed_form_is_taken_or_refused(twilio: Twilio, pairs: Pairs) -> None:
    """2xx or 4xx; never a fault of ours."""
    whole = [*pairs, ("From", "whatsapp:+12015550123"), ("MessageSid", "SMfuzz")]
    try:
        signature = twilio.sign(PUBLIC_URL, whole, twilio.tokens[0])
    except UnicodeEncodeError:
        return
    assert twilio.post(whole, signature=signature).status_code < 500


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON)
def test_any_signed_json_is_taken_or_refused(twilio: Twilio, value: object) -> None:
    """2xx or 4xx; never a fault of ours."""
    body = json.dumps(value).encode()
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = twilio.sign(f"{PUBLIC_URL}?{query}", [], twilio.tokens[0])
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": signature}
    with twilio.function.client(headers=headers) as client:
        assert client.post(f"/?{query}", content=body).status_code < 500


def test_nothing_of_a_customer_is_logged(twilio: Twilio) -> None:
    """After everything above: no number, no name, no word; and each line is JSON."""
    twilio.post(payload("text", Body="a very private sentence"))
    log = twilio.function.log.read_text()
    assert '"event_type": "message_accepted"' in log
    assert '"event_type": "bug"' not in log
    for secret in ("2015550123", "Robin", "private sentence", "export my invoices", *twilio.tokens):
        assert secret not in log
    assert all(json.loads(line) for line in log.splitlines() if line.startswith("{"))


def test_without_kafka_twilio_is_told_to_come_again(
    tmp_path: Path, environment: dict[str, str], twilio: Twilio
) -> None:
    """503 with Retry-After, never a 2xx; health says why."""
    away = environment | {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "KAFKA_PUBLISH_TIMEOUT_S": "1.5",
    }
    with served("whatsapp_webhook", tmp_path, away) as function:
        cut_off = Twilio(function, twilio.kafka, twilio.tokens, twilio.event_key)
        answer = cut_off.post(payload("text"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        with function.client() as client:
            health = client.get("/health")
        assert (health.status_code, health.json()["reason"]) == (503, "kafka-away")


def test_without_a_token_nothing_passes(tmp_path: Path, environment: dict[str, str], twilio: Twilio) -> None:
    """Fail closed, and the channel says that it is not configured while the function serves."""
    with served("whatsapp_webhook", tmp_path, environment | {"TWILIO_AUTH_TOKEN": ""}) as function:
        open_door = Twilio(function, twilio.kafka, ("", ""), twilio.event_key)
        pairs = payload("text")
        assert open_door.post(pairs).status_code == 403
        with function.client() as client:
            assert client.get("/health").json()["channels"]["whatsapp"]["reason"] == "not-configured"
    assert twilio.message(dict(pairs)["MessageSid"]) == []
