"""Whether a Kafka answers: for those who start one and must know when it is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient  # pyright: ignore[reportPrivateImportUsage]

from shared.errors import FteError, Retryable

_ASK_S = 1.0
_PAUSE_S = 0.1


async def wait_until_kafka_answers(
    address: str | Callable[[], str], patience_s: float, *, alive: Callable[[], bool] = lambda: True
) -> None:
    """Return once a broker has registered and answers a metadata request.

    `address` may be a function that raises an FteError for as long as the address is not known. Raises Retryable after
    `patience_s` seconds, or as soon as `alive` says that the process has ended.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and alive():
        with suppress(FteError):
            if await asyncio.to_thread(_has_broker, address if isinstance(address, str) else address()):
                return
        await asyncio.sleep(_PAUSE_S)
    raise Retryable("Kafka does not answer: see its log", reason="kafka-away")


def _has_broker(address: str) -> bool:
    client = AdminClient({"bootstrap.servers": address, "log_level": 0, "socket.timeout.ms": 1000})
    try:
        return bool(client.list_topics(timeout=_ASK_S).brokers)
    except KafkaException:
        return False
