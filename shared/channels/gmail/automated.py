"""Why a mail is not to be answered: it came from a machine, a list, or from ourselves.

RFC 3834 (section 2) says what a responder must leave alone; the rest is what mailers really send.
Two robots that answer each other never stop, so a doubt about a header decides for silence; a doubt
about a text does not.
"""

from __future__ import annotations

import re

from shared.channels.gmail.absence import ABSENT_SUBJECT, AUTOMATIC_SUBJECT, AWAY, HEARD, UNTIL, URGENT
from shared.channels.gmail.message import ParsedMail
from shared.channels.gmail.phrases import any_of

_UNREAD = any_of(r"""
(?:no|do[-_.]?not|dont|never)[-_.]?reply | ne[-_.]?pas[-_.]?repondre | (?:bitte[-_.]?)?nicht[-_.]?antworten
no[-_.]?(?:responder|responda|contestar) | n[aã]o[-_.]?respond(?:er|a) | non[-_.]?rispondere
niet[-_.]?(?:beantwoorden|antwoorden) | geen[-_.]?antwoord | nie[-_.]?odpowiada[jcć] | (?:svar[-_.]?ej|inte[-_.]?svara)
mailer[-_]?daemon | post[-_]?master | auto-?(?:reply|responder|mailer) | listserv | majordomo | mailman
""")
_ROBOTS = re.compile(
    rf"^{_UNREAD}\d*(?:[-+_.=].*)?$"
    # Words that names are made of, too: the whole of it, or with what only programs append.
    r"|^(?:nobody|daemon|bounces?|cron|notifications?)(?:\d*|[+=].*|[-_](?=.*\d).*)$"
    r"|^owner-.+|.-bounces?(?:[-+=].*)?$"
    r"|[-_.+](?:no-?reply|do-?not-?reply)\d*$",
    re.IGNORECASE,
)
# A list's own mailboxes; without a list's headers they are what shops and teams call theirs.
_LISTS = re.compile(r".-(?:owner|request|relay)(?:[-+_.=].*)?$", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_REPLY_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponse",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-fc-machinegenerated",
)
_LIST_HEADERS = (
    "list-id", "list-post", "list-unsubscribe", "list-help", "list-subscribe", "list-owner", "list-archive",
    "x-mailing-list", "mailing-list", "x-mailman-version", "x-beenthere", "x-mlserver",
)  # fmt: skip
# Outlook.com's feedback loop: no report by its type, only by its subject.
_COMPLAINT = re.compile(r"\s*complaint about message from [0-9a-f.:]{7,45}\s*$", re.IGNORECASE)
# An absence note is short, and says so at once.
_NOTE = 1500
_HEAD = 500
_SENTENCE = re.compile(r"(?<=[.!?？؟。\n])")
_MARKS = "?？؟"
_SUPPRESS = re.compile(r"\b(?:all|oof|autoreply)\b", re.IGNORECASE)


def reason_not_to_answer(mail: ParsedMail, own_addresses: frozenset[str]) -> str | None:
    """A short word, such as `auto-submitted`, or None for a mail that a person may have written.

    `own_addresses` are the mailbox and its aliases in lower case; their `+tag` forms are ours too.
    """
    checks = (_report(mail), _own(mail, own_addresses), _declared(mail), _robot(mail), _listed(mail), _noted(mail))
    return next((reason for reason in checks if reason), None)


def _own(mail: ParsedMail, own: frozenset[str]) -> str | None:
    """Our own mail come back would be answered by its own answer, and so on."""
    if any(_untagged(sender.address) in own for sender in mail.senders) or mail.headers.first("x-fte-delivery"):
        return "own-address"
    return None


