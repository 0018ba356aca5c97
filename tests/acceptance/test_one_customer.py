"""One customer over three channels: links and codes through the real processes, on delivered bytes."""

from __future__ import annotations

import re

from shared.channels.limits import utf16_units
from tests.system import System, eventually, new_address, new_number, stays, text_of


def test_a_typed_address_gets_one_mail_with_a_link_and_nothing_typed(system: System) -> None:
    """The link leads to the form's public address; a second ticket of the day sends none."""
    address = new_address()
    ticket = system.form("Buy cheap watches: how do I export my data?", sender=address)
    [mail] = eventually(lambda: system.mails_to(address))
    text = text_of(mail)
    assert re.search(re.escape(system.endpoints["functions"]["form-submit"]) + r"/verify\?token=[\w-]{43}", text)
    assert "ignore this message" in text
    assert mail["Auto-Submitted"] == "auto-replied"
    for typed in ("watches", "Grace", "Help"):
        assert typed not in f"{mail['Subject']} {mail['To']} {text}"
    eventually(lambda: system.answers_on(ticket))
    again = system.form("Another question: how do I invite a colleague?", sender=address)
    eventually(lambda: system.answers_on(again))
    stays(lambda: len(system.mails_to(address)) == 1, 4.0)


def test_the_agent_links_a_phone_to_an_address_by_a_code(system: System) -> None:
    """Asked on WhatsApp, mailed, said on WhatsApp; the next answer knows the mail. Then an operator parts them."""
    address, number = new_address(), new_number()
    system.email(
        "How do I export my data for this project?", sender=address, subject="Timesheets of the Lisbon project"
    )
    eventually(lambda: system.mails_to(address))
    system.whatsapp(f"I wrote to you from {address} this morning", sender=number)
    [told] = eventually(lambda: system.whatsapps_to(number))
    assert told.startswith("I have sent a code")
    [_, notice] = eventually(lambda: (mails := system.mails_to(address)) and len(mails) == 2 and mails)
    text = text_of(notice)
    assert f"WhatsApp (number ending {number[-4:]})" in text
    assert number not in text
    code = re.findall(r"\b\d{6}\b", text)[0]
    system.whatsapp(code, sender=number)
    _, linked = eventually(lambda: (sent := system.whatsapps_to(number)) and len(sent) == 2 and sent)
    assert linked.startswith("Thank you, that is the right code")
    system.whatsapp("how do i invite a colleague?", sender=number)
    *_, answer = eventually(lambda: (sent := system.whatsapps_to(number)) and len(sent) == 3 and sent)
    assert "Lisbon" in answer
    assert utf16_units(answer) <= 300
    shown = system.kn("customers", "show", number)
    assert {one["value"] for one in shown["identifiers"]} == {address, number}
    (merge,) = shown["merges"]
    assert merge["cause"] == "code"
    parted = system.kn("customers", "unmerge", str(merge["id"]))
    assert parted["restored"] == merge["loser"]
    assert [one["value"] for one in system.kn("customers", "show", number)["identifiers"]] == [number]
    again = system.kn("customers", "merge", address, number)
    assert again["customer_id"] == merge["winner"]
    assert system.kn("customers", "list", "--address", number)[0]["id"] == merge["winner"]
