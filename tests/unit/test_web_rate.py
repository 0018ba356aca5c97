"""The page behind the link of the mailed question: opening keeps nothing, sending does, and every end has words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from shared.channels.web.api import LANGUAGES
from shared.errors import Rejected, Retryable
from tests.conftest import make_settings
from tests.web_rig import Rig, rigged


@dataclass
class Asked:
    """Questions by token, with their language."""

    good: dict[str, str] = field(default_factory=lambda: {"good": "en"})
    away: bool = False
    rated: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    async def look(self, token: str) -> str:
        if self.away:
            raise Retryable("PostgreSQL is away", reason="database-away")
        if token == "old":
            raise Rejected("the link expired", status=410, reason="expired-link")
        if token not in self.good:
            raise Rejected("no such link", status=404, reason="unknown-link")
        return self.good[token]

    async def rate(self, token: str, score: int, comment: str) -> str:
        language = await self.look(token)
        self.rated.append((score, comment))
        return language


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest_asyncio.fixture
async def rig(tmp_path: Path, asked: Asked) -> AsyncIterator[Rig]:
    settings = make_settings(form_public_url="https://support.example.com/", form_rate_client="20/minute")
    async with rigged(settings, tmp_path, surveys=asked) as rig:
        yield rig


async def test_a_scanner_that_opens_the_link_rates_nothing(rig: Rig, asked: Asked) -> None:
    """Neither GET nor HEAD; and the page neither runs nor loads anything, and is kept by nobody."""
    for _ in range(3):
        answer = await rig.client.get("/rate", params={"token": "good", "score": "5"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await rig.client.head("/rate", params={"token": "good"})).status_code == 405
    assert asked.rated == []
    assert re.findall(r'name="score" value="(.)"', answer.text) == ["1", "2", "3", "4", "5"]
    assert "checked" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_what_is_sent_is_kept(rig: Rig, asked: Asked) -> None:
    """The score and the words, at most as many as on the page of a ticket."""
    answer = await rig.client.post("/rate", data={"token": "good", "score": "4", "comment": " quick \0" + "x" * 3000})
    assert answer.status_code == 200
    assert "Thank you" in answer.text
    ((score, comment),) = asked.rated
    assert (score, comment[:6], len(comment)) == (4, "quick ", 1999)


@pytest.mark.parametrize("score", ["", "0", "6", "5.0", "٤", "good"])
async def test_what_is_no_score_is_asked_for_again(rig: Rig, asked: Asked, score: str) -> None:
    """In the page itself, without a rating."""
    answer = await rig.client.post("/rate", data={"token": "good", "score": score})
    assert (answer.status_code, asked.rated) == (422, [])
    assert 'name="score"' in answer.text


@pytest.mark.parametrize(("token", "status"), [("old", 410), ("", 404), ("nobody's", 404)])
async def test_a_link_of_nobody_says_so(rig: Rig, token: str, status: int) -> None:
    """In the browser's language."""
    for answer in (
        await rig.client.get("/rate", params={"token": token}, headers={"Accept-Language": "de"}),
        await rig.client.post("/rate", data={"token": token, "score": "3"}, headers={"Accept-Language": "de"}),
    ):
        assert answer.status_code == status
        assert "Link" in answer.text
        assert 'lang="de"' in answer.text


async def test_without_a_database_it_is_said_when_to_come_again(rig: Rig, asked: Asked) -> None:
    """Nothing is thanked for that was not kept."""
    asked.away = True
    answer = await rig.client.post("/rate", data={"token": "good", "score": "3"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "Thank" not in answer.text


async def test_it_is_bound_by_the_form_s_rate(rig: Rig, asked: Asked) -> None:
    """Whoever guesses tokens waits, and is told so in words."""
    answers = [await rig.client.post("/rate", data={"token": "guess", "score": "3"}) for _ in range(22)]
    assert [answer.status_code for answer in answers[:20]] == [404] * 20
    assert answers[-1].status_code == 429
    assert answers[-1].headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_in_the_question_s_language(rig: Rig, asked: Asked, language: str) -> None:
    """Whatever the browser asks for: the mail was in that one too."""
    asked.good["good"] = language
    shown = await rig.client.get("/rate", params={"token": "good"}, headers={"Accept-Language": "it"})
    thanks = await rig.client.post("/rate", data={"token": "good", "score": "5"})
    for answer in (shown, thanks):
        assert f'lang="{language}" dir="{"rtl" if language in ("ar", "ur") else "ltr"}"' in answer.text
