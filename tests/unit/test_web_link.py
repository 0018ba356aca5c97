"""The link of the verification mail: a verified token for whoever opens it, and words for a link that leads nowhere."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from shared.channels.message import Trust
from shared.channels.web.api import LANGUAGES
from shared.channels.web.token import open_token
from shared.errors import Rejected, Retryable
from shared.settings import key_list
from tests.conftest import make_settings
from tests.web_rig import Rig, rigged


@dataclass(frozen=True)
class Proof:
    """What a link proved."""

    ticket_id: str
    address: str
    name: str


class Mailed:
    """Links by token: to a ticket, expired, or unknown."""

    def __init__(self) -> None:
        self.good: dict[str, Proof] = {}
        self.away = False
        self.redeemed: list[str] = []

    async def look(self, token: str) -> None:
        self._found(token)

    async def redeem(self, token: str) -> Proof:
        proof = self._found(token)
        self.redeemed.append(token)
        return proof

    def _found(self, token: str) -> Proof:
        if self.away:
            raise Retryable("PostgreSQL is away", reason="database-away")
        if token == "old":
            raise Rejected("the link expired", status=410, reason="link-expired")
        if token not in self.good:
            raise Rejected("no such link", status=404, reason="unknown-link")
        return self.good[token]


@pytest.fixture
def mailed() -> Mailed:
    return Mailed()


@pytest_asyncio.fixture
async def rig(tmp_path: Path, mailed: Mailed) -> AsyncIterator[Rig]:
    settings = make_settings(form_public_url="https://support.example.com/")
    async with rigged(settings, tmp_path, links=mailed) as rig:
        yield rig


async def test_a_link_gives_a_verified_token_of_its_own(rig: Rig, mailed: Mailed) -> None:
    """303 to the hosted page, the token in the fragment, which is sent to nobody; not the token that was given."""
    given = await rig.open()
    mailed.good["good"] = Proof(given["ticket_id"], "ada@example.org", "Ada")
    answer = await rig.client.post("/verify", data={"token": "good"})
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    target = urlsplit(answer.headers["location"])
    assert (target.scheme, target.netloc, target.path, target.query) == ("https", "support.example.com", "/", "")
    fragment = parse_qs(target.fragment)
    assert fragment["ticket"] == [given["ticket_id"]]
    (token,) = fragment["token"]
    holder = open_token(key_list(rig.settings.fte_ticket_key, ""), given["ticket_id"], token)
    assert holder is not None
    assert (holder.trust, holder.address) == (Trust.VERIFIED, "ada@example.org")
    assert token != given["token"]


async def test_the_token_that_was_given_stays_claimed(rig: Rig, mailed: Mailed) -> None:
    """Whoever typed the address gains nothing when its owner opens the link."""
    given = await rig.open()
    mailed.good["good"] = Proof(given["ticket_id"], "ada@example.org", "Ada")
    assert (await rig.client.post("/verify", data={"token": "good"})).status_code == 303
    assert (await rig.on(given, "GET")).json()["trust"] == "claimed"
    await rig.on(given, "POST", "/messages", json={"message": "me again"})
    assert rig.sent.messages[-1].sender.trust is Trust.CLAIMED


async def test_a_mail_scanner_that_opens_the_link_changes_nothing(rig: Rig, mailed: Mailed) -> None:
    """Neither GET nor HEAD proves anything; the page has one button, and neither runs nor loads anything."""
    mailed.good["good"] = Proof("T", "ada@example.org", "Ada")
    for _ in range(3):
        answer = await rig.client.get("/verify", params={"token": "good"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await rig.client.head("/verify", params={"token": "good"})).status_code == 405
    assert mailed.redeemed == []
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "http" not in answer.text
    assert "<script" not in answer.text
    assert answer.text.count("<button>") == 1


async def test_the_page_s_button_sends_the_token_of_the_link(rig: Rig, mailed: Mailed) -> None:
    """As a browser sends a form: to where the page stands, whatever the token holds."""
    token = 'a"><b>&=+é'
    mailed.good[token] = Proof("T", "ada@example.org", "Ada")
    page = (await rig.client.get("/verify", params={"token": token})).text
    form = re.search(r'<form method="post" action="verify"><input type="hidden" name="token" value="([^"]*)">', page)
    assert form is not None
    assert html.unescape(form[1]) == token
    assert (await rig.client.post("/verify", data={"token": html.unescape(form[1])})).status_code == 303
    assert mailed.redeemed == [token]


async def test_a_form_below_a_path_stays_there(tmp_path: Path, mailed: Mailed) -> None:
    """The page's ways on are relative, and the redirect keeps the path of FORM_PUBLIC_URL."""
    mailed.good["good"] = Proof("T", "ada@example.org", "Ada")
    settings = make_settings(form_public_url="https://www.example.com/support/")
    async with rigged(settings, tmp_path, links=mailed) as rig:
        answer = await rig.client.post("/verify", data={"token": "good"})
        assert answer.headers["location"].startswith("https://www.example.com/support/#ticket=T&token=")
        nowhere = await rig.client.get("/verify", params={"token": "wrong"})
        assert 'href="./"' in nowhere.text


