"""A customer's WhatsApp message on its way to our webhook (www.twilio.com/docs/messaging/guides/webhook-request)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from xml.etree import ElementTree

import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.local.simulators.twilio.account import Account, new_sid
from shared.local.simulators.twilio.caller import Caller
from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.reports import Reports
from shared.local.simulators.twilio.resource import API_VERSION, account_path
from shared.local.simulators.twilio.rows import MediaRow, MessageRow

NO_ANSWER = 502  # what Twilio's debugger shows for a webhook that could not be reached
_NUMBER = re.compile(r"^(whatsapp:)?\+?[1-9]\d{6,14}$")


class Attachment(BaseModel):
    """A file that comes with a message."""

    content_type: str
    base64: str

    @field_validator("base64")
    @classmethod
    def _decodes(cls, value: str) -> str:
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
        return value


class PhoneNumber(BaseModel):
    """`from`: a number, bare or with `whatsapp:`."""

    sender: str = Field(alias="from")

    @field_validator("sender")
    @classmethod
    def _channel_address(cls, value: str) -> str:
        if not _NUMBER.match(value):
            raise ValueError("not a phone number")
        return "whatsapp:+" + value.removeprefix("whatsapp:").lstrip("+")


class Incoming(PhoneNumber):
    """What `POST /_control/inbound` takes; `params` adds to or replaces the form's fields, a list repeats one."""

    model_config = ConfigDict(extra="forbid")

    body: str = ""
    profile_name: str = ""
    media: list[Attachment] = []
    message_sid: str | None = Field(None, min_length=1, max_length=64)
    params: dict[str, str | list[str]] = {}


class Webhook:
    """The account's incoming side."""

    def __init__(self, config: TwilioConfig, account: Account, caller: Caller, reports: Reports) -> None:
        self._config = config
        self._account = account
        self._caller = caller
        self._reports = reports

    async def deliver(self, incoming: Incoming, base_url: str) -> dict[str, object]:
        """Store the message and call the webhook: {sid, status_code}, with `error` and 502 when nothing answered.

        `reason` and `message` are those of a refusal that gives them.
        """
        sid = incoming.message_sid or new_sid("MM" if incoming.media else "SM")
        self._account.receive(self._row(sid, incoming), self._media(sid, incoming))
        await self._account.save()
        answer = await self._caller.post(self._caller.public_url, self._form(sid, incoming, base_url))
        if answer is None:
            return {"sid": sid, "status_code": NO_ANSWER, "error": "the webhook gave no answer"}
        for text in replies(answer):
            self._reports.follow(self._account.reply(incoming.sender, text))
        return {"sid": sid, "status_code": answer.status_code, **_said_why(answer)}

    def _row(self, sid: str, incoming: Incoming) -> MessageRow:
        now = self._account.now()
        return MessageRow(
            id=sid,
            direction="inbound",
            sender=incoming.sender,
            to=self._config.sender,
            body=incoming.body,
            status="received",
            created=now,
            updated=now,
            sent=now,
            num_media=len(incoming.media),
        )

    def _media(self, sid: str, incoming: Incoming) -> list[MediaRow]:
        now = self._account.now()
        return [
            MediaRow(id=new_sid("ME"), message_sid=sid, content_type=part.content_type, data=part.base64, created=now)
            for part in incoming.media
        ]

    def _form(self, sid: str, incoming: Incoming, base_url: str) -> list[tuple[str, str]]:
        media = self._media_fields(sid, base_url)
        digits = incoming.sender.removeprefix("whatsapp:+")
        context = {"ProfileName": incoming.profile_name, "WaId": digits}
        fields: dict[str, str | list[str]] = {
            "SmsMessageSid": sid,
            "NumMedia": str(len(media) // 2),
            "ProfileName": incoming.profile_name,
            "MessageType": _message_type(media),
            "SmsSid": sid,
            "WaId": digits,
            "SmsStatus": "received",
            "Body": incoming.body,
            "To": self._config.sender,
            "NumSegments": "1",
            "ReferralNumMedia": "0",
            "MessageSid": sid,
            "AccountSid": self._config.account_sid,
            "ChannelMetadata": json.dumps({"type": "whatsapp", "data": {"context": context}}, separators=(",", ":")),
            "From": incoming.sender,
            "ApiVersion": API_VERSION,
        }
        fields |= media | incoming.params
        return [(name, one) for name, value in fields.items() for one in ([value] if isinstance(value, str) else value)]

    def _media_fields(self, sid: str, base_url: str) -> dict[str, str]:
        attached = [media for media in self._account.media if media.message_sid == sid]
        base = f"{base_url}{account_path(self._config.account_sid)}/Messages/{sid}/Media"
        fields: dict[str, str] = {}
        for index, media in enumerate(attached):
            fields |= {f"MediaContentType{index}": media.content_type, f"MediaUrl{index}": f"{base}/{media.id}"}
        return fields


def _said_why(answer: httpx.Response) -> dict[str, object]:
    """Why our webhook refused, in its own words."""
    try:
        error: Any = {} if answer.is_success else answer.json()["error"]
        return {name: str(error[name]) for name in ("reason", "message") if name in error}
    except (ValueError, TypeError, KeyError):
        return {}


def replies(answer: httpx.Response) -> list[str]:
    """The messages that a webhook's answer asks Twilio to send: plain text as it is, or TwiML's <Message>.

    Source: www.twilio.com/docs/messaging/twiml#twilios-response — a webhook that answers `OK` in text/plain
    sends "OK" to the customer.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.is_success or not answer.text.strip():
        return []
    if kind == "text/plain":
        return [answer.text]
    return _twiml_messages(answer.text) if kind in ("text/xml", "application/xml", "text/html") else []


def _twiml_messages(text: str) -> list[str]:
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 — the answer of our own webhook
    except ElementTree.ParseError:
        return []  # Twilio's error 12100, document parse failure: nothing is sent
    bodies = ["".join(message.itertext()).strip() for message in root.iter("Message")]
    return [body for body in bodies if body]


def _message_type(media: dict[str, str]) -> str:
    kind = media.get("MediaContentType0", "text/plain;").partition("/")[0]
    return kind if kind in ("image", "audio", "video") or not media else "document"
