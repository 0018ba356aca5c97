"""Messages that no webhook told of: listed at Twilio's simulator, over a socket, and published once."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.channels.message import InboundMessage
from shared.channels.publish import inbound_event
from shared.channels.whatsapp.message import inbound_message
from shared.channels.whatsapp.missed import Missed
from shared.errors import Retryable
from shared.events.envelope import Event
from shared.local.server_process import free_port
from shared.settings import Settings, key_bytes
from tests.conftest import make_settings, random_key
from tests.contract.served import Served, simulated

_SID = f"AC{secrets.token_hex(16)}"
_TOKEN = secrets.token_hex(16)
_OURS = "+12015550100"
_THEIRS = "+12015550123"


@dataclass
class Kafka:
    """What was published; away after `left` events."""

    events: list[Event] = field(default_factory=list[Event])
    left: int = 1_000_000

    async def publish(self, topic: str, event: Event) -> None:
        assert topic == "fte.inbound"
        if self.left <= 0:
            raise Retryable("Kafka is away", reason="kafka-away")
        self.left -= 1
        self.events.append(event)

    @property
    def messages(self) -> list[InboundMessage]:
        return [InboundMessage.model_validate_json(event.data) for event in self.events]


class Later:
    """A clock a minute ahead, for which every message has settled."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=1)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Its webhook's address answers nobody: every message is missed."""
    nobody = f"http://127.0.0.1:{free_port()}/"
    options = ["--account-sid", _SID, "--auth-token", _TOKEN, "--webhook-url", nobody]
    with simulated("twilio", tmp_path_factory.mktemp("twilio"), free_port(), *options) as started:
        yield started


@pytest.fixture
def settings(simulator: Served) -> Settings:
    """As whatsapp-webhook's."""
    with simulator.client() as client:
        client.post("/_control/reset")
    return make_settings(
        twilio_account_sid=_SID,
        twilio_auth_token=SecretStr(_TOKEN),
        twilio_whatsapp_from=_OURS,
        twilio_api_base_url=simulator.url,
    )


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest_asyncio.fixture
async def missed(settings: Settings, kafka: Kafka) -> AsyncIterator[Missed]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield Missed(settings, http, kafka, Later())


def write(simulator: Served, body: str, sender: str = _THEIRS, **more: Any) -> str:
    """A customer writes, and no webhook hears it; the message's sid."""
    with simulator.client() as client:
        answer = client.post("/_control/inbound", json={"from": sender, "body": body, **more}).json()
    assert answer["status_code"] == 502
    return answer["sid"]


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


async def test_a_missed_message_is_the_one_its_webhook_would_have_made(
    simulator: Served, missed: Missed, kafka: Kafka, settings: Settings
) -> None:
    """The same event id and key: whichever comes second is a repeat."""
    sid = write(simulator, "how do I export my data?")
    assert await missed.collect(ago(hours=1), ()) == 1
    (event,), (message,) = kafka.events, kafka.messages
    by_webhook = inbound_message({"MessageSid": sid, "From": f"whatsapp:{_THEIRS}", "Body": "?"}, datetime.now(UTC))
    expected = inbound_event(key_bytes(settings.fte_lookup_key, "FTE_LOOKUP_KEY"), by_webhook)
    assert (event.id, event.key) == (expected.id, expected.key)
    assert (message.text, message.thread, message.ignored) == ("how do I export my data?", _THEIRS, "")
    assert abs(message.received_at - datetime.now(UTC)) < timedelta(seconds=10)


