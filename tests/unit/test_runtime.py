"""serve(): lifespan, health, errors and limits around a real functions-framework function."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import functions_framework.aio
import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from shared.errors import Duplicate, Permanent, Rejected, Retryable
from shared.runtime.doorway import deps_of
from shared.runtime.health import WHAT_TO_DO, ChannelHealth, Health
from shared.runtime.serve import serve
from shared.settings import Settings

log: list[str] = []


@dataclass(frozen=True)
class Deps:
    """Dependencies of the function under test."""

    serving: list[bool] = field(default_factory=lambda: [True])

    async def health(self) -> Health:
        return Health(self.serving[0], {"email": ChannelHealth("degraded", "auth")})


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    log.append("open")
    yield Deps()
    log.append("close")


ERRORS = {
    "permanent": Permanent("never", reason="never"),
    "retryable": Retryable("later", reason="later"),
    "duplicate": Duplicate("done"),
    "rejected": Rejected("no", status=403, reason="bad-signature", field="signature"),
    "bug": ValueError("ada@example.org is not a number"),
}


@functions_framework.aio.http
async def under_test(request: Request) -> Response:
    """Fail as asked, or say how much came."""
    assert deps_of(Deps)
    body = await request.body()
    if body.decode("latin-1") in ERRORS:
        raise ERRORS[body.decode("latin-1")]
    return Response(str(len(body)))


@asynccontextmanager
async def served() -> AsyncGenerator[httpx.AsyncClient]:
    """The app with its lifespan."""
    app = serve("under_test", open_deps)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://function") as http:
            yield http


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app."""
    async with served() as http:
        yield http


async def test_dependencies_open_once_and_close_in_the_end(client: httpx.AsyncClient) -> None:
    """Nothing is opened at import; the lifespan opens once, whatever the number of requests."""
    await client.post("/", content=b"a")
    await client.post("/", content=b"b")
    assert log[-1] == "open"


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [("permanent", 422, "never"), ("retryable", 503, "later"), ("rejected", 403, "bad-signature"), ("bug", 500, "bug")],
)
async def test_errors_answer_as_the_tree_says(client: httpx.AsyncClient, kind: str, status: int, reason: str) -> None:
    """Status, reason, kne-reason for the dead letter, and never a word of the exception of a bug."""
    response = await client.post("/", content=kind.encode())
    assert response.status_code == status
    assert response.json()["error"]["reason"] == reason
    assert response.headers["kne-reason"] == reason
    assert "ada@" not in response.text


async def test_a_duplicate_is_a_success(client: httpx.AsyncClient) -> None:
    """200, so that the sender stops."""
    assert (await client.post("/", content=b"duplicate")).status_code == 200


async def test_an_oversized_request_is_413(client: httpx.AsyncClient) -> None:
    """By its declared length, and by what really comes."""
    large = b"x" * 1_048_577
    assert (await client.post("/", content=large)).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536

    assert (await client.post("/", content=chunks())).status_code == 413
    assert (await client.post("/", content=large[:-1])).text == str(len(large) - 1)


async def test_a_function_may_take_more_on_a_route_of_its_own(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dependencies say how much by the request; every other keeps the usual limit."""

    def more(_deps: Deps, scope: Scope) -> int:
        return 2_000_000 if scope["path"] == "/large" else 1_048_576

    monkeypatch.setattr(Deps, "request_limit", more, raising=False)
    body = b"x" * 1_500_000
    assert (await client.post("/large", content=body)).text == "1500000"
    assert (await client.post("/", content=body)).status_code == 413
    assert (await client.post("/large", content=body * 2)).status_code == 413


async def test_health_says_how_the_channels_are(client: httpx.AsyncClient) -> None:
    """A degraded channel does not make the function fail; an unknown one is said to be unknown."""
    response = await client.get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "channels": {
            "email": {"status": "degraded", "reason": "auth", "action": WHAT_TO_DO["auth"]},
            "whatsapp": {"status": "unknown"},
            "web": {"status": "unknown"},
        },
    }


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    """Requests are counted by function and status."""
    await client.post("/", content=b"permanent")
    text = (await client.get("/metrics")).text
    assert 'fte_request_seconds_count{function="under-test",status="422"}' in text
    assert f'fte_process_info{{pid="{os.getpid()}"}} 1.0' in text


async def test_a_bug_is_logged_by_type_and_place_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The log line has the error's type and where it was raised, not what it said."""
    async with served() as client:
        await client.post("/", content=b"bug")
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    [bug] = [line for line in lines if line["event_type"] == "bug"]
    assert bug["error_type"] == "ValueError"
    assert bug["level"] == "error"
    assert any("under_test" in place for place in bug["error_at"])
    assert "ada@" not in printed
