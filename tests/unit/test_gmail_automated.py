"""Machines, lists and ourselves are never answered; people are, whatever they write about."""

from __future__ import annotations

import pytest

from shared.channels.gmail.inbound import understand
from tests.conftest import make_settings

_SETTINGS = make_settings(gmail_mailbox="support@example.com", gmail_aliases=("help@example.com",))


def _ignored(head: str, sender: str = "From: Ada <ada@example.org>", body: str = "Hello") -> str:
    return understand(f"{sender}\r\n{head}\r\n{body}\r\n".encode(), _SETTINGS).ignored


_NOTED = (
    "Auto: Re: Export", "[Auto-Reply] Export", "AUTO: Ann Lee is out of the office (returning 12/03/2026)",
    "Ann Lee is out of the office", "Vacation auto-reply", "Out of Office: Re: Export", "Automatic reply: Re: Export",
)  # fmt: skip


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: auto-generated; owner-email=a@example.org", "auto-submitted"),
        ("AUTO-SUBMITTED: Auto-Notified (why not)", "auto-submitted"),
        ("Auto-Submitted: no\r\nAuto-Submitted: auto-replied", "auto-submitted"),
        ("X-Autoreply: yes", "auto-submitted"),
        ("Precedence: bulk", "precedence"),
        ("Precedence: Junk", "precedence"),
        ("Precedence: list", "precedence"),
        ("List-Id: <a.example.org>", "mailing-list"),
        ("List-Unsubscribe: <mailto:u@example.org>", "mailing-list"),
        ("X-MLServer: fml [fml 4.0.3 release]", "mailing-list"),
        ("Subject: complaint about message from 192.0.2.25", "delivery-report"),
        ("X-Auto-Response-Suppress: All", "auto-response-suppress"),
        ("X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply", "auto-response-suppress"),
        ("Return-Path: <>", "null-return-path"),
        ("Return-Path: < >", "null-return-path"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "delivery-report"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "read-receipt"),
        ("X-Failed-Recipients: b@example.org", "delivery-report"),
        ("X-FTE-Delivery: d-1", "own-address"),
        ("Content-Type: text/calendar; method=REPLY", "calendar-reply"),
        ("Subject: Automatic reply: Exporting my data\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Abwesenheitsnotiz: Ihre Frage\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Réponse automatique : Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Respuesta automática: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Risposta automatica: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Resposta automática: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Automatisch antwoord: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Autosvar: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Odpowiedź automatyczna: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: =?utf-8?B?6Ieq5YuV6L+U5L+h?=\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: Автоматический ответ: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        ("Subject: رد تلقائي: Export\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
        *((f"Subject: {subject}\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office") for subject in _NOTED),
        ("Subject: Out of Office: back on Monday\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
    ],
)
def test_a_machine_says_what_it_is(header: str, reason: str) -> None:
    """RFC 3834 and what mailers really write, each with its reason."""
    assert _ignored(f"{header}\r\n") == reason


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until Monday. Can you send the export to Grace instead?",
        "It works when I am in the office. Away from it I cannot sign in until I reset the password.",
        "Thanks! My colleague is on vacation until Friday, so I do it now. It says error 5.",
    ],
)
def test_a_person_who_writes_about_an_absence_is_heard(text: str) -> None:
    """A question is one; a colleague's absence is no note."""
    assert _ignored("Subject: Re: Export\r\nIn-Reply-To: <fte.1@example.com>\r\n", body=text) == ""


