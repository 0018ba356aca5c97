"""Files of WhatsApp messages: fetched after the inbox commit, kept, told to the turn, and never in an answer's way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from shared.channels.files import MAX_BYTES
from shared.channels.message import InboundMessage
from shared.channels.provider import ProviderDown, ProviderRefused
from shared.channels.whatsapp.contact_card import names
from shared.channels.whatsapp.content import MOST_FETCHED
from shared.channels.whatsapp.media import Fetched, MediaClient
from shared.channels.whatsapp.message import inbound_message
from shared.conversations import inbox, mailbox
from shared.conversations.waiting_files import MOST_ATTEMPTS, WaitingFiles
from shared.db.pool import Database
from shared.privacy import blobs
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import whatsapp
from tests.conftest import make_settings

_AT = "@"  # apart, since what stands before and behind it is no address
BASE = "https://api.twilio.com"
URL = f"{BASE}/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CARD = b"BEGIN:VCARD\r\nN:Example;Grace;;Dr.;\r\nFN:Dr. Grace\r\n  Example\r\nTEL:+12015550155\r\nEND:VCARD\r\n"


@dataclass
class Source:
    """Twilio's media as a test wants them: what is fetched, in order; an exception is raised."""

    answers: list[Fetched | Exception] = field(default_factory=list[Fetched | Exception])
    asked: list[str] = field(default_factory=list[str])

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_files(*types: str, body: str = "look at this") -> InboundMessage:
    """A message with so many files."""
    fields = {"MessageSid": f"MM{uuid4().hex}", "From": "whatsapp:+12015550123", "Body": body}
    fields |= {"NumMedia": str(len(types))}
    for index, kind in enumerate(types):
        fields |= {f"MediaUrl{index}": f"{URL}{index}", f"MediaContentType{index}": kind}
    return inbound_message(fields, datetime.now(UTC))


async def stored(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> inbox.Stored:
    return await inbox.store(db, vault, settings, message, str(uuid4()))


async def states(db: Database) -> list[tuple[str, str | None]]:
    rows = await db.fetch("SELECT state, reason FROM attachments ORDER BY ordinal")
    return [(row["state"], row["reason"]) for row in rows]


async def test_a_file_is_kept_and_told_to_the_turn(db: Database, vault: Vault, settings: Settings) -> None:
    """Type by content, size, hash, text; the contents lie in a blob of the customer's."""
    came = await stored(db, vault, settings, with_files("image/jpeg", "text/plain"))
    source = Source([Fetched(PNG, "image/jpeg"), Fetched(b"error 17 in line 3", "text/plain")])
    assert await WaitingFiles(db, vault, source).fetch(came.conversation_id) == 2
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    picture, text = seen.turn.messages[0].attachments
    assert (picture.content_type, picture.name, picture.size) == ("image/png", "attachment-1.png", len(PNG))
    assert text.text == "error 17 in line 3"
    assert not seen.turn.waits_for_files
    async with db.transaction() as connection:
        assert picture.blob is not None
        assert await blobs.contents(connection, vault, picture.blob) == PNG


async def test_it_is_fetched_once(db: Database, vault: Vault, settings: Settings) -> None:
    """A repeat of the event, and the sweep, find nothing to fetch."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([Fetched(PNG, "image/png")])
    files = WaitingFiles(db, vault, source)
    assert [await files.fetch(came.conversation_id) for _ in range(3)] == [1, 0, 0]
    assert len(source.asked) == 1


async def test_whose_card_it_is_is_told(db: Database, vault: Vault, settings: Settings) -> None:
    """The name, and nobody's number."""
    came = await stored(db, vault, settings, with_files("text/vcard", body=""))
    await WaitingFiles(db, vault, Source([Fetched(CARD, "text/vcard")])).fetch(came.conversation_id)
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    (card,) = seen.turn.messages[0].attachments
    assert card.text == "Contact card of Dr. Grace Example"


@pytest.mark.parametrize(
    ("card", "found"),
    [
        (CARD, ["Dr. Grace Example"]),
        (b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Ada;;;\n", ["Ada M\u00fcller"]),
        (b"BEGIN:VCARD\nitem1.FN:A\\, B\nEND:VCARD\nBEGIN:VCARD\nORG:Example Ltd;Sales\n", ["A, B", "Example Ltd"]),
        (b"BEGIN:VCARD\nTEL:1\nEND:VCARD", []),
        (b"", []),
        (b"\xff\xfe\x00", []),
    ],
)  # fmt: skip
def test_names_on_cards(card: bytes, found: list[str]) -> None:
    """As phones of different ages write them; what is no card names nobody."""
    assert names(card) == found


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (ProviderRefused("gone", code="not-found"), ("gone", "not-found")),
        (ProviderRefused("large", code="too-large"), ("refused", "too-large")),
        (ProviderRefused("elsewhere", code="foreign-host"), ("refused", "foreign-host")),
    ],
)
async def test_what_can_never_be_had_says_why(
    db: Database, vault: Vault, settings: Settings, fault: Exception, state: tuple[str, str]
) -> None:
    """For good, at once, with the reason where an operator looks."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([fault])
    await WaitingFiles(db, vault, source).fetch(came.conversation_id)
    assert await states(db) == [state]
    assert len(source.asked) == 1


async def test_what_fails_waits_for_the_sweep_and_ends(db: Database, vault: Vault, settings: Settings) -> None:
    """Twice at once, then with growing pauses, then `gone`: the answer was never kept waiting."""
    came = await stored(db, vault, settings, with_files("image/png"))
    source = Source([ProviderDown("away", code="503")])
    files = WaitingFiles(db, vault, source)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert await files.fetch(came.conversation_id) == 1
        assert await files.fetch(came.conversation_id) == 0
        assert len(source.asked) == 2 * attempt
        if attempt < MOST_ATTEMPTS:
            assert await states(db) == [("waiting", "503")]
        await db.execute("UPDATE attachments SET next_at = now()")
    assert await states(db) == [("gone", "503")]
    assert await files.fetch(came.conversation_id) == 0


async def test_a_slow_store_does_not_eat_the_turn(
    db: Database, vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files of a message together have seconds, and no more."""
    monkeypatch.setattr("shared.conversations.waiting_files.BUDGET_S", 0.2)

    class Slow:
        async def fetch(self, url: str) -> Fetched:
            import asyncio

            await asyncio.sleep(30)
            raise AssertionError(url)

    came = await stored(db, vault, settings, with_files("image/png", "image/png"))
    assert await WaitingFiles(db, vault, Slow()).fetch(came.conversation_id) == 1
    assert await states(db) == [("waiting", "timeout"), ("waiting", None)]


