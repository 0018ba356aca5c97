"""Status callbacks: the URL that goes out and what it brings back."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from shared.channels.status import status_event
from shared.channels.whatsapp.callback import callback_url, delivery_status, is_status_path, status_url
from shared.errors import Rejected

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_FIELDS = {"MessageSid": "SM1", "MessageStatus": "Delivered", "ErrorCode": ""}


@pytest.mark.parametrize(
    ("webhook", "status"),
    [
        ("https://support.example.com/whatsapp", "https://support.example.com/whatsapp/status"),
        ("https://support.example.com/whatsapp/", "https://support.example.com/whatsapp/status"),
        ("https://support.example.com", "https://support.example.com/status"),
        ("https://support.example.com/w?tenant=1#rc=3", "https://support.example.com/w/status?tenant=1"),
    ],
)
def test_the_status_url_stands_below_the_webhook(webhook: str, status: str) -> None:
    """One setting names both URLs."""
    assert status_url(webhook) == status
    assert is_status_path(urlsplit(status).path)


def test_a_callback_brings_back_what_went_out() -> None:
    """Delivery and attempt make the round trip through the URL, beside a query of the webhook's own."""
    url = callback_url("https://support.example.com/w?tenant=1", "0f3c-9", 3)
    status = delivery_status(urlsplit(url).query, _FIELDS, _NOW)
    assert (status.delivery_id, status.attempt, status.sid) == ("0f3c-9", 3, "SM1")
    assert (status.status, status.error_code, status.at) == ("delivered", None, _NOW)


def test_an_error_code_is_kept_and_zero_is_none() -> None:
    """63016 decides what happens next; 0 is Twilio's other way to say nothing went wrong."""
    failed = _FIELDS | {"MessageStatus": "failed", "ErrorCode": "63016"}
    assert delivery_status("delivery=d&attempt=1", failed, _NOW).error_code == "63016"
    assert delivery_status("delivery=d&attempt=1", _FIELDS | {"ErrorCode": "0"}, _NOW).error_code is None


@pytest.mark.parametrize(
    ("query", "changes", "field"),
    [
        ("attempt=1", {}, "delivery"),
        ("delivery=d&attempt=x", {}, "attempt"),
        ("delivery=d&attempt=0", {}, "attempt"),
        ("delivery=d&attempt=1", {"MessageSid": ""}, "MessageSid"),
        ("delivery=d&attempt=1", {"MessageStatus": "no such, thing"}, "MessageStatus"),
        ("delivery=d&attempt=1", {"ErrorCode": "<script>"}, "ErrorCode"),
    ],
)
def test_a_malformed_callback_is_refused_by_name(query: str, changes: dict[str, str], field: str) -> None:
    """4xx naming the parameter; callbacks of messages that are no delivery's among them."""
    with pytest.raises(Rejected) as refused:
        delivery_status(query, _FIELDS | changes, _NOW)
    assert (refused.value.status, refused.value.field) == (422, field)


def test_the_same_status_twice_is_the_same_event() -> None:
    """Twilio repeats callbacks; the event's id does not depend on when one came."""
    first = delivery_status("delivery=d&attempt=1", _FIELDS, _NOW)
    again = first.model_copy(update={"at": datetime(2026, 11, 24, tzinfo=UTC)})
    other = first.model_copy(update={"status": "read"})
    assert status_event(first).id == status_event(again).id != status_event(other).id
    assert status_event(first).key == "d"
