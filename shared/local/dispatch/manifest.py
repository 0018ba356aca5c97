"""What the folder of sources asks for: KafkaSources, PingSources and the topics of KafkaSinks.

Only what the local dispatcher can do as Knative does is read; a field that would change a
delivery and cannot be honoured here is refused with its name, not ignored. Shapes and defaults:
eventing-kafka-broker, control-plane/pkg/apis/sources/v1/kafka_types.go and kafka_defaults.go;
knative/eventing, pkg/apis/sources/v1/ping_types.go; the delivery spec of duck/v1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from shared.errors import Permanent

Ordering = Literal["ordered", "unordered"]
ContentMode = Literal["binary", "structured"]

_DEFAULT_TIMEOUT_S = 600.0
_DEFAULT_BACKOFF_S = 1.0
_DURATION = re.compile(
    r"P(?:(?P<weeks>[\d.]+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


@dataclass(frozen=True, slots=True)
class Sink:
    """Where events go: a Knative service by name, or an absolute base, and a path below it."""

    service: str | None
    uri: str


@dataclass(frozen=True, slots=True)
class KafkaSink:
    """A topic that takes events, and how they are written into its records."""

    name: str
    topic: str
    content_mode: ContentMode


@dataclass(frozen=True, slots=True)
class Delivery:
    """How often and how patiently an event is offered. Without `retry` it is offered once."""

    retry: int = 0
    backoff_policy: Literal["linear", "exponential"] = "exponential"
    backoff_delay_s: float = _DEFAULT_BACKOFF_S
    timeout_s: float = _DEFAULT_TIMEOUT_S
    dead_letter: KafkaSink | None = None

    def delay_before(self, retry: int) -> float:
        """Seconds to wait before the nth retry, the first being 1 (WebClientCloudEventSender.computeRetryPolicy)."""
        return self.backoff_delay_s * (retry if self.backoff_policy == "linear" else 2**retry)


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """One consumer group over some topics, delivering to one sink."""

    name: str
    namespace: str
    topics: tuple[str, ...]
    group: str
    sink: Sink
    ordering: Ordering = "ordered"
    initial_offset: Literal["earliest", "latest"] = "latest"
    delivery: Delivery = field(default_factory=Delivery)
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class PingSource:
    """One schedule, sending the same data to one sink. `data` of None sends no body."""

    name: str
    namespace: str
    schedule: str
    timezone: str
    sink: Sink
    content_type: str
    data: bytes | None
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the dispatcher runs."""

    kafka_sources: tuple[KafkaSource, ...]
    ping_sources: tuple[PingSource, ...]


class _Resource:
    """One YAML document, whose fields are asked for by path so that an error names the file and the field."""

    def __init__(self, file: Path, document: Mapping[str, Any], namespace: str) -> None:
        self._file = file
        self._document = document
        self.name = str(self.get("metadata.name", ""))
        self.namespace = str(self.get("metadata.namespace", namespace))

    def get(self, path: str, default: Any = None) -> Any:
        found: Any = self._document
        for step in path.split("."):
            found = cast("dict[str, Any]", found).get(step) if isinstance(found, dict) else None
        return default if found is None else found

    def one_of(self, path: str, choices: Iterable[str], default: str) -> Any:
        found = str(self.get(path, default))
        if found not in (allowed := list(choices)):
            raise self.wrong(path, f"is {found}, not one of {', '.join(allowed)}")
        return found

    def wrong(self, path: str, what: str) -> Permanent:
        return Permanent(f"{self._file.name}: {self.name}: {path} {what}", reason="bad-manifest")

    def is_a(self, group: str, kind: str) -> bool:
        return str(self.get("apiVersion", "")).startswith(f"{group}/") and self.get("kind") == kind


def load(sources: Sequence[Path], sinks: Sequence[Path], namespace: str) -> Manifest:
    """Read every *.yaml below the folders; blocking.

    Raises Permanent naming file and field when one cannot be honoured, or when there is no source at all.
    `namespace` is that of documents that name none: kustomize sets it in the cluster.
    """
    documents = [each for folder in sources for each in _documents(folder, namespace)]
    elsewhere = [each for folder in sinks for each in _documents(folder, namespace)]
    targets = {
        each.name: _kafka_sink(each)
        for each in (*documents, *elsewhere)
        if each.is_a("eventing.knative.dev", "KafkaSink")
    }
    manifest = Manifest(
        tuple(_kafka_source(each, targets) for each in documents if each.is_a("sources.knative.dev", "KafkaSource")),
        tuple(_ping_source(each) for each in documents if each.is_a("sources.knative.dev", "PingSource")),
    )
    if not manifest.kafka_sources and not manifest.ping_sources:
        raise Permanent(f"no source in {', '.join(str(folder) for folder in sources)}", reason="bad-manifest")
    return manifest


