"""The producer: every publish waits for the acks of all in-sync replicas.

librdkafka answers through callbacks served by `poll`; one named thread polls and hands each
outcome to the event loop. The producer is opened after the fork, never at import.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from shared.errors import Permanent, Retryable
from shared.events.envelope import Event
from shared.events.signature import sign
from shared.observability.logs import logger
from shared.observability.tracing import current_traceparent
from shared.settings import Settings, key_list

_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE  # pyright: ignore[reportAttributeAccessIssue]


def client_config(settings: Settings) -> dict[str, Any]:
    """librdkafka settings shared by producers, consumers and admin clients.

    Raises Permanent when KAFKA_BOOTSTRAP_SERVERS is missing.
    """
    if not settings.kafka_bootstrap_servers:
        raise Permanent("KAFKA_BOOTSTRAP_SERVERS is not set: give it host:port[,host:port]", reason="missing-setting")
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
        # A broker that restarts must be found again within a second or two, not in ten.
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1000,
        # Its lines go into our log, instead of past it to standard error.
        "logger": logging.getLogger("librdkafka"),
    }
    if settings.kafka_sasl_mechanism:
        config |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": settings.kafka_sasl_password.get_secret_value(),
        }
    return config


class KafkaProducer:
    """Publishes events with acks=all and idempotence; a publish returns once the brokers have it."""

    def __init__(self, producer: Producer, timeout_s: float, keys: tuple[bytes, ...]) -> None:
        self._producer = producer
        self._timeout_s = timeout_s
        self._keys = keys
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="kafka-producer-poll", daemon=True)

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Connect lazily: librdkafka dials in the background, so this returns at once."""
        config = client_config(settings) | {
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 2,
            "delivery.timeout.ms": int(settings.kafka_publish_timeout_s * 1000),
            "request.timeout.ms": int(min(5.0, settings.kafka_publish_timeout_s) * 1000),
            "socket.timeout.ms": 6000,
            # While the brokers are away its worst lines alone.
            "log_level": 2,
        }
        keys = key_list(settings.fte_event_key, "FTE_EVENT_KEY") if settings.fte_event_key.get_secret_value() else ()
        producer = Producer(config)
        opened = cls(producer, settings.kafka_publish_timeout_s, keys)
        opened._poller.start()
        return opened

    async def publish(self, topic: str, event: Event) -> None:
        """Sign and publish one event; returns after the acks.

        Raises Retryable when the brokers did not acknowledge in time, Permanent when the event is too large.
        """
        if not self._keys:
            raise Permanent("FTE_EVENT_KEY is not set: events must be signed", reason="missing-key")
        signature = sign(self._keys[0], event.id, event.type, event.source, event.data)
        headers = event.headers(signature, current_traceparent())
        await self.publish_raw(topic, event.key.encode(), event.data, headers)

    async def publish_raw(
        self, topic: str, key: bytes | None, value: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """Publish a record as it stands; for dead letters and replays, which keep their signature."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def delivered(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(_settle, done, error)

        try:
            self._producer.produce(topic, value=value, key=key, headers=list(headers), on_delivery=delivered)
        except BufferError:
            raise Retryable("Kafka's send queue is full", reason="kafka-queue-full") from None
        except KafkaException as error:
            raise _as_ours(error.args[0]) from None
        try:
            async with asyncio.timeout(self._timeout_s + 2):
                await done
        except TimeoutError:
            raise _away("timeout") from None

    async def ping(self, timeout_s: float = 2.0) -> None:
        """Raise Retryable unless a broker answers a metadata request."""
        try:
            await asyncio.to_thread(self._producer.list_topics, timeout=timeout_s)
        except KafkaException:
            raise Retryable("Kafka does not answer", reason="kafka-away") from None

    async def close(self) -> None:
        """Wait for what is under way, then stop the polling thread."""
        await asyncio.to_thread(self._producer.flush, self._timeout_s)
        self._closing.set()
        await asyncio.to_thread(self._poller.join)

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.1)


def _settle(done: asyncio.Future[None], error: KafkaError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(_as_ours(error))


def _as_ours(error: KafkaError) -> Retryable | Permanent:
    if error.code() == _TOO_LARGE:
        return Permanent("the brokers refuse an event of this size", reason="event-too-large")
    return _away(error.name())


def _away(code: str) -> Retryable:
    # Customers read the sentence, on the form; librdkafka's word for it is for whoever reads the log.
    logger().warning("kafka_not_acknowledged", code=code)
    return Retryable("Kafka is away", reason="kafka-away")
