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


_NOTES = {
    "en": "Thank you for your message. I am out of the office until 9 November. In urgent cases write to Grace.",
    "de": "Guten Tag,\n\nich bin bis zum 9. November nicht im Büro. In dringenden Fällen hilft Grace.",
    "fr": "Bonjour, je suis absente du bureau jusqu'au 9 novembre. En cas d'urgence, contactez Grace.",
    "es": "Hola, estoy fuera de la oficina hasta el 9 de noviembre.",
    "it": "Buongiorno, sono fuori ufficio fino al 9 novembre.",
    "pt": "Olá, estou fora do escritório até 9 de novembro.",
    "nl": "Ik ben momenteel niet op kantoor en ben terug op 9 november.",
    "pl": "Jestem nieobecny do dnia 9 listopada.",
    "sv": "Jag är inte på kontoret och är tillbaka den 9 november.",
    "da": "Jeg er på ferie og er tilbage den 9. november.",
    "fi": "Olen lomalla 9.11. asti.",
    "ru": "Здравствуйте! Я нахожусь в отпуске до 9 ноября.",
    "tr": "Şu anda ofis dışındayım, 9 Kasım'da döneceğim.",
    "ja": "休暇をいただいております。11月9日に戻ります。",
    "zh": "我目前不在办公室，11月9日返回。",
    "ko": "현재 부재중이며 11월 9일에 복귀합니다.",
    "ar": "أنا خارج المكتب حتى 9 نوفمبر.",
    "ur": "میں 9 نومبر تک دفتر سے باہر ہوں۔",
}


@pytest.mark.parametrize("language", _NOTES)
def test_an_absence_note_that_says_nothing_in_its_headers(language: str) -> None:
    """It answers a mail and says who is away until when; the same words as a first mail are a person's."""
    text = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{_NOTES[language]}"
    assert _ignored(f"Subject: Re: Export\r\nIn-Reply-To: <fte.1@example.com>\r\n{text}") == "out-of-office"
    assert _ignored(f"Subject: Export\r\n{text}") == ""


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
