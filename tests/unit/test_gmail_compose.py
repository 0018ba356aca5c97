"""The reply as it leaves: in its thread, one Re:, readable anywhere, and nothing in it can become a header."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.channels.gmail.compose import compose, reply_subject
from shared.channels.message import Channel, EmailHeaders
from shared.channels.provider import Outbound
from tests.conftest import make_settings

_SETTINGS = make_settings()
_LONG = "<" + "A" * 110 + "@DB7PR04MB12.eurprd04.prod.outlook.com>"


def _outbound(**changes: Any) -> Outbound:
    given: dict[str, Any] = {
        "delivery_id": "0b0c",
        "attempt": 1,
        "channel": Channel.EMAIL,
        "to": "ada@example.org",
        "to_name": "Ada Example",
        "subject": "Exporting",
        "text": "Dear Ada,\n\nopen https://help.example.com/a?b=1&c=<x>, please.\nThen wait.",
        "created_at": datetime(2026, 11, 3, 10, 12, 13, tzinfo=UTC),
        "in_reply_to": EmailHeaders(gmail_thread_id="t", message_id="<m@example.org>", references=("<q@example.org>",)),
        "quoted": "How do I export?\n> older",
        "quoted_at": datetime(2026, 11, 3, 9, 58, tzinfo=UTC),
    }
    return Outbound(**(given | changes))


def _read(raw: bytes) -> EmailMessage:
    return cast("EmailMessage", message_from_bytes(raw, policy=policy.default))


def _content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def test_the_same_reply_is_the_same_bytes() -> None:
    """Deterministic, Message-ID and boundary too; another delivery differs."""
    assert compose(_outbound(), _SETTINGS) == compose(_outbound(attempt=2), _SETTINGS)
    assert _read(compose(_outbound(), _SETTINGS))["Message-ID"] == "<fte.0b0c@example.com>"
    assert compose(_outbound(delivery_id="0b0d"), _SETTINGS) != compose(_outbound(), _SETTINGS)


def test_the_original_stands_quoted_below() -> None:
    """Text and HTML say the same: the answer, who wrote when, the original."""
    mail = _read(compose(_outbound(), _SETTINGS))
    text, shown = _content(mail, "plain"), _content(mail, "html")
    assert text.startswith(
        "Dear Ada,\n\nopen https://help.example.com/a?b=1&c=<x>, please.\nThen wait.\n\nOn Tue, 03 Nov"
    )
    assert "Ada Example wrote:" in text
    assert text.endswith("> How do I export?\n>> older\n")
    assert '<a href="https://help.example.com/a?b=1&amp;c=">' in shown
    assert "&lt;x&gt;" in shown
    assert "<blockquote" in shown


def test_nothing_is_quoted_where_nothing_may_be() -> None:
    """A claimed sender gets no quote: then there is no attribution either."""
    text = _content(_read(compose(_outbound(quoted=""), _SETTINGS)), "plain")
    assert "wrote:" not in text


@pytest.mark.parametrize(
    ("subject", "reply"),
    [
        ("Exporting", "Re: Exporting"),
        ("Re: Exporting", "Re: Exporting"),
        ("RE: re: AW: Re[2]: Exporting", "Re: Exporting"),
        ("SV: Exporting", "Re: Exporting"),
        ("Fwd: Exporting", "Re: Fwd: Exporting"),
        ("Re：Exporting", "Re: Exporting"),
        ("Regarding: Exporting", "Re: Regarding: Exporting"),
        ("Re: RES: RE: Exporting", "Re: RES: Exporting"),
        ("Fwd: Re: Exporting", "Re: Fwd: Exporting"),
        ("RE : AW: re[3] : Exporting", "Re: Exporting"),
        ("回复：Re: Exporting", "Re: 回复：Exporting"),
        ("Antw: Odp: Exporting", "Re: Odp: Exporting"),
        ("", "Re:"),
        ("Re:", "Re:"),
        ("a\r\nBcc: evil@example.net", "Re: a Bcc: evil@example.net"),
    ],
)
def test_re_stands_once(subject: str, reply: str) -> None:
    """Whatever chain of prefixes came in."""
    assert reply_subject(subject) == reply


def test_long_message_ids_are_never_encoded() -> None:
    """Outlook's ids are longer than a line; as encoded words they would tear the thread."""
    headers = EmailHeaders(gmail_thread_id="t", message_id=_LONG, references=("<q@example.org>", _LONG + "x", _LONG))
    raw = compose(_outbound(in_reply_to=headers), _SETTINGS)
    assert f"In-Reply-To: {_LONG}\r\n".encode() in raw
    assert f"References: <q@example.org>\r\n {_LONG}\r\n".encode() in raw


def test_a_long_thread_keeps_its_first_and_last_ids() -> None:
    """References grow without end otherwise."""
    chain = tuple(f"<{n}@example.org>" for n in range(90))
    headers = EmailHeaders(gmail_thread_id="t", message_id="<m@example.org>", references=chain)
    shown = str(_read(compose(_outbound(in_reply_to=headers), _SETTINGS))["References"]).split()
    assert (shown[0], shown[-2], shown[-1]) == ("<0@example.org>", "<89@example.org>", "<m@example.org>")
    assert len(shown) <= 20


def test_addresses_beyond_ascii() -> None:
    """A foreign domain becomes A-labels; a foreign local part goes out as UTF-8 (RFC 6532)."""
    assert b"To: Ada Example <ada@xn--bcher-kva.example>\r\n" in compose(_outbound(to="ada@bücher.example"), _SETTINGS)
    assert "<jörg@example.org>".encode() in compose(_outbound(to="jörg@example.org"), _SETTINGS)
    assert b'<"a b"@example.org>' in compose(_outbound(to='"a b"@example.org'), _SETTINGS)


@examples(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=200), st.text(max_size=200))
def test_no_text_becomes_a_header_or_a_part(subject: str, name: str, text: str, quoted: str) -> None:
    """Any subject, name, answer and quote: the headers and parts are those we set, and lines end in CRLF."""
    raw = compose(_outbound(subject=subject, to_name=name, text=text, quoted=quoted), _SETTINGS)
    mail = _read(raw)
    assert list(mail.keys()) == [
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-FTE-Delivery", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert mail["To"].addresses[0].addr_spec == "ada@example.org"
    assert len(mail["To"].addresses) == 1
    assert raw.isascii()
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in raw.split(b"\r\n"))
