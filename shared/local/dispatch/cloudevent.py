"""A record as the CloudEvent a KafkaSource makes of it, and that event on its way on.

Reading follows eventing-kafka-broker's CloudEventDeserializer and InvalidCloudEventInterceptor:
a record that is no CloudEvent becomes one of type dev.knative.kafka.event. Writing follows the
CloudEvents HTTP and Kafka bindings 1.0.2.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from shared.events.records import Record
from shared.local.dispatch.manifest import ContentMode, KafkaSource

KAFKA_EVENT = "dev.knative.kafka.event"
STRUCTURED = "application/cloudevents+json"

_REQUIRED = ("id", "source", "type")
_VERSIONS = ("1.0", "0.3")
_NAME = re.compile(r"[a-z0-9]+")
_NOT_IN_NAME = re.compile(r"[^a-z0-9]")
_PREFIX = "ce_"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Attributes and extensions as text, without datacontenttype; `data` of None is no data at all."""

    attributes: Mapping[str, str]
    content_type: str | None
    data: bytes | None

    def plus(self, extensions: Mapping[str, str]) -> CloudEvent:
        """The same event with these extensions set, over any it had."""
        return replace(self, attributes={**self.attributes, **extensions})

    def http_headers(self) -> dict[str, str]:
        """Binary content mode: `ce-` headers with values percent-encoded (HTTP binding, section 3.1.3.2)."""
        headers = {f"ce-{name}": _percent_encoded(value) for name, value in self.attributes.items()}
        return headers | ({"content-type": self.content_type} if self.content_type else {})

    def kafka_record(self, mode: ContentMode) -> tuple[bytes | None, bytes, list[tuple[str, bytes]]]:
        """Key, value and headers as a KafkaSink writes them: the key is the partitionkey extension."""
        key = self.attributes.get("partitionkey")
        encoded_key = None if key is None else key.encode()
        if mode == "structured":
            return encoded_key, self._structured(), [("content-type", STRUCTURED.encode())]
        headers = [(f"{_PREFIX}{name}", value.encode()) for name, value in self.attributes.items()]
        if self.content_type:
            headers.append(("content-type", self.content_type.encode()))
        return encoded_key, self.data or b"", headers

    def _structured(self) -> bytes:
        body: dict[str, Any] = dict(self.attributes)
        if self.content_type:
            body["datacontenttype"] = self.content_type
        if self.data is not None:
            try:
                is_json = self.content_type is None or "json" in self.content_type
                body["data"] = json.loads(self.data) if is_json else self.data.decode()
            except ValueError:
                body["data_base64"] = base64.b64encode(self.data).decode()
        return json.dumps(body).encode()


def from_record(record: Record, source: KafkaSource) -> CloudEvent:
    """The event `source` delivers for a record: with the record's place and the source's overrides as extensions."""
    event = _parse(record) or _synthesise(record, source)
    place = {"knativekafkapartition": str(record.partition.number), "knativekafkaoffset": str(record.offset)}
    return event.plus(place).plus(source.extensions)


def _parse(record: Record) -> CloudEvent | None:
    headers = {name.lower(): value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
    content_type = headers.get("content-type")
    if content_type and content_type.lower().startswith(STRUCTURED):
        return _parse_structured(record.value or b"")
    attributes = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
    return CloudEvent(attributes, content_type, record.value) if _is_valid(attributes) else None


def _parse_structured(value: bytes) -> CloudEvent | None:
    try:
        return _from_json(json.loads(value))
    except (ValueError, TypeError):
        return None


def _from_json(body: Any) -> CloudEvent | None:
    """Raises ValueError or TypeError when data_base64 is no base64 text."""
    if not isinstance(body, dict):
        return None
    fields = cast("dict[str, Any]", body)
    content_type = fields.pop("datacontenttype", None)
    data, data_base64 = fields.pop("data", None), fields.pop("data_base64", None)
    attributes = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    if not _is_valid(attributes):
        return None
    return CloudEvent(attributes, content_type, _structured_data(data, data_base64, content_type))


def _structured_data(data: Any, data_base64: str | None, content_type: str | None) -> bytes | None:
    if data_base64 is not None:
        return base64.b64decode(data_base64, validate=True)
    if data is None:
        return None
    if isinstance(data, str) and content_type is not None and "json" not in content_type:
        return data.encode()
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _is_valid(attributes: Mapping[str, str]) -> bool:
    return (
        attributes.get("specversion") in _VERSIONS
        and all(attributes.get(name) for name in _REQUIRED)
        and all(_NAME.fullmatch(name) for name in attributes)
    )


def _synthesise(record: Record, source: KafkaSource) -> CloudEvent:
    partition, offset = record.partition.number, record.offset
    attributes = {
        "specversion": "1.0",
        "id": f"partition:{partition}/offset:{offset}",
        "type": KAFKA_EVENT,
        "source": f"/apis/v1/namespaces/{source.namespace}/kafkasources/{source.name}#{record.partition.topic}",
        "subject": f"partition:{partition}#{offset}",
        "time": datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
    }
    if record.key:
        attributes["partitionkey"] = attributes["key"] = record.key.decode("utf-8", "replace")
    content_type = None
    for name, value in record.headers:
        text = (value or b"").decode("utf-8", "replace")
        if name.lower() == "content-type":
            content_type = text.lower()
        else:
            attributes[f"kafkaheader{_NOT_IN_NAME.sub('', name.lower())}"] = text
    return CloudEvent(attributes, content_type, record.value)


def _percent_encoded(value: str) -> str:
    return "".join(
        char if "!" <= char <= "~" and char not in '"%' else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in value
    )
