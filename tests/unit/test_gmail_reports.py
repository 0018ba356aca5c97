"""Delivery reports: which delivery of ours they are about, and whether it failed for good (RFC 3464)."""

from __future__ import annotations

import pytest

from shared.channels.gmail import message as message_module
from shared.channels.gmail.inbound import to_inbound, understand
from shared.channels.gmail.message import parse
from shared.channels.gmail.reports import Report
from tests.conftest import make_settings
from tests.unit.test_gmail_message import _raw

OLD, ID = "00000000-1111-4222-8333-444444444444", "0b0cdead-1111-4222-8333-444444444444"


def report(action: str = "failed", status: str = "5.1.1", returned: str = "", head: str = "") -> bytes:
    """A DSN as Postfix writes it, with the returned mail's headers."""
    fields = "\r\n".join(
        line for line in (f"Action: {action}" * bool(action), f"Status: {status}" * bool(status)) if line
    )
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net (Mail Delivery System)\r\n{head}"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you ...\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.org\r\n{fields}\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n--b--\r\n"
    ).encode()


_RETURNED = f"References: <q@example.org> <fte.{OLD}@example.com>\r\nMessage-ID: <fte.{ID}@example.com>\r\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (report(returned=_RETURNED), Report(True, ID, "5.1.1")),
        (report(returned=f"X-FTE-Delivery: {ID}"), Report(True, ID, "5.1.1")),
        (report(head=f"References: <fte.{OLD}@example.com> <fte.{ID}@example.com>\r\n"), Report(True, ID, "5.1.1")),
        (report(head=f"In-Reply-To: <fte.{ID}@example.com>\r\n"), Report(True, ID, "5.1.1")),
        (report(action="Failed", status="5.7.509 (policy)", returned=_RETURNED), Report(True, ID, "5.7.509")),
        (report(status="", returned=_RETURNED), Report(True, ID, "5.0.0")),
        (report(action="", returned=_RETURNED), Report(True, ID, "5.1.1")),
        (report(action="delayed", status="4.4.1", returned=_RETURNED), Report(False, ID, "")),
        (report(action="delivered", status="2.0.0", returned=_RETURNED), Report(False, ID, "")),
        (report(action="relayed", status="2.0.0", returned=_RETURNED), Report(False, ID, "")),
        (report(), Report(True, "", "5.1.1")),
    ],
    ids=[
        "message-id", "header", "references", "in-reply-to", "policy", "no status", "no action", "delayed",
        "delivered", "relayed", "another's mail",
    ],
)  # fmt: skip
def test_a_report_names_its_delivery(raw: bytes, expected: Report) -> None:
    """The private header, our Message-ID, or the last reference; a failure alone is one."""
    assert parse(raw).report == expected
    message = to_inbound(_raw(raw), make_settings())
    assert message.ignored == "delivery-report"
    assert message.email is not None
    assert message.email.about_delivery == expected.delivery_id


_EXIM = (
    "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\r\nX-Failed-Recipients: ada@example.org\r\n"
    "Subject: Mail delivery failed: returning message to sender\r\n\r\n"
    "A message that you sent could not be delivered. This is a permanent error.\r\n\r\n  ada@example.org\r\n"
    f"    SMTP error: 550 no such user\r\n\r\n------ The headers ------\r\n\r\nMessage-ID: <fte.{ID}@example.com>\r\n"
)
_QMAIL = (
    "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n"
    "Hi. This is the qmail-send program.\r\n<ada@example.org>:\r\n192.0.2.1 does not like recipient.\r\n"
    f"Remote host said: 550 5.1.1 no\r\n\r\n--- Below this line is a copy.\r\n\r\nX-FTE-Delivery: {ID}\r\n"
)


@pytest.mark.parametrize(("raw", "code"), [(_EXIM, "550"), (_QMAIL, "5.1.1")], ids=["exim", "qmail"])
def test_a_bounce_without_a_report_is_read_too(raw: str, code: str) -> None:
    """Older servers answer in plain text."""
    assert parse(raw.encode()).report == Report(True, ID, code)
    assert understand(raw.encode(), make_settings()).ignored == "delivery-report"


