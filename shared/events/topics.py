"""The topics, and how they are made: `python -m shared.events.topics`, or `fte topics`.

Partitions are chosen together with max-scale and pool sizes: specs/runbooks/capacity.md.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from shared.errors import Retryable
from shared.events.envelope import CHANNELS, DEAD_LETTERS, INBOUND, OUTBOUND
from shared.events.kafka import client_config
from shared.settings import Settings

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `retention_ms` bounds how long an event may wait to be worked on."""

    name: str
    partitions: int
    retention_ms: int


TOPICS = (
    Topic(INBOUND, 12, 7 * _DAY_MS),
    Topic(OUTBOUND, 12, 7 * _DAY_MS),
    Topic(CHANNELS, 1, _DAY_MS),
    Topic(DEAD_LETTERS, 3, 30 * _DAY_MS),
)


#: The topic that a function reads, under a consumer group of its name (knative/sources/; a test compares).
READERS = {
    "agent-run": INBOUND,
    "send-reply": OUTBOUND,
    "gmail-push": CHANNELS,
    "whatsapp-webhook": CHANNELS,
    "dlq-review": DEAD_LETTERS,
}


async def create_topics(settings: Settings, *, replication: int | None = None, timeout_s: float = 30.0) -> list[str]:
    """Create what is missing and return its names; a topic that exists is left as it is.

    `replication` of None means the cluster's default. Raises Retryable when Kafka is away.
    """
    return await asyncio.to_thread(_create, settings, replication, timeout_s)


def _create(settings: Settings, replication: int | None, timeout_s: float) -> list[str]:
    # While the brokers are away we say so, once: its worst lines alone go to the log.
    admin = AdminClient(client_config(settings) | {"log_level": 2})
    try:
        present = admin.list_topics(timeout=timeout_s).topics
    except KafkaException:
        raise Retryable("Kafka does not answer", reason="kafka-away") from None
    missing = [topic for topic in TOPICS if topic.name not in present]
    if not missing:
        return []
    futures = admin.create_topics([_new(topic, replication) for topic in missing], operation_timeout=timeout_s)
    return [name for name, future in futures.items() if _was_created(future)]


def _new(topic: Topic, replication: int | None) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=-1 if replication is None else replication,
        config={"retention.ms": str(topic.retention_ms)},
    )


def _was_created(future: Future[None]) -> bool:
    try:
        future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:  # pyright: ignore[reportAttributeAccessIssue]
            return False
        raise Retryable(f"a topic could not be created: {error.args[0].name()}", reason="kafka-away") from None
    return True


def main() -> None:
    """Create the topics that KAFKA_* settings point at; for the Job in the cluster."""
    created = asyncio.run(create_topics(Settings()))
    print(f"topics created: {', '.join(created) or 'none, all were there'}")


if __name__ == "__main__":
    main()
