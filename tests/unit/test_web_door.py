"""How much may come in through the form, from whom, and what a page must show for itself."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from shared.channels.web.client import Clients
from shared.channels.web.door import Door
from shared.errors import Permanent
from shared.settings import Settings
from tests.conftest import make_settings
from tests.web_rig import BODY, error_of, rigged

_SLOW = {"page": {"trap": "", "opened_ms": 60_000}}


# -- rates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "told"),
    [("form_rate_client", "from this address"), ("form_rate_email", "for this e-mail address")],
)
async def test_more_tickets_than_the_rate_wait(tmp_path: Path, setting: str, told: str) -> None:
    """429 with the seconds, in the header and in words; nothing of it is published, with a page or without."""
    async with rigged(make_settings(**{setting: "2/minute"}), tmp_path) as rig:
        await rig.open()
        await rig.open(_SLOW)
        answer = await rig.client.post("/tickets", json=BODY)
        assert error_of(answer) == (429, "too-many", None)
        wait = int(answer.headers["retry-after"])
        assert 1 <= wait <= 60
        assert told in answer.json()["error"]["message"]
        assert f"wait {wait} second" in answer.json()["error"]["message"]
        assert len(rig.sent.events) == 2


async def test_a_rate_is_each_addresss_own(tmp_path: Path) -> None:
    """Who wrote too much keeps nobody else out; case does not make another address."""
    async with rigged(make_settings(form_rate_email="1/hour"), tmp_path) as rig:
        await rig.open()
        await rig.open({"email": "grace@example.net"})
        again = await rig.client.post("/tickets", json=BODY | {"email": "ADA@example.org"})
        assert again.status_code == 429


async def test_more_messages_on_a_ticket_than_the_rate_wait(tmp_path: Path) -> None:
    """Messages, files and ratings of one ticket are counted together; another ticket is not kept out."""
    async with rigged(make_settings(form_rate_ticket="2/minute"), tmp_path) as rig:
        one, other = await rig.open(), await rig.open()
        await rig.on(one, "POST", "/messages", json={"message": "a"})
        await rig.on(one, "POST", "/attachments", files={"file": ("a.txt", b"a")})
        for path, body in (("/messages", {"message": "b"}), ("/rating", {"score": 1})):
            answer = await rig.on(one, "POST", path, json=body)
            assert error_of(answer) == (429, "too-many", None)
        upload = await rig.on(one, "POST", "/attachments", files={"file": ("a.txt", b"a")})
        assert upload.status_code == 429
        assert (await rig.on(other, "POST", "/messages", json={"message": "a"})).status_code == 202
        assert (await rig.on(one, "GET")).status_code == 200


async def test_every_rate_of_a_setting_binds(tmp_path: Path) -> None:
    """The longest wait is told."""
    async with rigged(make_settings(form_rate_client="5/minute; 1/hour"), tmp_path) as rig:
        await rig.open()
        answer = await rig.client.post("/tickets", json=BODY)
        assert int(answer.headers["retry-after"]) > 60


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.9.9.9", "::ffff:127.0.0.1"])
async def test_exempt_networks_are_not_bound(tmp_path: Path, peer: str) -> None:
    """Loopback under `fte up`: neither rate nor minimum time; the trap still is one."""
    settings = make_settings(
        form_rate_client="1/hour", form_rate_email="1/hour", form_rate_exempt=("127.0.0.0/8", "::1")
    )
    async with rigged(settings, tmp_path, peer=peer) as rig:
        for _ in range(3):
            await rig.open({"page": {"opened_ms": 0}})
        trapped = await rig.client.post("/tickets", json=BODY | {"page": {"opened_ms": 0, "trap": "x"}})
        assert error_of(trapped) == (422, "trap", "trap")


def test_a_rate_that_is_none_is_said_at_the_start() -> None:
    """A typing error does not open the door."""
    for wrong in ({"form_rate_client": "lots"}, {"form_rate_exempt": ("home",)}, {"form_trusted_proxies": ("x/8",)}):
        with pytest.raises(Permanent, match="FORM_"):
            Door(make_settings(**wrong))


# -- nobody is shut out by another, nor by trying again ---------------------------------------------------


async def test_who_claims_an_address_shuts_nobody_out(tmp_path: Path) -> None:
    """Whoever types an address in uses up their own network's share of it: not its owner's, signed in or not."""
    settings = make_settings(
        form_rate_email="2/hour",
        form_rate_address="4/hour",
        form_trusted_proxies=("1",),
        form_identity_key=SecretStr("k" * 40),
    )
    now = int(time.time())
    claims = {"email": "ada@example.org", "iat": now, "exp": now + 600, "aud": "support-form"}
    signed = {"identity": jwt.encode(claims, "k" * 40, "HS256")}

    async def post(network: int, more: dict[str, Any] | None = None) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.{network}"}
        return (await rig.client.post("/tickets", json=BODY | (more or {}), headers=headers)).status_code

    async with rigged(settings, tmp_path) as rig:
        assert [await post(1) for _ in range(3)] == [202, 202, 429]
        assert [await post(2), await post(3), await post(4)] == [202, 202, 429]
        assert [await post(5, signed) for _ in range(3)] == [202, 202, 429]


async def test_a_sending_that_is_tried_again_is_counted_once(tmp_path: Path) -> None:
    """As often as it takes, under its key; what was refused is not taken for counted."""
    settings = make_settings(form_rate_email="2/hour", form_rate_address="2/hour", form_rate_ticket="2/hour")
    file = {"files": {"file": ("a.txt", b"a")}}
    async with rigged(settings, tmp_path) as rig:
        for _ in range(5):
            given = await rig.open(key="same")
        await rig.open(key="other")
        for _ in range(2):
            third = await rig.client.post("/tickets", json=BODY, headers={"Idempotency-Key": "third"})
            assert error_of(third) == (429, "too-many", None)
        await rig.open(key="same")
        for path, body in (("/messages", {"json": {"message": "a"}}), ("/attachments", file)):
            for _ in range(4):
                answer = await rig.on(given, "POST", path, headers={"Idempotency-Key": "k"}, **body)
                assert answer.status_code == 202
        for path, body in (("/messages", {"json": {"message": "b"}}), ("/attachments", file)):
            answer = await rig.on(given, "POST", path, headers={"Idempotency-Key": "new"}, **body)
            assert error_of(answer) == (429, "too-many", None)


async def test_what_kafka_did_not_take_is_not_counted_again(tmp_path: Path) -> None:
    """The try that succeeds belongs to the one that did not."""
    async with rigged(make_settings(form_rate_email="1/hour"), tmp_path) as rig:
        rig.sent.away = True
        for _ in range(3):
            answer = await rig.client.post("/tickets", json=BODY, headers={"Idempotency-Key": "k"})
            assert answer.status_code == 503
        rig.sent.away = False
        await rig.open(key="k")


@pytest.mark.parametrize("path", ["/tickets", "/tickets/T/messages", "/tickets/T/rating", "/tickets/T/attachments"])
async def test_a_client_is_counted_before_its_body_is_read(tmp_path: Path, path: str) -> None:
    """Bodies that are refused are counted like others; of one too many not a byte is read; the site may read why."""
    settings = make_settings(form_rate_client="2/minute", form_allowed_origins=("https://shop.example.com",))
    async with rigged(settings, tmp_path) as rig:
        for _ in range(2):
            assert (await rig.client.post(path, json={"x": 1})).status_code in (404, 422)

        async def body() -> AsyncIterator[bytes]:
            raise AssertionError("the body was read")
            yield b""

        answer = await rig.client.post(path, content=body(), headers={"Origin": "https://shop.example.com"})
        assert error_of(answer) == (429, "too-many", None)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
        assert 1 <= int(answer.headers["retry-after"]) <= 60


# -- whose request it is --------------------------------------------------------------------------------


def _client(
    trusted: tuple[str, ...], peer: str, forwarded: list[str], exempt: tuple[str, ...] = ()
) -> tuple[str, bool]:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    request = HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers})
    clients = Clients.configured(trusted, exempt)
    return clients.of(request), clients.is_exempt(request)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        (("0",), "203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        (("1",), "127.0.0.1", ["spoofed, 198.51.100.1"], "198.51.100.1"),
        (("2",), "127.0.0.1", ["192.0.2.7, 198.51.100.1", "10.0.0.3"], "198.51.100.1"),
        (("2",), "127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
        (("2",), "127.0.0.1", ["nonsense, 10.0.0.3"], "127.0.0.1"),
        # Knative: with the activator in the way and without it.
        (("10.0.0.0/8", "127.0.0.0/8"), "127.0.0.1", ["192.0.2.7, 198.51.100.1, 10.1.1.1, 10.2.2.2"], "198.51.100.1"),
        (("10.0.0.0/8", "127.0.0.0/8"), "127.0.0.1", ["198.51.100.1, 10.1.1.1"], "198.51.100.1"),
        # Nobody from outside in it: all one client, whatever a spoofer began the line with.
        (("10.0.0.0/8", "127.0.0.0/8"), "127.0.0.1", ["10.9.9.9, 10.1.1.1"], "127.0.0.1"),
        (("127.0.0.0/8",), "127.0.0.1", ["[2001:db8:1:2:3::4]:9000"], "2001:db8:1:2::/64"),
        ((), "2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ((), "::ffff:203.0.113.9", [], "203.0.113.9"),
        (("1",), "127.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        (("1",), "127.0.0.1", ["\xff\x00, ,"], "127.0.0.1"),
        ((), "testclient", [], "None"),
    ],
)
def test_the_client_is_who_the_trusted_say(
    trusted: tuple[str, ...], peer: str, forwarded: list[str], client: str
) -> None:
    """From the right, as far as it is trusted; a client cannot choose its own address."""
    assert _client(trusted, peer, forwarded)[0] == client


def test_nobody_is_exempt_by_saying_so() -> None:
    """A forwarded loopback address counts only if a trusted proxy wrote it."""
    local = ("127.0.0.0/8",)
    assert _client((), "203.0.113.9", ["127.0.0.1"], local) == ("203.0.113.9", False)
    assert _client(("1",), "10.0.0.1", ["127.0.0.1, 203.0.113.9"], local) == ("203.0.113.9", False)
    assert _client((), "127.0.0.1", ["203.0.113.9"], local) == ("127.0.0.1", True)


# -- what binds the page --------------------------------------------------------------------------------


async def test_a_page_that_was_sent_too_soon_waits_for_the_rest(tmp_path: Path) -> None:
    """429 with the seconds that are missing; the same again after them is taken."""
    async with rigged(make_settings(), tmp_path) as rig:
        answer = await rig.client.post("/tickets", json=BODY | {"page": {"trap": "", "opened_ms": 400}})
        assert error_of(answer) == (429, "too-fast", None)
        assert answer.headers["retry-after"] == "2"
        assert rig.sent.events == []
        await rig.open({"page": {"trap": "", "opened_ms": 2400}})


async def test_a_trapped_robot_is_told_and_so_is_who_was_trapped_by_a_browser(tmp_path: Path) -> None:
    """422, and how to go on: an autofilled field must not lose a customer's words in silence."""
    async with rigged(make_settings(), tmp_path) as rig:
        answer = await rig.client.post("/tickets", json=BODY | {"page": {"trap": "http://x", "opened_ms": 9000}})
        assert error_of(answer) == (422, "trap", "trap")
        assert "empty it and send again" in answer.json()["error"]["message"]
        assert rig.sent.events == []


