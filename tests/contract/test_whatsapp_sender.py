"""WhatsApp's way out against Twilio's REST API, spoken over a real socket by the simulator."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.channels.message import Channel
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused, Template
from shared.channels.whatsapp.sender import TwilioReplySender, same_text
from shared.local.server_process import free_port
from shared.settings import Settings
from tests.conftest import make_settings
from tests.contract.served import Served, simulated

_SID = f"AC{secrets.token_hex(16)}"
_TOKEN = secrets.token_hex(16)
_WEBHOOK = "https://support.example.com/whatsapp"


@pytest.fixture(scope="module")
def twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("twilio")
    # Nobody listens where it would post: this is about what we ask of Twilio.
    nowhere = f"http://127.0.0.1:{free_port()}/"
    options = ("--account-sid", _SID, "--auth-token", _TOKEN, "--webhook-url", nowhere)
    with simulated("twilio", folder, free_port(), *options) as simulator:
        yield simulator


@pytest.fixture
def number(twilio: Served) -> str:
    """A customer who has just written, so that the 24-hour window is open."""
    with twilio.client() as client:
        client.post("/_control/reset")
        client.post("/_control/inbound", json={"from": "+12015550123", "body": "hello"}).raise_for_status()
    return "+12015550123"


def _settings(url: str, **more: Any) -> Settings:
    return make_settings(
        twilio_account_sid=_SID,
        twilio_auth_token=SecretStr(_TOKEN),
        twilio_whatsapp_from="whatsapp:+12015550100",
        twilio_webhook_url=_WEBHOOK,
        twilio_api_base_url=url,
        provider_timeout_s=2.0,
        **more,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[TwilioReplySender]:
    sender = TwilioReplySender(settings)
    try:
        yield sender
    finally:
        await sender.close()


@pytest_asyncio.fixture
async def sender(twilio: Served) -> AsyncIterator[TwilioReplySender]:
    async with opened(_settings(twilio.url)) as made:
        yield made


def outbound(to: str, text: str = "Your export is ready.", **changes: Any) -> Outbound:
    """One reply."""
    made = Outbound(
        delivery_id=secrets.token_hex(8),
        attempt=1,
        channel=Channel.WHATSAPP,
        to=to,
        to_name="Robin Example",
        subject="",
        text=text,
        created_at=datetime.now(UTC),
    )
    return replace(made, **changes)


async def _no_draft(_draft: str) -> None:
    raise AssertionError("Twilio has no drafts")


def _sent(twilio: Served) -> list[dict[str, Any]]:
    with twilio.client() as client:
        return client.get("/_control/sent").json()


def _fault(twilio: Served, kind: str, **more: Any) -> None:
    with twilio.client() as client:
        client.post("/_control/faults", json={"kind": kind, "for_s": 30, "count": 1} | more).raise_for_status()


async def test_one_reply_is_one_message(twilio: Served, sender: TwilioReplySender, number: str) -> None:
    """The text arrives to the letter, and the status callback names the delivery and its attempt."""
    reply = outbound(number, "Grüße — 1 + 1 = 2 & more 😀\nرسالة", attempt=3)
    receipt = await sender.send(reply, _no_draft)
    (sent,) = _sent(twilio)
    assert (sent["sid"], sent["to"], sent["body"]) == (receipt.provider_id, f"whatsapp:{number}", reply.text)
    assert receipt.status == "sent"
    callback = urlsplit(sent["status_callback"])
    assert callback.path == "/whatsapp/status"
    assert parse_qs(callback.query) == {"delivery": [reply.delivery_id], "attempt": ["3"]}


@pytest.mark.parametrize(("text", "code"), [("x" * 301, "too-long"), ("😀" * 151, "too-long"), (" \n", "empty")])
async def test_what_must_not_be_sent_is_not(
    twilio: Served, sender: TwilioReplySender, number: str, text: str, code: str
) -> None:
    """The limit holds here whatever happened before."""
    with pytest.raises(ProviderRefused) as refused:
        await sender.send(outbound(number, text), _no_draft)
    assert refused.value.code == code
    assert _sent(twilio) == []


async def test_outside_the_window_a_template_goes_out_and_free_text_does_not(
    twilio: Served, sender: TwilioReplySender, number: str
) -> None:
    """By ContentSid with its variables and no body, also when our record of it is longer than a message may be."""
    with twilio.client() as client:
        client.post("/_control/window", json={"from": number, "age_h": 25}).raise_for_status()
    template = Template("HX" + "a" * 32, {"1": "Tideline"})
    asked = outbound(number, "[WhatsApp template: asked to write back]" * 10, template=template)
    receipt = await sender.send(asked, _no_draft)
    await sender.send(outbound(number), _no_draft)
    (sent,) = _sent(twilio)
    assert (sent["sid"], sent["content_sid"], sent["body"]) == (receipt.provider_id, template.sid, "")
    assert asked.delivery_id in sent["status_callback"]


async def test_a_template_that_is_none_is_refused_for_good(sender: TwilioReplySender, number: str) -> None:
    """21655: its SID is not one, so the reply that waits for it takes another way."""
    with pytest.raises(ProviderRefused) as refused:
        await sender.send(outbound(number, template=Template("HXnone", {})), _no_draft)
    assert refused.value.code == "21655"


async def test_a_template_is_not_looked_for_among_messages(sender: TwilioReplySender, number: str) -> None:
    """Twilio lists it under the template's words, which nobody here knows: only a callback proves it."""
    with pytest.raises(OutcomeUnknown):
        await sender.find(outbound(number, template=Template("HX" + "a" * 32, {"1": "Tideline"})))


