"""Kafka on one machine: found or fetched, started, taken away, killed and brought back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from shared.errors import Permanent, Retryable
from shared.events.topics import TOPICS, create_topics
from shared.local import server_process
from shared.local.kafka.apache import ApacheKafka
from shared.local.kafka.broker import GivenKafka, choose_broker
from shared.local.kafka.java import what_java_lacks
from shared.local.kafka.memory import MemoryKafka
from shared.local.server_process import free_port
from shared.settings import Settings
from tests.fixtures_kafka import Topics


@pytest.fixture
async def apache(tmp_path: Path) -> AsyncGenerator[ApacheKafka]:
    """A broker of this test's own, since it is killed."""
    if lacking := await what_java_lacks():
        pytest.skip(lacking)
    broker = ApacheKafka(tmp_path / "kafka", free_port())
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncGenerator[MemoryKafka]:
    """An in-memory cluster of this test's own."""
    broker = MemoryKafka(tmp_path / "kafka")
    await broker.start()
    yield broker
    await broker.stop()


def settings(address: str) -> Settings:
    return Settings(_env_file=None, kafka_bootstrap_servers=address)  # type: ignore[call-arg]


async def test_apache_keeps_what_it_acknowledged(apache: ApacheKafka) -> None:
    """Through a calm stop and a kill -9, on the same address, and with its topics."""
    assert await create_topics(settings(apache.address)) == [topic.name for topic in TOPICS]
    topics = Topics(apache.address)
    topics.write("fte.inbound", [b"1"])
    await apache.suspend()
    assert apache.pid is None
    await apache.resume()
    topics.write("fte.inbound", [b"2"])
    assert apache.pid is not None
    os.kill(apache.pid, signal.SIGKILL)
    await apache.start()
    assert await create_topics(settings(apache.address)) == []
    topics.write("fte.inbound", [b"3"])
    found = await topics.read_async("fte.inbound", 3)
    assert sorted(each["value"] for each in found) == [b"1", b"2", b"3"]


async def test_a_start_finds_the_apache_that_runs(apache: ApacheKafka, tmp_path: Path) -> None:
    """Started twice it is the same process; a stranger on its port is named."""
    before = apache.pid
    await ApacheKafka(tmp_path / "kafka", apache.port).start()
    assert apache.pid == before
    with pytest.raises(Permanent, match=str(apache.port)):
        await ApacheKafka(tmp_path / "other", apache.port).start()


async def test_memory_keeps_its_events_while_suspended_and_loses_them_with_its_process(memory: MemoryKafka) -> None:
    """Suspended it answers nobody and forgets nothing; killed and started again it is empty, on another port."""
    topics = Topics(memory.address)
    topics.write("fte.inbound", [b"1"])
    await memory.suspend()
    with pytest.raises(Retryable):
        await create_topics(settings(memory.address), timeout_s=1)
    await memory.resume()
    assert [each["value"] for each in await topics.read_async("fte.inbound", 1)] == [b"1"]
    before, pid = memory.address, memory.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Retryable):
        await memory.resume()
    await memory.start()
    assert memory.address != before
    assert await Topics(memory.address).read_async("fte.inbound", 1, 1.0) == []


async def test_memory_has_our_topics_from_the_start(memory: MemoryKafka) -> None:
    """`fte topics` finds nothing to do there, where CreateTopics is not to be had."""
    assert await create_topics(settings(memory.address)) == []


async def test_which_kafka_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A given address, else Apache Kafka with Java, else the in-memory one; what is missing is said."""
    given = await choose_broker(tmp_path, 1, given="kafka.example.com:9092")
    assert isinstance(given, GivenKafka)
    assert given.durable
    with pytest.raises(Permanent, match=r"kafka\.example\.com"):
        await given.suspend()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Java is missing" in (await what_java_lacks() or "")
    broker = await choose_broker(tmp_path, 1)
    assert (broker.kind, broker.durable) == ("memory", False)
    with pytest.raises(Permanent, match="not started"):
        assert broker.address


async def test_an_old_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java 8 calls itself 1.8."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert "Java 8 is too old" in (await what_java_lacks() or "")


STARTER = """
import asyncio, sys
from pathlib import Path
from shared.local.kafka.memory import MemoryKafka
broker = MemoryKafka(Path(sys.argv[1]), detached=sys.argv[2] == "detached")
asyncio.run(broker.start())
print(broker.pid)
"""


@pytest.mark.parametrize("how", ["detached", "tethered"])
async def test_it_holds_nothing_of_its_starter_and_outlives_it_only_if_detached(tmp_path: Path, how: str) -> None:
    """The starter's pipes close with it; a detached broker lives on, a tethered one ends when its starter does."""
    command = [sys.executable, "-c", STARTER, str(tmp_path), how]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, check=True)
    pid = int(ended.stdout)
    broker = MemoryKafka(tmp_path)
    try:
        if how == "detached":
            assert broker.pid == pid
            await broker.start()
            assert broker.pid == pid
        else:
            assert await server_process.wait_until_gone(pid, 10)
    finally:
        await broker.stop()