async def test_a_program_has_no_page(tmp_path: Path) -> None:
    """Without `page` neither trap nor time nor challenge binds: the documented API."""
    settings = make_settings(form_challenge_url="http://challenge.example.com")
    async with rigged(settings, tmp_path, challenger=httpx.MockTransport(lambda _: httpx.Response(500))) as rig:
        await rig.open()


@pytest.mark.parametrize(
    "page", [{"trap": ""}, {"opened_ms": -1}, {"opened_ms": "9"}, {"opened_ms": 1e9, "trap": 1}, 7]
)
async def test_a_page_says_how_long_it_was_open(tmp_path: Path, page: object) -> None:
    """422 naming the page."""
    async with rigged(make_settings(), tmp_path) as rig:
        answer = await rig.client.post("/tickets", json=BODY | {"page": page})
        assert error_of(answer) == (422, "invalid-field", "page")


# -- the challenge --------------------------------------------------------------------------------------


def _challenged() -> Settings:
    return make_settings(
        form_challenge_url="https://challenge.example.com/siteverify",
        form_challenge_secret=SecretStr("of the challenge"),
        form_challenge_kind="turnstile",
        form_challenge_site_key="public",
    )


def _page(challenge: str) -> dict[str, Any]:
    return {"page": {"trap": "", "opened_ms": 9000, "challenge": challenge}}


