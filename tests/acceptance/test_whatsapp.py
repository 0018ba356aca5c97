"""WhatsApp on a running system, on what was really delivered: outages, windows, commands, files, mail."""

from __future__ import annotations

import base64
import time
from typing import Any

from tests.acceptance.test_robustness import on_postgres
from tests.system import System, eventually, new_address, new_number, stays, text_of

QUESTION = "how do i export my data?"


def sweep(system: System) -> None:
    """The sweep, with the channels due."""
    on_postgres(system, "UPDATE channel_cursors SET next_due = now() WHERE channel = 'whatsapp'")
    system.kn("sweep")


def write(system: System, sender: str, body: str, **more: Any) -> dict[str, Any]:
    """A customer writes with whatever Twilio may say beside it."""
    url = system.endpoints["simulators"]["twilio"] + "/_control/inbound"
    return system.http("POST", url, json={"from": sender, "body": body, "profile_name": "Ada", **more}).json()


def ticket_of(system: System, number: str) -> dict[str, Any]:
    """The ticket about a number, in full."""
    rows = [row for row in system.kn("tickets", "list") if row["address"] == number]
    return system.kn("tickets", "show", rows[0]["id"])


def test_a_message_whose_webhook_was_down_is_found_and_answered_once(system: System) -> None:
    """Down, written, up, swept twice: one answer, delivered; and what came by webhook is not answered again."""
    number, heard = new_number(), new_number()
    system.whatsapp(QUESTION, sender=heard)
    eventually(lambda: system.whatsapps_to(heard))
    assert system.fte("stop", "whatsapp-webhook").returncode == 0
    try:
        assert write(system, number, QUESTION)["status_code"] == 502
    finally:
        assert system.fte("start", "whatsapp-webhook").returncode == 0
    time.sleep(31)  # until it cannot be on its way through a webhook any more
    sweep(system)
    (answer,) = eventually(lambda: system.whatsapps_to(number), 60)
    assert "https://help.example.com/" in answer
    sweep(system)
    stays(lambda: len(system.whatsapps_to(number)) == 1 and len(system.whatsapps_to(heard)) == 1, 8)


def test_stop_silences_and_start_returns(system: System) -> None:
    """One farewell; after it neither the agent nor a person reaches the number; START brings both back."""
    number = new_number()
    write(system, number, "STOP")
    (farewell,) = eventually(lambda: system.whatsapps_to(number))
    assert "START" in farewell
    write(system, number, "stop")
    write(system, number, QUESTION)
    ticket = eventually(lambda: system.ticket_where(address=number, status="escalated"))
    assert ticket["reason"] == "delivery-failed:opted-out"
    system.kn("tickets", "reply", ticket["id"], "A person's word.")
    stays(lambda: len(system.whatsapps_to(number)) == 1, 4)
    write(system, number, "START")
    eventually(lambda: len(system.whatsapps_to(number)) == 2)
    system.kn("tickets", "reply", ticket["id"], "A person's word after all.")
    assert eventually(lambda: system.whatsapps_to(number)[2:]) == ["A person's word after all."]


def test_start_has_what_was_asked_meanwhile_answered_once(system: System) -> None:
    """Nobody but the block had stopped the answer: it comes behind the confirmation, without an operator."""
    number = new_number()
    write(system, number, "STOP")
    eventually(lambda: system.whatsapps_to(number))
    write(system, number, QUESTION)
    ticket = eventually(lambda: system.ticket_where(address=number, status="escalated"))
    write(system, number, "START")
    eventually(lambda: len(system.whatsapps_to(number)) >= 3)
    _, welcome, answer = system.whatsapps_to(number)
    assert welcome.startswith("Welcome back")
    assert "https://help.example.com/" in answer
    assert system.kn("tickets", "show", ticket["id"])["status"] == "open"
    stays(lambda: len(system.whatsapps_to(number)) == 3, 4)


def test_a_file_is_fetched_and_told(system: System) -> None:
    """Kept with its facts, seen by the operator; the answer came all the same."""
    number = new_number()
    text = base64.b64encode(b"Error 17 while exporting").decode()
    write(system, number, QUESTION, media=[{"content_type": "text/plain", "base64": text}])
    eventually(lambda: system.whatsapps_to(number))
    (file,) = ticket_of(system, number)["messages"][0]["details"]["attachments"]
    assert (file["state"], file["content_type"], file["size"]) == ("kept", "text/plain", 24)


def test_outside_the_window_a_linked_customer_is_answered_by_mail(system: System) -> None:
    """WhatsApp refuses a person's late reply after Twilio took it: the confirmed address gets it, once."""
    number, address = new_number(), new_address()
    system.email(QUESTION, sender=address)
    eventually(lambda: system.mails_to(address))
    system.whatsapp("i want to talk to a person", sender=number)
    eventually(lambda: system.whatsapps_to(number))
    system.kn("customers", "link", address, number)
    url = system.endpoints["simulators"]["twilio"] + "/_control/window"
    system.http("POST", url, json={"from": number, "age_h": 25})
    ticket = eventually(lambda: system.ticket_where(address=number, status="escalated"))
    system.kn("tickets", "reply", ticket["id"], "Grace here: it is mended.")
    mail = eventually(lambda: system.mails_to(address)[1:])[0]
    assert mail["Subject"] == "Our answer to your WhatsApp message"
    assert "Grace here: it is mended." in text_of(mail)
    stays(lambda: len(system.mails_to(address)) == 2 and len(system.whatsapps_to(number)) == 1, 4)


def test_the_rest_of_a_long_answer_comes_by_mail(system: System) -> None:
    """One message within 300 that offers it; a yes to it, and all of it is in the mailbox."""
    number, address = new_number(), new_address()
    system.email("hello", sender=address)
    eventually(lambda: system.mails_to(address))
    system.whatsapp(QUESTION, sender=number)
    (short,) = eventually(lambda: system.whatsapps_to(number))
    assert "write YES" in short
    assert len(short.encode("utf-16-le")) // 2 <= 300
    system.kn("customers", "link", address, number)
    system.whatsapp("yes please", sender=number)
    mail = eventually(lambda: [one for one in system.mails_to(address) if "whole answer" in str(one["Subject"])])[0]
    assert "https://help.example.com/" in text_of(mail)
    assert len(text_of(mail).split()) > len(short.split())
    eventually(lambda: len(system.whatsapps_to(number)) == 2)
