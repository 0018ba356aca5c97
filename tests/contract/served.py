"""A function as its image serves it: uvicorn on a port of its own, and an in-memory Kafka behind it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from shared.local.server_process import free_port

_ROOT = Path(__file__).resolve().parents[2]
_START_S = 30.0


class MemoryKafka:
    """librdkafka's mock cluster: it lives as long as this object."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        broker = next(iter(self._cluster.list_topics(timeout=10).brokers.values()))
        self.address = f"{broker.host}:{broker.port}"

    def records(self, topic: str) -> list[Message]:
        """Everything in the topic now, oldest first within a partition."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": uuid.uuid4().hex, "log_level": 2})
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
            consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
            found: list[Message] = []
            deadline = time.monotonic() + 10
            while len(found) < sum(ends.values()) and time.monotonic() < deadline:
                found += [message for message in consumer.consume(500, timeout=0.2) if message.error() is None]
            return found
        finally:
            consumer.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A running function."""

    url: str
    log: Path

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client of this function."""
        return httpx.Client(base_url=self.url, timeout=20, **options)


@contextmanager
def served(function: str, folder: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    """`functions.<function>.main:app` in a process of its own, configured by `settings` alone."""
    port = free_port()
    command = [
        "uvicorn",
        f"functions.{function}.main:app",
        "--port",
        str(port),
        "--no-access-log",
        "--no-proxy-headers",
    ]
    with _running(command, port, folder, settings) as started:
        yield started


@contextmanager
def simulated(provider: str, folder: Path, port: int, *options: str) -> Iterator[Served]:
    """`shared.local.simulators.<provider>` in a process of its own."""
    command = [f"shared.local.simulators.{provider}", "--port", str(port), *options]
    with _running(command, port, folder, {}) as started:
        yield started


@contextmanager
def _running(command: Sequence[str], port: int, folder: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    log = folder / f"{port}.log"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), **settings}
    with log.open("wb") as output:
        # The folder has no .env: nothing of the developer's reaches the process.
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://127.0.0.1:{port}", process, log)
            yield Served(f"http://127.0.0.1:{port}", log)
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/metrics", timeout=2)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"it did not start:\n{log.read_text()[-4000:]}")