def _documents(folder: Path, namespace: str) -> list[_Resource]:
    found: list[_Resource] = []
    for file in sorted(folder.rglob("*.yaml")):
        parsed = cast("Iterable[dict[str, Any] | None]", yaml.safe_load_all(file.read_text()))
        found += [_Resource(file, each, namespace) for each in parsed if each]
    return found


def _kafka_sink(document: _Resource) -> KafkaSink:
    topic = document.get("spec.topic")
    if not topic:
        raise document.wrong("spec.topic", "is missing")
    return KafkaSink(document.name, str(topic), document.one_of("spec.contentMode", ("binary", "structured"), "binary"))


def _kafka_source(document: _Resource, sinks: Mapping[str, KafkaSink]) -> KafkaSource:
    topics = tuple(str(topic) for topic in document.get("spec.topics", []))
    group = str(document.get("spec.consumerGroup", ""))
    if not topics:
        raise document.wrong("spec.topics", "is empty")
    if not group:
        raise document.wrong("spec.consumerGroup", "is missing: Knative would make up a random one")
    return KafkaSource(
        name=document.name,
        namespace=document.namespace,
        topics=topics,
        group=group,
        sink=_sink(document),
        ordering=document.one_of("spec.ordering", ("ordered", "unordered"), "ordered"),
        initial_offset=document.one_of("spec.initialOffset", ("earliest", "latest"), "latest"),
        delivery=_delivery(document, sinks),
        extensions=_extensions(document),
    )


def _ping_source(document: _Resource) -> PingSource:
    if document.get("spec.dataBase64"):
        raise document.wrong("spec.dataBase64", "is not supported here: use data")
    data = document.get("spec.data")
    return PingSource(
        name=document.name,
        namespace=document.namespace,
        schedule=str(document.get("spec.schedule", "* * * * *")),
        timezone=str(document.get("spec.timezone", "UTC")),
        sink=_sink(document),
        content_type=str(document.get("spec.contentType", "")),
        data=None if data is None else str(data).encode(),
        extensions=_extensions(document),
    )


def _sink(document: _Resource) -> Sink:
    service, uri = document.get("spec.sink.ref.name"), str(document.get("spec.sink.uri", ""))
    if service is None:
        if not uri.startswith("http"):
            raise document.wrong("spec.sink", "has neither a ref nor an absolute uri")
        return Sink(None, uri)
    if document.get("spec.sink.ref.kind") != "Service":
        raise document.wrong("spec.sink.ref.kind", "is not Service")
    return Sink(str(service), uri)


def _delivery(document: _Resource, sinks: Mapping[str, KafkaSink]) -> Delivery:
    return Delivery(
        retry=int(document.get("spec.delivery.retry", 0)),
        backoff_policy=document.one_of("spec.delivery.backoffPolicy", ("linear", "exponential"), "exponential"),
        backoff_delay_s=_duration(document, "spec.delivery.backoffDelay", _DEFAULT_BACKOFF_S),
        timeout_s=_duration(document, "spec.delivery.timeout", _DEFAULT_TIMEOUT_S),
        dead_letter=_dead_letter(document, sinks),
    )


def _dead_letter(document: _Resource, sinks: Mapping[str, KafkaSink]) -> KafkaSink | None:
    where = "spec.delivery.deadLetterSink"
    if document.get(where) is None:
        return None
    if document.get(f"{where}.ref.kind") != "KafkaSink":
        raise document.wrong(f"{where}.ref.kind", "is not KafkaSink, the only kind supported here")
    name = str(document.get(f"{where}.ref.name", ""))
    if name not in sinks:
        raise document.wrong(f"{where}.ref.name", f"names {name}, of which there is no KafkaSink")
    return sinks[name]


def _extensions(document: _Resource) -> dict[str, str]:
    given = document.get("spec.ceOverrides.extensions", {})
    return {str(name): str(value) for name, value in given.items()}


def _duration(document: _Resource, path: str, default: float) -> float:
    """Seconds of an ISO 8601 duration such as PT0.5S; months and years have no fixed length and are refused."""
    text = document.get(path)
    if text is None:
        return default
    found = _DURATION.fullmatch(str(text))
    parts = {name: value for name, value in found.groupdict().items() if value} if found else {}
    if not parts:
        raise document.wrong(path, "is not an ISO 8601 duration such as PT2S")
    return sum(float(value) * _SECONDS[name] for name, value in parts.items())
