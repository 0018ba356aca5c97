"""Mails become text, whatever their shape: tests/payloads/gmail holds mails and what must be made of them."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from typer.testing import CliRunner

from shared.channels.gmail import html_text
from shared.channels.gmail.headers import decoded, mailboxes
from shared.channels.gmail.inbound import NOBODY, to_inbound
from shared.channels.gmail.inspection import inspect_mail, is_mail
from shared.channels.gmail.message import parse
from shared.channels.gmail.raw_mail import RawMail
from shared.cli.fte import app
from tests.conftest import make_settings

_PAYLOADS = sorted((Path(__file__).parents[1] / "payloads" / "gmail").glob("*.eml"))


def _seen(raw: bytes) -> dict[str, Any]:
    return inspect_mail(_raw(raw), make_settings())


@pytest.mark.parametrize("path", _PAYLOADS, ids=lambda path: path.stem)
def test_a_mail_is_understood(path: Path) -> None:
    """Sender, trust, subject, new text, files and thread of each mail in the collection."""
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    seen = _seen(path.read_bytes())
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.parametrize("path", _PAYLOADS, ids=lambda path: path.stem)
def test_the_oddest_mail_is_a_mail(path: Path) -> None:
    """Of the whole collection none is refused by `fte inspect mail`."""
    assert is_mail(path.read_bytes())


@pytest.mark.parametrize(
    "raw",
    [
        b"\n\nFrom: a@example.org\n\nhi",
        b"From a@example.org Mon\nsubject : x\n\nhi",
        b"\xef\xbb\xbfDate: x\n",
        b"X-A: 1\rTO:\r\r",
    ],
)
def test_a_mail_may_begin_oddly(raw: bytes) -> None:
    """Empty lines, a mailbox's own line, a byte order mark, blanks before the colon, bare carriage returns."""
    assert is_mail(raw)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n", b"%PDF-1.7\n%\xe2\xe3", b"Just words\n\nFrom: nobody", b"PK\x03\x04"],
)
def test_what_is_no_mail(raw: bytes) -> None:
    """Nothing of what every mail begins with."""
    assert not is_mail(raw)


@pytest.mark.parametrize("format_", ["table", "json"])
def test_bytes_that_are_no_mail_are_told_so(format_: str, tmp_path: Path) -> None:
    """In words, with what was expected, instead of what bytes look like; of a thousand files none is taken for one."""
    dice = random.Random(7)
    assert not any(is_mail(dice.randbytes(5000)) for _ in range(1000))
    file = tmp_path / "noise.eml"
    file.write_bytes(dice.randbytes(5000))
    said = CliRunner().invoke(app, ["inspect", "mail", str(file), "-o", format_])
    assert (said.exit_code, said.stdout) == (1, "")
    assert "noise.eml is no e-mail" in said.stderr
    assert "From:" in said.stderr


def _raw(raw: bytes, **more: Any) -> RawMail:
    given: dict[str, Any] = {
        "id": "18c0",
        "thread_id": "18bf",
        "labels": frozenset({"INBOX"}),
        "received_at": datetime.now(UTC),
        "raw": raw,
    }
    return RawMail(**(given | more))


_LINES = b"""From: a@example.org
From: =?utf-8?B?//8=?= <b@example.org>
Subject: =?x?q?=?=
Content-Type: multipart/mixed; boundary=b
Content-Type: multipart/alternative; boundary=c
Content-Type: multipart/mixed
Content-Type: message/rfc822
Content-Type: message/delivery-status
Content-Type: text/html; charset=utf-7
Content-Type: text/plain; charset*0*=x''%
Content-Type: text/calendar; method=REPLY
Content-Transfer-Encoding: base64
Content-Transfer-Encoding: x-uuencode
Content-Disposition: attachment; filename*=a''%zz
Authentication-Results: mx.google.com; dmarc=pass (
References: <a@b> <c

--b
--b--
--c
--c--
begin 644 x
> quoted
--
<div><blockquote>x
On 1.1.2026 10:11 a@b wrote:
=
BEGIN:VCALENDAR
\xff\xfe""".split(b"\n")


@examples(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=600), st.lists(st.sampled_from(_LINES), max_size=40).map(b"\r\n".join)))
def test_no_bytes_make_reading_fail(raw: bytes) -> None:
    """Any bytes are a message: parsing never raises, and the result fits the event's schema as UTF-8."""
    message = to_inbound(_raw(raw), make_settings())
    message.model_dump_json().encode()
    assert "\x00" not in message.text


