"""Each answer of Gmail's in the delivery's three words; where a mail may have left, only looking tells."""

from __future__ import annotations

import json

import pytest

from shared.channels.gmail.failures import NotFound, failure
from shared.channels.provider import OutcomeUnknown, ProviderDown, ProviderRefused


def _body(reason: str, status: str = "X") -> bytes:
    message = "Invalid To header: ada@example.org"
    return json.dumps(
        {"error": {"code": 1, "message": message, "errors": [{"reason": reason}], "status": status}}
    ).encode()


@pytest.mark.parametrize(
    ("status", "reason", "kind", "code"),
    [
        (401, "authError", ProviderDown, "auth"),
        (403, "rateLimitExceeded", ProviderDown, "rateLimitExceeded"),
        (403, "userRateLimitExceeded", ProviderDown, "rateLimitExceeded"),
        (403, "dailyLimitExceeded", ProviderDown, "rateLimitExceeded"),
        (403, "insufficientPermissions", ProviderDown, "insufficientPermissions"),
        (429, "rateLimitExceeded", ProviderDown, "rateLimitExceeded"),
        (503, "backendError", ProviderDown, "unavailable"),
        (400, "failedPrecondition", ProviderDown, "failedPrecondition"),
        (400, "invalidArgument", ProviderRefused, "invalidArgument"),
        (413, "uploadTooLarge", ProviderRefused, "uploadTooLarge"),
        (404, "notFound", NotFound, "notFound"),
        (500, "backendError", OutcomeUnknown, "backendError"),
        (502, "", OutcomeUnknown, "502"),
        (504, "", OutcomeUnknown, "504"),
        (408, "", OutcomeUnknown, "408"),
        (302, "", OutcomeUnknown, "302"),
    ],
)
def test_an_answer_to_a_send(status: int, reason: str, kind: type[Exception], code: str) -> None:
    """The kind decides whether it is sent again; the code is Google's own word."""
    error = failure(status, _body(reason) if reason else b"<html>", None, sends=True)
    assert type(error) is kind
    assert error.code == code
    assert "ada" not in str(error)


@pytest.mark.parametrize("status", [500, 502, 504, 408, 302])
def test_a_question_that_failed_sent_nothing(status: int) -> None:
    """Reading has no outcome to be unknown."""
    assert type(failure(status, b"", None, sends=False)) is ProviderDown


def test_how_long_to_wait_is_passed_on() -> None:
    """Retry-After in seconds; a date is left to our own backoff."""
    assert failure(429, b"", "17", sends=True).retry_after_s == 17.0
    assert failure(429, b"", "Tue, 03 Nov 2026 10:12:13 GMT", sends=True).retry_after_s is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"error": 1}', b'{"error": {"errors": []}}', b"[" * 5000, b"\xff"]
)
def test_no_body_makes_it_fail(body: bytes) -> None:
    """Proxies answer anything."""
    assert isinstance(failure(500, body, None, sends=True), OutcomeUnknown)
