"""The parts of a mail: which of them is the message, and which came along with it.

Multipart types as RFC 2046 (section 5.1), RFC 2387 (related), RFC 1847 (signed, encrypted), RFC 1740
(appledouble) and RFC 6522 (report) define them; anything unknown is treated as mixed, as RFC 2046 asks.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesParser
from typing import Any, Literal, TypeAlias, cast

from shared.channels.files import content_type
from shared.channels.gmail import armour, html_text, rtf, signed_data, tnef
from shared.channels.gmail.charset import reads_as_text, to_text, told_by_html
from shared.channels.gmail.flowed import unflowed
from shared.channels.gmail.headers import decoded, unfold
from shared.channels.gmail.html_marks import SIGNATURE_MARK
from shared.channels.gmail.part_names import file_name, parameter
from shared.channels.gmail.repaired import encoded_until, transfer_encoding, with_boundary
from shared.channels.plain_text import bare_name, clean, one_line

Part: TypeAlias = "Message[Any, Any]"
#: What a text was made from. `aside` speaks only where nothing else does: an invitation, an enclosed mail.
Source: TypeAlias = Literal["plain", "html", "aside"]

MAX_DEPTH = 150
MAX_PARTS = 500
#: Mails within mails that are read; each is still one file of the mail around it.
MAX_ENCLOSED = 3
#: Bytes of one text part that are read.
_MAX_TEXT = 2_000_000
_DEEP = re.IGNORECASE | re.DOTALL
_HTML_START = re.compile(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body|div|p|table|meta)\b", _DEEP)
_TAGS = re.compile(
    r"</?(?:p|br|div|span|table|td|a|html|body|b|i|u|font|ul|li|h[1-6]|img|strong|em|pre|blockquote|center|hr|code|tt)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
# "Your mail client cannot display HTML", in a few languages.
_STUB = re.compile(
    r"(?=.*\bhtml\b).*\b(?:view|client|reader|support|display|browser|anzeig|affich|visuali|leer)", _DEEP
)
_STUB_LENGTH = 300
_TEXTS = {"text/plain", "text/html", "text/enriched", "text/richtext", "text/rtf"}
_TNEF = {"application/ms-tnef", "application/vnd.ms-tnef"}
# AMP is a third form of what HTML and text say already; a resource fork is nothing a person reads.
_METHOD = re.compile(rb"^METHOD:[ \t]{0,9}([A-Za-z-]{1,40})", re.IGNORECASE | re.MULTILINE)
#: An emoji that Gmail sends for its reader; the words beside it say so to others.
REACTION = "text/vnd.google.email-reaction+json"
_UNHEARD = {"text/x-amp-html", "application/applefile", REACTION}


@dataclass(frozen=True, slots=True)
class File:
    """What came along: a name (perhaps empty), the media type it declares, its contents."""

    name: str
    declared: str
    data: bytes = b""

    @property
    def content_type(self) -> str:
        """By content where that can be told: what a mail declares may be meant to deceive."""
        return content_type(self.declared, self.data)

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a part and what it was made from. `html` is the other form of a plain text that has one."""

    text: str = ""
    source: Source = "plain"
    files: tuple[File, ...] = ()
    html: str = ""


