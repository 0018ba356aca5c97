"""What Twilio's refusals mean for a delivery: never, later, or nobody knows."""

from __future__ import annotations

import json

import pytest

from shared.channels.provider import OutcomeUnknown, ProviderDown, ProviderError, ProviderRefused
from shared.channels.whatsapp.transport import failure, failure_of_code


@pytest.mark.parametrize(
    ("status", "code", "kind", "word"),
    [
        (400, 21211, ProviderRefused, "21211"),
        (400, 21610, ProviderRefused, "21610"),
        (400, 63003, ProviderRefused, "63003"),
        (400, 63016, ProviderRefused, "63016"),
        (400, 99999, ProviderRefused, "99999"),
        (400, None, ProviderRefused, "400"),
        (400, 63018, ProviderDown, "63018"),
        (400, 21611, ProviderDown, "21611"),
        (429, 20429, ProviderDown, "20429"),
        (429, None, ProviderDown, "429"),
        (401, 20003, ProviderDown, "auth"),
        (403, 20003, ProviderDown, "auth"),
        (404, 20404, ProviderDown, "20404"),
        (400, 21606, ProviderDown, "21606"),
        (400, 63007, ProviderDown, "63007"),
        (500, 20500, OutcomeUnknown, "20500"),
        (503, 20503, OutcomeUnknown, "20503"),
        (502, None, OutcomeUnknown, "502"),
        (408, None, OutcomeUnknown, "408"),
        (307, None, OutcomeUnknown, "307"),
    ],
)
def test_a_refusal_has_one_meaning(status: int, code: int | None, kind: type[ProviderError], word: str) -> None:
    """Only what Twilio says was not done may be done again; only what can never be done is given up."""
    found = failure(status, json.dumps({"code": code, "message": "to +12015550123"} if code else {}))
    assert (type(found), found.code) == (kind, word)
    assert "2015550123" not in str(found)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "[" * 5000, '{"code": {"a": 1}}', '{"code": "x y"}', '{"code": 1.5}']
)
def test_a_body_that_says_nothing_leaves_the_status(body: str) -> None:
    """Gateways answer in HTML; the status stands in for the code."""
    assert failure(400, body).code == "400"


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", None), (None, None), ("-1", None), ("Wed, 21 Oct", None)]
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    """Twilio's wish is passed on."""
    assert failure(429, "", header).retry_after_s == seconds


def test_a_message_that_failed_later_fails_for_the_same_reasons() -> None:
    """The code of a listed message and the code of a refusal mean the same."""
    assert type(failure_of_code("63018")) is ProviderDown
    assert (type(failure_of_code("63016")), failure_of_code("63016").code) == (ProviderRefused, "63016")
