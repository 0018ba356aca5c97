"""Twilio's simulator and our webhook, both over sockets: a message in, a reply out, its statuses back."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from shared.channels.message import Channel
from shared.channels.provider import Outbound
from shared.channels.whatsapp.sender import TwilioReplySender
from shared.events.envelope import INBOUND, OUTBOUND
from shared.local.server_process import free_port
from tests.conftest import make_settings, random_key
from tests.contract.served import MemoryKafka, Served, served, simulated

_PUBLIC = "https://support.example.com/hooks/whatsapp"
_SID = f"AC{secrets.token_hex(16)}"
_TOKEN = secrets.token_hex(16)


@pytest.fixture(scope="module")
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture(scope="module")
def twilio(tmp_path_factory: pytest.TempPathFactory, kafka: MemoryKafka) -> Iterator[Served]:
    """The simulator, which reaches the webhook behind its public URL as through a proxy."""
    folder = tmp_path_factory.mktemp("loop")
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
        "FTE_EVENT_KEY": random_key(),
        "FTE_LOOKUP_KEY": random_key(),
        "TWILIO_AUTH_TOKEN": _TOKEN,
        "TWILIO_WEBHOOK_URL": _PUBLIC,
    }
    with served("whatsapp_webhook", folder, settings) as webhook:
        options = {
            "--account-sid": _SID,
            "--auth-token": _TOKEN,
            "--webhook-url": f"{webhook.url}/hooks/whatsapp",
            "--public-url": _PUBLIC,
        }
        flat = [part for option in options.items() for part in option]
        with simulated("twilio", folder, free_port(), *flat) as simulator:
            yield simulator


def _data(kafka: MemoryKafka, topic: str, matches: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    return [data for r in kafka.records(topic) if matches(data := json.loads(r.value() or b"{}"))]


def test_what_a_customer_sends_arrives(twilio: Served, kafka: MemoryKafka) -> None:
    """Words, a name, a file and parameters that Twilio may add tomorrow: signed there, believed here."""
    png = {"content_type": "image/png", "base64": base64.b64encode(b"\x89PNG").decode()}
    sent = {
        "from": "+12015550123",
        "body": "Grüße & 1+1 😀",
        "profile_name": "Robin Example",
        "media": [png],
        "params": {"Tomorrow": ["b", "a", "b"], "Blank": ""},
    }
    with twilio.client() as client:
        answer = client.post("/_control/inbound", json=sent).json()
    assert answer["status_code"] == 200
    (data,) = _data(kafka, INBOUND, lambda each: each["provider_message_id"] == answer["sid"])
    assert (data["text"], data["sender"]["name"]) == ("Grüße & 1+1 😀", "Robin Example")
    assert [each["content_type"] for each in data["attachments"]] == ["image/png"]


async def test_a_reply_comes_back_as_statuses(twilio: Served, kafka: MemoryKafka) -> None:
    """What send-reply sends is reported to whatsapp-webhook, under the delivery and attempt it was sent for."""
    with twilio.client() as client:
        client.post("/_control/inbound", json={"from": "+12015550123", "body": "hello"}).raise_for_status()
    delivery = secrets.token_hex(8)
    reply = Outbound(delivery, 2, Channel.WHATSAPP, "+12015550123", "", "", "Your export is ready.", datetime.now(UTC))
    sender = TwilioReplySender(
        make_settings(
            twilio_account_sid=_SID,
            twilio_auth_token=SecretStr(_TOKEN),
            twilio_whatsapp_from="+12015550100",
            twilio_webhook_url=_PUBLIC,
            twilio_api_base_url=twilio.url,
        )
    )
    try:
        receipt = await sender.send(reply, _no_draft)
    finally:
        await sender.close()
    statuses = _statuses(kafka, delivery, "delivered")
    assert {each["status"] for each in statuses} == {"queued", "sent", "delivered"}
    assert {(each["sid"], each["attempt"]) for each in statuses} == {(receipt.provider_id, 2)}


async def _no_draft(_draft: str) -> None:
    raise AssertionError("Twilio has no drafts")


def _statuses(kafka: MemoryKafka, delivery: str, last: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = _data(kafka, OUTBOUND, lambda each: each["delivery_id"] == delivery)
        if any(each["status"] == last for each in found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {last} for the delivery")
