"""A dispatcher as a process, and a sink for it on a real socket whose answers the test decides."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.local import server_process
from shared.local.server_process import free_port

CE = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"id-1"),
    ("ce_source", b"/test"),
    ("ce_type", b"fte.message.received"),
    ("ce_partitionkey", b"key-1"),
    ("content-type", b"application/json"),
]
Answering = Callable[[dict[str, str], bytes, int], Awaitable[Response]]


@dataclass
class Seen:
    """One request the sink got."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Sink:
    """A function on a real socket whose answers the test decides: by headers, body and how often that body came."""

    answering: Answering
    port: int = field(default_factory=free_port)
    seen: list[Seen] = field(default_factory=list)
    now: int = 0
    most: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bodies(self) -> list[bytes]:
        return [each.body for each in self.seen]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.seen.append(Seen(request.url.path, dict(request.headers), body, time.monotonic()))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self.answering(dict(request.headers), body, self.bodies().count(body))
        finally:
            self.now -= 1

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[Sink]:
        app = Starlette(routes=[Route("/{path:path}", self.take, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_config=None, timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield self
        finally:
            server.should_exit = True
            await task


@dataclass
class Dispatcher:
    """The process under test and the folder it reads."""

    folder: Path
    kafka: str
    port: int = field(default_factory=free_port)
    pid: int = 0

    def source(self, topic: str, dead_letters: str | None = None, name: str = "agent-run", **spec: Any) -> str:
        """Write one KafkaSource (and its KafkaSink) and return its consumer group."""
        delivery = {"retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.1S", "timeout": "PT10S"}
        delivery |= spec.pop("delivery", {})
        if dead_letters:
            delivery["deadLetterSink"] = {"ref": {"kind": "KafkaSink", "name": "dead-letters"}}
            self._write("infra", "KafkaSink", "eventing.knative.dev/v1alpha1", "dead-letters", {"topic": dead_letters})
        group = f"group.{topic}"
        self._write("sources", "KafkaSource", "sources.knative.dev/v1", name, {
            "topics": [topic], "consumerGroup": group, "initialOffset": "earliest", "ordering": "unordered",
            "ceOverrides": {"extensions": {"ftetopic": topic}}, "delivery": delivery,
            "sink": {"ref": {"kind": "Service", "name": name}, "uri": "/events"},
        } | spec)  # fmt: skip
        return group

    def ping(self, **spec: Any) -> None:
        """Write one PingSource."""
        self._write("sources", "PingSource", "sources.knative.dev/v1", "sweep", spec)

    def route(self, **services: str) -> None:
        """Replace the routes file, as `fte up` does when a function moves."""
        draft = self.folder / "routes.new"
        draft.write_text(json.dumps({name.replace("_", "-"): url for name, url in services.items()}))
        draft.rename(self.folder / "routes.json")

    async def start(self) -> None:
        """Start the process and wait until every source has its partitions."""
        argv = [sys.executable, "-m", "shared.local.dispatcher", "--sources", str(self.folder / "sources")]
        argv += ["--routes", str(self.folder / "routes.json"), "--port", str(self.port)]
        environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": self.kafka, "LOG_LEVEL": "INFO"}
        log = self.folder / "dispatcher.log"
        self.pid = server_process.spawn(argv, log, tethered=True, environment=environment)
        await until(self._is_ready, 40, lambda: server_process.last_lines(log))

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert await server_process.wait_until_gone(self.pid, 5)

    async def stop(self) -> None:
        await server_process.end(self.pid, [(signal.SIGTERM, 15), (signal.SIGKILL, 5)])

    async def stats(self, kind: str = "sources", name: str = "agent-run") -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{self.port}/stats")).json()[kind][name]

    async def _is_ready(self) -> bool:
        assert server_process.is_running(self.pid), server_process.last_lines(self.folder / "dispatcher.log", 20)
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"http://127.0.0.1:{self.port}/health")).status_code == 200
            except httpx.HTTPError:
                return False

    def _write(self, folder: str, kind: str, version: str, name: str, spec: dict[str, Any]) -> None:
        document = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
        (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / folder / f"{name}-{kind}.yaml").write_text(json.dumps(document))


async def until(
    holds: Callable[[], bool | Awaitable[bool]], patience_s: float = 20, what: Callable[[], Any] = lambda: ""
) -> None:
    """Poll until something holds; fail after the deadline with what was seen last."""
    deadline = time.monotonic() + patience_s
    while True:
        found = holds()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < deadline, f"not within {patience_s} s: {what()}"
        await asyncio.sleep(0.02)


async def ok(_headers: dict[str, str], _body: bytes, _times: int) -> Response:
    """An answer for a sink that takes everything."""
    return Response(status_code=204)
