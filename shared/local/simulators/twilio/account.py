"""One Twilio account: its messages, the people who may be written to, and the rules of sending."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta

from shared.clock import Clock
from shared.local.simulators.journal import Journal, Table
from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.errors import TwilioError
from shared.local.simulators.twilio.rows import Direction, MediaRow, MessageRow, OptOutRow, WindowRow

LONGEST_BODY = 1_600
OUTSIDE_WINDOW = 63016
OUTSIDE_WINDOW_MESSAGE = (
    "Failed to send freeform message because you are outside the allowed window. "
    "If you are using WhatsApp, please use a Message Template."
)
_ADDRESS = re.compile(r"^(whatsapp:)?\+[1-9]\d{6,14}$")
_CONTENT_SID = re.compile(r"^HX[0-9a-f]{32}$")


class Account:
    """Everything in memory; who changes it saves before answering."""

    def __init__(self, config: TwilioConfig, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._journal = journal
        self.messages = Table(journal, "messages", MessageRow)
        self.media = Table(journal, "media", MediaRow)
        self.windows = Table(journal, "windows", WindowRow)
        self.opt_outs = Table(journal, "opt_outs", OptOutRow)

    def now(self) -> float:
        return self._clock.now().timestamp()

    async def save(self) -> None:
        """Write what changed; returns when it would survive a kill."""
        await self._journal.flush()

    def send(self, form: Mapping[str, str]) -> MessageRow:
        """POST Messages.json: the accepted message, `queued`. Raises TwilioError 400 as Twilio does."""
        self._check(form)
        sid = new_sid("MM" if form.get("MediaUrl") else "SM")
        service = form.get("MessagingServiceSid")
        outgoing = self._outgoing(sid, "outbound-api", form["To"], form.get("Body", ""))
        return self.messages.put(
            outgoing.model_copy(
                update={
                    "sender": form.get("From") or self._config.sender,
                    "status": "accepted" if service else "queued",
                    "num_media": 1 if form.get("MediaUrl") else 0,
                    "messaging_service_sid": service,
                    "content_sid": form.get("ContentSid"),
                    "content_variables": form.get("ContentVariables"),
                    "status_callback": form.get("StatusCallback"),
                    "outside_window": not form.get("ContentSid") and not self._may_write_freely(form["To"]),
                }
            )
        )

    def reply(self, to: str, body: str) -> MessageRow:
        """What a webhook's answer makes Twilio send."""
        return self.messages.put(self._outgoing(new_sid("SM"), "outbound-reply", to, body))

    def receive(self, message: MessageRow, media: list[MediaRow]) -> None:
        """A customer's message; a SID that is known already is not stored again."""
        self.windows.put(WindowRow(id=message.sender, opened=self.now()))
        if self.messages.get(message.id) is None:
            self.messages.put(message)
            for attachment in media:
                self.media.put(attachment)

    def delivered(self) -> list[MessageRow]:
        """What really reached people, oldest first: not what WhatsApp refused."""
        return [m for m in self.messages if m.direction != "inbound" and not m.outside_window]

    def clear(self) -> None:
        for table in (self.messages, self.media, self.windows, self.opt_outs):
            table.clear()

    def _outgoing(self, sid: str, direction: Direction, to: str, body: str) -> MessageRow:
        now = self.now()
        sender = self._config.sender
        return MessageRow(
            id=sid, direction=direction, sender=sender, to=to, body=body, status="queued", created=now, updated=now
        )

    def _may_write_freely(self, to: str) -> bool:
        if not to.startswith("whatsapp:"):
            return True
        window = self.windows.get(to)
        return (
            window is not None and self.now() - window.opened < timedelta(hours=self._config.window_h).total_seconds()
        )

    def _check(self, form: Mapping[str, str]) -> None:
        self._check_parties(form)
        if not any(form.get(name) for name in ("Body", "MediaUrl", "ContentSid")):
            raise TwilioError(400, 21619, "A text message body or media urls must be specified.")
        if len(form.get("Body", "")) > LONGEST_BODY:
            raise TwilioError(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if form.get("ContentSid") and not _CONTENT_SID.match(form["ContentSid"]):
            raise TwilioError(400, 21655, "The ContentSid is Invalid")
        if not _is_json_object(form.get("ContentVariables") or "{}"):
            raise TwilioError(400, 21656, "The ContentVariables Parameter is invalid")

    def _check_parties(self, form: Mapping[str, str]) -> None:
        to, sender = form.get("To", ""), form.get("From", "")
        if not to:
            raise TwilioError(400, 21604, "A 'To' phone number is required.")
        if not _ADDRESS.match(to):
            raise TwilioError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if not sender and not form.get("MessagingServiceSid"):
            raise TwilioError(400, 21603, "A 'From' phone number is required.")
        if sender and sender.startswith("whatsapp:") != to.startswith("whatsapp:"):
            raise TwilioError(400, 21910, "Invalid From and To pair. From and To should be of the same channel")
        if sender and sender != self._config.sender:
            raise TwilioError(400, 63007, "Twilio could not find a Channel with the specified From address")
        if self.opt_outs.get(to):
            raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")


def new_sid(prefix: str) -> str:
    """A SID: two letters of its kind and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
