"""The sources of the cluster, read for one machine: Knative's defaults, and a clear no to what cannot be honoured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import Permanent
from shared.local.dispatch.manifest import Delivery, PingSource, Sink, load
from shared.local.pings import next_tick

ROOT = Path(__file__).resolve().parents[2]
SINK = {"ref": {"kind": "Service", "name": "agent-run"}}


def source(folder: Path, **spec: Any) -> Path:
    given = {"topics": ["t"], "consumerGroup": "g", "sink": SINK} | spec
    document = {"apiVersion": "sources.knative.dev/v1", "kind": "KafkaSource", "metadata": {"name": "s"}, "spec": given}
    (folder / "s.yaml").write_text(yaml.safe_dump(document))
    return folder


def test_the_projects_own_sources_can_be_honoured() -> None:
    """Every source in knative/sources is read, has a dead letter sink and retries for 15 minutes at least."""
    found = load([ROOT / "knative" / "sources"], [ROOT / "knative" / "infra"], "fte")
    assert {each.group for each in found.kafka_sources} == {
        "agent-run",
        "send-reply",
        "gmail-push",
        "whatsapp-webhook",
        "dlq-review",
    }
    assert [each.sink for each in found.ping_sources] == [Sink("dlq-review", "/events")]
    for each in found.kafka_sources:
        assert each.delivery.dead_letter is not None
        assert each.delivery.dead_letter.topic == "fte.dead-letters"
        waits = sum(each.delivery.delay_before(retry) for retry in range(1, each.delivery.retry + 1))
        assert waits >= 15 * 60


def test_the_defaults_are_those_of_the_cluster(tmp_path: Path) -> None:
    """Without a delivery an event is offered once; ordering is ordered and the first offset the latest."""
    [found] = load([source(tmp_path)], [], "fte").kafka_sources
    assert (found.ordering, found.initial_offset, found.namespace) == ("ordered", "latest", "fte")
    assert found.delivery == Delivery(retry=0, timeout_s=600, dead_letter=None)


@pytest.mark.parametrize(
    ("policy", "waits"), [("linear", [2.5, 5.0, 7.5]), ("exponential", [5.0, 10.0, 20.0])]
)  # fmt: skip
def test_backoff(tmp_path: Path, policy: str, waits: list[float]) -> None:
    """delay times n, or delay times two to the n, n counting from one."""
    delivery = {"retry": 3, "backoffPolicy": policy, "backoffDelay": "PT2.5S", "timeout": "PT1M15S"}
    [found] = load([source(tmp_path, delivery=delivery)], [], "fte").kafka_sources
    assert [found.delivery.delay_before(retry) for retry in (1, 2, 3)] == waits
    assert found.delivery.timeout_s == 75


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"topics": []}, "spec.topics"),
        ({"consumerGroup": ""}, "spec.consumerGroup"),
        ({"sink": {}}, "spec.sink"),
        ({"sink": {"ref": {"kind": "Broker", "name": "b"}}}, "spec.sink.ref.kind"),
        ({"ordering": "sideways"}, "spec.ordering"),
        ({"initialOffset": "middle"}, "spec.initialOffset"),
        ({"delivery": {"backoffDelay": "2s"}}, "spec.delivery.backoffDelay"),
        ({"delivery": {"timeout": "P1M"}}, "spec.delivery.timeout"),
        ({"delivery": {"timeout": "PT"}}, "spec.delivery.timeout"),
        ({"delivery": {"backoffPolicy": "random"}}, "spec.delivery.backoffPolicy"),
        ({"delivery": {"deadLetterSink": {"ref": {"kind": "KafkaSink", "name": "gone"}}}}, "deadLetterSink.ref.name"),
        ({"delivery": {"deadLetterSink": {"uri": "http://example.com"}}}, "deadLetterSink.ref.kind"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_field(tmp_path: Path, spec: dict[str, Any], field: str) -> None:
    """Silently doing something else than the cluster would be worse than not starting."""
    with pytest.raises(Permanent, match=field):
        load([source(tmp_path, **spec)], [], "fte")


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    """A dispatcher that delivers nothing would look as healthy as one that works."""
    with pytest.raises(Permanent, match="no source"):
        load([tmp_path], [], "fte")


def ping(schedule: str, timezone: str = "UTC") -> PingSource:
    return PingSource("sweep", "fte", schedule, timezone, Sink("dlq-review", "/events"), "", None)


@pytest.mark.parametrize(
    ("schedule", "timezone", "expected"),
    [
        ("*/5 * * * *", "UTC", "2026-03-29T01:00:00+00:00"),
        ("30 * * * * *", "UTC", "2026-03-29T00:58:30+00:00"),
        ("@hourly", "UTC", "2026-03-29T01:00:00+00:00"),
        ("0 9 * * *", "Europe/Prague", "2026-03-29T07:00:00+00:00"),
    ],
)
def test_the_next_tick(schedule: str, timezone: str, expected: str) -> None:
    """Five fields, seconds first in six, descriptors, and a time zone across its change to summer time."""
    after = datetime(2026, 3, 29, 0, 58, 10, tzinfo=UTC)
    assert next_tick(ping(schedule, timezone), after).isoformat() == expected


@pytest.mark.parametrize(
    ("schedule", "timezone"), [("often", "UTC"), ("61 * * * *", "UTC"), ("* * * * *", "Mars/Base")]
)
def test_a_schedule_that_is_none_is_refused(schedule: str, timezone: str) -> None:
    """By name, before anything runs."""
    with pytest.raises(Permanent, match="sweep"):
        next_tick(ping(schedule, timezone), datetime.now(UTC))
