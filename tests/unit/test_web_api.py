"""The form's API: what is shown of a ticket, and how everything else is refused."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from shared.channels.message import Trust
from shared.channels.web.token import Holder, seal_token
from shared.conversations.ticket_page import PageFile, PageMessage, PageRating, TicketView
from shared.settings import key_list
from tests.conftest import make_settings
from tests.web_rig import BODY, SITE, Rig, error_of, rigged

_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_ANSWERED = TicketView("answered", (PageMessage("T", "customer", "Hi", _AT), PageMessage("M", "agent", "Hello", _AT)))


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(make_settings(form_allowed_origins=(SITE,)), tmp_path) as rig:
        yield rig


async def test_a_ticket_opens_with_the_token_it_was_given(rig: Rig) -> None:
    """202 with both, one event, and until it is stored the page says received."""
    opened = await rig.client.post("/tickets", json=BODY)
    assert opened.status_code == 202
    assert opened.headers["cache-control"] == "no-store"
    given = opened.json()
    assert sorted(given) == ["ticket_id", "token", "trust"]
    assert given["trust"] == "claimed"
    (event,) = rig.sent.events
    assert json.loads(event.data)["provider_message_id"] == given["ticket_id"]
    for asked in (
        {"headers": {"Authorization": f"Bearer {given['token']}"}},
        {"params": {"token": given["token"]}},
    ):
        read = await rig.client.get(f"/tickets/{given['ticket_id']}", **asked)
        assert (read.status_code, read.json()) == (
            200,
            {
                "status": "received",
                "trust": "claimed",
                "messages": [],
                "rating": None,
                "can_rate": False,
                "asked": False,
            },
        )
        assert read.headers["cache-control"] == "no-store"


async def test_the_page_shows_the_thread(rig: Rig) -> None:
    """Status, each message with author, text, files and an ISO 8601 time, the rating, and whether one may be given."""
    file = uuid.uuid4()
    rig.store.page = TicketView(
        "answered",
        (
            PageMessage("T", "customer", "Hi", _AT, (PageFile(file, "a.txt", "text/plain", 3),)),
            PageMessage("M", "agent", "Hello", _AT),
        ),
        PageRating(4),
        asked=True,
    )
    read = await rig.on(await rig.open(), "GET")
    assert read.json() == {
        "status": "answered",
        "trust": "claimed",
        "messages": [
            {
                "id": "T",
                "author": "customer",
                "text": "Hi",
                "at": "2026-11-23T12:00:00Z",
                "attachments": [{"id": str(file), "name": "a.txt", "content_type": "text/plain", "size": 3}],
            },
            {"id": "M", "author": "agent", "text": "Hello", "at": "2026-11-23T12:00:00Z", "attachments": []},
        ],
        "rating": {"score": 4},
        "can_rate": True,
        "asked": True,
    }


async def test_a_message_is_added_without_postgres(rig: Rig) -> None:
    """202 with its id; the event is the token's sender on the ticket's thread."""
    rig.store.away = True
    given = await rig.open()
    answer = await rig.on(given, "POST", "/messages", json={"message": "And how do I import it?"})
    assert answer.status_code == 202
    _, message = rig.sent.messages
    assert message.provider_message_id == f"{given['ticket_id']}.{answer.json()['message_id']}"
    assert (message.thread, message.text) == (given["ticket_id"], "And how do I import it?")
    assert (message.sender.address, message.sender.name, message.sender.trust) == (
        "ada@example.org",
        "Ada Example",
        Trust.CLAIMED,
    )


async def test_a_message_sent_again_is_one_message(rig: Rig) -> None:
    """The same key and words make the same event; without a key each is its own."""
    given = await rig.open()
    ids: list[list[str]] = []
    for headers in ({"Idempotency-Key": "k"}, {}):
        answers = [
            await rig.on(given, "POST", "/messages", json={"message": "And?"}, headers=headers) for _ in range(2)
        ]
        ids.append([answer.json()["message_id"] for answer in answers])
    assert ids[0][0] == ids[0][1]
    assert ids[1][0] != ids[1][1]
    assert rig.sent.events[1].id == rig.sent.events[2].id


@pytest.mark.parametrize(("path", "body"), [("/messages", {"message": "x"}), ("/rating", {"score": 5})])
async def test_nothing_is_added_with_a_wrong_token(rig: Rig, path: str, body: dict[str, object]) -> None:
    """The 404 of the page itself; nothing is published or looked up."""
    given = await rig.open()
    answer = await rig.on(given | {"token": "wrong"}, "POST", path, json=body)
    assert error_of(answer) == (404, "no-such-ticket", None)
    assert len(rig.sent.events) == 1
    assert rig.store.asked == []


@pytest.mark.parametrize("body", [{"message": " "}, {"message": 7}, {}, {"message": "x" * 120_001}])
async def test_a_message_needs_words(rig: Rig, body: dict[str, object]) -> None:
    """422 naming the field."""
    answer = await rig.on(await rig.open(), "POST", "/messages", json=body)
    assert error_of(answer) == (422, "invalid-field", "message")


async def test_an_answer_is_rated_and_rated_again(rig: Rig) -> None:
    """204 each time, with or without words; before there is an answer 409."""
    given = await rig.open()
    early = await rig.on(given, "POST", "/rating", json={"score": 5})
    assert error_of(early) == (409, "not-answered", None)
    rig.store.page = _ANSWERED
    for body in ({"score": 2}, {"score": 5, "comment": "Thank\x00 you"}):
        answer = await rig.on(given, "POST", "/rating", json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    assert rig.store.rated == [(2, ""), (5, "Thank you")]
    wrong = await rig.on(given, "POST", "/rating", json={"score": 6})
    assert error_of(wrong) == (422, "invalid-field", "score")


async def test_a_verified_token_speaks_for_the_verified(rig: Rig) -> None:
    """What the mailed link gives: messages sent with it are verified, and the page says so."""
    ticket = (await rig.open())["ticket_id"]
    key = key_list(rig.settings.fte_ticket_key, "FTE_TICKET_KEY")[0]
    token = seal_token(key, Holder(ticket, "ada@example.org", "Ada", Trust.VERIFIED))
    given = {"ticket_id": ticket, "token": token}
    await rig.on(given, "POST", "/messages", json={"message": "It is me"})
    assert rig.sent.messages[-1].sender.trust is Trust.VERIFIED
    assert (await rig.on(given, "GET")).json()["trust"] == "verified"
    assert rig.store.asked[-1].trust is Trust.VERIFIED


async def test_the_page_is_told_the_limits(rig: Rig) -> None:
    """What is allowed, in numbers; no challenge where none is set up."""
    assert (await rig.client.get("/config")).json() == {
        "max_message": 120_000,
        "max_message_with_files": 90_000,
        "max_files": 5,
        "max_file_bytes": 10_000_000,
        "max_upload_bytes": 26_000_000,
        "min_ms": 1500,
        "challenge": None,
        "mails_link": bool(rig.settings.form_public_url),
        "languages": ["en", "de", "es", "fr", "ar", "ur"],
    }


async def test_unknown_and_forbidden_are_the_same(rig: Rig) -> None:
    """One 404, decided without looking: neither answer nor time tells whether a ticket exists."""
    rig.store.page = TicketView("open", ())
    given = (await rig.client.post("/tickets", json=BODY)).json()
    other = seal_token(secrets.token_bytes(32), Holder(given["ticket_id"], "ada@example.org", "Ada", Trust.CLAIMED))
    answers = [
        await rig.client.get(f"/tickets/{given['ticket_id']}"),
        await rig.client.get(f"/tickets/{given['ticket_id']}", params={"token": other}),
        await rig.client.get(f"/tickets/{given['ticket_id']}", headers={"Authorization": "Bearer x"}),
        await rig.client.get(f"/tickets/{given['ticket_id']}", headers={"Authorization": "Basic eDp5"}),
        await rig.client.get("/tickets/UNKNOWN", params={"token": given["token"]}),
        await rig.client.get("/tickets/%00'--", params={"token": "%00"}),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert rig.store.asked == []


async def test_an_idempotency_key_makes_one_ticket(rig: Rig) -> None:
    """The same key and body: one ticket, one event id. Without a key, two requests are two tickets."""
    keyed = [(await rig.client.post("/tickets", json=BODY, headers={"Idempotency-Key": "k1"})).json() for _ in range(2)]
    assert keyed[0] == keyed[1]
    assert rig.sent.events[0].id == rig.sent.events[1].id
    free = [(await rig.client.post("/tickets", json=BODY)).json() for _ in range(2)]
    assert free[0] != free[1]


async def test_without_kafka_nothing_is_promised(rig: Rig) -> None:
    """503 with Retry-After."""
    rig.sent.away = True
    answer = await rig.client.post("/tickets", json=BODY)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "kafka-away")
    assert answer.headers["retry-after"] == "2"


async def test_without_postgres_messages_are_taken_and_pages_wait(rig: Rig) -> None:
    """202 for the message, 503 for the page."""
    rig.store.away = True
    given = (await rig.client.post("/tickets", json=BODY)).json()
    read = await rig.client.get(f"/tickets/{given['ticket_id']}", params={"token": given["token"]})
    assert (read.status_code, read.json()["error"]["reason"]) == (503, "database-away")


async def test_a_bug_says_nothing_of_what_it_met(rig: Rig) -> None:
    """500 in the one shape; an exception's words may quote a row."""
    rig.store.bug = ValueError("row of ada@example.org")
    given = (await rig.client.post("/tickets", json=BODY)).json()
    read = await rig.client.get(f"/tickets/{given['ticket_id']}", params={"token": given["token"]})
    assert (read.status_code, read.json()["error"]["reason"]) == (500, "bug")
    assert "ada@" not in read.text


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"message": " "}, "message"),
        ({"email": "not-an-address"}, "email"),
        ({"phone": "call me maybe"}, "phone"),
        ({"category": "secret-category"}, "category"),
        ({"name": 7}, "name"),
    ],
)
async def test_a_wrong_field_is_named_and_not_repeated(rig: Rig, body: dict[str, object], name: str) -> None:
    """422 in the one shape of errors; the widget shows the message beside the field."""
    answer = await rig.client.post("/tickets", json=BODY | body)
    error = answer.json()["error"]
    assert (answer.status_code, error["reason"], error["field"]) == (422, "invalid-field", name)
    assert error["message"].startswith(f"{name}: ")
    assert not any(str(value) in answer.text for value in body.values() if str(value).strip())


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b"", "application/json"),
        (json.dumps(BODY).encode(), "text/plain"),
        (b"name=Ada", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_that_is_no_ticket_is_refused(rig: Rig, content: bytes, kind: str) -> None:
    """4xx naming the body."""
    answer = await rig.client.post("/tickets", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["field"] == "body"


async def test_a_long_idempotency_key_is_refused(rig: Rig) -> None:
    """The header is named."""
    answer = await rig.client.post("/tickets", json=BODY, headers={"Idempotency-Key": "k" * 201})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "Idempotency-Key")


async def test_only_listed_sites_may_call(rig: Rig) -> None:
    """CORS: the listed origin with the headers the widget sends; another gets no permission."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,idempotency-key"}
    listed = await rig.client.options("/tickets", headers={"Origin": "https://shop.example.com"} | asked)
    other = await rig.client.options("/tickets", headers={"Origin": "https://evil.example.net"} | asked)
    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (200, "https://shop.example.com")
    assert "access-control-allow-origin" not in other.headers
    refused = await rig.client.post("/tickets", json={}, headers={"Origin": "https://shop.example.com"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (422, "https://shop.example.com")


async def test_the_built_form_is_served(rig: Rig) -> None:
    """The page forbids what it does not need; both files are validated by their ETag."""
    (rig.dist / "index.html").write_text("<!doctype html><title>Form</title>")
    (rig.dist / "widget.js").write_text("void 0")
    page, script = await rig.client.get("/"), await rig.client.get("/widget.js")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (script.text, script.headers["content-type"]) == ("void 0", "text/javascript; charset=utf-8")
    assert script.headers["cache-control"] == "public, max-age=300"
    for path, first in (("/", page), ("/widget.js", script)):
        again = await rig.client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
    (rig.dist / "widget.js").write_text("void 1")
    assert (await rig.client.get("/widget.js")).headers["etag"] != script.headers["etag"]


async def test_a_form_that_is_not_built_says_how(rig: Rig) -> None:
    """503 naming the command, so that a developer knows."""
    for path in ("/", "/widget.js"):
        answer = await rig.client.get(path)
        assert answer.status_code == 503
        assert "make webform" in answer.json()["error"]["message"]


async def test_the_description_is_complete_and_stays_at_home(rig: Rig) -> None:
    """OpenAPI names the fields and answers; no documentation page loads anything from a third party."""
    described = (await rig.client.get("/openapi.json")).json()
    assert {path: set(verbs) for path, verbs in described["paths"].items()} == {
        "/tickets": {"post"},
        "/tickets/{ticket_id}": {"get"},
        "/tickets/{ticket_id}/messages": {"post"},
        "/tickets/{ticket_id}/attachments": {"post"},
        "/tickets/{ticket_id}/attachments/{attachment_id}": {"get"},
        "/tickets/{ticket_id}/rating": {"post"},
        "/config": {"get"},
    }
    upload = described["paths"]["/tickets/{ticket_id}/attachments"]["post"]
    assert list(upload["requestBody"]["content"]) == ["multipart/form-data"]
    fields = described["components"]["schemas"]["TicketRequest"]
    assert set(fields["required"]) == set(BODY)
    assert fields["properties"]["category"]["enum"] == ["general", "technical", "billing", "feedback"]
    for path in ("/docs", "/redoc"):
        assert (await rig.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/tickets", 405), ("GET", "/tickets/", 404)]
)
async def test_other_paths_are_refused_in_the_same_shape(rig: Rig, method: str, path: str, status: int) -> None:
    """Also FastAPI's own refusals are JSON with a reason."""
    answer = await rig.client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (status, "http-error")


async def test_the_page_about_the_api_is_complete(rig: Rig) -> None:
    """specs/api-web-form.md has every route, and every field that a ticket is opened with."""
    page = (Path(__file__).resolve().parents[2] / "specs/api-web-form.md").read_text(encoding="utf-8")
    described = (await rig.client.get("/openapi.json")).json()
    for path, verbs in described["paths"].items():
        for verb in verbs:
            assert f"{verb.upper()} {path.replace('{ticket_id}', '{id}')}" in page
    fields = described["components"]["schemas"]["TicketRequest"]["properties"]
    facts = described["components"]["schemas"]["PageFacts"]["properties"]
    assert [name for name in (*fields, *facts) if name not in page] == []
