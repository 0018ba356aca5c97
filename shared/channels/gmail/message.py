"""A mail as it came (RFC 822 bytes) to what the system works with. No bytes make this raise."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import Any, TypeAlias

from shared.channels.gmail.charset import header_text, to_text
from shared.channels.gmail.headers import Headers, Mailbox, decoded, mailboxes, message_ids
from shared.channels.gmail.html_marks import SIGNATURE_MARK
from shared.channels.gmail.part_names import parameter
from shared.channels.gmail.parts import REACTION, Body, File, Part, Reader, calendar_method
from shared.channels.gmail.phrases import ANSWERS
from shared.channels.gmail.quoting import Split, has_quote, split, without_end
from shared.channels.gmail.reports import Report, own_parts, report_of
from shared.channels.plain_text import clean, cut, is_blank, one_line

#: Bytes that are read of one mail; Gmail takes no larger one.
MAX_BYTES = 50 * 1024 * 1024
MAX_TEXT = 200_000
MAX_FILES = 50
MAX_REFERENCES = 100
# More parts than this could only be meant to keep a parser busy.
_MOST_BOUNDARIES = 150
_BOUNDARY = re.compile(rb"boundary\s*\*?0?\*?\s*=", re.IGNORECASE)
_MAX_HEAD = 262_144
_NAMED = re.compile(rb"[^\s:]{1,200}:")
_SPACED = re.compile(rb"^([\x21-\x39\x3b-\x7e]{1,200})[ \t]{1,100}:", re.MULTILINE)
_HEADER_LINE = re.compile(rb"[\x21-\x39\x3b-\x7e]{1,200}:|[ \t]|From |>From ")
_BARE_CR = re.compile(rb"\r(?![\r\n])")
_HIDDEN = re.compile(rb"(?<!\r)\n(?=authentication-results[ \t]*:)", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")

_Parsed: TypeAlias = "Message[Any, Any]"


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail. `text` is all of its text; `new_text`, `quoted` and `signature` are its parts.

    `sound_from` says that there is one From header with one address, as RFC 5322 (section 3.6.2) wants.
    """

    headers: Headers
    content_type: str
    report_type: str
    report: Report | None
    calendar_method: str
    is_reaction: bool
    senders: tuple[Mailbox, ...]
    sound_from: bool
    subject: str
    message_id: str
    references: tuple[str, ...]
    date: str
    text: str
    new_text: str
    quoted: str
    signature: str
    files: tuple[File, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Nothing to see in it at all."""
        return is_blank(self.text) and is_blank(self.subject) and not self.files


def parse(raw: bytes) -> ParsedMail:
    """Read one mail; what cannot be understood is kept as text or left out, and never raises."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    mail = _structure(raw[:MAX_BYTES])
    headers = Headers.of(_items(mail))
    senders, sound = _from(headers)
    body = _body(mail)
    text = cut(clean(body.text), MAX_TEXT)
    subject, references = one_line(decoded(headers.first("subject")), 1000), _references(headers)
    answers = bool(references or ANSWERS.match(subject))
    parts = _parts(text, cut(clean(body.html), MAX_TEXT), answers)
    return ParsedMail(
        headers=headers,
        content_type=mail.get_content_type(),
        report_type=parameter(mail, "report-type"),
        report=_report(mail, headers, senders, text, raw),
        calendar_method=_calendar_method(mail),
        is_reaction=any(part.get_content_type() == REACTION for part in own_parts(mail)),
        senders=senders,
        sound_from=sound,
        subject=subject,
        message_id=_message_id(headers),
        references=references,
        date=one_line(headers.first("date"), 200),
        text=text.replace(SIGNATURE_MARK, ""),
        new_text=parts.new,
        quoted=parts.quoted,
        signature=parts.signature,
        files=body.files[:MAX_FILES],
    )


class _Lenient(Compat32):
    """Headers as text, never as objects that may raise when they are looked at."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        del name
        return header_text(value)


def _structure(raw: bytes) -> _Parsed:
    try:
        if len(_BOUNDARY.findall(raw)) > _MOST_BOUNDARIES:
            return _headers_and_text(raw)
        return BytesParser(policy=_Lenient()).parsebytes(_mended(_without_hidden(raw)))
    except Exception:  # noqa: BLE001  the library trips over hostile structure, nesting above all
        return _headers_and_text(raw)


def _without_hidden(raw: bytes) -> bytes:
    """Line ends inside a header begin no field: our receiver saw one field, and checked none that hides in it."""
    end = _BLANK_LINE.search(raw)
    at = end.start() if end else len(raw)
    head = _BARE_CR.sub(b" ", raw[:at]) if b"\n" in raw[: at + 1] else raw[:at]
    if b"\r\n" in head:
        # Other fields only lower the trust, and lines that end in two ways do occur.
        head = _HIDDEN.sub(b" ", head)
    return head + raw[at:]


def _mended(raw: bytes) -> bytes:
    """Headers as the parser wants them: lines amid them that are none would be the start of the body to it."""
    end = _BLANK_LINE.search(raw, 0, _MAX_HEAD)
    # RFC 5322, section 4.5.1: a space before the colon was allowed once, and hides a second From from the parser.
    head = _SPACED.sub(rb"\1:", raw[: end.start()]) if end else b""
    lines = head.splitlines(keepends=True)
    last = max((at for at, line in enumerate(lines) if _NAMED.match(line)), default=-1)
    broken = [at for at, line in enumerate(lines[: last + 1]) if not _HEADER_LINE.match(line)]
    if end is None or (not broken and len(head) == end.start()):
        return raw
    unwanted = set(broken)
    kept = (line for at, line in enumerate(lines) if at not in unwanted)
    return b"".join(kept) + raw[end.start() :]


def _headers_and_text(raw: bytes) -> _Parsed:
    """The same mail with its body as one plain text."""
    end = _BLANK_LINE.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    mail = BytesParser(policy=_Lenient()).parsebytes(_without_hidden(head), headersonly=True)
    for name in ("content-type", "content-transfer-encoding"):
        del mail[name]
    mail.set_payload(to_text(body, None).encode("utf-8", "replace").decode("ascii", "surrogateescape"))
    return mail


def _items(mail: _Parsed) -> list[tuple[str, object]]:
    return list(mail.raw_items())


def _body(mail: Part) -> Body:
    try:
        return Reader().read(mail)
    except Exception:  # noqa: BLE001  last resort: a mail always becomes an event, if only by its subject
        return Body()


def _parts(text: str, html: str, answers: bool) -> Split:
    """What HTML alone shows of quote and signature is taken from there, the words from the plain form."""
    plain = _split(text, answers)
    if not html:
        return plain
    shown = _split(html, answers)
    if shown.quoted and not has_quote(plain):
        return shown
    return without_end(plain, shown.signature) if shown.signature and not plain.signature else plain


def _split(text: str, answers: bool) -> Split:
    try:
        return split(text, answers=answers)
    except Exception:  # noqa: BLE001  when unsure, keep the text
        return Split(text.replace(SIGNATURE_MARK, "").strip())


def _from(headers: Headers) -> tuple[tuple[Mailbox, ...], bool]:
    fields = headers.all("from")
    read = [mailboxes(value) for value in fields]
    senders = tuple(box for boxes, _ in read for box in boxes)
    return senders, len(fields) == 1 and len(senders) == 1 and read[0][1]


def _report(mail: _Parsed, headers: Headers, senders: tuple[Mailbox, ...], text: str, raw: bytes) -> Report | None:
    try:
        return report_of(mail, headers, senders[0].address if senders else "", text, raw)
    except Exception:  # noqa: BLE001  a report that can't be read is a mail from a machine all the same
        return None


def _message_id(headers: Headers) -> str:
    found = message_ids(headers.first("message-id"))
    return found[0] if found else ""


def _references(headers: Headers) -> tuple[str, ...]:
    """The thread, oldest first: References, then In-Reply-To where it is not among them."""
    chain = [found for value in headers.all("references") for found in message_ids(value)]
    parents = [found for value in headers.all("in-reply-to") for found in message_ids(value)]
    every = tuple(dict.fromkeys([*chain, *(parent for parent in parents if parent not in chain)]))
    # The first names the thread, the last ones are what is answered (RFC 5322, section 3.6.4).
    return every if len(every) <= MAX_REFERENCES else every[:1] + every[1 - MAX_REFERENCES :]


def _calendar_method(mail: _Parsed) -> str:
    """The iTIP method of a calendar part (RFC 5546): `reply` is a machine's acceptance or refusal."""
    for part in own_parts(mail):
        attached = str(part.get("content-disposition", "")).strip().lower().startswith("attachment")
        if part.get_content_type() == "text/calendar" and not attached:
            return calendar_method(part)
    return ""
