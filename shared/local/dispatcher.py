"""The dispatcher of one machine: `python -m shared.local.dispatcher --sources knative/sources --routes FILE.json`.

It reads the KafkaSources and PingSources that are applied to a cluster and does what Knative's data
plane would: the same consumer groups, retries, backoffs, dead letters and commits. Kafka is the one
KAFKA_BOOTSTRAP_SERVERS names; the addresses in the YAML are the cluster's. `/health` answers 200 once
every source has its partitions, `/stats` counts what each has done.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.clock import Clock, SystemClock
from shared.errors import Permanent
from shared.events.kafka import KafkaProducer, client_config
from shared.local.dispatch.attempt import EventClient
from shared.local.dispatch.counts import SourceCounts
from shared.local.dispatch.courier import Courier
from shared.local.dispatch.manifest import KafkaSource, Manifest, load
from shared.local.dispatch.routes import Routes
from shared.local.dispatch.source import SourceRunner
from shared.local.pings import PingRunner, next_tick
from shared.observability.logs import configure_logging, logger
from shared.settings import Settings

_NAMESPACE = "fte"


@dataclass(slots=True)
class Dispatcher:
    """Everything that runs."""

    routes: Routes
    client: EventClient
    producer: KafkaProducer
    sources: list[SourceRunner] = field(default_factory=list[SourceRunner])
    pings: list[PingRunner] = field(default_factory=list[PingRunner])


@asynccontextmanager
async def dispatching(
    manifest: Manifest, routes_file: Path, settings: Settings, clock: Clock
) -> AsyncGenerator[Dispatcher]:
    """Run every source of the manifest for as long as the context is open; leaving it commits what was delivered."""
    routes = Routes(routes_file)
    await routes.refresh()
    dispatcher = Dispatcher(routes, EventClient(), await KafkaProducer.open(settings))
    for source in manifest.kafka_sources:
        dispatcher.sources.append(_runner(source, dispatcher, settings, clock))
    for ping in manifest.ping_sources:
        dispatcher.pings.append(PingRunner(ping, dispatcher.client, routes, clock))
    tasks = [asyncio.create_task(each.run()) for each in (*dispatcher.sources, *dispatcher.pings)]
    tasks.append(asyncio.create_task(routes.watch()))
    for task in tasks:
        task.add_done_callback(_end_with)
    try:
        yield dispatcher
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(source.stop() for source in dispatcher.sources))
        await dispatcher.client.close()
        await dispatcher.producer.close()


def _end_with(task: asyncio.Task[None]) -> None:
    """A part that dies of a fault ends the process: whoever keeps it starts it whole, and nothing is lost."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger().error("dispatcher_fault", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


def _runner(source: KafkaSource, dispatcher: Dispatcher, settings: Settings, clock: Clock) -> SourceRunner:
    counts = SourceCounts()
    courier = Courier(source, counts, dispatcher.client, dispatcher.producer, dispatcher.routes, clock)
    return SourceRunner(source, settings, courier, counts)


def make_app(manifest: Manifest, routes_file: Path) -> Starlette:
    """The status pages, whose lifespan is the dispatching itself."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        settings = Settings()
        configure_logging("dispatcher", settings.log_level)
        async with dispatching(manifest, routes_file, settings, SystemClock()) as dispatcher:
            app.state.dispatcher = dispatcher
            logger().info("started", sources=[each.source.name for each in dispatcher.sources])
            yield
            logger().info("stopping")

    return Starlette(routes=[Route("/health", _health), Route("/stats", _stats)], lifespan=lifespan)


async def _health(request: Request) -> JSONResponse:
    dispatcher: Dispatcher = request.app.state.dispatcher
    ready = {each.source.name: each.ready for each in dispatcher.sources}
    status = "ok" if all(ready.values()) else "waiting"
    return JSONResponse({"status": status, "sources": ready}, status_code=200 if status == "ok" else 503)


async def _stats(request: Request) -> JSONResponse:
    dispatcher: Dispatcher = request.app.state.dispatcher
    counted = await asyncio.gather(*(each.stats() for each in dispatcher.sources))
    return JSONResponse(
        {
            "sources": {each.source.name: stats for each, stats in zip(dispatcher.sources, counted, strict=True)},
            "pings": {each.source.name: each.counts.as_json() for each in dispatcher.pings},
        }
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sources", type=Path, action="append", required=True, help="folder of sources; may be repeated"
    )
    parser.add_argument(
        "--sinks", type=Path, action="append", help="folder of KafkaSinks (default: infra beside the sources)"
    )
    parser.add_argument(
        "--routes", type=Path, required=True, help='JSON file: {"agent-run": "http://127.0.0.1:8101", …}'
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of /health and /stats; 0 takes a free one")
    parser.add_argument("--namespace", default=_NAMESPACE, help="of sources that name none")
    given = parser.parse_args(arguments)
    sinks = given.sinks or [folder.parent / "infra" for folder in given.sources]
    try:
        client_config(Settings())
        manifest = load(given.sources, sinks, given.namespace)
        for ping in manifest.ping_sources:
            next_tick(ping, SystemClock().now())
    except Permanent as error:
        parser.error(str(error))
    uvicorn.run(make_app(manifest, given.routes), host=given.host, port=given.port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
