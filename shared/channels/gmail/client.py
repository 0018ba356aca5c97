"""What the system asks of Gmail's API (v1), each method one call of it or a bounded few.

Source: developers.google.com/workspace/gmail/api/reference/rest. Every method raises ProviderDown while
Gmail is away or refuses our account, and ProviderRefused for a request it will never take.
"""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any

import httplib2  # pyright: ignore[reportMissingTypeStubs]
from googleapiclient.discovery import build  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from shared.channels.gmail.answers import HEADERS, Answer, answers_of
from shared.channels.gmail.compose import DELIVERY_HEADER
from shared.channels.gmail.failures import MALFORMED, NotFound
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.gmail.transport import Deadline, GoogleTransport
from shared.channels.provider import ProviderDown
from shared.settings import Settings

_ME = "me"
_PAGE = 100
#: How many sent mails are looked through for one delivery, beside those of its thread.
_SENT_LISTED = 50


class HistoryGone(Exception):
    """The history does not reach back to the cursor (404), or the mailbox is younger than it: resync."""


class MessageGone(NotFound):
    """The message was deleted since it was announced."""


class GmailClient:
    """One mailbox. Opens nothing before its first call; `close` ends it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transport = GoogleTransport(settings)
        self._service: Any = None
        self._building = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def profile(self) -> str:
        """The mailbox's present historyId, in decimal digits."""
        users = await self._users()
        return str((await self._transport.call(users.getProfile(userId=_ME)))["historyId"])

    async def get_raw(self, message_id: str) -> RawMail:
        """One message as RFC 822. Raises MessageGone when it was deleted meanwhile.

        An answer that says something else raises ProviderDown with the code MALFORMED.
        """
        users = await self._users()
        try:
            answer = await self._transport.call(users.messages().get(userId=_ME, id=message_id, format="raw"))
        except NotFound as error:
            raise MessageGone(str(error), code=error.code) from None
        return await asyncio.to_thread(_raw_mail, answer)

    async def answers_in(self, thread_id: str) -> list[Answer]:
        """What was sent in a thread; nothing for one that is gone. Metadata alone is asked for."""
        users = await self._users()
        request = users.threads().get(userId=_ME, id=thread_id, format="metadata", metadataHeaders=list(HEADERS))
        try:
            return answers_of(await self._transport.call(request))
        except NotFound:
            return []
        except (KeyError, ValueError, TypeError, AttributeError):
            raise _malformed() from None

    async def history(self, start: str) -> tuple[list[str], str]:
        """Ids of what was added to INBOX since historyId `start`, oldest first, and the mailbox's historyId now.

        Raises HistoryGone when `start` is too old, or newer than the mailbox itself.
        """
        users = await self._users()
        ids: dict[str, None] = {}
        token: str | None = None
        while True:
            page = await self._history_page(users, start, token)
            ids |= dict.fromkeys(_arrived(page))
            token = page.get("nextPageToken")
            if not token:
                break
        latest = str(page["historyId"])
        if int(latest) < int(start):
            raise HistoryGone
        return list(ids), latest

    async def list_inbox(self, since: datetime, limit: int) -> list[str]:
        """Ids of at most `limit` messages in INBOX that arrived after `since`, newest first."""
        return await self._list("INBOX", since, limit)

    async def watch(self) -> tuple[str, datetime]:
        """Have changes of INBOX pushed to GMAIL_TOPIC: the historyId now, and until when (about seven days)."""
        users = await self._users()
        body = {"topicName": self._settings.gmail_topic, "labelIds": ["INBOX"], "labelFilterBehavior": "include"}
        answer = await self._transport.call(users.watch(userId=_ME, body=body))
        return str(answer["historyId"]), datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)

    async def create_draft(self, raw: bytes, thread_id: str | None, deadline: Deadline | None = None) -> str:
        """Store a mail as a draft in a thread; its id. Raises NotFound when there is no such thread."""
        users = await self._users()
        message = {"raw": base64.urlsafe_b64encode(raw).decode()} | ({"threadId": thread_id} if thread_id else {})
        request = users.drafts().create(userId=_ME, body={"message": message})
        return str((await self._transport.call(request, deadline))["id"])

    async def send_draft(self, draft_id: str, deadline: Deadline | None = None) -> str:
        """Send a draft, which ends it; the sent message's id.

        Raises NotFound when the draft is gone, so perhaps sent; OutcomeUnknown when Gmail did not answer.
        """
        users = await self._users()
        request = users.drafts().send(userId=_ME, body={"id": draft_id})
        return str((await self._transport.call(request, deadline, sends=True)).get("id", ""))

    async def draft_exists(self, draft_id: str, deadline: Deadline | None = None) -> bool:
        """Whether a draft is still there, so surely not sent."""
        users = await self._users()
        try:
            await self._transport.call(users.drafts().get(userId=_ME, id=draft_id, format="minimal"), deadline)
        except NotFound:
            return False
        return True

    async def find_draft(self, thread_id: str, delivery_id: str, deadline: Deadline | None = None) -> str | None:
        """The draft of a delivery whose id was lost with the answer that told it."""
        users = await self._users()
        answer = await self._transport.call(users.drafts().list(userId=_ME, maxResults=_PAGE), deadline)
        for draft in answer.get("drafts", []):
            message = draft["message"]
            if message.get("threadId") == thread_id and await self._marked(message["id"], delivery_id, deadline):
                return str(draft["id"])
        return None

    async def find_sent(
        self, thread_id: str, delivery_id: str, since: datetime, deadline: Deadline | None = None
    ) -> str | None:
        """The sent message that carries this delivery in our private header, in its thread or else in SENT."""
        found = await self._sent_in_thread(thread_id, delivery_id, deadline)
        if found is not None:
            return found
        for message_id in await self._list("SENT", since, _SENT_LISTED, deadline):
            if await self._marked(message_id, delivery_id, deadline):
                return message_id
        return None

    async def _sent_in_thread(self, thread_id: str, delivery_id: str, deadline: Deadline | None) -> str | None:
        if not thread_id:
            return None
        users = await self._users()
        request = users.threads().get(userId=_ME, id=thread_id, format="metadata", metadataHeaders=[DELIVERY_HEADER])
        try:
            thread = await self._transport.call(request, deadline)
        except NotFound:
            return None
        sent = [message for message in thread.get("messages", []) if "SENT" in message.get("labelIds", [])]
        return next((str(message["id"]) for message in sent if _header(message) == delivery_id), None)

    async def _marked(self, message_id: str, delivery_id: str, deadline: Deadline | None) -> bool:
        users = await self._users()
        request = users.messages().get(userId=_ME, id=message_id, format="metadata", metadataHeaders=[DELIVERY_HEADER])
        try:
            return _header(await self._transport.call(request, deadline)) == delivery_id
        except NotFound:
            return False

    async def _list(self, label: str, since: datetime, limit: int, deadline: Deadline | None = None) -> list[str]:
        users = await self._users()
        ids: list[str] = []
        token: str | None = None
        while len(ids) < limit:
            request = users.messages().list(
                userId=_ME,
                labelIds=[label],
                q=f"after:{int(since.timestamp())}",
                maxResults=min(_PAGE, limit - len(ids)),
                pageToken=token,
            )
            page = await self._transport.call(request, deadline)
            ids += [message["id"] for message in page.get("messages", [])]
            token = page.get("nextPageToken")
            if not token:
                break
        return ids

    async def _history_page(self, users: Any, start: str, token: str | None) -> dict[str, Any]:
        request = users.history().list(
            userId=_ME,
            startHistoryId=start,
            historyTypes=["messageAdded", "labelAdded"],
            labelId="INBOX",
            pageToken=token,
        )
        try:
            return await self._transport.call(request)
        except NotFound:
            raise HistoryGone from None

    async def _users(self) -> Any:
        async with self._building:
            if self._service is None:
                self._service = await asyncio.to_thread(_service, self._settings)
        return self._service.users()


