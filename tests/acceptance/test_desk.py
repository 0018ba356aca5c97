"""What operators do at the desk, through the real processes: nothing they are shown is hollow or contradicts itself."""

from __future__ import annotations

from tests.system import System, eventually, new_address, new_number


def test_a_ticket_outlives_the_unmerge_of_its_customer(system: System) -> None:
    """Opened by the phone while it was joined to an address: it is the phone's afterwards, and can be replied to."""
    address, number = new_address(), new_number()
    system.email("How do I export my data?", sender=address)
    system.whatsapp("hi there", sender=number)
    eventually(lambda: system.mails_to(address) and system.whatsapps_to(number))
    for row in eventually(lambda: (found := system.tickets_of(address, number)) and len(found) == 2 and found):
        eventually(lambda row=row: system.kn("tickets", "close", row["id"], "--reason", "done", "--no-survey"))
    system.kn("customers", "link", address, number)
    system.whatsapp("how do i invite a colleague?", sender=number)
    eventually(lambda: len(system.whatsapps_to(number)) == 2)
    [opened] = [row for row in system.tickets_of(number) if row["status"] == "open"]
    system.kn("customers", "unmerge", address)
    assert opened["id"] in [row["id"] for row in system.tickets_of(number)]
    assert opened["id"] not in [row["id"] for row in system.tickets_of(address)]
    system.kn("tickets", "reply", opened["id"], "Hello, Sam here.")
    eventually(lambda: system.whatsapps_to(number)[2:] == ["Hello, Sam here."])