async def test_more_files_than_are_kept_are_named_only(db: Database, vault: Vault, settings: Settings) -> None:
    """The twenty-first and on are refused at the door, as on every channel."""
    came = await stored(db, vault, settings, with_files(*(["image/png"] * (MOST_FETCHED + 2))))
    assert (await states(db))[MOST_FETCHED:] == [("refused", "too-many")] * 2
    assert await WaitingFiles(db, vault, Source([Fetched(PNG, "")])).fetch(came.conversation_id) == MOST_FETCHED


# -- the wire --------------------------------------------------------------------------------------------


def client(answer: Callable[[httpx.Request], httpx.Response], **more: object) -> MediaClient:
    """Twilio's media over a wire that answers as the test says."""
    given = {"twilio_account_sid": "AC1", "twilio_auth_token": SecretStr("new,old"), **more}
    return MediaClient(make_settings(**given), httpx.MockTransport(answer))


async def test_credentials_go_to_twilio_alone() -> None:
    """The redirect to the store is followed without them."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == "api.twilio.com":
            return httpx.Response(307, headers={"location": "https://mms.twiliocdn.com/AC1/x?Signature=1"})
        return httpx.Response(200, content=PNG, headers={"content-type": "image/png"})

    media = client(answer)
    assert (await media.fetch(URL)).data == PNG
    assert [("authorization" in one.headers, one.url.host) for one in asked] == [
        (True, "api.twilio.com"),
        (False, "mms.twiliocdn.com"),
    ]
    assert base64.b64decode(asked[0].headers["authorization"].removeprefix("Basic ")) == b"AC1:new"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://api.twilio.com.evil.example/x",
        "https://media.twilio.com/x",
        "https://api.a.b.c.twilio.com/x",
        "https://xapi.twilio.com/x",
        f"https://api.twilio.com{_AT}evil.example/x",
        f"https://user:pass{_AT}api.twilio.com/x",
        "http://api.twilio.com/x",
        "https://api.twilio.com:8443/x",
        "file:///etc/passwd",
        "https://[::1/x",
        "//api.twilio.com/x",
        "",
    ],
)
async def test_nothing_but_twilio_is_asked(url: str) -> None:
    """A URL in a message is a stranger's: no request leaves for any other host, port or scheme."""

    def answer(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request left")

    with pytest.raises(ProviderRefused) as refused:
        await client(answer).fetch(url)
    assert refused.value.code == "foreign-host"


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.dublin.ie1.twilio.com", URL),
        ("https://api.twilio.com", URL.replace("api.", "api.dublin.ie1.")),
        ("https://api.us1.twilio.com", URL.replace("api.", "api.sydney.au1.")),
    ],
)
async def test_a_region_s_media_are_twilio_s_too(base: str, url: str) -> None:
    """The API in one region, and a file named in another: both are Twilio's own, and get the credentials."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert "authorization" in request.headers
        return httpx.Response(200, content=PNG)

    assert (await client(answer, twilio_api_base_url=base).fetch(url)).data == PNG


@pytest.mark.parametrize(
    "url", [URL, "https://api.evil.example/x", "https://api.twilio.com.evil.example/x", "https://media.twilio.com/x"]
)
async def test_another_base_has_no_regions(url: str) -> None:
    """The credentials of a server that is not Twilio's go nowhere else."""

    def answer(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request left")

    with pytest.raises(ProviderRefused):
        await client(answer, twilio_api_base_url="http://127.0.0.1:9").fetch(url)


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:9000/x",
        "http://mms.twiliocdn.com/x",
        "https://evil.example/x",
        "https://twiliocdn.com.evil.example/x",
        "https://ec2-10-0-0-1.compute.amazonaws.com/x",
        "ftp://mms.twiliocdn.com/x",
    ],
)
async def test_a_redirect_leads_to_twilio_s_stores_alone(place: str) -> None:
    """Over https, to hosts where Twilio keeps media."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "api.twilio.com"
        return httpx.Response(302, headers={"location": place})

    with pytest.raises(ProviderRefused):
        await client(answer).fetch(URL)


@pytest.mark.parametrize("host", ["s3-external-1.amazonaws.com", "media.s3.us-east-1.amazonaws.com", "x.twilio.com"])
async def test_the_stores_that_twilio_uses(host: str) -> None:
    """Old accounts are sent to S3 itself."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.twilio.com":
            return httpx.Response(307, headers={"location": f"https://{host}/media"})
        return httpx.Response(200, content=b"x")

    assert (await client(answer).fetch(URL)).data == b"x"