async def test_what_is_known_is_not_handed_on_again(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """The sweep says what is stored already."""
    known, new = write(simulator, "one"), write(simulator, "two")
    assert await missed.collect(ago(hours=1), (known,)) == 1
    assert kafka.messages[0].provider_message_id == new


async def test_files_come_along(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """With the URLs that the webhook would have named."""
    png = {"content_type": "image/png", "base64": base64.b64encode(b"\x89PNG").decode()}
    write(simulator, "", media=[png, png])
    await missed.collect(ago(hours=1), ())
    files = kafka.messages[0].attachments
    assert [file.content_type for file in files] == ["image/png", "image/png"]
    assert all(file.ref.startswith(f"{simulator.url}/2010-04-01/Accounts/{_SID}/Messages/") for file in files)
    assert not any(file.ref.endswith(".json") for file in files)


async def test_a_location_is_not_lost_for_having_no_words(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """The list knows no place: that there was something is told, and somebody asks."""
    write(simulator, "", params={"Latitude": "1", "Longitude": "2"})
    await missed.collect(ago(hours=1), ())
    assert (kafka.messages[0].ignored, kafka.messages[0].text) == (
        "",
        "[a message of a kind that cannot be shown: unknown]",
    )


async def test_a_missed_stop_stops(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """Nobody is written to because a webhook was away."""
    write(simulator, "STOP")
    await missed.collect(ago(hours=1), ())
    facts = kafka.messages[0].whatsapp
    assert facts is not None
    assert facts.command == "stop"


async def test_all_pages_are_read_and_told_in_order(
    simulator: Served, missed: Missed, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oldest first, over pages, with ours left out."""
    monkeypatch.setattr("shared.channels.whatsapp.missed._PAGE", 2)
    sids = []
    for number in range(5):
        sids.append(write(simulator, f"line {number}"))
        await asyncio.sleep(1.01)  # Twilio tells whole seconds
    with simulator.client(auth=(_SID, _TOKEN)) as client:
        form = {"To": f"whatsapp:{_THEIRS}", "From": f"whatsapp:{_OURS}", "Body": "ours"}
        assert client.post(f"/2010-04-01/Accounts/{_SID}/Messages.json", data=form).status_code == 201
    assert await missed.collect(ago(hours=1), ()) == 5
    assert [message.provider_message_id for message in kafka.messages] == sids


async def test_what_is_older_than_asked_for_is_left(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """What came before us is not ours to answer."""
    write(simulator, "long ago")
    assert await missed.collect(datetime.now(UTC) + timedelta(minutes=2), ()) == 0
    assert kafka.events == []


async def test_what_may_still_be_on_its_way_is_left_to_the_next_time(
    simulator: Served, settings: Settings, kafka: Kafka
) -> None:
    """A message of this second has a webhook under way."""
    write(simulator, "just now")

    class Now(Later):
        def now(self) -> datetime:
            return datetime.now(UTC)

    async with httpx.AsyncClient(timeout=10) as http:
        assert await Missed(settings, http, kafka, Now()).collect(ago(hours=1), ()) == 0


async def test_without_kafka_the_event_comes_again(simulator: Served, missed: Missed, kafka: Kafka) -> None:
    """Retryable: the source delivers the poll once more, and what was published is a repeat then."""
    write(simulator, "one")
    write(simulator, "two")
    kafka.left = 1
    with pytest.raises(Retryable):
        await missed.collect(ago(hours=1), ())
    kafka.left = 10
    await missed.collect(ago(hours=1), ())
    assert len({event.id for event in kafka.events}) == 2


def over(answer: Callable[[httpx.Request], httpx.Response], settings: Settings, kafka: Kafka) -> Missed:
    return Missed(settings, httpx.AsyncClient(transport=httpx.MockTransport(answer)), kafka, Later())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"code": 20003}),
        httpx.Response(429),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"messages": None}),
        httpx.Response(200, json={"messages": [{"sid": "SM1"}, 7, {"direction": "inbound", "from": "whatsapp:x"}]}),
        httpx.Response(200, json={"messages": [], "next_page_uri": "https://evil.example/x"}),
        httpx.Response(302, headers={"location": "https://evil.example/x"}),
    ],
)
async def test_twilio_s_faults_end_a_look_and_break_nothing(
    settings: Settings, kafka: Kafka, answer: httpx.Response
) -> None:
    """The next sweep looks as far back; credentials never go elsewhere."""
    hosts: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return answer

    assert await over(reply, settings, kafka).collect(ago(hours=1), ()) == 0
    assert set(hosts) == {"127.0.0.1"}


async def test_a_time_out_ends_a_look(settings: Settings, kafka: Kafka) -> None:
    """As above."""

    def reply(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    assert await over(reply, settings, kafka).collect(ago(hours=1), ()) == 0


def listed(sid: str | None, **more: Any) -> dict[str, Any]:
    """A message as the list has it, written ten minutes ago."""
    at = format_datetime(ago(minutes=10))
    about = {"sid": sid, "from": f"whatsapp:{_THEIRS}", "direction": "inbound", "num_media": "0", "date_sent": at}
    return {**about, "body": "hi", **more}


def with_files(messages: list[dict[str, Any]], media: httpx.Response | Exception) -> Callable[..., httpx.Response]:
    """A list of messages, whose lists of files answer alike."""

    def reply(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/Media.json"):
            return httpx.Response(200, json={"messages": messages})
        if isinstance(media, Exception):
            raise media
        return media

    return reply


@pytest.mark.parametrize("status", [404, 410])
async def test_a_file_that_was_deleted_costs_nobody_a_message(settings: Settings, kafka: Kafka, status: int) -> None:
    """Its words count, the lost file is told, and what came later comes too."""
    first = listed("SM1", num_media="1", date_sent=format_datetime(ago(minutes=20)))
    wordless = listed("SM2", num_media="1", body="", date_sent=format_datetime(ago(minutes=15)))
    reply = with_files([listed("SM3"), wordless, first], httpx.Response(status))
    assert await over(reply, settings, kafka).collect(ago(hours=1), ()) == 3
    note = "[a file came along, which Twilio no longer has]"
    assert [one.text for one in kafka.messages] == [f"hi\n{note}", note, "hi"]
    assert not any(one.ignored or one.attachments for one in kafka.messages)


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.ReadTimeout("slow"), httpx.Response(200, text="<html>")])
async def test_files_that_cannot_be_listed_now_leave_their_message_to_the_next_sweep(
    settings: Settings, kafka: Kafka, fault: httpx.Response | Exception
) -> None:
    """The others come, and this one is found again."""
    first = listed("SM1", num_media="1", date_sent=format_datetime(ago(minutes=20)))
    assert await over(with_files([listed("SM2"), first], fault), settings, kafka).collect(ago(hours=1), ()) == 1
    assert [one.provider_message_id for one in kafka.messages] == ["SM2"]
    files = httpx.Response(200, json={"media_list": [{"uri": "/m.json", "content_type": "image/png"}]})
    assert await over(with_files([listed("SM2"), first], files), settings, kafka).collect(ago(hours=1), ("SM2",)) == 1
    assert len(kafka.messages[-1].attachments) == 1


@pytest.mark.parametrize(("told", "minutes"), [("iso", 10), (None, -1), ("soon", -1)])
async def test_a_message_without_a_readable_time_is_no_message_of_year_one(
    settings: Settings, kafka: Kafka, told: str | None, minutes: int
) -> None:
    """ISO 8601 is read; otherwise the clock's time counts, which opens the window."""
    at = ago(minutes=10).isoformat() if told == "iso" else told
    reply = with_files([listed("SM1", date_sent=at, date_created=None)], httpx.Response(404))
    assert await over(reply, settings, kafka).collect(ago(hours=1), ()) == 1
    assert abs(kafka.messages[0].received_at - ago(minutes=minutes)) < timedelta(seconds=5)


async def test_a_message_without_an_id_is_refused(settings: Settings, kafka: Kafka) -> None:
    """It is not called "None"."""
    reply = with_files([listed(None), listed("SM2")], httpx.Response(404))
    assert await over(reply, settings, kafka).collect(ago(hours=1), ()) == 1
    assert [one.provider_message_id for one in kafka.messages] == ["SM2"]


def test_settings_decide_whether_there_is_anything_to_list(kafka: Kafka) -> None:
    """Without account, token or sender the poll is none of ours."""
    assert not Missed(make_settings(), httpx.AsyncClient(), kafka, Later()).configured


# -- the function's door ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """whatsapp-webhook with a Kafka that is away: what is refused at the door never needs it."""
    event_key = random_key()
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "FTE_EVENT_KEY": event_key,
        "FTE_LOOKUP_KEY": random_key(),
    }
    with served_webhook(tmp_path_factory, environment) as started:
        yield started, event_key


def served_webhook(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Any:
    from tests.contract.served import served

    return served("whatsapp_webhook", tmp_path_factory.mktemp("webhook"), environment)


def poll(webhook: tuple[Served, str], *, data: bytes, kind: str = "fte.channel.poll", sign: bool = True) -> int:
    from shared.events.signature import sign as signature

    function, key = webhook
    headers = {"ce-specversion": "1.0", "ce-id": "p1", "ce-source": "fte/dlq-review", "ce-type": kind}
    if sign:
        headers["ce-ftesig"] = signature(base64.b64decode(key), "p1", kind, "fte/dlq-review", data)
    with function.client() as client:
        return client.post("/poll", content=data, headers={**headers, "content-type": "application/json"}).status_code


def test_only_our_own_events_ask_for_a_look(webhook: tuple[Served, str]) -> None:
    """The path is public: without our signature it is refused, and of other events and channels nothing is done."""
    asked = json.dumps({"channel": "whatsapp", "since": datetime.now(UTC).isoformat(), "known": []}).encode()
    assert poll(webhook, data=asked, sign=False) == 401
    assert poll(webhook, data=asked, kind="fte.message.received") == 422
    assert poll(webhook, data=b'{"channel": "email"}') == 200
    assert poll(webhook, data=b'{"channel": "pigeon"}') == 422
    assert poll(webhook, data=asked) == 200
