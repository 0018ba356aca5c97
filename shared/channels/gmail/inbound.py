"""One mail of the mailbox as the message the system works with."""

from __future__ import annotations

from dataclasses import dataclass

from shared.channels.addresses import normalise_email
from shared.channels.files import MAX_FILES, facts
from shared.channels.gmail.authentication import Verdict, judge
from shared.channels.gmail.automated import reason_not_to_answer
from shared.channels.gmail.headers import decoded
from shared.channels.gmail.message import ParsedMail, parse
from shared.channels.gmail.parts import File
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.gmail.reports import Report
from shared.channels.message import Attachment, Channel, EmailHeaders, InboundMessage, Sender, Trust
from shared.channels.plain_text import cut, is_blank, one_line
from shared.errors import Rejected
from shared.settings import Settings

#: Stands for a sender who can't be answered; `.invalid` never resolves (RFC 2606, section 2).
NOBODY = "nobody@sender.invalid"
_MAX_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class Understood:
    """What the system makes of a mail: its parts, who is believed to write, and why not to answer it."""

    mail: ParsedMail
    verdict: Verdict
    address: str
    ignored: str


def understand(raw: bytes, settings: Settings) -> Understood:
    """Parse a mail and judge it. Never raises on any bytes."""
    mail = parse(raw)
    verdict = judge(mail.headers, mail.senders, mail.sound_from, settings.gmail_authserv_id)
    ignored = reason_not_to_answer(mail, own_addresses(settings)) or ""
    address = _address(mail)
    if address is None:
        return Understood(mail, Verdict(Trust.CLAIMED, verdict.reason), NOBODY, ignored or "no-sender")
    return Understood(mail, verdict, address, ignored)


def own_addresses(settings: Settings) -> frozenset[str]:
    """The mailbox and its aliases, in lower case."""
    return frozenset(address.strip().lower() for address in (settings.gmail_mailbox, *settings.gmail_aliases))


@dataclass(frozen=True, slots=True)
class Read:
    """A mail's message, and the contents of its attachments in their order; None for those that are refused."""

    message: InboundMessage
    contents: tuple[bytes | None, ...] = ()
    report: Report | None = None


def to_inbound(source: RawMail, settings: Settings) -> InboundMessage:
    """The message of one mail. Never raises: what can't be understood is still a message, if an empty one."""
    return read_mail(source, settings).message


def read_mail(source: RawMail, settings: Settings) -> Read:
    """The message of one mail with what came along; works for tenths of a second on a large one. Never raises."""
    found = understand(source.raw, settings)
    mail = found.mail
    attachments = tuple(_attachment(number, file) for number, file in enumerate(mail.files))
    message = InboundMessage(
        channel=Channel.EMAIL,
        provider_message_id=source.id,
        received_at=source.received_at,
        sender=_sender(found),
        thread=source.thread_id,
        subject=_utf8(mail.subject),
        text=cut(_utf8(mail.new_text), 200_000),
        quoted=cut(_utf8(mail.quoted), 200_000),
        ignored=found.ignored,
        attachments=attachments,
        email=EmailHeaders(
            gmail_thread_id=source.thread_id,
            message_id=mail.message_id,
            references=mail.references,
            date=_utf8(mail.date),
            cc=_listed(mail, "cc"),
            reply_to=_listed(mail, "reply-to"),
            about_delivery=mail.report.delivery_id if mail.report else "",
        ),
    )
    kept = zip(attachments, mail.files, strict=True)
    return Read(message, tuple(None if file.refused else source.data for file, source in kept), mail.report)


def _listed(mail: ParsedMail, name: str) -> str:
    """Cc and Reply-To as written: an operator sees them, nobody is answered there."""
    return one_line(_utf8(decoded(", ".join(mail.headers.all(name)))), 1000)


def _sender(found: Understood) -> Sender:
    name = found.mail.senders[0].name if found.mail.senders else ""
    return Sender(
        kind="email",
        address=found.address,
        name="" if is_blank(name) else _utf8(one_line(name, 400)),
        trust=found.verdict.trust,
        trust_reason=found.verdict.reason,
    )


def _address(mail: ParsedMail) -> str | None:
    """The look-up form of the first address in From; Reply-To and Cc are never who is answered."""
    if not mail.senders:
        return None
    try:
        address = normalise_email(mail.senders[0].address)
    except Rejected:
        return None
    return address if len(address) <= _MAX_ADDRESS else None


def _attachment(number: int, file: File) -> Attachment:
    """Its facts; beyond the limits of shared.channels.files it is named and not kept."""
    if number < MAX_FILES:
        return facts(file.name, file.declared, file.data)
    return Attachment(
        name=_utf8(file.name)[:255], content_type=_utf8(file.content_type)[:120], size=file.size, refused="too-many"
    )


def _utf8(text: str) -> str:
    """Without what UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