def _report(mail: ParsedMail) -> str | None:
    """Delivery reports and receipts (RFC 6522, RFC 3464, RFC 8098)."""
    if mail.content_type == "multipart/report" or mail.headers.first("x-failed-recipients") or mail.report:
        return "read-receipt" if mail.report_type == "disposition-notification" else "delivery-report"
    bare = mail.content_type in {"message/delivery-status", "message/disposition-notification"}
    if bare or _COMPLAINT.match(mail.subject):
        return "delivery-report"
    if mail.calendar_method in {"reply", "counter", "declinecounter"}:
        return "calendar-reply"
    return "null-return-path" if _is_null(mail.headers.first("return-path")) else None


def _declared(mail: ParsedMail) -> str | None:
    headers = mail.headers
    submitted = [re.split(r"[\s;(]", value, maxsplit=1)[0].lower() for value in headers.all("auto-submitted")]
    if any(value not in {"no", ""} for value in submitted):
        return "auto-submitted"
    if any(value.split(",")[0].strip().lower() in _BULK for value in headers.all("precedence")):
        return "precedence"
    if any(_SUPPRESS.search(value) for value in headers.all("x-auto-response-suppress")):
        return "auto-response-suppress"
    declared = (headers.first(name).lower() for name in _REPLY_HEADERS)
    return "auto-submitted" if any(value not in {"", "no", "none", "false"} for value in declared) else None


def _listed(mail: ParsedMail) -> str | None:
    return "mailing-list" if any(name in mail.headers.names() for name in _LIST_HEADERS) else None


def _robot(mail: ParsedMail) -> str | None:
    """A sender that nobody reads (RFC 2142, and what everybody calls such mailboxes)."""
    if not mail.senders:
        return "no-sender"
    local = mail.senders[0].address.rpartition("@")[0].strip('"')
    if _ROBOTS.search(local) or (_LISTS.search(local) and _from_list(mail)):
        return "robot-sender"
    return None


def _from_list(mail: ParsedMail) -> bool:
    return any(name == "precedence" or name.startswith("list-") for name in mail.headers.names())


def _noted(mail: ParsedMail) -> str | None:
    # An absence note is the answer to a mail; what begins a thread is mostly a person's question about absences. Not
    # every program tells which mail: then subject and text must both say so.
    titled = AUTOMATIC_SUBJECT.match(mail.subject) or ABSENT_SUBJECT.match(mail.subject)
    noted = _is_entitled(mail) or _is_absence_note(mail) if mail.references else titled and _is_absence_note(mail)
    if noted:
        return "out-of-office"
    return "empty" if mail.is_empty else None


def _is_entitled(mail: ParsedMail) -> bool:
    """By its subject, as long as the text is not what a customer of ours says about that very feature."""
    if AWAY.search(mail.new_text[:_HEAD]):
        return bool(AUTOMATIC_SUBJECT.match(mail.subject) or ABSENT_SUBJECT.match(mail.subject))
    if HEARD.search(mail.new_text):
        return False
    asks = _asks(mail.subject) or _asks(mail.new_text)
    return bool(AUTOMATIC_SUBJECT.match(mail.subject) or (not asks and ABSENT_SUBJECT.match(mail.subject)))


def _is_absence_note(mail: ParsedMail) -> bool:
    """A short answer that begins with an absence and its end: not every program has headers.

    People write that, too, so it must quote nothing, ask nothing and speak of nothing else. In doubt it is
    answered: the loop guard ends it after one answer, while a person would never be heard.
    """
    text, head = mail.new_text, mail.new_text[:_HEAD]
    doubtful = len(text) > _NOTE or mail.quoted or _asks(text) or HEARD.search(text)
    return not doubtful and bool(AWAY.search(head)) and bool(UNTIL.search(head))


def _asks(text: str) -> bool:
    sentences = _SENTENCE.split(text)
    return any(sentence[-1:] in _MARKS and not URGENT.search(sentence) for sentence in sentences if sentence)


def _is_null(return_path: str) -> bool:
    return re.sub(r"\s", "", return_path) == "<>"


def _untagged(address: str) -> str:
    local, _, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
