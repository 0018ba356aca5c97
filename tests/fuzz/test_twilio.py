"""Any parameters and any body at whatsapp-webhook's own app: one event or a 4xx, never a 5xx, never two events.

The app is the one that uvicorn serves; only Kafka is replaced, at the seam where events are handed over.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import ASGIApp

from functions.whatsapp_webhook.main import Deps, whatsapp_webhook
from shared.channels.message import InboundMessage
from shared.channels.status import DeliveryStatus
from shared.channels.whatsapp.commands import command_of
from shared.channels.whatsapp.contact_card import names
from shared.channels.whatsapp.missed import Missed
from shared.channels.whatsapp.signature import WebhookGuard
from shared.clock import SystemClock
from shared.events.envelope import INBOUND, MAX_EVENT_BYTES, OUTBOUND, Event
from shared.runtime.serve import serve
from shared.settings import Settings
from tests.conftest import make_settings

#: `serve` finds the function in the module that opens its dependencies.
__all__ = ["whatsapp_webhook"]

URL = "https://support.example.com/hooks/whatsapp"
TOKEN = "a-token-of-this-test"


class Kafka:
    """Takes what is published, and nothing else."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Event]] = []

    async def publish(self, topic: str, event: Event) -> None:
        self.taken.append((topic, event))

    async def ping(self) -> None:
        return None


class Side:
    """Twilio's side of the app, on one event loop."""

    def __init__(self, app: ASGIApp, kafka: Kafka, runner: asyncio.Runner) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://function")
        self._kafka, self._runner = kafka, runner

    def post(self, body: bytes, *, query: str = "", path: str = "/hooks/whatsapp", **headers: str) -> int:
        """The status; whatever was published is in `taken`."""
        self._kafka.taken.clear()
        url = f"{path}?{query}" if query else path
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = self._runner.run(self._client.post(url, content=body, headers=kind | headers))
        return answer.status_code

    @property
    def taken(self) -> list[tuple[str, Event]]:
        return self._kafka.taken

    async def close(self) -> None:
        await self._client.aclose()


@pytest.fixture(scope="module")
def twilio() -> Iterator[Side]:
    """The app with its lifespan, as `serve` makes it."""
    kafka = Kafka()
    given_settings = make_settings(
        twilio_auth_token=SecretStr(TOKEN), twilio_webhook_url=URL, twilio_whatsapp_from="whatsapp:+12015550100"
    )

    @asynccontextmanager
    async def deps(_settings: Settings) -> AsyncGenerator[Any]:
        guard, clock = WebhookGuard.from_settings(given_settings), SystemClock()
        async with httpx.AsyncClient() as http:
            missed = Missed(given_settings, http, kafka, clock)
            yield Deps(given_settings, kafka, guard, clock, missed, (b"k" * 32,))  # type: ignore[arg-type]

    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_LEVEL", "ERROR")
        app = serve("whatsapp_webhook", deps)
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        side = Side(app, kafka, runner)
        yield side
        runner.run(side.close())
        runner.run(lifespan.__aexit__(None, None, None))
    structlog.reset_defaults()


