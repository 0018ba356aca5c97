"""Events: their headers, their signature, and how a malformed one is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel
from starlette.requests import Request

from shared.errors import Permanent, Rejected
from shared.events.envelope import MAX_EVENT_BYTES, MESSAGE_RECEIVED, Event, header_map, new_event
from shared.events.received import ReceivedEvent, receive_event
from shared.events.signature import is_ours, sign
from shared.settings import key_list
from tests.conftest import make_settings, random_key

KEY = base64.b64decode(random_key())
OTHER = base64.b64decode(random_key())


def an_event(data: bytes = b"{}") -> Event:
    return new_event(MESSAGE_RECEIVED, source="fte/test", data=data, key="k", now=datetime.now(UTC), event_id="e1")


def test_the_record_carries_every_attribute() -> None:
    """Binary mode: ce_ headers, content type, partition key, signature and trace."""
    headers = header_map(an_event().headers("sig", "00-abc-def-01"))
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_id"] == "e1"
    assert headers["ce_partitionkey"] == "k"
    assert headers["ce_ftesig"] == "sig"
    assert headers["ce_traceparent"] == "00-abc-def-01"
    assert headers["content-type"] == "application/json"


def test_an_event_too_large_for_the_brokers_is_refused_here() -> None:
    """512 kB is the limit; the error says both numbers."""
    with pytest.raises(Permanent, match=str(MAX_EVENT_BYTES)):
        an_event(b"x" * (MAX_EVENT_BYTES + 1))


def test_the_signature_covers_id_type_source_and_data() -> None:
    """Changing any of them, or moving bytes between them, breaks it; a rotated key still verifies."""
    signature = sign(KEY, "id", "type", "source", b"data")
    assert is_ours([OTHER, KEY], signature, "id", "type", "source", b"data")
    for changed in (
        ("idt", "ype", "source", b"data"),
        ("id", "type", "sourced", b"ata"),
        ("id", "type", "source", b"d"),
    ):
        assert not is_ours([KEY], signature, *changed)
    assert not is_ours([OTHER], signature, "id", "type", "source", b"data")


def test_missing_keys_are_named() -> None:
    """Without FTE_EVENT_KEY nothing is signed or accepted."""
    with pytest.raises(Permanent, match="FTE_EVENT_KEY"):
        key_list(make_settings(fte_event_key="").fte_event_key, "FTE_EVENT_KEY")


async def received(headers: dict[str, str], body: bytes = b"{}", method: str = "POST") -> ReceivedEvent:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "headers": raw, "query_string": b""}
    return await receive_event(Request(scope, receive))  # type: ignore[arg-type]


WHOLE = {"ce-id": "e1", "ce-source": "s", "ce-type": "t", "ce-specversion": "1.0", "content-type": "application/json"}


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
async def test_a_missing_attribute_is_named(missing: str) -> None:
    """400 with the attribute, nothing of the data."""
    with pytest.raises(Rejected, match=missing) as refused:
        await received({name: value for name, value in WHOLE.items() if name != missing}, b"secret")
    assert refused.value.status == 400
    assert "secret" not in str(refused.value)


async def test_another_method_and_another_version_are_refused() -> None:
    """GET is 405; CloudEvents 0.3 is 400."""
    with pytest.raises(Rejected) as method:
        await received(WHOLE, method="GET")
    assert method.value.status == 405
    with pytest.raises(Rejected):
        await received({**WHOLE, "ce-specversion": "0.3"})


async def test_an_unsigned_or_foreign_event_is_refused() -> None:
    """401 goes straight to the dead letters with its cause."""
    event = await received(WHOLE)
    with pytest.raises(Rejected) as unsigned:
        event.require_ours([KEY])
    assert (unsigned.value.status, unsigned.value.reason) == (401, "unsigned-event")
    signed = await received({**WHOLE, "ce-ftesig": sign(KEY, "e1", "t", "s", b"{}")})
    signed.require_ours([KEY])
    with pytest.raises(Rejected, match="ftesig"):
        signed.require_ours([OTHER])


async def test_data_that_fits_no_schema_names_the_field_alone() -> None:
    """422: never the value."""

    class Shape(BaseModel):
        number: int

    event = await received(WHOLE, b'{"number": "0201 555 0123"}')
    with pytest.raises(Permanent, match="number") as refused:
        event.parse(Shape)
    assert "555" not in str(refused.value)
