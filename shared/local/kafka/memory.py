"""librdkafka's in-memory cluster as a process of its own: Kafka where there is no Java. Nothing outlives it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import Permanent, Retryable
from shared.events.probe import wait_until_kafka_answers
from shared.local import server_process
from shared.local.private import private_folder

if TYPE_CHECKING:
    from shared.local.kafka.broker import Kind

_START_S = 20.0


class MemoryKafka:
    """Waiting events are lost when it ends, and its port is new at each start.

    So `suspend` does not end it but halts it (SIGSTOP): clients wait and time out, nothing is lost.
    """

    kind: Kind = "memory"
    durable = False

    def __init__(self, folder: Path, *, log: Path | None = None, detached: bool = False) -> None:
        self._folder = folder.resolve()
        self._pid_file = self._folder / "memory.pid"
        self._address_file = self._folder / "memory.address"
        self._log = log or self._folder / "kafka.log"
        self._detached = detached

    @property
    def address(self) -> str:
        """`127.0.0.1:port`. Raises Permanent before the first start."""
        with suppress(OSError):
            return self._address_file.read_text().strip()
        raise Permanent("the in-memory Kafka has not started yet", reason="kafka-not-started")

    @property
    def pid(self) -> int | None:
        """The running cluster's pid, also when another process of ours started it."""
        return server_process.find(self._pid_file, str(self._address_file))

    async def start(self) -> None:
        """Return once the cluster answers; one that runs already is kept, with its events."""
        if self.pid is not None:
            with suppress(Retryable):
                await self.resume()
                return
        await self.stop()
        private_folder(self._folder)
        self._address_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "shared.events.memory_cluster", "--address-file", str(self._address_file)]
        pid = server_process.spawn(command, self._log, tethered=not self._detached)
        self._pid_file.write_text(f"{pid}\n")
        await wait_until_kafka_answers(lambda: self.address, _START_S, alive=lambda: server_process.is_running(pid))

    async def stop(self) -> None:
        """End the cluster and all that waited in it."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGCONT)
            await server_process.end(pid, [(signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)])
        self._pid_file.unlink(missing_ok=True)

    async def suspend(self) -> None:
        """Halt the process: connections hang."""
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGSTOP)

    async def resume(self) -> None:
        """Let it run again, with everything it held."""
        pid = self.pid
        if pid is None:
            raise Retryable("the in-memory Kafka has ended, and its events with it", reason="kafka-away")
        os.kill(pid, signal.SIGCONT)
        await wait_until_kafka_answers(self.address, _START_S, alive=lambda: server_process.is_running(pid))
