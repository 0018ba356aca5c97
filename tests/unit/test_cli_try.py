"""What `fte try` says of a message that nothing came back to."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.cli import fte
from shared.cli.aftermath import Aftermath, decided, tickets_of
from shared.cli.conversation import beginning, unanswered
from shared.cli.customer import WhatsAppCustomer
from shared.cli.simulators import call
from shared.cli.stopped import in_words, stopped
from shared.errors import Retryable

NOW = datetime(2026, 3, 4, 22, 53, tzinfo=UTC)


def ticket(**more: Any) -> dict[str, Any]:
    """A ticket as the desk shows it, with one message by WhatsApp."""
    said = {"author": "customer", "channel": "whatsapp", "received_at": NOW.isoformat()}
    said |= {"outcome": None, "outcome_reason": None}
    return {"id": "T7", "status": "open", "reason": None, "state": "agent", "messages": [said], **more}


def test_a_matter_of_another_channel_is_looked_through_too() -> None:
    """A customer who was linked goes on by WhatsApp with what began by mail; tickets of the channel come first."""
    old, new = ({"updated_at": f"2026-03-04T2{hour}:00:00+00:00"} for hour in (1, 2))
    rows = [
        {"id": "mail", "channel": "email", "address": "+12015550123", **new},
        {"id": "phone", "channel": "whatsapp", "address": "whatsapp:+12015550123", **old},
        {"id": "theirs", "channel": "whatsapp", "address": "+12015550199", **new},
    ]
    assert [row["id"] for row in tickets_of(rows, "whatsapp", "+12015550123")] == ["phone", "mail"]


@pytest.mark.parametrize(
    ("shown", "with_person"),
    [({}, False), ({"status": "escalated"}, True), ({"state": "human"}, True), ({"state": "closed"}, False)],
)
def test_a_conversation_that_a_person_has_is_with_a_person(shown: dict[str, Any], with_person: bool) -> None:
    """Also where another of its tickets is the escalated one."""
    found = decided(ticket(**shown), "whatsapp", NOW)
    assert found is not None
    assert found.with_person is with_person
    assert ("with a person (ticket T7)" in found.sentence()) is with_person


def test_a_message_without_an_answer_is_named_by_its_ticket() -> None:
    """The desk's ticket, else the one that the form was told; without either nothing is made up."""
    waiting = Aftermath("T7", "open", None, None, None)
    assert "it waits in ticket T7; `kn-fte status`" in unanswered(waiting, 8.0, "T7")
    assert unanswered(None, 8.0, "T8").startswith("no answer within 8 s: ticket T8 is not taken up yet; ")
    assert "and no ticket" in unanswered(None, 8.0, None)


@pytest.mark.parametrize(
    ("reason", "then"),
    [("kafka-away", ": nothing was accepted; `fte start kafka` brings it back, or try again"), ("unavailable", "")],
)
async def test_a_form_without_kafka_says_what_to_do(reason: str, then: str) -> None:
    """The entrance's own words for a customer, and the next step for who runs this machine."""
    refusal = httpx.Response(503, json={"error": {"reason": reason, "field": None, "message": "it is away"}})
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: refusal)) as client:
        with pytest.raises(Retryable) as refused:
            await call(client, "POST", "http://form.example.com/tickets", json={})
    assert str(refused.value) == f"it is away{then}"


def test_what_a_message_needs_and_is_stopped_is_named() -> None:
    """Each channel's own entrance, and what all need; a part that nobody stopped is being brought back."""
    parts = [{"name": "kafka", "state": "stopped"}, {"name": "gmail-push", "state": "stopped"}]
    parts += [{"name": "postgres", "state": "down"}, {"name": "dlq-review", "state": "stopped"}]
    assert stopped(parts, "email") == ["kafka", "gmail-push"]
    assert stopped(parts, "whatsapp") == ["kafka"]
    assert stopped([], "web") == []
    assert in_words(["kafka"]) == "kafka is stopped here: `fte start kafka` brings it back"
    assert in_words(["kafka", "gmail-push"]).startswith("kafka and gmail-push are stopped here: `fte start kafka`, ")


def test_a_message_that_waits_says_for_what() -> None:
    """Without Kafka nobody takes a mail up: that is no riddle of a number of seconds."""
    said = unanswered(None, 8.0, None, ["kafka"])
    assert said == f"no answer within 8 s: {in_words(['kafka'])}, and what you wrote waits"


async def test_whatsapp_without_kafka_says_what_is_away() -> None:
    """The webhook's 503 in words; the message is Twilio's, and is found once Kafka is back."""
    said: dict[str, Any] = {"sid": "SM1", "status_code": 503, "reason": "kafka-away", "message": "Kafka is away"}
    answered = httpx.MockTransport(lambda asked: httpx.Response(200, json=said if asked.method == "POST" else []))
    async with httpx.AsyncClient(transport=answered) as client:
        ada = WhatsAppCustomer(client, {"simulators": {"twilio": "http://twilio.example.com"}}, "+12015550123")
        with pytest.raises(Retryable) as refused:
            await ada.write("hi", "")
        assert str(refused.value).startswith("the webhook refused it with 503: Kafka is away")
        assert "`fte start kafka` brings it back" in str(refused.value)
        said["reason"] = said["message"] = None
        with pytest.raises(Retryable, match="refused it with 503; try again"):
            await ada.write("hi", "")


@pytest.mark.parametrize("verb", ["try", "send"])
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_message_is_refused(
    verb: str, text: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is no wish for a conversation, and neither is it sent."""
    monkeypatch.setenv("FTE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["fte", verb, "email", text])
    with pytest.raises(SystemExit) as ended:
        fte.main()
    assert (ended.value.code, capfd.readouterr().err) == (1, "error: the message is empty\n")


def test_a_message_s_beginning_is_its_subject() -> None:
    """As people write it: an invented one would be read as what they say."""
    assert beginning("Was kostet\nTeam im Jahr?") == "Was kostet Team im Jahr?"
    assert beginning("How do I export " * 20) == "How do I export How do I export How do I export How do I…"