class Reader:
    """Reads one mail; counts parts, so that a hostile one ends."""

    def __init__(self) -> None:
        self._seen = 0
        self._enclosing = 0

    def read(self, part: Part, depth: int = 0) -> Body:
        """The message in `part` and what came along; beyond the limits the rest is left out."""
        self._seen += 1
        if self._seen > MAX_PARTS or depth > MAX_DEPTH:
            return Body()
        kind = part.get_content_type()
        children = _children(part)
        payload = "" if children or not kind.startswith("multipart/") else _payload(part)
        if isinstance(payload, str) and payload and (found := with_boundary(part, payload)):
            children = _children(found)
        if children and kind.startswith("multipart/"):
            return self._multipart(kind, children, depth)
        if children or kind.startswith("message/"):
            return self._enclosed(part, kind, depth)
        if kind.endswith("pkcs7-mime"):
            return self._smime(part, kind, depth)
        return _leaf(part, kind, alone=depth == 0)

    def _multipart(self, kind: str, children: list[Part], depth: int) -> Body:
        bodies = [self.read(child, depth + 1) for child in children]
        if kind == "multipart/report":
            # The explanation for people comes first; what follows is for machines (RFC 6522, section 3).
            return _joined(bodies[:1], bodies)
        if kind == "multipart/encrypted":
            return replace(_joined([], bodies), text=armour.ENCRYPTED)
        if kind == "multipart/alternative":
            return _best(bodies)
        if kind == "multipart/related":
            shown = next((body for body in bodies if body.text.strip()), Body())
            return _joined([shown], bodies)
        return _joined(bodies, bodies)

    def _smime(self, part: Part, kind: str, depth: int) -> Body:
        """An opaque signature speaks by what it signs (RFC 8551, section 3.5.2); anything else is encrypted."""
        data = _content(part)
        file = File(file_name(part), kind, data)
        inner = signed_data.content(data)
        if inner is None:
            certificates = parameter(part, "smime-type") == "certs-only"
            return Body("" if certificates else armour.ENCRYPTED, "aside", (file,))
        return self.read(BytesParser(policy=part.policy).parsebytes(inner), depth + 1)

    def _enclosed(self, part: Part, kind: str, depth: int) -> Body:
        """A message that came along as a file; it speaks itself where nothing else does."""
        inner = next(iter(_children(part)), None)
        text = ""
        if inner is not None and kind == "message/rfc822" and self._enclosing < MAX_ENCLOSED:
            self._enclosing += 1
            text = self.read(inner, depth + 1).text
            self._enclosing -= 1
        # After the recursion: a mail in a mail in a mail is in memory once, not once a level.
        return Body(text, "aside" if text else "plain", (_enclosed_file(part, kind, inner),))


def _joined(shown: list[Body], every: list[Body]) -> Body:
    speaking = [body for body in shown if body.text.strip()]
    speaking = [body for body in speaking if body.source != "aside"] or speaking
    source = next((body for body in speaking if body.source != "plain"), Body()).source
    files = tuple(file for body in every for file in body.files)
    others = [body.html or body.text for body in speaking] if any(body.html for body in speaking) else []
    return Body(_paragraphs([body.text for body in speaking]), source, files, _paragraphs(others))


def _paragraphs(texts: list[str]) -> str:
    return "\n\n".join(text.strip("\n") for text in texts)


def _best(bodies: list[Body]) -> Body:
    """The plain alternative, unless it is a mere stub; else the last, the richest (RFC 2046, section 5.1.4)."""
    speaking = [body for body in bodies if body.text.strip()]
    plain = [body for body in speaking if body.source == "plain"]
    html = [body for body in reversed(speaking) if body.source == "html"]
    told = [body for body in plain if not (html and _is_stub(body.text))]
    chosen = next(iter([*told, *html, *plain, *speaking]), Body())
    if html and chosen.source == "plain":
        chosen = replace(chosen, html=html[0].text)
    return _joined([chosen], bodies)


def _is_stub(text: str) -> bool:
    return len(text.strip()) < _STUB_LENGTH and bool(_STUB.search(text))


def _leaf(part: Part, kind: str, *, alone: bool) -> Body:
    if kind in _UNHEARD:
        return Body()
    data = _content(part)
    name = file_name(part)
    shown = part.get_content_disposition() != "attachment" and not name
    text_like = kind in _TEXTS or kind.startswith("multipart/")
    if kind == "text/calendar" and shown:
        return Body(_calendar(to_text(data[:_MAX_TEXT], _charset(part))), "aside", (File(name, kind, data),))
    if (shown and text_like) or (alone and not name and reads_as_text(data)):
        return _text(part, kind, data)
    if kind in _TNEF or data.startswith(tnef.SIGNATURE):
        return _unwrapped(name, kind, data)
    file = File(name, kind, data)
    if kind in _TEXTS and part.get_content_disposition() != "attachment":
        # A name alone does not make a file of the only text there is.
        return replace(_text(part, kind, data), source="aside", files=(file,))
    return Body(files=(file,))


def _unwrapped(name: str, kind: str, data: bytes) -> Body:
    """What Outlook wrapped; what can't be read stays one file."""
    found = tnef.unwrap(data)
    if found is None:
        return Body(files=(File(name, kind, data),))
    text = clean(html_text.to_text(found.html)) if found.html and not found.text.strip() else clean(found.text)
    return Body(text, "aside", tuple(_wrapped(file) for file in found.files))


