"""A reply as RFC 5322 bytes: the same reply always makes the same bytes.

Headers are set through email.message, which folds and encodes them (RFC 2047); what goes into them
is put on one line first, so that no name or subject can start a header of its own.
"""

from __future__ import annotations

import hashlib
import html
import re
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from shared.channels.message import EmailHeaders
from shared.channels.plain_text import clean, cut, one_line
from shared.channels.provider import Outbound
from shared.settings import Settings

#: Names the delivery in the sent mail: how a lost answer of Gmail's is reconciled.
DELIVERY_HEADER = "X-FTE-Delivery"
MAX_QUOTED = 20_000
_MAX_REFERENCES = 20
_MSG_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")
# Only prefixes that Gmail too takes for "Re:", or the reply would leave its thread.
_REPLY_PREFIX = re.compile(r"^\s*(?:re|aw|sv|antw)(?:\[\d+\])?\s*[:：]\s*", re.IGNORECASE)
# What mail programs put before a subject, of replies and of forwards, in the languages they write it in.
_PREFIX = re.compile(
    r"^\s*((?:re|aw|sv|antw|res|rif|r|vs|odp|ynt|bls|vá|отв|на|απ|fwd?|wg|tr|rv|enc|i|vb|vl|pd|doorst|ilt"
    r"|回复|答复|回覆|返信|转发|轉寄|転送|회신|전달|رد|الرد)(?:\[\d+\])?\s*[:：]\s*)",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def compose(outbound: Outbound, settings: Settings) -> bytes:
    """The mail of one reply: text and HTML, in its thread, the original quoted below."""
    # A local part beyond ASCII has no encoded form: RFC 6532 sends it as UTF-8.
    utf8 = not outbound.to.rpartition("@")[0].isascii()
    mail = EmailMessage(policy=SMTP.clone(utf8=utf8, header_factory=_registry()))
    mail["From"] = _address(settings.support_team_name, settings.gmail_mailbox)
    mail["To"] = _address(outbound.to_name, outbound.to)
    mail["Subject"] = one_line(outbound.own_subject, 900) or reply_subject(outbound.subject)
    mail["Date"] = format_datetime(outbound.created_at)
    mail["Message-ID"] = message_id(outbound.delivery_id, settings.gmail_mailbox)
    _thread(mail, outbound.in_reply_to)
    if outbound.author == "agent":
        # RFC 3834, section 5; a person's words are no automatic reply.
        mail["Auto-Submitted"] = "auto-replied"
    mail[DELIVERY_HEADER] = one_line(outbound.delivery_id, 64)
    original = cut(clean(outbound.quoted).strip(), MAX_QUOTED)
    intro = _attribution(outbound) if original else ""
    answer = clean(outbound.text).strip()
    mail.set_content(_as_text(answer, intro, original), cte="quoted-printable")
    mail.add_alternative(_as_html(answer, intro, original), subtype="html", cte="quoted-printable")
    mail.set_boundary("=_fte_" + hashlib.sha256(outbound.delivery_id.encode()).hexdigest()[:32])
    return mail.as_bytes()


def reply_subject(subject: str) -> str:
    """`Re:` exactly once, whatever chain of prefixes the subject came with; other languages' and forwards' stay."""
    bare, kept = one_line(subject, 900), ""
    while found := _PREFIX.match(bare):
        kept += "" if _REPLY_PREFIX.match(found[1]) else found[1]
        bare = bare[found.end() :]
    return f"Re: {kept}{bare}".rstrip()


def message_id(delivery_id: str, mailbox: str) -> str:
    """Deterministic: a delivery has one Message-ID, however often it is tried."""
    left = re.sub(r"[^A-Za-z0-9.-]", "", delivery_id)
    return f"<fte.{left}@{_ascii_domain(mailbox)}>"


def _thread(mail: EmailMessage, original: EmailHeaders | None) -> None:
    """In-Reply-To and References (RFC 5322, section 3.6.4)."""
    if original is None or not _MSG_ID.fullmatch(original.message_id):
        return
    mail["In-Reply-To"] = original.message_id
    known = [ref for ref in original.references if _MSG_ID.fullmatch(ref) and ref != original.message_id]
    chain = known if len(known) < _MAX_REFERENCES else known[:1] + known[2 - _MAX_REFERENCES :]
    mail["References"] = " ".join([*chain, original.message_id])


class _MessageIds(UniqueUnstructuredHeader):
    """One id a line, never encoded: the library would make encoded words of ids longer than a line."""

    def fold(self, *, policy: Any) -> str:
        name = self.name  # pyright: ignore[reportAttributeAccessIssue]
        return f"{name}:" + "".join(f" {one}{policy.linesep}" for one in str(self).split())


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("in-reply-to", "references"):
        registry.map_to_type(name, _MessageIds)  # pyright: ignore[reportArgumentType]
    return registry


def _address(name: str, address: str) -> Address:
    local, _, _ = address.strip().rpartition("@")
    return Address(one_line(name, 200), local.removeprefix('"').removesuffix('"'), _ascii_domain(address))


def _ascii_domain(address: str) -> str:
    domain = one_line(address, 320).rpartition("@")[2]
    return domain if domain.isascii() else domain.encode("idna").decode()


def _attribution(outbound: Outbound) -> str:
    who = one_line(outbound.to_name, 100) or outbound.to
    return f"On {_day(outbound.quoted_at)}, {who} wrote:" if outbound.quoted_at else f"{who} wrote:"


def _day(at: datetime) -> str:
    return at.strftime("%a, %d %b %Y at %H:%M %Z").strip()


def _as_text(answer: str, intro: str, original: str) -> str:
    if not original:
        return f"{answer}\n"
    quoted = "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in original.split("\n"))
    return f"{answer}\n\n{intro}\n\n{quoted}\n"


def _as_html(answer: str, intro: str, original: str) -> str:
    paragraphs = "\n".join(f"<p>{_linked(part)}</p>" for part in re.split(r"\n{2,}", answer) if part.strip())
    quote = ""
    if original:
        style = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"
        quote = (
            f'<div class="gmail_quote"><div>{html.escape(intro)}</div>\n'
            f'<blockquote class="gmail_quote" style="{style}">{_lines(html.escape(original))}</blockquote></div>\n'
        )
    return f'<!DOCTYPE html>\n<html><body><div dir="auto">\n{paragraphs}\n</div>\n{quote}</body></html>\n'


def _linked(text: str) -> str:
    """Escaped text with its web addresses as links."""
    shown: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        href = html.escape(link[0])
        shown += [html.escape(text[end : link.start()]), f'<a href="{href}">{href}</a>']
        end = link.end()
    return _lines("".join(shown) + html.escape(text[end:]))


def _lines(escaped: str) -> str:
    return escaped.replace("\n", "<br>\n")
