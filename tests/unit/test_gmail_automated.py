"""Machines, lists and ourselves are never answered; people are, whatever they write about."""

from __future__ import annotations

import pytest

from shared.channels.gmail.inbound import understand
from tests.conftest import make_settings

_SETTINGS = make_settings(gmail_mailbox="support@example.com", gmail_aliases=("help@example.com",))


def _ignored(head: str, sender: str = "From: Ada <ada@example.org>", body: str = "Hello") -> str:
    return understand(f"{sender}\r\n{head}\r\n{body}\r\n".encode(), _SETTINGS).ignored


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
        ("X-Auto-Response-Suppress: All", "auto-response-suppress"),
        ("X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply", "auto-response-suppress"),
        ("Return-Path: <>", "null-return-path"),
        ("Return-Path: < >", "null-return-path"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", "delivery-report"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", "read-receipt"),
        ("X-Failed-Recipients: b@example.org", "delivery-report"),
        ("X-FTE-Delivery: d-1", "own-address"),
        ("Content-Type: text/calendar; method=REPLY", "calendar-reply"),
        ("Subject: Automatic reply: Exporting my data", "out-of-office"),
        ("Subject: Abwesenheitsnotiz: Ihre Frage", "out-of-office"),
        ("Subject: Réponse automatique : Export", "out-of-office"),
        ("Subject: Respuesta automática: Export", "out-of-office"),
        ("Subject: Risposta automatica: Export", "out-of-office"),
        ("Subject: Resposta automática: Export", "out-of-office"),
        ("Subject: Automatisch antwoord: Export", "out-of-office"),
        ("Subject: Autosvar: Export", "out-of-office"),
        ("Subject: Odpowiedź automatyczna: Export", "out-of-office"),
        ("Subject: =?utf-8?B?6Ieq5YuV6L+U5L+h?=", "out-of-office"),
        ("Subject: Автоматический ответ: Export", "out-of-office"),
        ("Subject: رد تلقائي: Export", "out-of-office"),
        ("Subject: Out of Office: back on Monday\r\nIn-Reply-To: <fte.1@example.com>", "out-of-office"),
    ],
)
def test_a_machine_says_what_it_is(header: str, reason: str) -> None:
    """RFC 3834 and what mailers really write, each with its reason."""
    assert _ignored(f"{header}\r\n") == reason


@pytest.mark.parametrize(
    "address",
    [
        "MAILER-DAEMON@example.org", "postmaster@example.org", "no-reply@example.org", "noreply@example.org",
        "no_reply@example.org", "do-not-reply@example.org", "donotreply+x@example.org", "billing-noreply@example.org",
        "bounce+123@example.org", "bounces-1@example.org", "owner-list@example.org", "list-request@example.org",
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
        "Content-Type: text/calendar; method=REQUEST",
    ],
)
def test_people_are_heard(header: str) -> None:
    """Headers that say the opposite, and subjects about the very features we sell."""
    assert _ignored(f"{header}\r\n") == ""


@pytest.mark.parametrize(
    "address", ["norah.reply@example.org", "reply@example.org", "bouncer@example.org", "root@example.com"]
)
def test_people_with_names_like_that(address: str) -> None:
    """A robot's name is the whole local part, or its first word."""
    assert _ignored("", f"From: {address}") == ""