@pytest.mark.parametrize(
    "head",
    [
        f"Return-Path: <>\r\nFrom: ada@example.org\r\nReferences: <fte.{ID}@example.com>",
        f"From: ada@example.org\r\nIn-Reply-To: <fte.{ID}@example.com>",
        f"From: Mailer-Daemon@example.net\r\nReferences: <fte.{ID}@example.com>",
    ],
    ids=["absence note", "person", "daemon without a failure"],
)
def test_what_merely_refers_to_ours_is_no_report(head: str) -> None:
    """Every answer refers to our mail; only a refusal fails it."""
    assert parse(f"{head}\r\nSubject: Re: x\r\n\r\nI am away until the 5.1.2027, room 550.\r\n".encode()).report is None


def _mixed(part: str, head: str = "From: Ada <ada@example.org>") -> bytes:
    text = "Our invitations come back to us, why?"
    body = f"--m\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--m\r\n{part}\r\n--m--\r\n"
    return f"{head}\r\nSubject: Help\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n{body}".encode()


_STATUS = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
)
_REPLY = "Content-Type: text/calendar; method=REPLY\r\n{}\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.mark.parametrize(
    "part",
    [
        f"Content-Type: message/rfc822\r\n\r\n{report(returned=_RETURNED).decode()}",
        f"Content-Type: message/rfc822\r\n\r\n{_QMAIL}",
        f"Content-Type: message/rfc822\r\n\r\nSubject: Accepted\r\n{_REPLY.format('')}",
        _REPLY.format("Content-Disposition: attachment; filename=reply.ics\r\n"),
        _STATUS,
    ],
    ids=["report", "plain bounce", "calendar reply", "calendar file", "status"],
)
def test_what_a_customer_encloses_is_no_report_of_theirs(part: str) -> None:
    """People show us what came back to them: the mail is theirs, and no delivery of ours has failed."""
    found = understand(_mixed(part), make_settings())
    assert (found.ignored, found.mail.report, found.mail.calendar_method) == ("", None, "")


@pytest.mark.parametrize(
    "head", ["From: MAILER-DAEMON@mx.example.net", "Return-Path: <>\r\nFrom: Mail Server <mail@mx.example.net>"]
)
def test_a_status_right_in_a_servers_mail_is_a_report(head: str) -> None:
    """Not every server writes multipart/report; one that is enclosed a level deeper is another's."""
    assert parse(_mixed(_STATUS, head)).report == Report(True, "", "5.1.1")
    deeper = f"Content-Type: multipart/mixed; boundary=n\r\n\r\n--n\r\n{_STATUS}\r\n--n--\r\n"
    assert parse(_mixed(deeper, head)).report is None


def test_failed_recipients_in_the_header_make_a_report_of_any_sender() -> None:
    """Gmail and Exim name them there; without a code in the text the failure is unspecified."""
    raw = f"From: mail@mx.example.net\r\nX-Failed-Recipients: b@example.org\r\nIn-Reply-To: <fte.{ID}@example.com>"
    assert parse(f"{raw}\r\n\r\nNot delivered.\r\n".encode()).report == Report(True, ID, "5.0.0")


def test_failed_recipients_make_a_machine_where_the_report_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that could not be read is None, and still no person's mail."""
    monkeypatch.setattr(message_module, "report_of", _raising)
    raw = b"From: mail@mx.example.net\r\nX-Failed-Recipients: b@example.org\r\n\r\nNot delivered.\r\n"
    assert parse(raw).report is None
    assert understand(raw, make_settings()).ignored == "delivery-report"


def _raising(*_: object) -> None:
    raise RecursionError


@pytest.mark.parametrize("charset", ["idna", "\x00"])
def test_a_multipart_without_parts_in_a_charset_that_raises_is_a_mail(charset: str) -> None:
    """Its payload must not be looked at as text."""
    found = parse(f"Content-Type: multipart/;charset={charset}\n\x9f".encode("latin-1"))
    assert (found.report, found.calendar_method) == (None, "")