@examples(max_examples=300, deadline=None)
@given(st.text(alphabet="<>/=\"' \ndivtableblockquotepre!-&;#0x&nbsp;", max_size=300))
def test_no_html_makes_reading_fail(source: str) -> None:
    """HTML of any shape becomes text."""
    assert isinstance(html_text.to_text(source), str)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?utf-8?Q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?w6k=?= =?UTF-8?B?w6k=?=", "éé"),
        ("=?utf-8?B?w?= =?utf-8?B?6k?=", "é"),
        ("=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9_?= x", "café  x"),
        ("plain =?iso-8859-1?Q?=E9?= text", "plain é text"),
        ("=?utf-8*en?Q?a_b?=", "a b"),
        ("=?unknown-charset?Q?abc?=", "abc"),
        ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
        ("=?gb2312?B?1tDOxA==?=", "中文"),
    ],
)
def test_encoded_words_are_read_leniently(raw: str, shown: str) -> None:
    """RFC 2047 as written, and as broken mailers write it."""
    assert decoded(raw) == shown


@pytest.mark.parametrize(
    ("value", "address", "sound"),
    [
        ("Ada <ada@example.org>", "ada@example.org", True),
        ("ada@example.org", "ada@example.org", True),
        ('"ceo@example.com" <evil@example.net>', "evil@example.net", True),
        ("Ada (work) <ada@example.org>", "ada@example.org", True),
        ("=?utf-8?q?ceo=40example=2Ecom?= <evil@example.net>", "evil@example.net", True),
        ("<ceo@example.com>(<evil@example.net>)", "ceo@example.com", True),
        ("ceo@example.com <evil@example.net>", "ceo@example.com", False),
        ("<@example.com:evil@example.net>", "evil@example.net", False),
        ("ceo@example.com, evil@example.net", "ceo@example.com", False),
        ("group: ada@example.org;", "ada@example.org", False),
        ("Doe, Ada <ada@example.org>", "ada@example.org", False),
    ],
)
def test_who_stands_in_from(value: str, address: str, sound: bool) -> None:
    """The address by RFC 5322; whatever is not plainly one address is not sound, so never verified."""
    found, is_sound = mailboxes(value)
    assert found[0].address == address
    assert (is_sound and len(found) == 1) is sound


def test_a_mail_without_a_sender_is_stored_and_not_answered() -> None:
    """Nobody to answer: still an event, ignored with its reason."""
    message = to_inbound(_raw(b"Subject: hello\r\n\r\nHi\r\n"), make_settings())
    assert (message.sender.address, message.ignored, message.text) == (NOBODY, "no-sender", "Hi")


def test_the_answer_never_goes_to_reply_to() -> None:
    """Reply-To and Cc are data; the authenticated sender is who is answered."""
    raw = b"From: Ada@Example.ORG\r\nReply-To: evil@example.net\r\nCc: c@example.net\r\n\r\nHi\r\n"
    assert to_inbound(_raw(raw), make_settings()).sender.address == "ada@example.org"


def test_a_huge_mail_is_cut_and_says_so() -> None:
    """The text fits the event; the note tells that something is missing."""
    message = to_inbound(_raw(b"From: a@example.org\r\n\r\n" + b"word " * 200_000), make_settings())
    assert len(message.text) <= 200_000
    assert message.text.endswith("too long.]")


def test_bytes_that_are_no_mail_are_a_message_all_the_same() -> None:
    """Random bytes, nothing at all, deep nesting: each is understood as something."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2_000))
    for raw in (b"", b"\xff" * 500, b"\r\n\r\n", b"From: a@example.org\r\n" + deep + b"\r\nhelp"):
        assert to_inbound(_raw(raw), make_settings()).provider_message_id == "18c0"
    assert "help" in parse(b"From: a@example.org\r\n" + deep + b"\r\nhelp").text


def test_html_that_is_too_deep_keeps_its_words() -> None:
    """Nesting beyond any mail's costs the layout, not the words, and no quadratic time."""
    source = "<div>" * 20_000 + "help me" + "<!--" * 1_000
    assert html_text.to_text(source) == "help me"


def test_quotes_of_html_clients_become_quoted_lines() -> None:
    """Gmail's, Apple's and Thunderbird's blockquotes are quotes; Gmail's indent button is the writer's own."""
    indented = '<blockquote style="margin:0 0 0 40px;border:none;padding:0px">my own list</blockquote>'
    quote = "<blockquote type=cite>old<blockquote>older</blockquote></blockquote>"
    text = html_text.to_text(f"<p>new</p>{indented}{quote}")
    assert "> old" in text
    assert ">> older" in text
    assert "my own list" in text
    assert "> my own list" not in text


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "a\0b", "undefined", "rot13", "hex", "uu", "zip", "utf-16", "x-none"]
)
def test_a_label_that_is_no_charset_takes_nothing_else_away(charset: str) -> None:
    """The part is read as well as it can be, and the others with it."""
    mail = parse(
        b"From: ada@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\nhello \xfc one\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nsecond\r\n--b--\r\n"
    )
    assert "second" in mail.text
    assert charset == "utf-16" or "hello" in mail.text