async def test_a_ring_of_redirects_ends() -> None:
    """After a few."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"location": URL})

    with pytest.raises(ProviderDown):
        await client(answer).fetch(URL)


async def test_an_endless_file_is_cut_off() -> None:
    """No more is read than is kept."""
    read = 0

    async def forever():  # type: ignore[no-untyped-def]
        nonlocal read
        while True:
            read += 1_000_000
            yield b"x" * 1_000_000

    with pytest.raises(ProviderRefused) as refused:
        await client(lambda _request: httpx.Response(200, content=forever())).fetch(URL)
    assert refused.value.code == "too-large"
    assert read <= MAX_BYTES + 2_000_000


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (404, ProviderRefused, "not-found"),
        (410, ProviderRefused, "not-found"),
        (401, ProviderDown, "auth"),
        (403, ProviderDown, "auth"),
        (429, ProviderDown, "429"),
        (500, ProviderDown, "500"),
    ],
)
async def test_what_twilio_s_answers_mean_for_a_file(status: int, kind: type[Exception], code: str) -> None:
    """Never, or later."""
    with pytest.raises(kind) as caught:
        await client(lambda _request: httpx.Response(status)).fetch(URL)
    assert caught.value.code == code  # type: ignore[attr-defined]


async def test_without_credentials_a_file_waits() -> None:
    """Nothing is asked for in nobody's name."""
    with pytest.raises(ProviderDown) as caught:
        await client(lambda _request: httpx.Response(200), twilio_account_sid="").fetch(URL)
    assert caught.value.code == "not-configured"


# -- what a message is about -----------------------------------------------------------------------------


async def test_a_reply_tells_what_it_replies_to(db: Database, vault: Vault, settings: Settings) -> None:
    """Ours by the delivery's id, theirs by the message's; as a note, and not among the customer's words."""
    first = whatsapp("the blue one?")
    await stored(db, vault, settings, first)
    fields = {
        "MessageSid": "SM2",
        "From": "whatsapp:+12015550123",
        "Body": "no, this one",
        "OriginalRepliedMessageSid": first.provider_message_id,
        "Forwarded": "true",
    }
    await stored(db, vault, settings, inbound_message(fields, datetime.now(UTC)))
    seen = await _turn(db, vault)
    assert seen.messages[-1].text == "no, this one"
    assert seen.messages[-1].notes == (
        'they reply to their own earlier message: "the blue one?"',
        "forwarded: written by somebody else, not by the customer",
    )


async def test_a_reply_to_something_unknown_says_so(db: Database, vault: Vault, settings: Settings) -> None:
    """Also where the id is another customer's message: nobody is shown that."""
    theirs = whatsapp("a stranger's words", sender="+12015550188")
    await stored(db, vault, settings, theirs)
    fields = {"MessageSid": "SM3", "From": "whatsapp:+12015550123", "Body": "this"}
    fields |= {"OriginalRepliedMessageSid": theirs.provider_message_id}
    came = await stored(db, vault, settings, inbound_message(fields, datetime.now(UTC)))
    assert came.lease is not None
    seen = await mailbox.look(db, vault, came.lease)
    assert seen.turn is not None
    assert seen.turn.messages[0].notes == ("they reply to a message that is not here",)


async def _turn(db: Database, vault: Vault) -> mailbox.OpenTurn:
    conversation: UUID = (await db.fetchrow("SELECT id FROM conversations"))["id"]  # type: ignore[index]
    return await mailbox.peek(db, vault, conversation)
