"""Provoked failures as the providers' clients meet them."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import httpx
import pytest
from googleapiclient.errors import HttpError
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException

from shared.clock import SystemClock
from shared.local.simulators.faults import Fault, FaultGate, Faults, Refusals

OUT = b"From: support@example.com\r\nTo: ana@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"
RAW = {"raw": base64.urlsafe_b64encode(OUT).decode()}
TEXT = {"to": "whatsapp:+12015550123", "from_": "whatsapp:+12015550100", "body": "Hi"}


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ({"kind": "outage"}, 503, "backendError"),
        ({"kind": "rate_limit"}, 429, "rateLimitExceeded"),
        ({"kind": "rate_limit", "reason": "userRateLimitExceeded"}, 429, "userRateLimitExceeded"),
    ],
)
def test_gmail_refuses_in_googles_words(gmail: Any, mailbox: Any, fault: Any, status: int, reason: str) -> None:
    """Nothing is carried out; keys, tokens and the control endpoints go on; DELETE ends it."""
    gmail.fault(**fault)
    with pytest.raises(HttpError) as raised:
        mailbox.messages().send(userId="me", body=RAW).execute(num_retries=0)
    assert raised.value.status_code == status
    assert raised.value.error_details[0]["reason"] == reason
    assert httpx.get(f"{gmail.url}/certs").status_code == 200
    assert gmail.get("sent") == []
    assert gmail.get("faults")["active"][0]["kind"] == fault["kind"]
    gmail.mend()
    assert mailbox.messages().send(userId="me", body=RAW).execute()["id"]


@pytest.mark.parametrize(("kind", "status", "code"), [("outage", 503, 20503), ("rate_limit", 429, 20429)])
def test_twilio_refuses_in_twilios_words(account: Any, twilio: Any, kind: str, status: int, code: int) -> None:
    twilio.fault(kind)
    with pytest.raises(TwilioRestException) as raised:
        account.messages.create(**TEXT)
    assert (raised.value.status, raised.value.code) == (status, code)
    twilio.mend()
    assert twilio.get("sent") == []
    assert account.messages.list() == []


def test_a_lost_response_was_carried_out(twilio: Any, account: Any) -> None:
    """The client meets a closed connection without one byte of an answer, and the message has gone."""
    twilio.post("inbound", {"from": "+12015550123", "body": "Hello"})
    twilio.fault("lost_response", count=1)
    with pytest.raises(Exception, match=r"(?i)connection aborted|without response"):
        account.messages.create(**TEXT)
    assert [entry["body"] for entry in twilio.get("sent")] == ["Hi"]
    assert account.messages.create(**TEXT).sid


def test_a_raw_client_sees_the_disconnect(gmail: Any) -> None:
    gmail.fault("lost_response")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        httpx.get(f"{gmail.url}/gmail/v1/users/me/profile")


def test_googles_transport_repeats_a_post_whose_answer_was_lost(gmail: Any, mailbox: Any) -> None:
    """httplib2 resends on a dropped connection by itself: messages.send goes out twice, a draft only once."""
    draft = mailbox.drafts().create(userId="me", body={"message": RAW}).execute()
    gmail.fault("lost_response", count=1)
    assert mailbox.messages().send(userId="me", body=RAW).execute()
    assert len(gmail.get("sent")) == 2
    gmail.fault("lost_response", count=1)
    with pytest.raises(HttpError) as raised:
        mailbox.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert raised.value.status_code == 404
    assert len(gmail.get("sent")) == 3


def test_slow_delays_and_carries_out(gmail: Any, mailbox: Any) -> None:
    """The delay comes before the work, so a client that gave up may still have been served."""
    assert mailbox.getProfile(userId="me").execute()
    gmail.fault("slow", ms=400)
    start = time.monotonic()
    assert mailbox.getProfile(userId="me").execute()
    assert time.monotonic() - start >= 0.4


def test_faults_end_by_themselves_and_can_be_narrowed(gmail: Any, mailbox: Any, eventually: Any) -> None:
    """By time, by number of requests and by path."""
    gmail.post("faults", {"kind": "outage", "for_s": 0.2})
    eventually(lambda: gmail.get("faults") == {"active": []})
    assert mailbox.getProfile(userId="me").execute()
    gmail.fault("outage", path="/drafts/send")
    assert mailbox.drafts().create(userId="me", body={"message": RAW}).execute()
    gmail.post("reset")
    assert gmail.get("faults") == {"active": []}


@pytest.mark.parametrize(
    "wrong", [{}, {"kind": "fire", "for_s": 1}, {"kind": "slow", "for_s": -1}, {"kind": "slow", "for_s": 1, "x": 1}]
)
def test_a_wrong_fault_is_refused_by_field(gmail: Any, wrong: dict[str, Any]) -> None:
    answer = httpx.post(f"{gmail.url}/_control/faults", json=wrong)
    assert answer.status_code == 400
    assert "wrong or missing" in answer.json()["error"]
    assert gmail.get("faults") == {"active": []}


async def test_a_slow_request_takes_no_fault_that_was_armed_after_it_came() -> None:
    """Its client gave up long ago; what is armed meanwhile is for the requests to come."""
    asleep, go_on = asyncio.Event(), asyncio.Event()

    class Held(SystemClock):
        async def sleep(self, seconds: float) -> None:
            asleep.set()
            await go_on.wait()

    faults = Faults(Held())
    refusals = Refusals(outage=lambda: Response("away", 503), rate_limit=lambda _: Response("often", 429))
    gate = FaultGate(Response("done"), faults, Held(), ("/",), refusals)
    faults.arm(Fault(kind="slow", for_s=60, count=1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://provider") as client:
        slow = asyncio.create_task(client.get("/drafts/send"))
        await asyncio.wait_for(asleep.wait(), 10)
        faults.arm(Fault(kind="outage", for_s=60, path="/drafts", count=1))
        go_on.set()
        assert (await slow).status_code == 200
        assert (await client.get("/drafts")).status_code == 503
