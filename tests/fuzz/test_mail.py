"""Any bytes as mail, and mails of every shape: each becomes one message that fits its event, and never two."""

from __future__ import annotations

import asyncio
import base64
import quopri
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.channels.gmail import armour, rtf, signed_data, tnef
from shared.channels.gmail.authentication import judge
from shared.channels.gmail.compressed_rtf import MAX_RTF, unpack
from shared.channels.gmail.inbound import read_mail
from shared.channels.gmail.inspection import inspect_mail
from shared.channels.gmail.intake import Intake
from shared.channels.gmail.message import parse
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import InboundMessage, Trust
from shared.channels.publish import inbound_event
from shared.clock import SystemClock
from shared.db.pool import Database
from shared.events.envelope import INBOUND, MAX_EVENT_BYTES, Event
from shared.local.postgres import APP, EmbeddedPostgres
from shared.settings import Settings
from tests.conftest import make_settings

_SETTINGS = make_settings()

# -- mails of every shape ----------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "Hello",
        "how do I export?",
        "> quoted",
        "-- ",
        "On 3 Nov 2026 at 10:12, a@example.org wrote:",
        "From: x",
        "begin 644 a",
        "end",
        "é",
        "Привет",
        "请问",
        "مرحبا",
        "😀",
        "\x00",
        "\x1b[2J",
        "\ud800",
        "</div>",
        "=20",
        "=?utf-8?q?x?=",
        "--b1",
        ".",
    ]
)
_TEXT = st.lists(_WORDS, max_size=12).map("\n".join)
_HTML = st.lists(
    st.sampled_from(
        [
            "<div>",
            "</div>",
            "<blockquote>",
            "</blockquote>",
            '<div class="gmail_quote">',
            '<div id="divRplyFwdMsg">',
            "text",
            '<p style="display:none">',
            "<table><tr><td>",
            "<ul><li>",
            '<a href="https://example.com">',
            "&nbsp;",
            "<!--",
            "<br>",
            '<div class="gmail_signature">',
            '<div class="yahoo_quoted">',
            "<pre>",
            "\ue000",
            "<style>",
        ]
    ),
    max_size=15,
).map("".join)
_CHARSETS = [
    "utf-8",
    "iso-8859-1",
    "iso-2022-jp",
    "gb18030",
    "koi8-r",
    "utf-7",
    "utf-16",
    "x-unknown",
    "",
    "idna",
    "a\x00b",
]
_ENCODINGS = ["7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "BASE64 ", "rubbish"]
_TYPES = [
    "text/plain",
    "text/html",
    "text/plain; format=flowed; delsp=yes",
    "text/enriched",
    "text/rtf",
    "text/calendar; method=REPLY",
    "application/ms-tnef",
    "application/pkcs7-mime",
    "message/rfc822",
    "message/delivery-status",
    "text/x-amp-html",
    "image/png",
    "application/applefile",
    "multipart/mixed",
    "rubbish",
    "",
    "application/pdf",
]
_KINDS = ["mixed", "alternative", "related", "signed", "report", "encrypted", "appledouble", "x"]
_NAMES = [
    "",
    "a.txt",
    "=?utf-8?B?4oKs?=.pdf",
    "../../etc/passwd",
    "x" * 400,
    "a\r\n b",
    "winmail.dat",
    '"',
    "\u202ecod.exe",
]


def _encoded(data: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() == "base64":
        return base64.encodebytes(data)
    return quopri.encodestring(data) if encoding == "quoted-printable" else data


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """One part: what it says of itself need not be so."""
    kind, charset, encoding = (
        draw(st.sampled_from(_TYPES)),
        draw(st.sampled_from(_CHARSETS)),
        draw(st.sampled_from(_ENCODINGS)),
    )
    body = draw(st.one_of(_TEXT, _HTML)).encode("utf-8", "surrogatepass")
    data = draw(st.one_of(st.just(body), st.just(tnef.SIGNATURE + body), st.binary(max_size=80)))
    name = draw(st.sampled_from(_NAMES))
    head = [f"Content-Type: {kind}; charset={charset}", f"Content-Transfer-Encoding: {encoding}"]
    if name or draw(st.booleans()):
        head.append(f'Content-Disposition: {draw(st.sampled_from(["attachment", "inline", "x"]))}; filename="{name}"')
    return "\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + _encoded(data, encoding)


@st.composite
def nested(draw: st.DrawFn, children: st.SearchStrategy[bytes]) -> bytes:
    """Parts in a container, whose end may be missing."""
    kind = draw(st.sampled_from(_KINDS))
    boundary = draw(st.sampled_from(["b1", "b2", "", "b1"]))
    parts = b"".join(f"--{boundary}\r\n".encode() + each + b"\r\n" for each in draw(st.lists(children, max_size=3)))
    end = draw(st.sampled_from([f"--{boundary}--\r\n", ""]))
    return f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n".encode() + parts + end.encode()


_HEADERS = st.lists(
    st.sampled_from(
        [
            "From: Ada <ada@example.org>",
            "From: ada@example.org, b@example.net",
            "From: =?utf-8?B?//8=?= <a@example.org>",
            "from : x@y",
            "Subject: =?utf-8?q?caf=C3=A9?= =?x?q?=?=",
            "Subject: Automatic reply: x",
            "Return-Path: <>",
            "Auto-Submitted: auto-replied",
            "Authentication-Results: mx.google.com; dmarc=pass header.from=example.org",
            "Authentication-Results: mx.google.com; dmarc=(",
            "References: <a@b> <fte.0b0cdead-1111-4222-8333-444444444444@example.com> <c",
            "X-Failed-Recipients: a@example.org",
            "Cc: a@example.org",
            "Reply-To: =?utf-8?q?x?=",
            "Message-ID: <x@example.org>",
            "Date: rubbish",
            "no header at all",
            "\tfolded",
            "X-FTE-Delivery: 0b0cdead-1111-4222-8333-444444444444",
            "List-Id: <x>",
        ]
    ),
    max_size=8,
).map(lambda lines: "".join(f"{line}\r\n" for line in lines).encode())


def mails() -> st.SearchStrategy[bytes]:
    """Headers above parts, nested a few deep."""
    return st.tuples(_HEADERS, st.recursive(leaves(), nested, max_leaves=4)).map(b"".join)


#: Bytes, or a mail of some shape, or one that was cut in two and put together wrongly.
RAW = st.one_of(
    st.binary(max_size=500),
    mails(),
    st.tuples(mails(), mails(), st.integers(0, 400)).map(lambda t: t[0][: t[2]] + t[1][t[2] :]),
)


def _source(raw: bytes) -> RawMail:
    return RawMail("18c0", "18bf", frozenset({"INBOX"}), datetime.now(UTC), raw)


@given(RAW)
def test_any_bytes_are_one_message_that_fits_its_event(raw: bytes) -> None:
    """Never raises, is UTF-8, has no control characters, its trust is one of three; and `fte inspect mail` says so."""
    read = read_mail(_source(raw), _SETTINGS)
    event = inbound_event(b"k" * 32, read.message)
    again = InboundMessage.model_validate_json(event.data)
    assert len(event.data) <= MAX_EVENT_BYTES
    assert not {"\x00", "\x1b", "\ue000"} & set(again.text + again.quoted)
    assert again.sender.trust in set(Trust)
    assert len(read.contents) == len(again.attachments)
    found = inspect_mail(_source(raw), _SETTINGS)
    assert (found["from"], found["new_text"]) == (again.sender.address, again.text)
    assert not (found["verified"] and found["held"])
    assert again.text.strip() or not found["text"].strip()


@given(st.text(max_size=200), st.booleans())
@example("dmarc=pass header.from=example.org", True)
def test_nobody_is_verified_by_what_a_sender_can_write(text: str, above: bool) -> None:
    """Whatever stands in fields of other servers, above or below ours that says nothing, verifies nobody."""
    said = " ".join(text.split())
    ours, theirs = (
        "Authentication-Results: mx.google.com; none\r\n",
        f"Authentication-Results: evil.example; {said}\r\n",
    )
    head = theirs + ours if above else ours + theirs
    mail = parse(f"{head}From: ada@example.org\r\n\r\nhi".encode("utf-8", "replace"))
    assert judge(mail.headers, mail.senders, mail.sound_from, "mx.google.com").trust is not Trust.VERIFIED


@given(st.binary(max_size=400))
def test_wrappings_of_any_bytes_end(data: bytes) -> None:
    """TNEF, CMS, uuencode and OpenPGP armour: something or nothing, never an error."""
    tnef.unwrap(tnef.SIGNATURE + b"\0\0" + data)
    signed_data.content(data)
    armour.files_in(armour.disarmoured(data.decode("latin-1")))


_RTF = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"\\fromhtml1 ",
            b"{\\*\\htmltag84 ",
            b"\\htmlrtf ",
            b"\\htmlrtf0 ",
            b"\\'82",
            b"\\'",
            b"\\u-10179?",
            b"\\uc9 ",
            b"\\bin-3 ",
            b"\\bin7 ",
            b"{\\fonttbl{\\f1\\fcharset128 x;}}",
            b"\\f1 ",
            b"\\ansicpg99999 ",
            b"\\*",
            b"\\",
            b"words",
            b"<b>",
            b"\xff",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(_RTF, st.binary(max_size=400))
def test_rich_text_of_any_bytes_ends(source: bytes, packed: bytes) -> None:
    """Something or nothing, in UTF-8, never an error and never more than its limit."""
    found = rtf.read(b"{\\rtf1" + source)
    (found.text + found.html).encode()
    assert len(unpack(b"\0" * 8 + b"LZFu" + b"\0" * 4 + packed)) <= MAX_RTF
    unpack(packed)


# -- through gmail-push's own intake --------------------------------------------------------------------


@dataclass
class Mailbox:
    """One mail at a time, always new."""

    raw: bytes = b""
    id: str = ""

    async def profile(self) -> str:
        return "200"

    async def get_raw(self, message_id: str) -> RawMail:
        return RawMail(message_id, message_id, frozenset({"INBOX"}), datetime.now(UTC), self.raw)

    async def history(self, start: str) -> tuple[list[str], str]:
        return [self.id, self.id], "200"

    async def list_inbox(self, since: datetime, limit: int) -> list[str]:
        return [self.id]

    async def watch(self) -> tuple[str, datetime]:
        raise AssertionError


@dataclass
class Topics:
    """What was published."""

    events: list[tuple[str, Event]] = field(default_factory=list)

    async def publish(self, topic: str, event: Event) -> None:
        self.events.append((topic, event))


@dataclass
class Function:
    """gmail-push's work over a real database, without its socket."""

    runner: asyncio.Runner
    intake: Intake
    mailbox: Mailbox
    topics: Topics

    def take(self, raw: bytes) -> list[tuple[str, Event]]:
        """What is published about one mail that the history names twice."""
        self.mailbox.raw, self.mailbox.id = raw, uuid.uuid4().hex
        self.topics.events.clear()
        self.runner.run(self.intake.collect(None))
        return list(self.topics.events)


@pytest.fixture(scope="module")
def function(postgres: EmbeddedPostgres) -> Iterator[Function]:
    name = f"t_{uuid.uuid4().hex[:16]}"
    with asyncio.Runner() as runner:
        runner.run(postgres.create_database(name, template="fte_template"))
        settings: Settings = make_settings(database_url=SecretStr(postgres.dsn(APP, name)))
        db, mailbox, topics = Database.from_settings(settings), Mailbox(), Topics()
        yield Function(runner, Intake(settings, db, mailbox, topics, SystemClock()), mailbox, topics)
        runner.run(db.close())
        runner.run(postgres.drop_database(name))


@given(raw=RAW)
def test_a_mail_is_one_event_however_often_it_is_announced(function: Function, raw: bytes) -> None:
    """Twice in the history: one event, and at most one word about a delivery."""
    events = function.take(raw)
    inbound = [event for topic, event in events if topic == INBOUND]
    assert len(inbound) == 1
    assert len(events) <= 2
    message = InboundMessage.model_validate_json(inbound[0].data)
    assert message.raw_blob is not None
    assert message.ignored != "not-understood"
