"""A closed ticket's customer is asked once how it was, through the real processes: what was delivered and kept."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from uuid import UUID

from confluent_kafka import Producer

from shared.events.data import DeliveryRequested
from shared.events.envelope import DELIVERY_REQUESTED, OUTBOUND
from shared.events.signature import sign
from tests.system import System, eventually, new_address, new_number, stays, text_of

QUESTION = "How do I export my data from Tideline?"


def metric(system: System, function: str, name: str, **labels: str) -> float:
    """What a function's copies count together; each scrape is answered by any of them."""
    url, copies, seen = system.endpoints["functions"][function] + "/metrics", len(system.pids(function)), {}
    for _ in range(300):
        text = system.http("GET", url).text
        (pid,) = re.findall(r'^fte_process_info\{pid="(\d+)"\} 1', text, re.MULTILINE)
        seen[pid] = _value(text, name, labels)
        if len(seen) == copies:
            break
    assert len(seen) == copies
    return sum(seen.values())


def _value(text: str, name: str, labels: dict[str, str]) -> float:
    lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
    wanted = [line for line in lines if all(f'{label}="{value}"' in line for label, value in labels.items())]
    return sum(float(line.rpartition(" ")[2]) for line in wanted)


def rating_of(system: System, ticket: str) -> dict[str, Any] | None:
    """As an operator sees it."""
    return system.kn("tickets", "show", ticket)["rating"]


def ask_again(system: System, delivery_id: str) -> None:
    """The question's event once more, as Kafka may deliver it twice, and once under another id, as the sweep would."""
    key = base64.b64decode(json.loads((system.home / "keys.json").read_text())["FTE_EVENT_KEY"])
    data = DeliveryRequested(delivery_id=UUID(delivery_id)).encoded()
    producer = Producer({"bootstrap.servers": system.endpoints["kafka"]})
    for event_id in ("again", "again", "swept"):
        name = f"{event_id}-{delivery_id}"
        attributes = {"specversion": "1.0", "id": name, "source": "fte/dlq-review", "type": DELIVERY_REQUESTED}
        attributes["ftesig"] = sign(key, name, DELIVERY_REQUESTED, "fte/dlq-review", data)
        headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        producer.produce(OUTBOUND, value=data, key=b"x", headers=[*headers, ("content-type", b"application/json")])
    assert producer.flush(10) == 0


def test_on_whatsapp_a_number_answers_and_anything_else_is_a_message(system: System) -> None:
    """Asked once; 4 is the rating and opens nothing; words after it are a new matter, which is answered."""
    number = new_number()
    system.whatsapp(QUESTION, sender=number)
    eventually(lambda: system.whatsapps_to(number))
    ticket = eventually(lambda: system.ticket_where(address=number, status="open"))["id"]
    before = metric(system, "dlq-review", "fte_surveys_total", channel="whatsapp", result="asked")
    closed = system.kn("tickets", "close", ticket)
    assert closed["survey"] == "asked"
    question = eventually(lambda: system.whatsapps_to(number)[1])
    assert "from 1" in question
    assert "to 5" in question
    assert metric(system, "dlq-review", "fte_surveys_total", channel="whatsapp", result="asked") == before + 1
    ask_again(system, closed["delivery_id"])
    rated = metric(system, "agent-run", "fte_ratings_total", channel="whatsapp", score="4")
    sid = system.whatsapp("4", sender=number)["sid"]
    rating = eventually(lambda: rating_of(system, ticket))
    assert (rating["score"], rating["channel"]) == (4, "whatsapp")
    system.whatsapp("4", sender=number, sid=sid)
    stays(lambda: len(system.whatsapps_to(number)) == 2, 3)
    assert metric(system, "agent-run", "fte_ratings_total", channel="whatsapp", score="4") == rated + 1
    shown = system.kn("tickets", "show", ticket)
    assert (shown["status"], shown["messages"][-1]["outcome_reason"]) == ("closed", "rating")
    assert shown["survey"]["delivery"] in ("sent", "delivered", "read")

    system.whatsapp("thanks! and how do i invite a colleague?", sender=number)
    eventually(lambda: len(system.whatsapps_to(number)) == 3)
    assert system.kn("tickets", "show", ticket)["status"] == "closed"