@pytest.mark.parametrize(
    "address",
    [
        "MAILER-DAEMON@example.org", "postmaster@example.org", "no-reply@example.org", "noreply@example.org",
        "no_reply@example.org", "do-not-reply@example.org", "donotreply+x@example.org", "billing-noreply@example.org",
        "bounce+123@example.org", "bounces-1@example.org", "owner-list@example.org", "list-bounces@example.org",
        "noreply2@example.org", "no-reply.7@example.org", "ann-noreply@example.org", "ne-pas-repondre@example.org",
        "nepasrepondre@example.org", "nicht-antworten@example.org", "bitte-nicht-antworten@example.org",
        "no-responder@example.org", "nao-responda@example.org", "non-rispondere@example.org",
        "niet-beantwoorden@example.org", "cron@example.org", "notifications@example.org", "notification1@example.org",
        "nobody@example.org", "daemon@example.org", "bounce-md_30.ab=x@example.org", "bounces=a@example.org",
        "post_master@example.org", "mailer_daemon@example.org",
    ],
)  # fmt: skip
def test_a_mailbox_that_nobody_reads(address: str) -> None:
    """The answer would bounce, or start a loop."""
    assert _ignored("", f"From: {address}") == "robot-sender"


@pytest.mark.parametrize("address", ["support@example.com", "Support+tag@EXAMPLE.com", "HELP@example.com"])
def test_our_own_mail_come_back(address: str) -> None:
    """The mailbox, its aliases, their tags."""
    assert _ignored("", f"From: {address}") == "own-address"


def test_nothing_at_all() -> None:
    """No text, no subject, no file: nothing to answer."""
    assert _ignored("", body=" \u200b\r\n") == "empty"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person wrote this)",
        "Precedence: first-class",
        "X-Auto-Response-Suppress: DR, RN, NRN",
        "X-Autoreply: no",
        "Return-Path: <ada@example.org>",
        "Subject: Vacation - how do I record it?",
        "Subject: Out of office: where do colleagues see it?",
        "Subject: Abwesenheit eintragen",
        "Subject: Re: automatic replies are broken",
        "Subject: Autoresponder settings",
        "Subject: Vacation - how do I approve requests",
        "Subject: Absence: how to enter one",
        "Subject: Automatic reply: sent twice",
        "Subject: Automatic reply - not sent by rule",
        "Subject: Abwesenheit",
        "Subject: Out of office",
        "Content-Type: text/calendar; method=REQUEST",
    ],
)
def test_people_are_heard(header: str) -> None:
    """Headers that say the opposite, and subjects about the very features we sell; also in the course of a thread."""
    assert _ignored(f"{header}\r\n") == ""
    answer = header.replace("Subject: ", "Subject: Re: ").replace("Re: Re: ", "Re: ")
    assert _ignored(f"{answer}\r\nIn-Reply-To: <fte.1@example.com>\r\nReferences: <fte.1@example.com>\r\n") == ""


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Out of office", "My question on the out of office feature: where is it"),
        ("Automatic reply - not sent by rule", "The auto reply does not work in my rules"),
        ("Auto reply: rule not working", "It does not send"),
        ("Vacation", "How do I approve it?"),
    ],
)
def test_a_person_whose_subject_is_an_absence_is_heard_in_a_thread(subject: str, text: str) -> None:
    """Some programs put no `Re:` there: the text decides."""
    assert _ignored(f"Subject: {subject}\r\nIn-Reply-To: <fte.1@example.com>\r\n", body=text) == ""


@pytest.mark.parametrize(
    "address",
    [
        "norah.reply@example.org", "reply@example.org", "bouncer@example.org", "root@example.com",
        "shop-owner@example.org", "feature-request@example.org", "ann-request@example.org", "mail-relay@example.org",
        "nobody.knows@example.org", "bounce.house@example.org", "bounce-house@example.org", "daemon.hill@example.org",
        "bouncesarah@example.org", "pet.owner@example.org", "cron.elia@example.org",
    ],
)  # fmt: skip
def test_people_with_names_like_that(address: str) -> None:
    """A robot's name is the whole local part, or its first word."""
    assert _ignored("", f"From: {address}") == ""


@pytest.mark.parametrize("header", ["List-Foo: <x>", "Precedence: first-class"])
@pytest.mark.parametrize("name", ["list-owner", "list-request", "list-relay"])
def test_a_lists_own_mailbox_is_one_together_with_its_headers(name: str, header: str) -> None:
    """Alone, such a name is a shop's or a team's."""
    assert _ignored(f"{header}\r\n", f"From: {name}@example.org") == "robot-sender"
    assert _ignored("", f"From: {name}@example.org") == ""