def _service(settings: Settings) -> Any:
    """Google's client, used to build requests: from the description of the API that it carries, without a network."""
    return build(
        "gmail",
        "v1",
        static_discovery=True,
        cache_discovery=False,
        http=httplib2.Http(),
        client_options={"api_endpoint": settings.gmail_api_base_url},
    )


def _arrived(page: dict[str, Any]) -> list[str]:
    """Ids in order: what was added to INBOX, and what was moved there, as a mail rescued from spam is."""
    ids: list[str] = []
    for record in page.get("history", []):
        added = [entry["message"] for entry in record.get("messagesAdded", [])]
        # The labels of that moment: a filter may since have archived a message that still waits for its answer.
        ids += [str(message["id"]) for message in added if "INBOX" in message.get("labelIds", ["INBOX"])]
        moved = [entry for entry in record.get("labelsAdded", []) if "INBOX" in entry.get("labelIds", [])]
        ids += [str(entry["message"]["id"]) for entry in moved]
    return ids


def _header(message: Any) -> str:
    headers: list[Any] = message.get("payload", {}).get("headers", [])
    return next((str(h["value"]).strip() for h in headers if h["name"].lower() == DELIVERY_HEADER.lower()), "")


def _raw_mail(answer: dict[str, Any]) -> RawMail:
    try:
        encoded = str(answer["raw"])
        return RawMail(
            id=str(answer["id"]),
            thread_id=str(answer["threadId"]),
            labels=frozenset(answer.get("labelIds", ())),
            received_at=datetime.fromtimestamp(int(answer["internalDate"]) / 1000, UTC),
            raw=base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)),
        )
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        raise _malformed() from None


def _malformed() -> ProviderDown:
    return ProviderDown("Gmail's answer can't be read", code=MALFORMED)
