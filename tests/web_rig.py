"""The form's API with an in-memory publisher and store behind it, for tests of what goes in and out by HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from shared.channels.message import InboundMessage
from shared.channels.web.api import build_api
from shared.channels.web.challenge import Challenge
from shared.channels.web.door import Door
from shared.channels.web.form import Form, Links, Redeemed, Surveys
from shared.channels.web.site import Site
from shared.channels.web.token import Holder
from shared.clock import SystemClock
from shared.conversations.ticket_page import PageContents, TicketView
from shared.errors import Rejected, Retryable
from shared.events.envelope import Event
from shared.settings import Settings

BODY = {
    "name": "Ada Example",
    "email": "ada@example.org",
    "subject": "Export",
    "category": "technical",
    "message": "How do I export my data?",
}
SITE = "https://shop.example.com"


class NoLinks:
    """No link was mailed."""

    async def look(self, token: str) -> None:
        await self.redeem(token)

    async def redeem(self, token: str) -> Redeemed:
        raise Rejected("there is no such link", status=404, reason="unknown-link")


class NoSurveys:
    """Nobody was asked anything."""

    async def look(self, token: str) -> str:
        return await self.rate(token, 1, "")

    async def rate(self, token: str, score: int, comment: str) -> str:
        raise Rejected("there is no such link", status=404, reason="unknown-link")


@dataclass
class Publications:
    """Takes what is published, or is away."""

    events: list[Event] = field(default_factory=list[Event])
    away: bool = False

    async def publish(self, topic: str, event: Event) -> None:
        if self.away:
            raise Retryable("Kafka does not answer", reason="kafka-away")
        self.events.append(event)

    @property
    def messages(self) -> list[InboundMessage]:
        """What was published, opened."""
        return [InboundMessage.model_validate_json(event.data) for event in self.events]


@dataclass
class Store:
    """What is stored, or nothing, or no database."""

    page: TicketView | None = None
    away: bool = False
    bug: Exception | None = None
    asked: list[Holder] = field(default_factory=list[Holder])
    rated: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    files: dict[UUID, PageContents] = field(default_factory=dict[UUID, PageContents])
    blobs: dict[UUID, bytes] = field(default_factory=dict[UUID, bytes])

    async def read(self, holder: Holder) -> TicketView | None:
        self._look(holder)
        return self.page

    async def rate(self, holder: Holder, score: int, comment: str) -> None:
        self._look(holder)
        if self.page is None or not self.page.can_rate:
            raise Rejected("there is no answer to be rated yet", status=409, reason="not-answered")
        self.rated.append((score, comment))

    async def file(self, holder: Holder, file_id: UUID) -> PageContents | None:
        self._look(holder)
        return self.files.get(file_id)

    async def keep(self, blob_id: UUID, data: bytes) -> None:
        if self.away:
            raise Retryable("PostgreSQL is away", reason="database-away")
        assert self.blobs.setdefault(blob_id, data) == data

    def _look(self, holder: Holder) -> None:
        self.asked.append(holder)
        if self.bug:
            raise self.bug
        if self.away:
            raise Retryable("PostgreSQL is away", reason="database-away")


@dataclass
class Rig:
    """The API with what it publishes, keeps and reads."""

    client: httpx.AsyncClient
    settings: Settings
    sent: Publications
    store: Store
    dist: Path
    form: Form

    async def open(self, body: dict[str, Any] | None = None, key: str = "") -> dict[str, str]:
        """A ticket that was accepted: what was answered."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.client.post("/tickets", json=BODY | (body or {}), headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def on(self, ticket: dict[str, str], method: str, path: str = "", **more: Any) -> httpx.Response:
        """A request on a ticket, with its token."""
        headers = {"Authorization": f"Bearer {ticket['token']}"} | more.pop("headers", {})
        return await self.client.request(method, f"/tickets/{ticket['ticket_id']}{path}", headers=headers, **more)


@asynccontextmanager
async def rigged(
    settings: Settings,
    dist: Path,
    *,
    links: Links | None = None,
    surveys: Surveys | None = None,
    challenger: httpx.AsyncBaseTransport | None = None,
    peer: str = "203.0.113.9",
) -> AsyncGenerator[Rig]:
    """The API of these settings, asked from `peer`."""
    sent, store = Publications(), Store()
    async with Challenge.opened(settings, challenger) as challenge:
        mailed = links or NoLinks(), surveys or NoSurveys()
        form = Form(settings, sent, store, Site(dist), SystemClock(), Door(settings), challenge, *mailed)
        transport = httpx.ASGITransport(build_api(form), raise_app_exceptions=False, client=(peer, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://form") as client:
            yield Rig(client, settings, sent, store, dist, form)


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, reason and field; every error has this one shape, with a message."""
    error = json.loads(answer.text)["error"]
    assert sorted(error) == ["field", "message", "reason"]
    assert error["message"]
    return answer.status_code, error["reason"], error["field"]
