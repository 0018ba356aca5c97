"""The wire between us and Twilio's stores of files: who is asked, who gets credentials, and what answers mean."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from shared.channels.files import MAX_BYTES
from shared.channels.provider import ProviderDown, ProviderRefused
from shared.channels.whatsapp.media import MediaClient
from tests.conftest import make_settings
from tests.integration.whatsapp_files import PNG, URL

_AT = "@"  # apart, since what stands before and behind it is no address


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