async def test_a_challenge_is_asked_for_passed_or_failed(tmp_path: Path) -> None:
    """The service gets secret and response; a second try of one sending is the same to it; the page knows the kind."""
    asked: list[dict[str, str]] = []

    def judge(request: httpx.Request) -> httpx.Response:
        asked.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(200, json={"success": asked[-1]["response"] == "solved"})

    async with rigged(_challenged(), tmp_path, challenger=httpx.MockTransport(judge)) as rig:
        none = await rig.client.post("/tickets", json=BODY | _page(""))
        assert error_of(none) == (422, "challenge-needed", "challenge")
        failed = await rig.client.post("/tickets", json=BODY | _page("guessed"))
        assert error_of(failed) == (422, "challenge-failed", "challenge")
        assert rig.sent.events == []
        for _ in range(2):
            await rig.open(_page("solved"), key="k")
        told = (await rig.client.get("/config")).json()["challenge"]
    assert asked[0] == asked[0] | {"secret": "of the challenge", "response": "guessed"}
    assert "remoteip" not in asked[0]
    assert asked[1] == asked[2]
    assert told == {"kind": "turnstile", "site_key": "public"}


@pytest.mark.parametrize("how", ["refused", "late", "500", "html", "redirect"])
async def test_while_the_challenge_is_away_the_form_stays_open(tmp_path: Path, how: str) -> None:
    """A customer who cannot write costs more than a robot who can; the rates still bind."""

    def away(request: httpx.Request) -> httpx.Response:
        if how == "refused":
            raise httpx.ConnectError("refused", request=request)
        if how == "late":
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response({"500": 500, "html": 200, "redirect": 302}[how], text="<html>")

    async with rigged(_challenged(), tmp_path, challenger=httpx.MockTransport(away)) as rig:
        await rig.open(_page("solved"))


async def test_an_answer_that_is_no_success_is_none(tmp_path: Path) -> None:
    """Only `true` is true."""
    for said in ({"success": "true"}, {"success": 1}, {}, [], None):
        judge = httpx.MockTransport(lambda _, said=said: httpx.Response(200, content=json.dumps(said)))
        async with rigged(_challenged(), tmp_path, challenger=judge) as rig:
            answer = await rig.client.post("/tickets", json=BODY | _page("solved"))
            assert error_of(answer) == (422, "challenge-failed", "challenge")