def test_by_mail_a_link_answers_and_a_scanner_does_not(system: System) -> None:
    """In the thread, once; GET keeps nothing, POST does, the last word counts."""
    address = new_address()
    system.email(QUESTION, sender=address, subject="Exporting")
    first = eventually(lambda: system.mails_to(address)[0])
    ticket = eventually(lambda: system.ticket_where(address=address, status="open"))["id"]
    closed = system.kn("tickets", "close", ticket)
    assert closed["survey"] == "asked"
    mail = eventually(lambda: system.mails_to(address)[1])
    assert mail["Subject"] == "Re: Exporting"
    assert mail["In-Reply-To"] == first["In-Reply-To"]
    ask_again(system, closed["delivery_id"])
    (link,) = set(re.findall(r"https?://\S+/rate\?token=[\w-]{43}", text_of(mail)))
    for _ in range(2):
        page = system.http("GET", link)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert rating_of(system, ticket) is None
    url, token = link.split("?token=")
    for score, comment in (("2", "slow"), ("5", "")):
        answer = system.http("POST", url, data={"token": token, "score": score, "comment": comment})
        assert answer.status_code == 200, answer.text
    rating = rating_of(system, ticket)
    assert rating is not None
    assert (rating["score"], rating["comment"], rating["channel"]) == (5, None, "email")
    assert metric(system, "form-submit", "fte_ratings_total", channel="email", score="5") >= 1
    assert token not in json.dumps(system.kn("tickets", "show", ticket))
    stays(lambda: len(system.mails_to(address)) == 2, 3)


def test_on_the_page_the_stars_answer_and_nothing_is_mailed(system: System) -> None:
    """A typed address: the page is told that its customer is asked; a second close asks nobody again."""
    address = new_address()
    ticket = system.form(QUESTION, sender=address)
    eventually(lambda: system.answers_on(ticket))
    eventually(lambda: len(system.mails_to(address)) == 1)  # the link that would confirm the address
    assert system.page(ticket)["asked"] is False
    assert system.kn("tickets", "close", ticket["ticket_id"])["survey"] == "asked"
    page = eventually(lambda: (read := system.page(ticket))["asked"] and read)
    assert (page["status"], page["can_rate"], len(page["messages"])) == ("closed", True, 2)
    assert system.rate(ticket, 3, "fine") == 204
    rating = rating_of(system, ticket["ticket_id"])
    assert rating is not None
    assert (rating["score"], rating["channel"]) == (3, "web")
    assert metric(system, "form-submit", "fte_ratings_total", channel="web", score="3") >= 1
    system.add(ticket, "And how do I invite a colleague?")
    eventually(lambda: len(system.answers_on(ticket)) == 2)
    assert system.kn("tickets", "close", ticket["ticket_id"])["survey"] == "asked-before"
    assert len(system.mails_to(address)) == 1
    assert system.kn("status")["surveys_week"] >= 1


def test_it_can_be_left_out_and_moods_are_seen(system: System) -> None:
    """`--no-survey` asks nobody; the operator and the metrics know how the customer sounded."""
    number = new_number()
    system.whatsapp(QUESTION, sender=number)
    eventually(lambda: system.whatsapps_to(number))
    counted = metric(system, "agent-run", "fte_message_moods_total", channel="whatsapp", mood="very-negative")
    system.whatsapp("this is unacceptable, i am really angry", sender=number)
    eventually(lambda: len(system.whatsapps_to(number)) == 2)
    ticket = eventually(lambda: system.ticket_where(address=number, status="escalated"))["id"]
    assert (
        metric(system, "agent-run", "fte_message_moods_total", channel="whatsapp", mood="very-negative") == counted + 1
    )
    shown = system.kn("tickets", "show", ticket)
    assert (shown["mood"]["band"], shown["mood"]["trend"]) == ("very-negative", "falling")
    assert "falling over their last 2 messages" in shown["summary"]
    system.kn("tickets", "reply", ticket, "I have seen to it. Sam")
    eventually(lambda: len(system.whatsapps_to(number)) == 3)
    assert system.kn("tickets", "close", ticket, "--no-survey")["survey"] == "not-wanted"
    stays(lambda: len(system.whatsapps_to(number)) == 3, 3)
