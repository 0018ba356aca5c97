"""Apache Kafka on this machine: one KRaft node, broker and controller in one JVM of 256 MB."""

from __future__ import annotations

import asyncio
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import Retryable
from shared.events.probe import wait_until_kafka_answers
from shared.local import server_process
from shared.local.kafka.java import resolve_kafka
from shared.local.private import private_folder

if TYPE_CHECKING:
    from shared.local.kafka.broker import Kind

_LOG4J = Path(__file__).with_name("log4j2.properties")
_START_S = 90.0
_FORMAT_S = 60.0
# Any 22-character base64 UUID will do: one node, one cluster.
_CLUSTER_ID = "ZnRlLWxvY2FsLWthZmthMQ"
_JVM = (
    "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={_LOG4J}",
)  # fmt: skip
# One node holds every internal topic; after a kill -9 the old registration must lapse before the new one counts.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
controlled.shutdown.max.retries=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


class ApacheKafka:
    """A real broker on 127.0.0.1:`port` with its data in `folder`; what it has acknowledged survives kill -9.

    Unless `detached`, it dies with the process that starts it.
    """

    kind: Kind = "apache"
    durable = True

    def __init__(self, folder: Path, port: int, *, log: Path | None = None, detached: bool = False) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._folder = folder.resolve()
        self._properties = self._folder / "server.properties"
        self._pid_file = self._folder / "broker.pid"
        self._log = log or self._folder / "kafka.log"
        self._detached = detached

    @property
    def pid(self) -> int | None:
        """The running broker's pid, also when another process of ours started it."""
        return server_process.find(self._pid_file, str(self._properties))

    async def start(self) -> None:
        """Fetch the broker if need be, format its folder once, start it and wait until it answers.

        Raises Permanent when the port is taken, Retryable with the log's end when the broker does not come up.
        """
        if await self._already_answers():
            return
        await self.stop()
        await server_process.wait_for_port(self.port)
        classpath = f"{await resolve_kafka()}/*"
        private_folder(self._folder)
        await self._format(classpath)
        self._write_properties(self._properties, self._folder / "data")
        await self._launch(classpath)

    async def stop(self) -> None:
        """End the broker, cleanly if it manages within 15 s."""
        pid = self.pid
        if pid is not None:
            await server_process.end(pid, [(signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)])
        self._pid_file.unlink(missing_ok=True)

    async def suspend(self) -> None:
        """Stop the broker; its log stays."""
        await self.stop()

    async def resume(self) -> None:
        """Start it again on the same port."""
        await self.start()

    async def _already_answers(self) -> bool:
        pid = self.pid
        if pid is None or f"PLAINTEXT://127.0.0.1:{self.port}," not in self._properties.read_text():
            return False
        with suppress(Retryable):
            await wait_until_kafka_answers(self.address, _START_S, alive=lambda: server_process.is_running(pid))
            return True
        return False

    def _write_properties(self, path: Path, data: Path) -> None:
        # The controller's port is nobody's business but the node's own, so it may change from start to start.
        values = {"port": self.port, "controller_port": server_process.free_port(), "data": data}
        path.write_text(_PROPERTIES.format(**values))

    async def _format(self, classpath: str) -> None:
        data, draft = self._folder / "data", self._folder / "data.new"
        if data.is_dir():
            return
        # Formatted aside and renamed, so that a kill in the middle leaves no half a log.
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        properties = self._folder / "format.properties"
        self._write_properties(properties, draft)
        arguments = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties)]
        pid = server_process.spawn(["java", *_JVM, "-cp", classpath, *arguments], self._log, tethered=True)
        if not await server_process.wait_until_gone(pid, _FORMAT_S) or not (draft / "meta.properties").exists():
            raise Retryable(
                f"Kafka's folder was not formatted: {server_process.last_lines(self._log)}", reason="kafka-away"
            )
        draft.rename(data)

    async def _launch(self, classpath: str) -> None:
        pid = server_process.spawn(
            ["java", *_JVM, "-cp", classpath, "kafka.Kafka", str(self._properties)],
            self._log,
            tethered=not self._detached,
        )
        self._pid_file.write_text(f"{pid}\n")
        await wait_until_kafka_answers(self.address, _START_S, alive=lambda: server_process.is_running(pid))
