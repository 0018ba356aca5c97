"""WhatsApp's way out: one message through Twilio's Messages resource (2010-04-01).

Sending is not idempotent there, so a message is created once, and an unknown outcome is settled by
looking: at the list of messages here, at status callbacks elsewhere.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from shared.channels.limits import over_limit
from shared.channels.message import Channel
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused, Receipt
from shared.channels.whatsapp.callback import callback_url
from shared.channels.whatsapp.codes import FOR_NOW
from shared.channels.whatsapp.transport import HttpxTransport, failure_of_code
from shared.settings import Settings

_PREFIX = "whatsapp:"
# Twilio tells creation times in whole seconds, on its own clock.
_CLOCK_TOLERANCE = timedelta(seconds=60)
#: How many messages to one number, newest first, are looked through: far more than fit in a day.
_LISTED = 300
#: What Smart Encoding replaces, and only so much of it as our texts hold (twilio.com/docs/messaging/features).
_SMART = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
_FAILED = {"failed", "undelivered", "canceled"}
_REACHED = {"delivered", "read"}


class TwilioReplySender:
    """Implements shared.channels.provider.ReplySender; nothing connects before the first send."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._configured = bool(
            settings.twilio_account_sid
            and settings.twilio_auth_token.get_secret_value().strip(", ")
            and settings.twilio_whatsapp_from
        )
        self._http = _http(settings.provider_timeout_s)
        self._client = _client(settings, HttpxTransport(self._http, settings.provider_timeout_s))
        self._from = _PREFIX + settings.twilio_whatsapp_from.removeprefix(_PREFIX)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]]) -> Receipt:
        """Create the message once; Twilio has no drafts, so `keep_draft` is not called.

        Raises ProviderRefused (`too-long`, `empty`, or Twilio's code), ProviderDown, OutcomeUnknown.
        """
        del keep_draft
        if outbound.template is None:
            _require_sendable(outbound.text)
        self._require_configured()
        created = await self._create(outbound)
        if not created.sid:
            raise OutcomeUnknown("Twilio's answer names no message", code="unreadable-answer")
        return _receipt(created)

    async def find(self, outbound: Outbound) -> Receipt | None:
        """Look for the message among those to this number since the delivery was made.

        None: Twilio has no such message, or only such as failed for now: it surely was not delivered.
        Raises OutcomeUnknown when several could be it, ProviderRefused with its code when what is
        there has failed for good, ProviderDown when Twilio can't be asked.
        """
        self._require_configured()
        if outbound.template is not None:
            # Twilio lists it with the template's words, which we do not know; a callback is its only proof.
            raise OutcomeUnknown("a template cannot be told from other messages", code="ambiguous")
        found = [each for each in await self._list(outbound) if self._could_be(each, outbound)]
        alive = [each for each in found if each.status not in _FAILED]
        if len(alive) > 1:
            raise OutcomeUnknown("several messages could be this one", code="ambiguous")
        for failed in found if not alive else ():
            if _code_of(failed) not in FOR_NOW:
                # Ours to repair or not: as with a callback, a person has it, since this message is over.
                raise ProviderRefused("Twilio took this message, and it failed", code=_code_of(failed))
        return _receipt(alive[0]) if alive else None

    async def _create(self, outbound: Outbound) -> Any:
        options: dict[str, Any] = _content(outbound)
        if self._settings.twilio_webhook_url:
            url = callback_url(self._settings.twilio_webhook_url, outbound.delivery_id, outbound.attempt)
            options["status_callback"] = url
        try:
            return await self._client.messages.create_async(to=_recipient(outbound), from_=self._from, **options)
        except (TwilioException, ValueError, TypeError, KeyError, AttributeError):
            # The request was answered with 2xx, in words the SDK cannot read.
            raise OutcomeUnknown("Twilio's answer cannot be read", code="unreadable-answer") from None

    async def _list(self, outbound: Outbound) -> list[Any]:
        # Filtered neither by DateSent nor by From: a message that is still queued may have none of them.
        try:
            return await self._client.messages.list_async(to=_recipient(outbound), limit=_LISTED)
        except (OutcomeUnknown, ProviderRefused) as error:
            raise ProviderDown("Twilio's messages cannot be listed", code=error.code) from None
        except (TwilioException, ValueError, TypeError, KeyError, AttributeError):
            raise ProviderDown("Twilio's list cannot be read", code="unreadable-answer") from None

    def _could_be(self, message: Any, outbound: Outbound) -> bool:
        since = outbound.created_at - _CLOCK_TOLERANCE
        return (
            str(message.direction).startswith("outbound")
            and (not message.from_ or message.from_ == self._from)
            and message.sid not in outbound.taken_ids
            and (message.date_created is None or message.date_created >= since)
            and same_text(message.body or "", outbound.text)
        )

    def _require_configured(self) -> None:
        if not self._configured:
            missing = "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN or TWILIO_WHATSAPP_FROM is not set"
            raise ProviderDown(missing, code="not-configured")


def _http(deadline_s: float) -> httpx.AsyncClient:
    # Idle connections go before any server drops them: a send into a dying one has no known outcome.
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=3.0)
    # Connecting gets half of the time, so that a host that never answers is known as not reached.
    return httpx.AsyncClient(timeout=httpx.Timeout(deadline_s, connect=deadline_s / 2), limits=limits)


def _client(settings: Settings, transport: HttpxTransport) -> Any:
    # Of two tokens during a rotation the first is the new one. The SDK would look for an empty one in the environment.
    token = settings.twilio_auth_token.get_secret_value().partition(",")[0].strip()
    client = Client(settings.twilio_account_sid or "unset", token or "unset", http_client=transport)
    client.api.base_url = settings.twilio_api_base_url.rstrip("/")
    return client


def _require_sendable(text: str) -> None:
    if not text.strip():
        raise ProviderRefused("there is nothing to send", code="empty")
    if (excess := over_limit(Channel.WHATSAPP, text)) is not None:
        raise ProviderRefused(excess, code="too-long")


def _content(outbound: Outbound) -> dict[str, Any]:
    """Free text, or an approved template with what stands in its places."""
    if outbound.template is None:
        return {"body": outbound.text}
    variables = json.dumps(dict(outbound.template.variables), ensure_ascii=False)
    return {"content_sid": outbound.template.sid, "content_variables": variables}


def same_text(listed: str, sent: str) -> bool:
    """Whether Twilio's record is this text: it trims, and its Smart Encoding writes plain quotes, dashes and dots."""
    return _encoded(listed) == _encoded(sent)


def _encoded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_SMART).split())


def _recipient(outbound: Outbound) -> str:
    return _PREFIX + outbound.to.removeprefix(_PREFIX)


def _code_of(message: Any) -> str:
    return str(message.error_code or message.status)


def _receipt(message: Any) -> Receipt:
    if message.status in _FAILED:
        raise failure_of_code(_code_of(message))
    return Receipt(message.sid, "delivered" if message.status in _REACHED else "sent")
