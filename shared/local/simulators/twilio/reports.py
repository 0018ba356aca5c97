"""What becomes of an outgoing message, and the status callbacks that tell of it.

Source: www.twilio.com/docs/messaging/guides/track-outbound-message-status and the message resource's
status values. Free text to a person outside their 24-hour window fails with 63016.
"""

from __future__ import annotations

from datetime import datetime

from shared.clock import Clock
from shared.local.simulators.background import Background
from shared.local.simulators.twilio.account import OUTSIDE_WINDOW, OUTSIDE_WINDOW_MESSAGE, Account
from shared.local.simulators.twilio.caller import Caller
from shared.local.simulators.twilio.config import TwilioConfig
from shared.local.simulators.twilio.resource import API_VERSION
from shared.local.simulators.twilio.rows import MessageRow, Status

_EVENTS = {"delivered": "DELIVERED", "read": "READ", "failed": "UNDELIVERED", "undelivered": "UNDELIVERED"}
_FINAL = frozenset({"delivered", "read", "failed", "undelivered", "received"})


class Reports:
    """The course of every outgoing message, in the background."""

    def __init__(
        self, config: TwilioConfig, account: Account, caller: Caller, clock: Clock, background: Background
    ) -> None:
        self._config = config
        self._account = account
        self._caller = caller
        self._clock = clock
        self._background = background

    def follow(self, message: MessageRow) -> None:
        """Take an accepted message through its statuses."""
        self._background.start(self._run(message))

    def resume(self) -> None:
        """Go on with what an earlier process had not finished."""
        for message in self._account.messages:
            if message.status not in _FINAL:
                self.follow(message)

    async def _run(self, message: MessageRow) -> None:
        for status in self._course(message):
            if status != "queued":
                await self._clock.sleep(self._config.status_delay_s)
            if (current := self._account.messages.get(message.id)) is None:
                return  # forgotten by a reset
            message = self._account.messages.put(self._as(status, current))
            await self._account.save()
            await self._report(message)

    def _course(self, message: MessageRow) -> list[Status]:
        happy: list[Status] = ["queued", "sent", "delivered", "read"]
        if message.outside_window:
            return ["queued", self._config.outside_window_status]
        course = happy if self._config.read_receipts else happy[:-1]
        return course[course.index(message.status) :] if message.status in course else course

    def _as(self, status: Status, message: MessageRow) -> MessageRow:
        now = self._account.now()
        changes: dict[str, object] = {"status": status, "updated": now}
        if status == "sent":
            changes["sent"] = now
        if status in ("failed", "undelivered"):
            changes |= {"error_code": OUTSIDE_WINDOW, "error_message": OUTSIDE_WINDOW_MESSAGE}
        return message.model_copy(update=changes)

    async def _report(self, message: MessageRow) -> None:
        if message.status_callback:
            await self._caller.post(message.status_callback, self._form(message))

    def _form(self, message: MessageRow) -> list[tuple[str, str]]:
        form = {
            "AccountSid": self._config.account_sid,
            "ApiVersion": API_VERSION,
            "ChannelInstallSid": "XE" + self._config.account_sid[2:],
            "ChannelPrefix": "whatsapp",
            "ChannelToAddress": _masked(message.to.removeprefix("whatsapp:")),
            "From": message.sender,
            "MessageSid": message.id,
            "MessageStatus": message.status,
            "SmsSid": message.id,
            "SmsStatus": message.status,
            "StructuredMessage": "true" if message.content_sid else "false",
            "To": message.to,
        }
        if event := _EVENTS.get(message.status):
            form["EventType"] = event
        if message.messaging_service_sid:
            form["MessagingServiceSid"] = message.messaging_service_sid
        if message.error_code:
            form |= {"ErrorCode": str(message.error_code), "ErrorMessage": message.error_message or ""}
        if message.status == "delivered":
            form["RawDlrDoneDate"] = _dlr_date(self._clock.now())
        return list(form.items())


def _masked(number: str) -> str:
    return number[:-4] + "XXXX"


def _dlr_date(now: datetime) -> str:
    return now.strftime("%y%m%d%H%M")
