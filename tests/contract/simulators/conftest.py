"""Simulators on real sockets, a webhook that records what it is sent, and the providers' own clients."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from twilio.rest import Client

from shared.local.simulators.gmail.app import create_app as create_gmail
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.openai.app import create_app as create_openai
from shared.local.simulators.openai.config import OpenAIConfig
from shared.local.simulators.twilio.app import create_app as create_twilio
from shared.local.simulators.twilio.config import TwilioConfig

ROOT = Path(__file__).resolve().parents[3]
Serve = Callable[[ASGIApp], str]


def eventually(check: Callable[[], Any], deadline_s: float = 10.0) -> Any:
    """The first true value of `check`, asked again until the deadline."""
    end = time.monotonic() + deadline_s
    while not (value := check()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)
    return value


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


@dataclass
class Server:
    """An app behind a real uvicorn on a free port, in a thread of its own."""

    app: ASGIApp

    def start(self) -> str:
        self._listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(self.app, log_level="warning", access_log=False, ws="none", lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()
        eventually(lambda: self._server.started or not self._thread.is_alive())
        assert self._server.started
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def ask_to_stop(self) -> None:
        self._server.should_exit = True

    def stop(self) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an app until the test ends; all are asked to stop before the first is waited for."""
    servers: list[Server] = []

    def start(app: ASGIApp) -> str:
        servers.append(Server(app))
        return servers[-1].start()

    yield start
    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.stop()


@dataclass
class Received:
    """One request that the webhook got."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class Webhook:
    """Our side of a push or a webhook: records, and answers what it is told to; the last answer stays."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, str, str]] = field(default_factory=lambda: [(204, "", "")])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _lifespan(receive, send)
        request = Request(scope, receive)
        body = await request.body()
        self.received.append(Received(request.url.path, request.url.query, dict(request.headers), body))
        status, kind, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {"content-type": kind} if kind else {}
        return await Response(text, status_code=status, headers=headers)(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


@pytest.fixture
def webhook(serve: Serve) -> Webhook:
    hook = Webhook()
    hook.url = serve(hook)
    return hook


@dataclass
class Simulator:
    """A running simulator and its control endpoints."""

    url: str

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}/_control/{path}", timeout=30).raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        return httpx.post(f"{self.url}/_control/{path}", timeout=30, **sent).raise_for_status().json()

    def fault(self, kind: str, **more: Any) -> None:
        self.post("faults", {"kind": kind, "for_s": 30, **more})

    def mend(self) -> None:
        httpx.delete(f"{self.url}/_control/faults").raise_for_status()


@pytest.fixture
def simulate(serve: Serve) -> Callable[[ASGIApp], Simulator]:
    return lambda app: Simulator(serve(app))


@pytest.fixture
def gmail(serve: Serve) -> Simulator:
    return Simulator(serve(create_gmail(GmailConfig())))


@pytest.fixture
def mailbox(gmail: Simulator) -> Iterator[Any]:
    with gmail_client(gmail.url) as users:
        yield users


@pytest.fixture
def twilio(serve: Serve, webhook: Webhook) -> Simulator:
    config = TwilioConfig(
        auth_token="local-token", webhook_url=f"{webhook.url}/whatsapp", public_url="https://hooks.example.com/whatsapp"
    )
    return Simulator(serve(create_twilio(config)))


@pytest.fixture
def openai_url(serve: Serve) -> str:
    return serve(create_openai(OpenAIConfig()))


@contextlib.contextmanager
def gmail_client(url: str) -> Iterator[Any]:
    """`users()` of Google's client, signed in by a refresh token at the simulator's token endpoint."""
    credentials = Credentials(
        None, refresh_token="refresh", token_uri=f"{url}/token", client_id="client", client_secret="client-word"
    )
    with build(
        "gmail", "v1", credentials=credentials, client_options={"api_endpoint": url}, static_discovery=True
    ) as service:
        yield service.users()


@pytest.fixture
def connect() -> Callable[[str], contextlib.AbstractContextManager[Any]]:
    return gmail_client


@pytest.fixture
def account(twilio: Simulator) -> Client:
    """Twilio's client, told where its API is."""
    return twilio_client(twilio.url, "local-token")


def twilio_client(url: str, token: str) -> Client:
    client = Client("AC" + "0" * 32, token)
    client.api.base_url = url
    return client


@pytest.fixture
def connect_twilio() -> Callable[[str, str], Client]:
    return twilio_client


@pytest.fixture
def spawn() -> Iterator[Callable[..., tuple[Simulator, subprocess.Popen[bytes]]]]:
    """Start a simulator as its own process, once more on the same port where one is given."""
    started: list[subprocess.Popen[bytes]] = []

    def start(provider: str, *options: str, port: int = 0) -> tuple[Simulator, subprocess.Popen[bytes]]:
        port = port or _free_port()
        module = f"shared.local.simulators.{provider}"
        process = subprocess.Popen([sys.executable, "-m", module, "--port", str(port), *options], cwd=ROOT)
        started.append(process)
        simulator = Simulator(f"http://127.0.0.1:{port}")
        eventually(lambda: process.poll() is not None or _is_up(simulator), deadline_s=30)
        assert process.poll() is None
        return simulator, process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def _is_up(simulator: Simulator) -> bool:
    try:
        return simulator.get("health") == {"status": "ok"}
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
