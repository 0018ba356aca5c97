"""The verification mail's link through the real processes: what it opens, and what the first page then sees."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt

from tests.system import System, eventually, new_address, stays, text_of


def confirmed(system: System, link: str) -> httpx.Response:
    """The page's button, as a program presses it: the link's token by POST."""
    url = urlsplit(link)
    return system.http("POST", url._replace(query="").geturl(), data={"token": parse_qs(url.query)["token"][0]})


def test_the_owner_of_an_address_goes_on_and_a_stranger_reads_nothing(system: System) -> None:
    """One mail of fixed words; the link's page is verified and knows the customer, the first page stays as it was."""
    address = new_address()
    system.email("How do I export the Lisbon project?", sender=address, subject="The Lisbon project")
    eventually(lambda: system.mails_to(address))
    typed = system.form("A very private sentence: how do I invite a colleague?", sender=address)
    eventually(lambda: system.answers_on(typed))
    eventually(lambda: len(system.mails_to(address)) == 2)
    mail = system.mails_to(address)[1]
    assert "private" not in mail.as_string()
    assert "colleague" not in text_of(mail)
    (link,) = re.findall(r"https?://\S+/verify\?token=\S+", text_of(mail))
    for _ in range(2):  # a scanner opens it first, which proves nothing
        opened = system.http("GET", link)
        assert opened.status_code == 200, opened.text
    assert system.page(typed)["trust"] == "claimed"
    answer = confirmed(system, link)
    assert answer.status_code == 303, answer.text
    fragment = parse_qs(urlsplit(answer.headers["location"]).fragment)
    proven = {"ticket_id": fragment["ticket"][0], "token": fragment["token"][0]}
    assert proven["ticket_id"] == typed["ticket_id"]
    assert system.page(proven)["trust"] == "verified"
    before = [m["text"] for m in system.page(typed)["messages"]]
    assert [m["text"] for m in system.page(proven)["messages"]] == before
    assert len(system.mails_to(address)) == 2

    system.add(proven, "How do I change the language, and did you get my mail?")
    eventually(lambda: len(system.answers_on(proven)) == 2)
    said = system.answers_on(proven)[1]["text"]
    assert said in text_of(eventually(lambda: system.mails_to(address)[2]))
    assert [m["text"] for m in system.page(typed)["messages"]] == before
    system.add(typed, "What did I ask last?")
    eventually(lambda: len(system.answers_on(typed)) == 2)
    assert "language" not in " ".join(m["text"] for m in system.page(typed)["messages"])
    assert "Lisbon" not in " ".join(m["text"] for m in system.page(typed)["messages"])
    again = confirmed(system, link)
    assert again.status_code == 303
    assert parse_qs(urlsplit(again.headers["location"]).fragment)["token"] == [proven["token"]]


def test_a_signed_visitor_is_answered_by_mail_too(system: System) -> None:
    """Each answer once, in one thread; a reply to it goes on with the ticket and is answered by mail."""
    address = new_address()
    now = int(time.time())
    claims = {"email": address, "name": "Grace", "iat": now, "exp": now + 600, "aud": "support-form"}
    ticket = system.form(
        "How do I export my data?",
        sender=address,
        identity=jwt.encode(claims, system.environment["FORM_IDENTITY_KEY"], algorithm="HS256"),
    )
    assert ticket["trust"] == "verified"
    first = eventually(lambda: system.mails_to(address)[0])
    assert system.answers_on(ticket)[0]["text"] in text_of(first)
    assert (str(first["Subject"]), first["In-Reply-To"]) == ("Re: Help", None)
    system.kn("tickets", "reply", ticket["ticket_id"], "All rows are in it. Sam")
    second = eventually(lambda: system.mails_to(address)[1])
    assert "All rows are in it. Sam" in text_of(second)
    assert str(second["In-Reply-To"]) == str(first["Message-ID"])
    assert [m["author"] for m in system.page(ticket)["messages"]] == ["customer", "agent", "human"]

    system.kn("tickets", "return", ticket["ticket_id"])
    written = system.email("How do I invite a colleague?", sender=address, subject="Re: Help", reply_to=second)
    third = eventually(lambda: system.mails_to(address)[2])
    assert str(third["In-Reply-To"]) == written
    shown = system.kn("tickets", "show", ticket["ticket_id"])
    assert [m["channel"] for m in shown["messages"] if m["author"] == "customer"] == ["web", "email"]
    assert [(s["from"], s["to"]) for s in shown["metadata"]["channel_switches"]] == [("web", "email")]
    stays(lambda: len(system.mails_to(address)) == 3, 2.0)


def test_a_link_of_nobody_says_what_to_do(system: System) -> None:
    """A page in words, also in the customer's language."""
    url = system.endpoints["functions"]["form-submit"] + "/verify?token=nonsense"
    answer = system.http("GET", url, headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Link" in answer.text