def _wrapped(file: tnef.WrappedFile) -> File:
    return File(bare_name(file.name), one_line(file.content_type, 120) or "application/octet-stream", file.data)


def _text(part: Part, kind: str, data: bytes) -> Body:
    rich = rtf.read(data)
    if rich.text or rich.html:
        return Body(clean(html_text.to_text(rich.html) if rich.html else rich.text), "html")
    charset = _charset(part) or (told_by_html(data[:_MAX_TEXT]) if kind == "text/html" else None)
    text = clean(to_text(data[:_MAX_TEXT], charset)).replace(SIGNATURE_MARK, "")
    if kind == "text/enriched":
        # RFC 1896: commands in angle brackets, `<<` a literal one, single line ends are spaces.
        text = re.sub(r"<param>.{0,200}?</param>|<(?!<)[^<>]{1,60}>", "", text, flags=_DEEP).replace("<<", "<")
        return Body(re.sub(r"\n(\n*)", lambda ends: ends[1] or " ", text))
    if (kind == "text/html" and _TAGS.search(text)) or _HTML_START.match(text):
        return Body(clean(html_text.to_text(text)), "html")
    # Its writer was a program that escaped it, without one tag.
    text = html.unescape(text) if kind == "text/html" else text
    if parameter(part, "format") == "flowed":
        text = unflowed(text, del_sp=parameter(part, "delsp") == "yes")
    bare, files = armour.files_in(armour.disarmoured(text))
    return Body(bare, files=tuple(File(bare_name(name), "application/octet-stream", data) for name, data in files))


def _children(part: Part) -> list[Part]:
    payload = _payload(part)
    children = cast("list[Any]", payload) if isinstance(payload, list) else []
    return [cast("Part", child) for child in children if isinstance(child, Message)]


def _payload(part: Part) -> Any:
    """What the parser holds of a part; the library decodes it by the charset, and fails on one that is no charset."""
    try:
        return part.get_payload()
    except Exception:  # noqa: BLE001  idna, punycode, undefined, a NUL: whatever the label provokes
        part.del_param("charset")
        return part.get_payload()


def _content(part: Part) -> bytes:
    """A leaf's bytes without their transfer encoding; an encoding that was not applied is not undone."""
    raw = _payload(part)
    if not isinstance(raw, str):
        return b""
    if transfer_encoding(part) == "base64":
        until = encoded_until(raw)
        if until is None:
            return raw.encode("utf-8", "surrogateescape")
        if until < len(raw):
            part.set_payload(raw[:until])
    try:
        data: Any = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  broken uuencoding and the like
        data = None
    return data if isinstance(data, bytes) else raw.encode("utf-8", "replace")


def _charset(part: Part) -> str | None:
    try:
        return part.get_content_charset(None)
    except Exception:  # noqa: BLE001  a malformed parameter is no parameter
        return None


def _enclosed_file(part: Part, kind: str, inner: Part | None) -> File:
    """A message enclosed as a file: its subject is its name."""
    subject = decoded(unfold(str(inner.get("subject", "")))) if inner is not None else ""
    name = file_name(part) or (one_line(subject, 200) + ".eml" if subject else "")
    try:
        data = inner.as_bytes() if inner is not None else _content(part)
    except Exception:  # noqa: BLE001  what can be parsed leniently need not serialise
        data = b""
    return File(name, kind, data)


def calendar_method(part: Part) -> str:
    """The iTIP method of a calendar part (RFC 5546), in lower case: its parameter, or what its text says itself."""
    found = _METHOD.search(_content(part)[:_MAX_TEXT])
    return parameter(part, "method") or (found[1].decode("ascii").lower() if found else "")


def _calendar(text: str) -> str:
    """Summary, place and description of an invitation (RFC 5545), for a mail that says nothing else."""
    unfolded = re.sub(r"\n[ \t]", "", clean(text))
    lines = re.findall(r"^(?:SUMMARY|LOCATION|DESCRIPTION)(?:;[^:\n]*)?:(.*)$", unfolded, re.MULTILINE)
    return "\n".join(re.sub(r"\\[nN]", "\n", line).replace("\\,", ",").replace("\\;", ";") for line in lines)
