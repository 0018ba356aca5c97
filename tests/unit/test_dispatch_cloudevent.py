"""Records become events as a KafkaSource makes them, and go on as the HTTP and Kafka bindings say."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.records import Partition, Record
from shared.local.dispatch.cloudevent import KAFKA_EVENT, CloudEvent, from_record
from shared.local.dispatch.manifest import KafkaSource, Sink

SOURCE = KafkaSource("agent-run", "fte", ("t",), "g", Sink("agent-run", ""), extensions={"ftetopic": "t"})
REQUIRED = {"ce_specversion": b"1.0", "ce_id": b"1", "ce_source": b"/s", "ce_type": b"x"}


def event(headers: dict[str, bytes | None], value: bytes | None = b"{}", key: bytes | None = None) -> CloudEvent:
    record = Record(Partition("t", 3), 7, 1, 1_700_000_000_000, key, value, tuple(headers.items()))
    return from_record(record, SOURCE)


def test_overrides_win_and_the_place_is_added() -> None:
    """An extension the producer set is replaced by the source's override (CloudEventOverridesMutator)."""
    attributes = event(REQUIRED | {"ce_ftetopic": b"forged", "ce_knativekafkaoffset": b"99"}).attributes
    assert attributes["ftetopic"] == "t"
    assert (attributes["knativekafkapartition"], attributes["knativekafkaoffset"]) == ("3", "7")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {name: value for name, value in REQUIRED.items() if name != "ce_id"},
        REQUIRED | {"ce_specversion": b"9.9"},
        REQUIRED | {"ce_bad_name": b"x"},
        {"content-type": b"application/cloudevents+json"},
    ],
)
def test_what_is_no_valid_event_is_wrapped_into_one(headers: dict[str, bytes | None]) -> None:
    """Missing attributes, an unknown version, a bad name or broken JSON: the record's own place names the event."""
    found = event(headers, b"not json")
    assert found.attributes["type"] == KAFKA_EVENT
    assert found.attributes["id"] == "partition:3/offset:7"
    assert found.attributes["time"] == "2023-11-14T22:13:20Z"
    assert found.data == b"not json"


def test_a_structured_event_is_unfolded() -> None:
    """`application/cloudevents+json` arrives in binary mode like any other."""
    body: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/s", "type": "x", "data": {"a": 1}, "n": 5}
    headers: dict[str, bytes | None] = {"content-type": b"application/cloudevents+json; charset=utf-8"}
    found = event(headers, json.dumps(body).encode())
    assert (found.attributes["id"], found.attributes["n"], found.data) == ("1", "5", b'{"a":1}')


@pytest.mark.parametrize("encoded", ["!!", {"a": 1}])
def test_a_structured_event_with_broken_base64_is_wrapped(encoded: object) -> None:
    """A poison record must not stop the dispatcher."""
    body = {"specversion": "1.0", "id": "1", "source": "/s", "type": "x", "data_base64": encoded}
    assert (
        event({"content-type": b"application/cloudevents+json"}, json.dumps(body).encode()).attributes["type"]
        == KAFKA_EVENT
    )


@given(st.text(max_size=40))
def test_http_header_values_are_printable_and_reversible(value: str) -> None:
    """Percent-encoding leaves only printable ASCII without quotes and spaces, and decodes to what went in."""
    text = value.encode("utf-8", "ignore").decode()
    [encoded] = [
        each for name, each in CloudEvent({"note": text}, None, None).http_headers().items() if name == "ce-note"
    ]
    assert all("!" <= char <= "~" and char != '"' for char in encoded)
    assert unquote(encoded) == text


@given(st.binary(max_size=60), st.sampled_from([None, "application/json", "text/plain", "image/png"]))
def test_a_dead_letter_in_structured_mode_can_be_read_back(data: bytes, content_type: str | None) -> None:
    """Whatever the data is, it survives a KafkaSink in structured mode and the source behind it."""
    original = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "x"}, content_type, data)
    _, value, headers = original.kafka_record("structured")
    found = event(dict(headers), value)
    if content_type is None or "json" in content_type:
        assert found.data == data or json.loads(found.data or b"") == json.loads(data)
    else:
        assert found.data == data


def test_the_key_of_a_dead_letter_is_the_partition_key() -> None:
    """A KafkaSink keys by the partitionkey extension; an event without one has no key."""
    assert event(REQUIRED | {"ce_partitionkey": b"k"}).kafka_record("binary")[0] == b"k"
    assert event(REQUIRED, key=b"k").kafka_record("binary")[0] is None
