"""Messages that no webhook told of, found by listing them at Twilio, once.

A webhook gets fifteen seconds and, by default, one more try when no connection came about: what is missed in an
outage stands in Twilio's list alone (twilio.com/docs/messaging/api/message-resource, reading many). Each is
published under the id that its webhook would have given it, so that both together are one message. What only the
webhook tells (profile name, buttons, a location's place) is missing then. Needs no PostgreSQL: where to begin and
what is known comes with the sweep's event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urljoin

import httpx

from shared.channels.publish import Publisher, publish_inbound
from shared.channels.whatsapp.message import inbound_message
from shared.clock import Clock
from shared.errors import Rejected
from shared.observability.logs import logger
from shared.settings import Settings

_PREFIX = "whatsapp:"
_PAGE = 1000
_MOST_PAGES = 20
#: A message younger than this may still be on its way through the webhook.
_SETTLED = timedelta(seconds=30)


class _Unreadable(Exception):
    """An answer of Twilio's that is none."""


_FAULTS = (httpx.HTTPError, httpx.InvalidURL, _Unreadable)
#: Statuses of what was deleted at Twilio.
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Missed:
    """Lists and publishes. `http` has a time limit of its own."""

    settings: Settings
    http: httpx.AsyncClient
    producer: Publisher
    clock: Clock

    @property
    def configured(self) -> bool:
        """Whether there is an account to list."""
        settings = self.settings
        return bool(settings.twilio_account_sid and settings.twilio_whatsapp_from and self._token())

    async def collect(self, since: datetime, known: Sequence[str]) -> int:
        """Publish what came since then and is not known; how many.

        A fault of Twilio's ends it, or leaves one message out, with a warning: the next sweep looks as far back
        again. Raises Retryable while Kafka is away.
        """
        seen, found, skipped = frozenset(known), 0, 0
        for resource in await self._listed(since):
            if str(resource.get("sid")) in seen:
                continue
            try:
                found += await self._publish(resource)
            except _FAULTS as error:
                skipped += 1
                logger().warning("listed_message_skipped", channel="whatsapp", error_type=type(error).__name__)
        if skipped:
            logger().warning("listed_messages_left", channel="whatsapp", count=skipped)
        if found:
            # Each was accepted by nobody before: a webhook is, or was, out of reach.
            logger().warning("missed_messages_found", channel="whatsapp", count=found)
        return found

    async def _listed(self, since: datetime) -> list[Mapping[str, Any]]:
        """Oldest first, so that what somebody wrote in order is answered in order; empty when Twilio fails."""
        try:
            return sorted(await self._list(since), key=self._written)
        except _FAULTS as error:
            logger().warning("listing_failed", channel="whatsapp", error_type=type(error).__name__)
            return []

    async def _list(self, since: datetime) -> list[Mapping[str, Any]]:
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = {"To": self._own(), "DateSent>": start, "PageSize": str(_PAGE)}
        page = await self._get(f"{self._account()}/Messages.json", asked)
        listed = _items(page, "messages")
        for _ in range(_MOST_PAGES - 1):
            if not page.get("next_page_uri"):
                break
            page = await self._get(str(page["next_page_uri"]), {})
            listed += _items(page, "messages")
        latest = self.clock.now() - _SETTLED
        return [one for one in listed if _is_inbound(one) and (_told(one) or latest) <= latest]

    async def _publish(self, resource: Mapping[str, Any]) -> int:
        fields = {
            "MessageSid": str(resource.get("sid") or ""),
            "From": str(resource.get("from", "")),
            "To": self._own(),
            "Body": str(resource.get("body") or ""),
            **await self._media(resource),
        }
        if _told(resource) is None:
            logger().warning("listed_message_without_time", channel="whatsapp")
        if not fields["Body"].strip() and fields["NumMedia"] == "0":
            # A location, a poll, whatever the list has no words for: somebody must be told that there was something.
            fields["MessageType"] = "unknown"
        try:
            message = inbound_message(fields, self._written(resource), self.settings.twilio_whatsapp_from)
        except Rejected as error:
            logger().warning("listed_message_refused", channel="whatsapp", field=error.field)
            return 0
        await publish_inbound(self.producer, self.settings, message)
        return 1

    async def _media(self, resource: Mapping[str, Any]) -> dict[str, str]:
        """MediaUrl0 and on, as the webhook has them."""
        count = str(resource.get("num_media") or "0")
        if count == "0":
            return {"NumMedia": "0"}
        try:
            page = await self._get(f"{self._account()}/Messages/{resource['sid']}/Media.json", {})
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in _GONE:
                raise
            # Deleted there, for good: the words count all the same, and that there was a file is told.
            return {"NumMedia": "0", "Body": _with_note(str(resource.get("body") or ""))}
        fields: dict[str, str] = {}
        files = _items(page, "media_list")
        for index, file in enumerate(files):
            fields[f"MediaUrl{index}"] = urljoin(self._base(), str(file.get("uri", "")).removesuffix(".json"))
            fields[f"MediaContentType{index}"] = str(file.get("content_type", ""))
        return {"NumMedia": str(len(files)), **fields}

    async def _get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        url = urljoin(self._base(), path)
        if not url.startswith(self._base()):
            raise _Unreadable("a page of the list is elsewhere")
        answer = await self.http.get(url, params=query or None, auth=(self.settings.twilio_account_sid, self._token()))
        answer.raise_for_status()
        try:
            page: Any = answer.json()
        except ValueError:
            page = None
        if not isinstance(page, dict):
            raise _Unreadable("Twilio's list is no JSON object")
        return cast(Mapping[str, Any], page)

    def _base(self) -> str:
        return self.settings.twilio_api_base_url.rstrip("/") + "/"

    def _account(self) -> str:
        return f"2010-04-01/Accounts/{self.settings.twilio_account_sid}"

    def _own(self) -> str:
        return _PREFIX + self.settings.twilio_whatsapp_from.removeprefix(_PREFIX)

    def _written(self, resource: Mapping[str, Any]) -> datetime:
        """What has no time is new: nobody's window is closed, and nothing dated, by a field that is missing."""
        return _told(resource) or self.clock.now()

    def _token(self) -> str:
        return self.settings.twilio_auth_token.get_secret_value().partition(",")[0].strip()


def _items(page: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    items: Any = page.get(name)
    found = cast(list[Any], items) if isinstance(items, list) else []
    return [cast(Mapping[str, Any], one) for one in found if isinstance(one, dict)]


def _is_inbound(resource: Mapping[str, Any]) -> bool:
    return resource.get("direction") == "inbound" and str(resource.get("from", "")).startswith(_PREFIX)


def _told(resource: Mapping[str, Any]) -> datetime | None:
    """When it was sent, by Twilio's clock: RFC 2822, or ISO 8601 as newer APIs of its have it; None without either."""
    told = str(resource.get("date_sent") or resource.get("date_created"))
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(told)
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _with_note(body: str) -> str:
    return f"{body}\n[a file came along, which Twilio no longer has]".strip()
