"""Twilio's webhook parameters as an InboundMessage.

The parameters are those of twilio.com/docs/messaging/guides/webhook-request. What is not text is told
in words, in brackets, so that whoever answers knows of it; what needs no answer says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from shared.channels.addresses import normalise_phone
from shared.channels.message import Attachment, Channel, InboundMessage, Sender, Trust, WhatsAppFacts
from shared.channels.plain_text import cut, is_blank, one_line
from shared.channels.whatsapp.commands import command_of
from shared.channels.whatsapp.content import EDITED, attachments, kind_of, words
from shared.errors import Rejected

#: Far above what WhatsApp lets a person type (65,536), and small enough for one event.
MAX_TEXT = 100_000

_PREFIX = "whatsapp:"
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# A business-scoped user id stands in From where a user shows a name instead of a number.
_BSUID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
_DELETED = {"delete", "deleted", "revoke", "revoked"}
_NEEDS_NO_ANSWER = {"reaction": "reaction", **dict.fromkeys(_DELETED, "deleted")}
# START is not here: whether it means anything, the inbox knows.
_OF_COMMANDS = {"stop": "opt-out", "help": "help"}


def inbound_message(fields: Mapping[str, str], received_at: datetime, own_sender: str = "") -> InboundMessage:
    """One message of one person; `own_sender` is our number, E.164 or `whatsapp:+…`.

    Twilio's signature vouches for the number, so its trust is verified; a From that is not WhatsApp's
    is refused, since caller ids of text messages can be forged. The answer goes to `sender.address`,
    the number in E.164 (as Twilio wrote it where numbering plans have given that form up);
    `thread`, as Twilio wrote it, keeps what is written to one route together.

    Raises Rejected (422) naming the parameter: MessageSid, From, or MessageStatus when it is a
    status callback that came to the wrong URL.
    """
    _require_a_message(fields)
    number = _written(fields.get("From", ""))
    files = attachments(fields)
    text = cut(words(fields, files), MAX_TEXT)
    facts = _facts(fields, files)
    return InboundMessage(
        channel=Channel.WHATSAPP,
        provider_message_id=_sid(fields),
        received_at=received_at,
        sender=_sender(number, fields.get("ProfileName", "")),
        thread=number,
        subject="",
        text=text,
        quoted="",
        ignored=_ignored(fields, number, own_sender, text, files) or _OF_COMMANDS.get(facts.command, ""),
        attachments=files,
        whatsapp=facts,
    )


def _require_a_message(fields: Mapping[str, str]) -> None:
    if fields.get("MessageStatus", "received").lower() not in {"received", "receiving"}:
        message = "status callbacks belong to the webhook's URL with /status"
        raise Rejected(message, status=422, reason="not-a-message", field="MessageStatus")


def _sid(fields: Mapping[str, str]) -> str:
    sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid", "")
    if not _SID.fullmatch(sid):
        raise _malformed("MessageSid")
    return sid


def _written(sender: str) -> str:
    """The number, or user id, as Twilio wrote it."""
    prefix, bare = sender[: len(_PREFIX)], sender[len(_PREFIX) :].strip()
    if prefix.lower() != _PREFIX or not (_E164.fullmatch(bare) or _BSUID.fullmatch(bare)):
        raise _malformed("From")
    return bare


def _sender(number: str, profile_name: str) -> Sender:
    return Sender(
        kind="phone",
        address=_looked_up(number),
        name=one_line(profile_name, 200),
        trust=Trust.VERIFIED,
        trust_reason="signed-webhook",
    )


def _looked_up(number: str) -> str:
    if not number.startswith("+"):
        return number
    try:
        return normalise_phone(number)
    except Rejected:
        # WhatsApp keeps forms that numbering plans have given up (Mexico's +52 1 …): a person wrote all the same.
        return number


def _facts(fields: Mapping[str, str], files: tuple[Attachment, ...]) -> WhatsAppFacts:
    """Twilio writes false, true and nothing at all for what is not forwarded."""
    kind, original = kind_of(fields), _other_sid(fields, "OriginalMessageSid")
    command = command_of(fields) if kind not in EDITED and kind not in _NEEDS_NO_ANSWER else None
    if files and command is not None and not (command.settled and command.word == "stop"):
        # A file makes it a message, unless Twilio has blocked the number already.
        command = None
    often = fields.get("FrequentlyForwarded", "").strip().lower() == "true"
    return WhatsAppFacts(
        command=command.word if command else "",
        language=command.language if command else "",
        settled=command.settled if command else False,
        replies_to=_other_sid(fields, "OriginalRepliedMessageSid"),
        edits=original if kind in EDITED else "",
        deletes=original if kind in _DELETED else "",
        forwarded="often" if often else "once" if fields.get("Forwarded", "").strip().lower() == "true" else "",
    )


def _other_sid(fields: Mapping[str, str], name: str) -> str:
    """The id of another message; one that is malformed is none, and costs nobody this message."""
    sid = fields.get(name, "").strip()
    return sid if _SID.fullmatch(sid) else ""


def _ignored(fields: Mapping[str, str], number: str, own_sender: str, text: str, files: tuple[Attachment, ...]) -> str:
    if own_sender and _looked_up(number) == _looked_up(own_sender.removeprefix(_PREFIX).strip()):
        return "own-message"
    return _NEEDS_NO_ANSWER.get(kind_of(fields), "empty" if is_blank(text) and not files else "")


def _malformed(name: str) -> Rejected:
    return Rejected(f"{name} is missing or malformed", status=422, reason="bad-message", field=name)
