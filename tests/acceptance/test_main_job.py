"""A customer writes on any channel and is answered: through the real processes, on delivered bytes."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.channels.limits import utf16_units, words
from tests.system import System, eventually, new_address, new_number, stays, text_of

EXPORT = "Hello, how do I export my data from Tideline? I need it as a spreadsheet."


def test_an_email_is_answered_in_its_thread(system: System) -> None:
    """(a) In-Reply-To, References, one Re:, Auto-Submitted; formal, cited, 30 to 500 words."""
    address = new_address()
    message_id = system.email(EXPORT, sender=address, subject="Exporting my data")
    [mail] = eventually(lambda: system.mails_to(address))
    assert mail["In-Reply-To"] == message_id
    assert message_id in mail["References"]
    assert mail["Subject"] == "Re: Exporting my data"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "support@example.com" in mail["From"]
    text = text_of(mail)
    assert 30 <= words(text) <= 500
    assert text.startswith("Dear ")
    assert "https://help.example.com/" in text
    assert "export" in text.lower()


def test_a_reply_to_our_reply_keeps_one_re(system: System) -> None:
    """The thread goes on: References grow, the subject keeps a single Re:."""
    address = new_address()
    system.email(EXPORT, sender=address, subject="Exporting my data")
    [first] = eventually(lambda: system.mails_to(address))
    system.email("And how do I invite a colleague?", sender=address, subject=str(first["Subject"]), reply_to=first)
    _, second = eventually(lambda: (mails := system.mails_to(address)) and len(mails) == 2 and mails)
    assert second["Subject"] == "Re: Exporting my data"
    assert str(first["Message-ID"]) in second["References"]


def test_a_whatsapp_message_is_answered_briefly(system: System) -> None:
    """(b) One message, at most 300 characters as the provider counts."""
    number = new_number()
    assert system.whatsapp("hi, how do i export my data?", sender=number)["status_code"] == 200
    [body] = eventually(lambda: system.whatsapps_to(number))
    assert 0 < utf16_units(body) <= 300
    assert "export" in body.lower()


def test_the_form_is_answered_on_its_page(system: System) -> None:
    """(c, without a browser) 202, then the thread shows the answer under the token alone."""
    ticket = system.form("How do I export my data?")
    [answer] = eventually(lambda: system.answers_on(ticket))
    assert answer["author"] == "agent"
    assert words(answer["text"]) <= 300
    assert system.page(ticket)["status"] == "answered"
    assert system.page({**ticket, "token": "wrong"})["error"]["reason"]


def test_a_linked_number_is_known_and_a_typed_address_is_not(system: System) -> None:
    """(d) The answer on WhatsApp knows the e-mail; the form that types the address does not."""
    address, number = new_address(), new_number()
    subject = "Timesheets of the Lisbon project"
    system.email("How do I export my data for this project?", sender=address, subject=subject)
    eventually(lambda: system.mails_to(address))
    system.kn("customers", "link", address, number, "--yes")
    system.whatsapp("me again - how do i invite a colleague?", sender=number)
    [body] = eventually(lambda: system.whatsapps_to(number))
    assert re.search(r"e-?mail", body, re.IGNORECASE)
    assert "Lisbon" in body
    ticket = system.form("Me again. How do I invite a colleague?", sender=address)
    [answer] = eventually(lambda: system.answers_on(ticket))
    assert "Lisbon" not in answer["text"]


MATTERS = {
    "refund": "I was charged twice and I want my money back.",
    "pricing": "Can you give us a discount if we move forty people over? What would you charge?",
    "legal": "My lawyer will contact you about a breach of contract.",
    "angry": "This is absolutely unacceptable, your product is garbage and I am furious!",
    "human": "Please let me talk to a real person.",
}


@pytest.mark.parametrize("reason", MATTERS)
def test_such_matters_reach_a_person(system: System, reason: str) -> None:
    """(e) One polite handoff, silence after it, and the person's reply goes out on the channel."""
    number = new_number()
    system.whatsapp(MATTERS[reason], sender=number)
    [handoff] = eventually(lambda: system.whatsapps_to(number))
    assert re.search(r"colleague|person|team|someone", handoff, re.IGNORECASE)
    system.whatsapp("hello?? how do i export my data", sender=number)
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4.0)
    ticket = system.ticket_where(status="escalated", channel="whatsapp", reason=reason)
    assert ticket is not None
    system.kn("tickets", "reply", ticket["id"], f"This is Sam from Tideline, about your {reason} matter.")
    bodies = eventually(lambda: (sent := system.whatsapps_to(number)) and len(sent) == 2 and sent)
    assert bodies[1].startswith("This is Sam from Tideline")
    system.kn("tickets", "close", ticket["id"])


