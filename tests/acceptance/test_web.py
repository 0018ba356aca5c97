"""The whole life of a ticket on its page, through the real processes: what its customer and what people see of it."""

from __future__ import annotations

import json
from base64 import b64encode
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.system import System, eventually, new_address, new_number, stays

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads" / "web"
FILE = b"Row 500 of the export is empty.\nHow do I export all rows?\n"


def test_a_message_and_its_files_have_one_outcome(system: System) -> None:
    """On the page, where they come one after the other, as by mail and on WhatsApp: answered once, and no person."""
    address, number = new_address(), new_number()
    ticket = system.form("How do I export my data?", sender=address, files=1)
    system.attach(ticket, "rows.txt", b"row 500")
    mail = EmailMessage()
    mail["Authentication-Results"] = f"mx.google.com; dmarc=pass header.from={address.rpartition('@')[2]}"
    mail["From"], mail["To"], mail["Subject"] = address, "support@example.com", "My export"
    mail["Message-ID"] = f"<{address}>"
    mail.set_content("How do I export my data?")
    mail.add_attachment(b"row 500", maintype="text", subtype="plain", filename="rows.txt")
    system.http("POST", system.endpoints["simulators"]["gmail"] + "/_control/inbound", content=mail.as_bytes())
    media = [{"content_type": "text/plain", "base64": b64encode(b"row 500").decode()}]
    body = {"from": number, "body": "How do I export my data?", "profile_name": "Ada", "media": media}
    system.http("POST", system.endpoints["simulators"]["twilio"] + "/_control/inbound", json=body)
    [answer] = eventually(lambda: system.answers_on(ticket))
    assert "export" in answer["text"].lower()
    eventually(lambda: system.whatsapps_to(number) and any(one["In-Reply-To"] for one in system.mails_to(address)))
    stays(lambda: len(system.answers_on(ticket)) == len(system.whatsapps_to(number)) == 1, 4.0)
    page = system.page(ticket)
    assert (page["status"], [len(m["attachments"]) for m in page["messages"]]) == ("answered", [0, 1, 0])
    assert {row["status"] for row in system.tickets_of(number)} == {"open"}


def test_a_ticket_lives_on_its_page(system: System) -> None:
    """Sent, answered, added to, a file attached, handed to a person and answered, rated, closed and opened again."""
    address = new_address()
    ticket = system.form("How do I export my data?", sender=address)
    assert ticket["trust"] == "claimed"
    eventually(lambda: system.answers_on(ticket))
    page = system.page(ticket)
    assert (page["status"], page["trust"], page["can_rate"], page["rating"]) == ("answered", "claimed", True, None)

    ids = {system.add(ticket, "And how do I invite a colleague?", key="double-click") for _ in range(2)}
    answers = eventually(lambda: (sent := system.answers_on(ticket)) and len(sent) == 2 and sent)
    assert "invite" in answers[1]["text"].lower()
    assert [m["id"] for m in system.page(ticket)["messages"] if m["author"] == "customer"] == [
        ticket["ticket_id"],
        *ids,
    ]
    assert len(ids) == 1

    attached = {system.attach(ticket, "export.txt", FILE, key="again") for _ in range(2)}
    eventually(lambda: system.page(ticket)["status"] == "escalated")
    eventually(lambda: len(system.answers_on(ticket)) == 3)
    page = system.page(ticket)
    assert page["can_rate"] is False
    [message] = [m for m in page["messages"] if m["id"] in attached]
    [file] = message["attachments"]
    assert (file["name"], file["content_type"], file["size"]) == ("export.txt", "text/plain", len(FILE))
    fetched = system.on_page(ticket, "GET", f"/attachments/{file['id']}")
    assert fetched.content == FILE
    assert fetched.headers["content-disposition"] == "attachment; filename*=UTF-8''export.txt"
    assert system.on_page(ticket | {"token": "x"}, "GET", f"/attachments/{file['id']}").status_code == 404
    shown = system.kn("tickets", "show", ticket["ticket_id"])
    assert [f["name"] for m in shown["messages"] for f in m["details"]["attachments"]] == ["export.txt"]
    # An agent that were not told of the file would have ignored a message without a word.
    assert shown["reason"] == "not_found"

    assert system.rate(ticket, 5) == 409
    system.kn("tickets", "reply", ticket["ticket_id"], "Choose All rows before you export. Sam")
    eventually(lambda: system.page(ticket)["status"] == "answered")
    assert system.page(ticket)["messages"][-1]["author"] == "human"
    assert system.rate(ticket, 2) == 204
    second = json.loads((PAYLOADS / "rating.json").read_text(encoding="utf-8"))
    assert system.rate(ticket, second["score"], second["comment"]) == 204
    assert system.page(ticket)["rating"] == {"score": 4}
    rating = system.kn("tickets", "show", ticket["ticket_id"])["rating"]
    assert (rating["score"], rating["comment"]) == (4, second["comment"])

    system.kn("tickets", "close", ticket["ticket_id"])
    assert system.page(ticket)["status"] == "closed"
    follow_up = json.loads((PAYLOADS / "follow-up.json").read_text(encoding="utf-8"))["message"]
    system.add(ticket, follow_up)
    eventually(lambda: len(system.answers_on(ticket)) == 5)
    assert system.page(ticket)["status"] == "answered"
    assert system.ticket_where(id=ticket["ticket_id"], status="open") is not None
    assert_nothing_was_mailed_but_the_fixed_text(system, address)


def assert_nothing_was_mailed_but_the_fixed_text(system: System, address: str) -> None:
    """While the address is claimed the answer stands on the page alone: no word of either side is mailed."""
    for mail in system.mails_to(address):
        raw = mail.as_string()
        assert not [word for word in ("export", "colleague", "language", "rows", "Sam") if word in raw.lower()]


def test_a_refund_shows_that_a_person_is_on_it(system: System) -> None:
    """What is added meanwhile waits with it, and the agent is silent."""
    ticket = system.form("I was charged twice and I want my money back.")
    eventually(lambda: system.page(ticket)["status"] == "escalated" and system.answers_on(ticket))
    system.add(ticket, "Hello? How do I export my data?")
    eventually(lambda: len(system.page(ticket)["messages"]) == 3)
    stays(lambda: len(system.answers_on(ticket)) == 1, 3.0)
    assert system.page(ticket)["status"] == "escalated"


@pytest.mark.parametrize("name", ["typed", "by-a-program", "right-to-left"])
def test_what_forms_really_send_is_taken(system: System, name: str) -> None:
    """A page, a program that calls the API, and another script: each gets a page with its words on it."""
    body = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    url = system.endpoints["functions"]["form-submit"] + "/tickets"
    answer = system.http("POST", url, json=body)
    assert answer.status_code == 202
    messages = eventually(lambda: system.page(answer.json())["messages"])
    assert messages[0]["text"].split() == body["message"].split()
    eventually(lambda: system.answers_on(answer.json()))


@pytest.mark.parametrize(("name", "status"), [("autofilled-trap", 422), ("too-fast", 202)])
def test_the_trap_binds_this_machine_too(system: System, name: str, status: int) -> None:
    """Rates and the minimum time do not."""
    body = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    answer = system.http("POST", system.endpoints["functions"]["form-submit"] + "/tickets", json=body)
    assert answer.status_code == status


def test_this_machine_is_bound_by_no_rate(system: System) -> None:
    """Far more than the rates allow, at once."""
    ticket = system.form("How do I export my data?")
    statuses = {system.on_page(ticket, "POST", "/messages", json={"message": "And?"}).status_code for _ in range(45)}
    assert statuses == {202}
