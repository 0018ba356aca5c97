"""The form's API: what is shown of a ticket, and how everything else is refused."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from shared.channels.web.api import Form, build_api
from shared.channels.web.site import Site
from shared.channels.web.token import ticket_token
from shared.clock import SystemClock
from shared.conversations.ticket_page import PageMessage, TicketView
from shared.errors import Retryable
from shared.events.envelope import Event
from shared.settings import Settings
from tests.conftest import make_settings

_BODY = {
    "name": "Ada Example",
    "email": "ada@example.org",
    "subject": "Export",
    "category": "technical",
    "message": "How do I export my data?",
}


@dataclass
class Publications:
    """Takes what is published, or is away."""

    events: list[Event] = field(default_factory=list[Event])
    away: bool = False

    async def publish(self, topic: str, event: Event) -> None:
        if self.away:
            raise Retryable("Kafka does not answer", reason="kafka-away")
        self.events.append(event)


@dataclass
class Tickets:
    """What is stored, or nothing, or no database."""

    page: TicketView | None = None
    away: bool = False
    bug: Exception | None = None
    asked: list[str] = field(default_factory=list[str])

    async def read(self, ticket_id: str) -> TicketView | None:
        self.asked.append(ticket_id)
        if self.bug:
            raise self.bug
        if self.away:
            raise Retryable("PostgreSQL is away", reason="database-away")
        return self.page


@dataclass
class Rig:
    """The API with what it publishes and reads."""

    client: httpx.AsyncClient
    settings: Settings
    sent: Publications
    tickets: Tickets
    dist: Path


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    settings = make_settings(form_allowed_origins=("https://shop.example.com",))
    sent, tickets = Publications(), Tickets()
    api = build_api(Form(settings, sent, tickets, Site(tmp_path), SystemClock()))
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://form") as client:
        yield Rig(client, settings, sent, tickets, tmp_path)


async def test_a_ticket_opens_with_the_token_it_was_given(rig: Rig) -> None:
    """202 with both, one event, and until it is stored the page says received."""
    opened = await rig.client.post("/tickets", json=_BODY)
    assert opened.status_code == 202
    assert opened.headers["cache-control"] == "no-store"
    given = opened.json()
    assert sorted(given) == ["ticket_id", "token"]
    (event,) = rig.sent.events
    assert json.loads(event.data)["provider_message_id"] == given["ticket_id"]
    for asked in (
        {"headers": {"Authorization": f"Bearer {given['token']}"}},
        {"params": {"token": given["token"]}},
    ):
        read = await rig.client.get(f"/tickets/{given['ticket_id']}", **asked)
        assert (read.status_code, read.json()) == (200, {"status": "received", "messages": []})
        assert read.headers["cache-control"] == "no-store"


async def test_the_page_shows_the_thread(rig: Rig) -> None:
    """Status, and each message with author, text and an ISO 8601 time."""
    at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    rig.tickets.page = TicketView("answered", (PageMessage("customer", "Hi", at), PageMessage("agent", "Hello", at)))
    given = (await rig.client.post("/tickets", json=_BODY)).json()
    read = await rig.client.get(f"/tickets/{given['ticket_id']}", headers={"Authorization": f"Bearer {given['token']}"})
    assert read.json() == {
        "status": "answered",
        "messages": [
            {"author": "customer", "text": "Hi", "at": "2026-11-23T12:00:00Z"},
            {"author": "agent", "text": "Hello", "at": "2026-11-23T12:00:00Z"},
        ],
    }


async def test_unknown_and_forbidden_are_the_same(rig: Rig) -> None:
    """One 404, decided without looking: neither answer nor time tells whether a ticket exists."""
    rig.tickets.page = TicketView("open", ())
    given = (await rig.client.post("/tickets", json=_BODY)).json()
    other = ticket_token(secrets.token_bytes(32), given["ticket_id"])
    answers = [
        await rig.client.get(f"/tickets/{given['ticket_id']}"),
        await rig.client.get(f"/tickets/{given['ticket_id']}", params={"token": other}),
        await rig.client.get(f"/tickets/{given['ticket_id']}", headers={"Authorization": "Bearer x"}),
        await rig.client.get(f"/tickets/{given['ticket_id']}", headers={"Authorization": "Basic eDp5"}),
        await rig.client.get("/tickets/UNKNOWN", params={"token": given["token"]}),
        await rig.client.get("/tickets/%00'--", params={"token": "%00"}),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert rig.tickets.asked == []


async def test_an_idempotency_key_makes_one_ticket(rig: Rig) -> None:
    """The same key and body: one ticket, one event id. Without a key, two requests are two tickets."""
    keyed = [
        (await rig.client.post("/tickets", json=_BODY, headers={"Idempotency-Key": "k1"})).json() for _ in range(2)
    ]
    assert keyed[0] == keyed[1]
    assert rig.sent.events[0].id == rig.sent.events[1].id
    free = [(await rig.client.post("/tickets", json=_BODY)).json() for _ in range(2)]
    assert free[0] != free[1]


async def test_without_kafka_nothing_is_promised(rig: Rig) -> None:
    """503 with Retry-After."""
    rig.sent.away = True
    answer = await rig.client.post("/tickets", json=_BODY)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "kafka-away")
    assert answer.headers["retry-after"] == "2"


async def test_without_postgres_messages_are_taken_and_pages_wait(rig: Rig) -> None:
    """202 for the message, 503 for the page."""
    rig.tickets.away = True
    given = (await rig.client.post("/tickets", json=_BODY)).json()
    read = await rig.client.get(f"/tickets/{given['ticket_id']}", params={"token": given["token"]})
    assert (read.status_code, read.json()["error"]["reason"]) == (503, "database-away")


async def test_a_bug_says_nothing_of_what_it_met(rig: Rig) -> None:
    """500 in the one shape; an exception's words may quote a row."""
    rig.tickets.bug = ValueError("row of ada@example.org")
    given = (await rig.client.post("/tickets", json=_BODY)).json()
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
    answer = await rig.client.post("/tickets", json=_BODY | body)
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
        (json.dumps(_BODY).encode(), "text/plain"),
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
    answer = await rig.client.post("/tickets", json=_BODY, headers={"Idempotency-Key": "k" * 201})
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
    assert {"/tickets", "/tickets/{ticket_id}"} == set(described["paths"])
    fields = described["components"]["schemas"]["TicketRequest"]
    assert set(fields["required"]) == set(_BODY)
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
