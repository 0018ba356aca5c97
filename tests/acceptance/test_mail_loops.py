"""Two robots that answer each other, through the real processes: two answers, and the person behind is heard."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.system import System, eventually, new_address, stays, text_of

_RECEIVED = "Thank you for contacting Example Ltd. Your request {n} was received at 10:{n} and will be processed."


@pytest.mark.parametrize("threaded", [True, False], ids=["in a thread", "in new threads"])
def test_a_robot_that_answers_our_answers_gets_two(system: System, threaded: bool) -> None:
    """It says nothing of itself in its headers and changes a number each time; then a person writes."""
    robot = new_address()
    last: EmailMessage | None = None
    for n in range(10, 14):
        system.email(_RECEIVED.format(n=n), sender=robot, subject=f"Request {n}", reply_to=last if threaded else None)
        due = min(n - 9, 2)
        last = eventually(lambda due=due: (sent := system.mails_to(robot)) and len(sent) == due and sent)[-1]
        if n > 11:
            stays(lambda: len(system.mails_to(robot)) == 2, 2.0)
    reasons = {"repeated-text", "with-person"}
    mine = [row for row in system.kn("tickets", "list") if row["address"] == robot]
    assert {row["reason"] for row in mine if row["status"] == "escalated"} <= reasons | {"not_found"}
    system.email("How do I invite a colleague?", sender=robot, subject="Something else")
    mails = eventually(lambda: (sent := system.mails_to(robot)) and len(sent) == 3 and sent)
    assert "invit" in text_of(mails[2]).lower()
