"""From the mailbox to fte.inbound: every message that reached INBOX since the cursor.

The cursor moves only after the brokers have everything before it, so a failure anywhere means some
messages again, under the same event ids. Pushes merely say when to look; polls look anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.channels.cursors import (
    advance_cursor,
    forget_watch,
    mark_degraded,
    mark_well,
    read_cursor,
    reset_cursor,
    set_due,
    set_watch,
)
from shared.channels.gmail.answered import ANSWERED, LATE, answered
from shared.channels.gmail.answers import Answer
from shared.channels.gmail.client import HistoryGone, MessageGone
from shared.channels.gmail.failures import MALFORMED
from shared.channels.gmail.inbound import NOBODY, Read, read_mail
from shared.channels.gmail.keeping import is_stored, keep_mail
from shared.channels.gmail.message import parse
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.gmail.reports import Report
from shared.channels.message import Channel, InboundMessage, Sender, Trust
from shared.channels.provider import ProviderDown, ProviderError, ProviderRefused
from shared.channels.publish import Publisher, publish_inbound, publish_look
from shared.channels.status import DeliveryStatus, publish_status
from shared.clock import Clock
from shared.db.pool import Database
from shared.errors import Retryable
from shared.observability.logs import logger
from shared.privacy.vault import Vault
from shared.settings import Settings

#: How far back INBOX is read without a cursor, and after Gmail forgot ours; and how many messages at most.
FIRST_LOOK = timedelta(days=1)
RESYNC = timedelta(days=3)
MOST_RESYNCED = 500
#: Pushes may stop unnoticed: the sweep asks for a poll this long after each look.
POLL_AFTER = timedelta(minutes=5)
#: A watch lasts seven days (users.watch): renewed below six, it is renewed daily.
WATCH_AT_LEAST = timedelta(days=6)

_EMAIL = Channel.EMAIL
_AT_ONCE = 2  # messages of 25 MB must fit into the function's memory
_NOT_FOR_US = frozenset({"SPAM", "TRASH", "DRAFT", "SENT"})

_Move = Callable[[Database, str, str], Awaitable[None]]


class Mailbox(Protocol):
    """What is asked of Gmail: a part of shared.channels.gmail.client.GmailClient, where it is described."""

    async def profile(self) -> str: ...

    async def get_raw(self, message_id: str) -> RawMail: ...

    async def history(self, start: str) -> tuple[list[str], str]: ...

    async def list_inbox(self, since: datetime, limit: int) -> list[str]: ...

    async def answers_in(self, thread_id: str) -> list[Answer]: ...

    async def watch(self) -> tuple[str, datetime]: ...


class Intake:
    """One process's reader of the mailbox."""

    def __init__(self, settings: Settings, db: Database, client: Mailbox, producer: Publisher, clock: Clock) -> None:
        self._settings = settings
        self._db = db
        self._client = client
        self._producer = producer
        self._clock = clock
        self._vault = Vault.from_settings(settings)
        self._lock = asyncio.Lock()
        # Acknowledged since the cursor last moved: a retry goes on where it broke off.
        self._acknowledged: set[str] = set()

    async def collect(self, hint: str | None) -> int:
        """Publish what is new and return how many; `hint` is the history id that a push spoke of.

        One at a time in a process: whoever waited looks again, unless the cursor has passed its hint.
        Raises Retryable without PostgreSQL, Kafka or Gmail; never because of what a message says.
        """
        async with self._lock:
            cursor = (await read_cursor(self._db, _EMAIL)).value
            if hint is not None and cursor is not None and int(hint) <= int(cursor):
                return 0
            try:
                count = await self._catch_up(cursor)
            except ProviderError as error:
                await mark_degraded(self._db, _EMAIL, error.code)
                raise Retryable(f"Gmail can't be read: {error.code}", reason="gmail-away") from error
            await mark_well(self._db, _EMAIL)
            await set_due(self._db, _EMAIL, self._clock.now() + POLL_AFTER)
        logger().info("mailbox_read", channel="email", messages=count)
        return count

    async def take(self, message_id: str) -> None:
        """Publish the one message that was set aside. Raises Retryable as long as it can't be had."""
        try:
            taken = await self._taken(message_id, resynced=False)
        except ProviderRefused as error:
            await self._hand_on_refused(message_id, error)
        except ProviderError as error:
            raise Retryable(f"a mail can't be read: {error.code}", reason=error.code) from error
        else:
            if taken is not None:
                await self._hand_on(*taken)

    async def keep_watch(self) -> None:
        """Have Gmail push for another week, once a day; nothing without GMAIL_TOPIC.

        Polls work without pushes, so a failure is logged, marked and left to the next poll. Raises
        Retryable without PostgreSQL.
        """
        if not self._settings.gmail_topic:
            await forget_watch(self._db, _EMAIL)
            return
        expires = (await read_cursor(self._db, _EMAIL)).watch_expires
        if expires and expires - self._clock.now() >= WATCH_AT_LEAST:
            return
        try:
            _, expires = await self._client.watch()
        except ProviderError as error:
            await mark_degraded(self._db, _EMAIL, f"watch-{error.code}")
            logger().error("watch_not_renewed", channel="email", reason=error.code)
            return
        await set_watch(self._db, _EMAIL, expires)
        logger().info("watch_renewed", channel="email", expires=expires.isoformat())

    async def _catch_up(self, cursor: str | None) -> int:
        if cursor is None:
            count, reached = await self._resync(FIRST_LOOK)
            move = advance_cursor  # another process may have been first, and further
        else:
            count, reached, move = await self._follow(cursor)
        await move(self._db, _EMAIL, reached)
        self._acknowledged.clear()
        return count

    async def _follow(self, cursor: str) -> tuple[int, str, _Move]:
        try:
            ids, reached = await self._client.history(cursor)
        except HistoryGone:
            logger().warning("history_gone", channel="email")
            return *await self._resync(RESYNC), reset_cursor
        return await self._publish(ids, resynced=False), reached, advance_cursor

    async def _resync(self, back: timedelta) -> tuple[int, str]:
        """How many were published, and the history id from before: what arrives meanwhile is seen twice, not never."""
        reached = await self._client.profile()
        newest_first = await self._client.list_inbox(self._clock.now() - back, MOST_RESYNCED)
        return await self._publish(newest_first[::-1], resynced=True), reached

    async def _publish(self, ids: Sequence[str], *, resynced: bool) -> int:
        """Publish the messages in this order; how many there were for us."""
        waiting = [each for each in dict.fromkeys(ids) if each not in self._acknowledged]
        parts = [waiting[at : at + _AT_ONCE] for at in range(0, len(waiting), _AT_ONCE)]
        return sum([await self._publish_some(part, resynced) for part in parts])

    async def _publish_some(self, ids: Sequence[str], resynced: bool) -> int:
        """One that can't be had now must not hold up its neighbours: they are published before its error is raised."""
        found = await asyncio.gather(*(self._taken(each, resynced=resynced) for each in ids), return_exceptions=True)
        count = 0
        for message_id, taken in zip(ids, found, strict=True):
            if taken is None or (isinstance(taken, BaseException) and not _ends(taken)):
                continue
            if isinstance(taken, ProviderRefused):
                await self._hand_on_refused(message_id, taken)
            elif isinstance(taken, BaseException):
                await self._set_aside(message_id)
            else:
                await self._hand_on(*taken)
            self._acknowledged.add(message_id)
            count += not isinstance(taken, ProviderDown)
        failed = next((taken for taken in found if isinstance(taken, BaseException) and not _ends(taken)), None)
        if failed is not None:
            raise failed
        return count

    async def _set_aside(self, message_id: str) -> None:
        """An answer that is none, for one message: it gets an event of its own, and the mailbox goes on."""
        logger().warning("mail_set_aside", channel="email", message=message_id, reason=MALFORMED)
        await publish_look(self._producer, self._settings, _EMAIL, message_id, self._clock.now())

    async def _hand_on_refused(self, message_id: str, error: ProviderRefused) -> None:
        """A message that Gmail will never give us: asked for again and again, it would close the mailbox for ever."""
        logger().error("mail_not_understood", channel="email", message=message_id, error_type=error.code)
        message = _not_understood(message_id, message_id, self._clock.now())
        await publish_inbound(self._producer, self._settings, message)

    async def _hand_on(self, mail: RawMail, read: Read) -> None:
        """Keep what came, then publish it: whatever dies in between finds its blobs again."""
        message = await keep_mail(self._db, self._vault, mail, read)
        await publish_inbound(self._producer, self._settings, message)
        report = read.report
        if report is not None and report.failed and report.delivery_id:
            await publish_status(self._producer, _bounced(report, mail), source="fte/email")

    async def _taken(self, message_id: str, *, resynced: bool) -> tuple[RawMail, Read] | None:
        """The mail, read; ignored when a person was faster than we. None as `_fetched` says."""
        mail = await self._fetched(message_id)
        if mail is None:
            return None
        # Off the loop: a hostile mail may take a second to parse.
        read = await asyncio.to_thread(self._read, mail)
        late = resynced or self._clock.now() - mail.received_at >= LATE
        if read.message.ignored or not late or await is_stored(self._db, mail.id):
            return mail, read
        answers = await self._client.answers_in(mail.thread_id)
        if answers and await asyncio.to_thread(_answered, mail, answers):
            logger().info("mail_answered_by_hand", channel="email", message=mail.id)
            read = replace(read, message=read.message.model_copy(update={"ignored": ANSWERED}))
        return mail, read

    async def _fetched(self, message_id: str) -> RawMail | None:
        """None for a message that was deleted, or that has left INBOX, meanwhile."""
        try:
            mail = await self._client.get_raw(message_id)
        except MessageGone:
            return None
        return mail if "INBOX" in mail.labels and not mail.labels & _NOT_FOR_US else None

    def _read(self, mail: RawMail) -> Read:
        """The mail's message. One that our parsing fails on must not hold up those behind it, nor get lost."""
        try:
            return read_mail(mail, self._settings)
        except Exception as error:  # noqa: BLE001  whatever a stranger's bytes provoke
            # The type alone: what an error says may repeat the mail.
            logger().error("mail_not_understood", channel="email", message=mail.id, error_type=type(error).__name__)
            return Read(_not_understood(mail.id, mail.thread_id, mail.received_at))


def _not_understood(message_id: str, thread: str, received_at: datetime) -> InboundMessage:
    """Stands for a mail of which only this is known: operators find it by its id, in Gmail too."""
    return InboundMessage(
        channel=_EMAIL,
        provider_message_id=message_id,
        received_at=received_at,
        sender=Sender(kind="email", address=NOBODY, trust=Trust.CLAIMED),
        thread=thread,
        ignored="not-understood",
    )


def _answered(mail: RawMail, answers: Sequence[Answer]) -> bool:
    return answered(parse(mail.raw), mail.received_at, answers)


def _ends(error: BaseException) -> bool:
    """Whether asking again with the mailbox's others is of no use: it would hold them up for ever."""
    return isinstance(error, ProviderRefused) or (isinstance(error, ProviderDown) and error.code == MALFORMED)


def _bounced(report: Report, mail: RawMail) -> DeliveryStatus:
    """A failure for good, reported by a server on the way: a person should see it."""
    return DeliveryStatus(delivery_id=report.delivery_id, status="failed", error_code=report.code, at=mail.received_at)
