"""Which Kafka a run on one machine uses: a given address, Apache Kafka, or librdkafka's in-memory cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from shared.errors import Permanent
from shared.events.probe import wait_until_kafka_answers
from shared.local.kafka.apache import ApacheKafka
from shared.local.kafka.java import what_java_lacks
from shared.local.kafka.memory import MemoryKafka

Kind = Literal["given", "apache", "memory"]


class KafkaBroker(Protocol):
    """One broker, however it came to be."""

    @property
    def kind(self) -> Kind: ...

    @property
    def durable(self) -> bool:
        """Whether events that wait survive the end of the process."""
        ...

    @property
    def address(self) -> str:
        """`host:port[,host:port]`; of the in-memory cluster it is known once it has started."""
        ...

    @property
    def pid(self) -> int | None:
        """The process that `start` made or found; None when it does not run or is not ours."""
        ...

    async def start(self) -> None:
        """Return once the broker answers metadata requests; raises Retryable when it does not."""
        ...

    async def stop(self) -> None: ...

    async def suspend(self) -> None:
        """Take the broker away without losing what waits in it."""
        ...

    async def resume(self) -> None:
        """Bring a suspended broker back on the same address."""
        ...


class GivenKafka:
    """A cluster somebody else runs."""

    kind: Kind = "given"
    durable = True
    pid = None

    def __init__(self, address: str) -> None:
        self.address = address

    async def start(self) -> None:
        await wait_until_kafka_answers(self.address, 15.0)

    async def stop(self) -> None:
        """Nothing: it is not ours to stop."""

    async def suspend(self) -> None:
        raise Permanent(f"Kafka at {self.address} is not ours to stop", reason="kafka-given")

    async def resume(self) -> None:
        await self.start()


async def choose_broker(
    folder: Path, port: int, *, given: str = "", log: Path | None = None, detached: bool = False
) -> KafkaBroker:
    """The best Kafka to be had: `given` if set, else Apache Kafka with Java and Maven, else the in-memory cluster.

    `folder` holds its data, `port` is Apache Kafka's; the in-memory cluster chooses its own.
    """
    if given:
        return GivenKafka(given)
    if await what_java_lacks() is None:
        return ApacheKafka(folder, port, log=log, detached=detached)
    return MemoryKafka(folder, log=log, detached=detached)