@pytest.mark.parametrize("body", [b"", b"token", b"token=", b"\xff", b"{}", b"&".join([b"a=1"] * 50), b"token=wrong"])
async def test_a_body_without_a_token_of_ours_leads_nowhere(rig: Rig, body: bytes) -> None:
    """404 in words."""
    answer = await rig.client.post("/verify", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("token", "status"), [("old", 410), ("wrong", 404), ("", 404), ("\x00", 404), ("x" * 5000, 404)]
)
async def test_a_link_that_leads_nowhere_says_what_to_do(rig: Rig, token: str, status: int) -> None:
    """A page in words, from nobody else, that runs nothing and repeats nothing."""
    for answer in (
        await rig.client.get("/verify", params={"token": token}),
        await rig.client.post("/verify", data={"token": token}),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "http" not in answer.text
        assert "<script" not in answer.text
        assert 'href="./"' in answer.text
        assert "again" in answer.text


async def test_while_we_are_busy_the_link_stays_good(rig: Rig, mailed: Mailed) -> None:
    """503 with words and a link to try again; the same link is good afterwards."""
    mailed.away = True
    mailed.good["good"] = Proof("T", "ada@example.org", "Ada")
    answer = await rig.client.get("/verify", params={"token": "good"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert 'href=""' in answer.text
    assert "It stays good" in answer.text
    pressed = await rig.client.post("/verify", data={"token": "good"})
    assert (pressed.status_code, pressed.headers["retry-after"]) == (503, "2")
    assert 'name="token" value="good"' in pressed.text
    mailed.away = False
    assert (await rig.client.get("/verify", params={"token": "good"})).status_code == 200
    assert (await rig.client.post("/verify", data={"token": "good"})).status_code == 303


@pytest.mark.parametrize(
    ("accepted", "language", "direction"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "ltr"),
        ("nl, ar;q=0.5, en;q=0.1", "ar", "rtl"),
        ("ur", "ur", "rtl"),
        ("tlh", "en", "ltr"),
        ("de;q=x, fr", "fr", "ltr"),
        ("de;q=0", "en", "ltr"),
        ("", "en", "ltr"),
        (";;,=,\u00e9", "en", "ltr"),
    ],
)
async def test_the_words_are_in_the_browsers_language(rig: Rig, accepted: str, language: str, direction: str) -> None:
    """Of the form's six."""
    answer = await rig.client.get(
        "/verify", params={"token": "old"}, headers={"Accept-Language": accepted.encode("utf-8")}
    )
    assert f'<html lang="{language}" dir="{direction}">' in answer.text


async def test_every_language_has_every_word(rig: Rig, mailed: Mailed) -> None:
    """Nothing falls back to a name of ours."""
    mailed.good["good"] = Proof("T", "ada@example.org", "Ada")
    seen: set[str] = set()
    for language in LANGUAGES:
        confirm = await rig.client.get("/verify", params={"token": "good"}, headers={"Accept-Language": language})
        seen.add(confirm.text)
        for token in ("old", "wrong"):
            answer = await rig.client.get("/verify", params={"token": token}, headers={"Accept-Language": language})
            assert answer.status_code in (404, 410)
            assert len(html.unescape(answer.text)) > 500
    assert len(seen) == len(LANGUAGES)


async def test_guesses_are_counted(tmp_path: Path, mailed: Mailed) -> None:
    """429 in words, with the wait."""
    async with rigged(make_settings(form_rate_client="1/minute"), tmp_path, links=mailed) as rig:
        await rig.client.get("/verify", params={"token": "a"})
        answer = await rig.client.get("/verify", params={"token": "b"})
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "One moment" in answer.text
        assert (await rig.client.post("/verify", data={"token": "b"})).status_code == 429


async def test_where_no_link_is_mailed_none_is_known(tmp_path: Path) -> None:
    """404, in words."""
    async with rigged(make_settings(), tmp_path) as rig:
        assert (await rig.client.get("/verify", params={"token": "x"})).status_code == 404
