"""The parts of a mail: which of them is the message, and which came along with it.

Multipart types as RFC 2046 (section 5.1), RFC 2387 (related), RFC 1847 (signed) and RFC 3462
(report) define them; anything unknown is treated as mixed, as RFC 2046 asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any, Literal, TypeAlias, cast

from shared.channels.gmail import html_text
from shared.channels.gmail.charset import to_text
from shared.channels.gmail.flowed import unflowed
from shared.channels.gmail.headers import decoded, unfold
from shared.channels.plain_text import clean, one_line

Part: TypeAlias = "Message[Any, Any]"
Source: TypeAlias = Literal["plain", "html", "calendar"]

MAX_DEPTH = 150
MAX_PARTS = 500
#: Bytes of one text part that are read.
_MAX_TEXT = 2_000_000
_DEEP = re.IGNORECASE | re.DOTALL
_HTML_START = re.compile(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body|div|p|table|meta)\b", _DEEP)
_TAGS = re.compile(
    r"</?(?:p|br|div|span|table|td|a|html|body|b|i|font|ul|li|h[1-6]|img|strong|em)\b[^<>]*>", re.IGNORECASE
)
# "Your mail client cannot display HTML", in a few languages.
_STUB = re.compile(
    r"(?=.*\bhtml\b).*\b(?:view|client|reader|support|display|browser|anzeig|affich|visuali|leer)", _DEEP
)
_STUB_LENGTH = 300
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
)


@dataclass(frozen=True, slots=True)
class File:
    """What came along: a name (perhaps empty), its media type, its size in bytes, its place in the mail."""

    name: str
    content_type: str
    size: int
    index: int


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a part and what it was made from: `calendar` speaks only where nothing else does."""

    text: str = ""
    source: Source = "plain"
    files: tuple[File, ...] = ()


class Reader:
    """Reads one mail; counts parts, so that a hostile one ends."""

    def __init__(self) -> None:
        self._seen = 0

    def read(self, part: Part, depth: int = 0) -> Body:
        """The message in `part` and what came along; beyond the limits the rest is left out."""
        self._seen += 1
        index = self._seen
        if self._seen > MAX_PARTS or depth > MAX_DEPTH:
            return Body()
        kind = part.get_content_type()
        children = _children(part)
        if children and kind.startswith("multipart/"):
            return self._multipart(kind, children, depth)
        if children or kind.startswith("message/"):
            return Body(files=(_enclosed(part, kind, index),))
        return _leaf(part, kind, index, alone=depth == 0)

    def _multipart(self, kind: str, children: list[Part], depth: int) -> Body:
        if kind == "multipart/report":
            # The explanation for people comes first; what follows is for machines (RFC 6522, section 3).
            bodies = [self.read(child, depth + 1) for child in children]
            return _joined(bodies[:1], bodies)
        bodies = [self.read(child, depth + 1) for child in children]
        if kind == "multipart/alternative":
            return _best(bodies)
        if kind == "multipart/related":
            shown = next((body for body in bodies if body.text.strip()), Body())
            return _joined([shown], bodies)
        return _joined(bodies, bodies)


def _joined(shown: list[Body], every: list[Body]) -> Body:
    speaking = [body for body in shown if body.text.strip()]
    speaking = [body for body in speaking if body.source != "calendar"] or speaking
    source: Source = next((body for body in speaking if body.source != "plain"), Body()).source
    texts = [body.text.strip("\n") for body in speaking]
    return Body("\n\n".join(texts), source, tuple(file for body in every for file in body.files))


def _best(bodies: list[Body]) -> Body:
    """The plain alternative, unless it is a mere stub; else the last, the richest (RFC 2046, section 5.1.4)."""
    speaking = [body for body in bodies if body.text.strip()]
    plain = [body for body in speaking if body.source == "plain"]
    html = [body for body in reversed(speaking) if body.source == "html"]
    told = [body for body in plain if not (html and _is_stub(body.text))]
    chosen = next(iter([*told, *html, *plain, *speaking]), Body())
    return _joined([chosen], bodies)


def _is_stub(text: str) -> bool:
    return len(text.strip()) < _STUB_LENGTH and bool(_STUB.search(text))