@pytest.mark.parametrize(
    ("listed", "sent", "same"),
    [
        ("Open Data, then Export.", " Open Data, then Export.\n", True),
        ('Choose "Export" - it\'s there...', "Choose “Export” — it’s there…", True),
        ("one two", "one\r\n two", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("Open Data", "Open data", False),
        ("1 + 1", "1 + 2", False),
        ("", "something", False),
    ],
)
def test_twilio_s_spelling_of_our_text_is_our_text(listed: str, sent: str, same: bool) -> None:
    """It trims, and its Smart Encoding writes plain signs: not another message."""
    assert same_text(listed, sent) is same


async def test_a_number_that_is_none_is_refused_for_good(sender: TwilioReplySender, number: str) -> None:
    """21211: the provider's code, and not the number."""
    with pytest.raises(ProviderRefused) as refused:
        await sender.send(outbound("+0"), _no_draft)
    assert refused.value.code == "21211"
    assert "+0" not in str(refused.value)


async def test_a_person_who_opted_out_is_refused_for_good(
    twilio: Served, sender: TwilioReplySender, number: str
) -> None:
    """21610."""
    with twilio.client() as client:
        client.post("/_control/opt-out", json={"from": number}).raise_for_status()
    with pytest.raises(ProviderRefused) as refused:
        await sender.send(outbound(number), _no_draft)
    assert refused.value.code == "21610"


async def test_too_fast_is_later(twilio: Served, sender: TwilioReplySender, number: str) -> None:
    """429 was not carried out, so it may be tried again."""
    _fault(twilio, "rate_limit")
    with pytest.raises(ProviderDown) as down:
        await sender.send(outbound(number), _no_draft)
    assert down.value.code == "20429"
    assert _sent(twilio) == []


async def test_wrong_credentials_are_ours_to_repair(twilio: Served, number: str) -> None:
    """Not the message's fault: it waits, and the code says what is wrong."""
    async with opened(_settings(twilio.url).model_copy(update={"twilio_auth_token": SecretStr("wrong")})) as sender:
        with pytest.raises(ProviderDown) as down:
            await sender.send(outbound(number), _no_draft)
    assert down.value.code == "auth"


async def test_without_settings_nothing_is_tried() -> None:
    """A deployment without WhatsApp says so, per delivery, and goes on."""
    async with opened(make_settings()) as sender:
        for attempt in (sender.send(outbound("+12015550123"), _no_draft), sender.find(outbound("+12015550123"))):
            with pytest.raises(ProviderDown) as down:
                await attempt
            assert down.value.code == "not-configured"


async def test_an_outage_leaves_the_outcome_open_and_looking_settles_it(
    twilio: Served, sender: TwilioReplySender, number: str
) -> None:
    """503 does not say that nothing was done; the list of messages does."""
    reply = outbound(number)
    _fault(twilio, "outage")
    with pytest.raises(OutcomeUnknown) as unknown:
        await sender.send(reply, _no_draft)
    assert unknown.value.code == "20503"
    assert await sender.find(reply) is None


async def test_a_lost_answer_is_found_again(twilio: Served, sender: TwilioReplySender, number: str) -> None:
    """Accepted, and the connection dropped: unknown, then found, and never sent twice."""
    reply = outbound(number)
    _fault(twilio, "lost_response")
    with pytest.raises(OutcomeUnknown):
        await sender.send(reply, _no_draft)
    found = await sender.find(reply)
    (sent,) = _sent(twilio)
    assert found is not None
    assert found.provider_id == sent["sid"]


async def test_a_slow_answer_is_unknown_at_the_deadline(twilio: Served, sender: TwilioReplySender, number: str) -> None:
    """The deadline is hard: two seconds here, whatever trickles in later."""
    _fault(twilio, "slow", ms=2500)
    with pytest.raises(OutcomeUnknown) as unknown:
        async with asyncio.timeout(2.4):
            await sender.send(outbound(number), _no_draft)
    assert unknown.value.code == "timeout"


async def test_while_twilio_is_away_nothing_is_known(twilio: Served, sender: TwilioReplySender, number: str) -> None:
    """Looking fails as ProviderDown: neither found nor not found."""
    _fault(twilio, "outage")
    with pytest.raises(ProviderDown):
        await sender.find(outbound(number))


async def test_only_this_message_is_proof(sender: TwilioReplySender, number: str) -> None:
    """Not another text, not another delivery's, not one from before, and not to another number."""
    reply = outbound(number)
    receipt = await sender.send(reply, _no_draft)
    assert (await sender.find(reply)) is not None
    assert await sender.find(replace(reply, text="Another text.")) is None
    assert await sender.find(replace(reply, taken_ids=frozenset({receipt.provider_id}))) is None
    assert await sender.find(replace(reply, created_at=datetime.now(UTC) + timedelta(minutes=5))) is None
    assert await sender.find(replace(reply, to="+12015550124")) is None


async def test_two_that_could_be_it_are_ambiguous(sender: TwilioReplySender, number: str) -> None:
    """A person decides, unless the other one is known to belong elsewhere."""
    reply = outbound(number)
    first = await sender.send(reply, _no_draft)
    second = await sender.send(replace(reply, delivery_id="another"), _no_draft)
    with pytest.raises(OutcomeUnknown) as unknown:
        await sender.find(reply)
    assert unknown.value.code == "ambiguous"
    found = await sender.find(replace(reply, taken_ids=frozenset({second.provider_id})))
    assert found is not None
    assert found.provider_id == first.provider_id


async def test_outside_the_window_what_is_found_has_failed(twilio: Served, sender: TwilioReplySender) -> None:
    """Twilio takes the message and refuses it later: 63016 is its last word, here as in the callback."""
    reply = outbound("+12015550125")
    await sender.send(reply, _no_draft)
    with pytest.raises(ProviderRefused) as refused:
        await _until_it_fails(sender, reply)
    assert refused.value.code == "63016"


async def _until_it_fails(sender: TwilioReplySender, reply: Outbound) -> None:
    async with asyncio.timeout(5):
        while True:
            await sender.find(reply)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("codes", "outcome"),
    [
        (("63018",), "none"),
        (("30001", "20429"), "none"),
        (("63018", "30008"), "30008"),
        (("63007",), "63007"),
    ],
)
async def test_what_failed_for_now_was_not_sent(codes: tuple[str, ...], outcome: str) -> None:
    """Another attempt may follow, unless one of those listed failed for good."""
    reply = outbound("+12015550126")
    listed = [
        {
            "sid": f"SM{place}",
            "status": "failed",
            "error_code": int(code),
            "body": reply.text,
            "direction": "outbound-api",
        }
        for place, code in enumerate(codes)
    ]
    body = json.dumps({"messages": listed}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with _answering(answer) as url, opened(_settings(url)) as sender:
        if outcome == "none":
            assert await sender.find(reply) is None
        else:
            with pytest.raises(ProviderRefused) as refused:
                await sender.find(reply)
            assert refused.value.code == outcome


async def test_nobody_there_is_surely_not_sent() -> None:
    """A refused connection: nothing left this machine."""
    async with opened(_settings(f"http://127.0.0.1:{free_port()}")) as sender:
        with pytest.raises(ProviderDown) as down:
            await sender.send(outbound("+12015550123"), _no_draft)
    assert down.value.code == "connection"


_ANSWERS: dict[str, tuple[bytes, type[Exception], str]] = {
    "nothing": (b"", OutcomeUnknown, "connection"),
    "half": (b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", OutcomeUnknown, "connection"),
    "no HTTP": (b"hello\r\n\r\n", OutcomeUnknown, "connection"),
    "no JSON": (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", OutcomeUnknown, "unreadable-answer"),
    "no sid": (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", OutcomeUnknown, "unreadable-answer"),
    "elsewhere": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", OutcomeUnknown, "302"),
    "broken": (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", OutcomeUnknown, "500"),
    "wait": (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", ProviderDown, "429"),
}


@pytest.mark.parametrize("answer", _ANSWERS)
async def test_whatever_answers_is_understood(answer: str) -> None:
    """Dropped, garbled, redirected, broken: each has one meaning, and none is a bug."""
    raw, kind, code = _ANSWERS[answer]
    async with _answering(raw) as url, opened(_settings(url)) as sender:
        with pytest.raises(kind) as caught:
            await sender.send(outbound("+12015550123"), _no_draft)
    assert getattr(caught.value, "code", None) == code
    if answer == "wait":
        assert getattr(caught.value, "retry_after_s", None) == 7.0


@asynccontextmanager
async def _answering(raw: bytes) -> AsyncGenerator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