def sign(url: str, pairs: list[tuple[str, str]]) -> str:
    """As Twilio documents it."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(TOKEN.encode(), text.encode("utf-8", "replace"), "sha1").digest()).decode()


_TEXT = st.text(max_size=80) | st.text(alphabet="0123456789+-:., \x00\n%&=", max_size=30)
_NAMES = st.sampled_from(
    ["Body", "From", "To", "MessageSid", "SmsSid", "SmsMessageSid", "NumMedia", "MediaUrl0", "MediaUrl1",
     "MediaContentType0", "ProfileName", "MessageType", "Latitude", "Longitude", "Label", "Address", "ButtonText",
     "ButtonPayload", "ListTitle", "ListId", "OptOutType", "Forwarded", "FrequentlyForwarded", "MessageStatus",
     "OriginalRepliedMessageSid", "OriginalMessageSid", "SmsStatus", "ErrorCode", "MessagingServiceSid", "WaId"]
)  # fmt: skip
_VALUES = _TEXT | st.sampled_from(
    ["whatsapp:+12015550123", "whatsapp:US.1349", "SM" + "0" * 32, "reaction", "edited", "deleted", "STOP",
     "arrêt", "7", "true", "delivered", "failed", "63016", "https://api.twilio.com/x", "text/vcard", "image/png"]
)  # fmt: skip
_PAIRS = st.lists(st.tuples(_NAMES | st.text(max_size=12), _VALUES), max_size=20)
_MESSAGE = st.fixed_dictionaries(
    {"From": st.just("whatsapp:+12015550123"), "MessageSid": st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")}
)
_QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def encoded(pairs: list[tuple[str, str]]) -> tuple[bytes, list[tuple[str, str]]]:
    """A body, and the fields a reader of forms finds in it."""
    body = urlencode(pairs, errors="replace").encode()
    return body, parse_qsl(body.decode(), keep_blank_values=True, errors="replace")


def one_or_none(twilio: Side, status: int, topic: str) -> Event | None:
    """The rule of this file."""
    assert 200 <= status < 300 or 400 <= status < 500, status
    assert [name for name, _ in twilio.taken] == ([topic] if status < 300 else [])
    return twilio.taken[0][1] if twilio.taken else None


@_QUIET
@given(_PAIRS, _MESSAGE)
def test_any_signed_parameters(twilio: Side, pairs: list[tuple[str, str]], sure: dict[str, str]) -> None:
    """Whole messages with anything beside them: an event that its reader can read, or a refusal."""
    body, read = encoded([*pairs, *sure.items()])
    status = twilio.post(body, **{"X-Twilio-Signature": sign(URL, read)})
    event = one_or_none(twilio, status, INBOUND)
    if event is not None:
        message = InboundMessage.model_validate_json(event.data)
        assert message.provider_message_id in dict(reversed(read)).values()
        assert len(event.data) <= MAX_EVENT_BYTES


@_QUIET
@given(_PAIRS)
def test_any_signed_form(twilio: Side, pairs: list[tuple[str, str]]) -> None:
    """Also what lacks a sender, an id, everything."""
    body, read = encoded(pairs)
    one_or_none(twilio, twilio.post(body, **{"X-Twilio-Signature": sign(URL, read)}), INBOUND)


@_QUIET
@given(st.binary(max_size=400), st.sampled_from(["application/x-www-form-urlencoded", "application/json", "", "x/y"]))
@example(b"", "application/json")
@example(b"\xff", "application/json")
def test_any_body_without_a_signature(twilio: Side, body: bytes, kind: str) -> None:
    """Nothing gets in."""
    for headers in ({}, {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}):
        status = twilio.post(body, **{"Content-Type": kind, **headers})
        assert 400 <= status < 500
        assert twilio.taken == []


@_QUIET
@given(st.binary(max_size=400))
@example(b"[" * 3000)
@example(b"9" * 5000)
@example(b'{"MessageSid":"SM1","From":"whatsapp:+12015550123","Body":"\\ud800"}')
def test_any_signed_json_body(twilio: Side, body: bytes) -> None:
    """Signed by its hash."""
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(f"{URL}?{query}", [])}
    one_or_none(twilio, twilio.post(body, query=query, **headers), INBOUND)


_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | _VALUES | st.lists(st.integers(), max_size=2)


@_QUIET
@given(st.dictionaries(_NAMES, _VALUE, max_size=12), _MESSAGE)
def test_any_signed_json_parameters(twilio: Side, fields: dict[str, Any], sure: dict[str, str]) -> None:
    """The same parameters as an object, of any types."""
    body = json.dumps({**fields, **sure}).encode()
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(f"{URL}?{query}", [])}
    one_or_none(twilio, twilio.post(body, query=query, **headers), INBOUND)


_DELIVERIES = st.uuids().map(str) | _TEXT
_STATUSES = st.sampled_from(["sent", "delivered", "read", "failed", "undelivered", "queued"]) | _TEXT


@_QUIET
@given(_PAIRS, _DELIVERIES, st.integers(-2, 20_000).map(str) | _TEXT, _STATUSES)
def test_any_signed_callback(
    twilio: Side, pairs: list[tuple[str, str]], delivery: str, attempt: str, status: str
) -> None:
    """One status event or a refusal, whatever stands in the URL and the form."""
    query = urlencode([("delivery", delivery), ("attempt", attempt)], errors="replace")
    body, read = encoded([*pairs, ("MessageStatus", status), ("MessageSid", "SM1")])
    signature = sign(f"{URL}/status?{query}", read)
    answered = twilio.post(body, query=query, path="/hooks/whatsapp/status", **{"X-Twilio-Signature": signature})
    event = one_or_none(twilio, answered, OUTBOUND)
    if event is not None:
        assert DeliveryStatus.model_validate_json(event.data).at <= datetime.now(UTC)


@_QUIET
@given(st.binary(max_size=300), st.dictionaries(st.sampled_from(["ce-id", "ce-type", "ce-source"]), st.just("x")))
def test_any_body_at_the_poll_s_door(twilio: Side, body: bytes, headers: dict[str, str]) -> None:
    """No event of ours, no look."""
    status = twilio.post(body, path="/poll", **{"ce-specversion": "1.0", **headers})
    assert 400 <= status < 500
    assert twilio.taken == []


@given(st.text(max_size=200))
def test_a_command_is_a_whole_message(text: str) -> None:
    """No longer text, and nothing with a digit or a second sentence, is taken for one."""
    found = command_of({"Body": text})
    assert found is None or (len(text) <= 60 and not any(one.isdigit() for one in text))


@given(st.binary(max_size=500), st.binary(max_size=200))
def test_any_contact_card_names_a_few_lines_of_text(head: bytes, rest: bytes) -> None:
    """Whatever is on it: no exception, no line end, no more than ten."""
    found = names(head + b"\nBEGIN:VCARD\nFN:" + rest)
    assert len(found) <= 10
    assert all(name.strip() and "\n" not in name and len(name) <= 100 for name in found)
