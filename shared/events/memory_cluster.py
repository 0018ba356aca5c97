"""librdkafka's in-memory Kafka cluster as a process: `python -m shared.events.memory_cluster --address-file FILE`.

One broker on a port of 127.0.0.1 that librdkafka chooses; the address is written to FILE once it
answers. Our topics are there from the start, with librdkafka's four partitions each: its cluster
has no CreateTopics, it makes a topic when somebody asks for one. Everything ends with the process.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Producer

from shared.events.topics import TOPICS

_ASK_S = 10.0


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address-file", type=Path, required=True)
    arguments = parser.parse_args()
    # Blocked before librdkafka starts its threads, so that the signal waits for sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    address = make_topics(cluster, (topic.name for topic in TOPICS))
    draft: Path = arguments.address_file.with_suffix(".new")
    draft.write_text(f"{address}\n")
    draft.rename(arguments.address_file)
    signal.sigwait((signal.SIGTERM, signal.SIGINT))


def make_topics(cluster: Producer, names: Iterable[str]) -> str:
    """Make the topics by asking for them, and return the cluster's address."""
    for name in names:
        cluster.list_topics(topic=name, timeout=_ASK_S)
    brokers = cluster.list_topics(timeout=_ASK_S).brokers.values()
    return ",".join(f"{broker.host}:{broker.port}" for broker in brokers)


if __name__ == "__main__":
    main()