def _leaf(part: Part, kind: str, index: int, *, alone: bool) -> Body:
    data = _content(part)
    name = file_name(part)
    shown = part.get_content_disposition() != "attachment" and not name
    text_like = kind in {"text/plain", "text/html", "text/enriched", "text/richtext"} or kind.startswith("multipart/")
    if (shown and text_like) or (alone and not name and _reads_as_text(data)):
        return _text(part, kind, data)
    file = File(name, _content_type(kind, data), len(data), index)
    if kind == "text/calendar" and shown:
        return Body(_calendar(to_text(data[:_MAX_TEXT], _charset(part))), "calendar", (file,))
    return Body(files=(file,))


def _text(part: Part, kind: str, data: bytes) -> Body:
    text = clean(to_text(data[:_MAX_TEXT], _charset(part)))
    if kind == "text/enriched":
        # RFC 1896: commands in angle brackets, `<<` a literal one, single line ends are spaces.
        text = re.sub(r"<param>.{0,200}?</param>|<(?!<)[^<>]{1,60}>", "", text, flags=_DEEP).replace("<<", "<")
        return Body(re.sub(r"\n(\n*)", lambda ends: ends[1] or " ", text))
    if (kind == "text/html" and _TAGS.search(text)) or _HTML_START.match(text):
        return Body(clean(html_text.to_text(text)), "html")
    if _parameter(part, "format") == "flowed":
        text = unflowed(text, del_sp=_parameter(part, "delsp") == "yes")
    return Body(text)


def file_name(part: Part) -> str:
    """The name a part was given, RFC 2231 or RFC 2047 encoded or bare; without folders, at most 255 characters."""
    try:
        name = part.get_filename("") or ""
    except Exception:  # noqa: BLE001  the library trips over malformed RFC 2231 parameters
        name = ""
    shown = one_line(decoded(name).encode("utf-8", "replace").decode(), 2000)
    return shown.replace("\\", "/").rsplit("/", 1)[-1].strip()[-255:]


def _children(part: Part) -> list[Part]:
    payload: Any = part.get_payload()
    children = cast("list[Any]", payload) if isinstance(payload, list) else []
    return [cast("Part", child) for child in children if isinstance(child, Message)]


def _content(part: Part) -> bytes:
    """A leaf's bytes without their transfer encoding; an encoding that was not applied is not undone."""
    raw: Any = part.get_payload()
    if not isinstance(raw, str):
        return b""
    encoding = unfold(str(part.get("content-transfer-encoding", ""))).lower()
    if encoding == "base64" and not _BASE64.fullmatch(raw[:4096]):
        return raw.encode("utf-8", "surrogateescape")
    try:
        data: Any = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001  broken uuencoding and the like
        data = None
    return data if isinstance(data, bytes) else raw.encode("utf-8", "replace")


def _parameter(part: Part, name: str) -> str:
    try:
        return str(part.get_param(name) or "").lower()
    except Exception:  # noqa: BLE001  as above
        return ""


def _charset(part: Part) -> str | None:
    try:
        return part.get_content_charset(None)
    except Exception:  # noqa: BLE001  a malformed parameter is no parameter
        return None


def _reads_as_text(data: bytes) -> bool:
    try:
        head = data[:4096].decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if error.start < len(data[:4096]) - 4:
            return False
        head = data[: error.start].decode("utf-8", "replace")
    return bool(head.strip()) and "\x00" not in head


def _content_type(declared: str, data: bytes) -> str:
    """By content where that is plain to see: what a mail declares may be meant to deceive."""
    found = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if found is None or (found == "application/zip" and declared.startswith("application/vnd.")):
        return declared[:120]
    return found


def _enclosed(part: Part, kind: str, index: int) -> File:
    """A message enclosed as a file: its subject is its name."""
    inner = next(iter(_children(part)), None)
    subject = decoded(unfold(str(inner.get("subject", "")))) if inner is not None else ""
    name = file_name(part) or (one_line(subject, 200) + ".eml" if subject else "")
    try:
        size = len(inner.as_bytes()) if inner is not None else len(_content(part))
    except Exception:  # noqa: BLE001  what can be parsed leniently need not serialise
        size = 0
    return File(name, kind[:120], size, index)


def _calendar(text: str) -> str:
    """Summary, place and description of an invitation (RFC 5545), for a mail that says nothing else."""
    unfolded = re.sub(r"\n[ \t]", "", clean(text))
    lines = re.findall(r"^(?:SUMMARY|LOCATION|DESCRIPTION)(?:;[^:\n]*)?:(.*)$", unfolded, re.MULTILINE)
    return "\n".join(re.sub(r"\\[nN]", "\n", line).replace("\\,", ",").replace("\\;", ";") for line in lines)