@pytest.mark.parametrize("channel", ["email", "web"])
def test_a_refund_reaches_a_person_on_the_other_channels_too(system: System, channel: str) -> None:
    """(e) The channels are equals."""
    if channel == "email":
        address = new_address()
        system.email(MATTERS["refund"], sender=address)
        eventually(lambda: system.mails_to(address))
        ticket = eventually(lambda: system.ticket_where(status="escalated", channel="email", reason="refund"))
        system.kn("tickets", "reply", ticket["id"], "I have looked into the charge.\n\nSam")
        mails = eventually(lambda: (sent := system.mails_to(address)) and len(sent) == 2 and sent)
        assert "I have looked into the charge." in text_of(mails[1])
        assert mails[1]["Auto-Submitted"] is None
    else:
        page = system.form(MATTERS["refund"])
        eventually(lambda: system.answers_on(page))
        assert system.page(page)["status"] == "escalated"
        ticket = page["ticket_id"]
        system.kn("tickets", "reply", ticket, "I have looked into the charge.")
        answers = eventually(lambda: (sent := system.answers_on(page)) and len(sent) == 2 and sent)
        assert answers[1]["author"] == "human"


def test_three_quick_lines_get_one_answer(system: System) -> None:
    """(f) Lines within a moment are one turn."""
    number = new_number()
    with ThreadPoolExecutor() as at_once:
        lines = ("hi", "quick question", "how do i export my data?")
        list(at_once.map(lambda line: system.whatsapp(line, sender=number), lines))
    eventually(lambda: system.whatsapps_to(number))
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4.0)
    assert "export" in system.whatsapps_to(number)[0].lower()


def test_each_webhook_twice_is_one_answer(system: System) -> None:
    """(g) Twilio's repeat, Pub/Sub's repeat and a double click."""
    number, address = new_number(), new_address()
    first = system.whatsapp("how do i export my data?", sender=number)
    system.whatsapp("how do i export my data?", sender=number, sid=first["sid"])
    system.email(EXPORT, sender=address)
    tickets = [system.form("How do I export my data?", key="double-click") for _ in range(2)]
    assert tickets[0] == tickets[1]
    eventually(lambda: system.mails_to(address))
    push = system.http("POST", system.endpoints["simulators"]["gmail"] + "/_control/push", json={"repeat": 2})
    assert push.status_code < 300
    eventually(lambda: system.whatsapps_to(number) and system.answers_on(tickets[0]))
    stays(
        lambda: (
            len(system.whatsapps_to(number)) == 1
            and len(system.mails_to(address)) == 1
            and len(system.answers_on(tickets[0])) == 1
        ),
        4.0,
    )


def test_a_robot_is_not_answered(system: System) -> None:
    """RFC 3834: what was submitted automatically gets no answer, and a person after it still does."""
    robot, person = new_address(), new_address()
    system.email("I am out of the office.", sender=robot, headers={"Auto-Submitted": "auto-replied"})
    system.email(EXPORT, sender=person)
    eventually(lambda: system.mails_to(person))
    assert system.mails_to(robot) == []
