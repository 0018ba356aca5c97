"""One Gmail mailbox: messages, drafts, and the history of every change to them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterable

from shared.clock import Clock
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.errors import invalid, not_found
from shared.local.simulators.gmail.mime import header, parse
from shared.local.simulators.gmail.outgoing import as_sent, recipients_of
from shared.local.simulators.gmail.rows import Change, DraftRow, HistoryRow, MailboxRow, MessageRow
from shared.local.simulators.gmail.threads import Kinship, belongs_to, kinship, thread_of_reply
from shared.local.simulators.journal import Journal, Table

FIRST_HISTORY_ID = 100_003
HISTORY_STEP = 17  # ids increase, and are not contiguous
SYSTEM_LABELS = ("INBOX", "SENT", "DRAFT", "UNREAD", "STARRED", "IMPORTANT", "SPAM", "TRASH")
FIXED_LABELS = frozenset({"SENT", "DRAFT"})  # cannot be added or removed by hand


class Mailbox:
    """Everything in memory; who changes it flushes the journal before answering.

    `changed(history_id, labels)` is called after every change.
    """

    def __init__(self, config: GmailConfig, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self.messages = Table(journal, "messages", MessageRow)
        self.drafts = Table(journal, "drafts", DraftRow)
        self.history = Table(journal, "history", HistoryRow)
        self._counters = Table(journal, "mailbox", MailboxRow)
        self.changed: Callable[[int, tuple[str, ...]], None] = lambda history_id, labels: None

    @property
    def history_id(self) -> int:
        return self._counter().history_id

    @property
    def history_floor(self) -> int:
        """The oldest startHistoryId that history.list still answers."""
        return self._counter().history_floor

    def message(self, message_id: str) -> MessageRow:
        """Raises GoogleError 404."""
        if (message := self.messages.get(message_id)) is None:
            raise not_found()
        return message

    def thread(self, thread_id: str) -> list[MessageRow]:
        """The thread's messages, oldest first. Raises GoogleError 404."""
        if not (found := [message for message in self.messages if message.thread_id == thread_id]):
            raise not_found()
        return found

    def receive(self, raw: bytes, spam: bool = False) -> MessageRow:
        """A message from outside, stored header for header: nothing is added to it."""
        kin = kinship(parse(raw))
        labels = ("UNREAD", "SPAM") if spam else ("UNREAD", "INBOX")
        return self._add(raw, kin, thread_of_reply(self._threaded(), kin), labels)

    def send(self, raw: bytes, thread_id: str | None) -> MessageRow:
        """Send a message. Raises GoogleError 400 without a recipient, 404 for an unknown thread."""
        sent = as_sent(raw, self._config.mailbox, self._config.aliases, self._clock.now())
        kin = kinship(parse(sent))
        labels = ("UNREAD", "SENT", "INBOX") if self._is_to_self(sent) else ("SENT",)
        return self._add(sent, kin, self._chosen_thread(kin, thread_id), labels)

    def create_draft(self, raw: bytes, thread_id: str | None) -> DraftRow:
        kin = kinship(parse(raw))
        message = self._add(raw, kin, self._chosen_thread(kin, thread_id), ("DRAFT",))
        return self.drafts.put(DraftRow(id=f"r{secrets.randbits(63)}", message_id=message.id))

    def draft(self, draft_id: str) -> DraftRow:
        """Raises GoogleError 404, also once it was sent."""
        if (draft := self.drafts.get(draft_id)) is None:
            raise not_found()
        return draft

    def replace_draft(self, draft_id: str, raw: bytes, thread_id: str | None) -> DraftRow:
        old = self.message(self.draft(draft_id).message_id)
        kin = kinship(parse(raw))
        self._remove(old)
        message = self._add(raw, kin, thread_id or old.thread_id, ("DRAFT",))
        return self.drafts.put(DraftRow(id=draft_id, message_id=message.id))

    def send_draft(self, draft_id: str, raw: bytes | None) -> MessageRow:
        """The draft goes, and a new message with an id of its own stands in SENT, in the same thread."""
        old = self.message(self.draft(draft_id).message_id)
        sent = as_sent(raw or old.bytes, self._config.mailbox, self._config.aliases, self._clock.now())
        self.delete_draft(draft_id)
        labels = ("UNREAD", "SENT", "INBOX") if self._is_to_self(sent) else ("SENT",)
        return self._add(sent, kinship(parse(sent)), old.thread_id, labels)

    def delete_draft(self, draft_id: str) -> None:
        message = self.message(self.draft(draft_id).message_id)
        self.drafts.drop(draft_id)
        self._remove(message)

    def relabel(self, message_id: str, add: Iterable[str], remove: Iterable[str]) -> MessageRow:
        """messages.modify. Raises GoogleError 400 for SENT, DRAFT, and a label that there is not."""
        message = self.message(message_id)
        added, removed = set(add) - set(message.labels), set(remove) & set(message.labels)
        if unknown := (set(add) | set(remove)) - set(SYSTEM_LABELS):
            raise invalid(f"labelId not found: {min(unknown)}")
        if fixed := (set(add) | set(remove)) & FIXED_LABELS:
            raise invalid(f"Invalid label: {min(fixed)}")
        kept = tuple(label for label in message.labels if label not in removed)
        changes: tuple[tuple[Change, set[str]], ...] = (("labelAdded", added), ("labelRemoved", removed))
        for change, labels in changes:
            if labels:
                message = self._relabelled(message, kept + tuple(sorted(added)), change, tuple(sorted(labels)))
        return message

    def sent(self) -> list[MessageRow]:
        return [message for message in self.messages if "SENT" in message.labels]

    def forget_history(self) -> None:
        """Every historyId handed out so far becomes too old."""
        self.history.clear()
        current = self.history_id + HISTORY_STEP
        self._counters.put(MailboxRow(id="mailbox", history_id=current, history_floor=current))

    def clear(self) -> None:
        """Empty, with the same counters: a cursor from before stays valid."""
        for table in (self.messages, self.drafts, self.history):
            table.clear()

    def _relabelled(
        self, message: MessageRow, labels: tuple[str, ...], change: Change, changed: tuple[str, ...]
    ) -> MessageRow:
        history_id = self._record(change, message.model_copy(update={"labels": labels}), changed)
        row = self.messages.put(message.model_copy(update={"labels": labels, "history_id": history_id}))
        self.changed(history_id, labels)
        return row

    def _add(self, raw: bytes, kin: Kinship, thread_id: str | None, labels: tuple[str, ...]) -> MessageRow:
        now = int(self._clock.now().timestamp() * 1000)
        message_id = f"{(now << 20) | secrets.randbits(20):016x}"
        message = MessageRow(
            id=message_id,
            thread_id=thread_id or message_id,
            raw=base64.urlsafe_b64encode(raw).decode(),
            labels=labels,
            internal_date=now,
            history_id=0,
            rfc822_id=kin.rfc822_id,
            references=kin.references,
            subject=kin.subject,
        )
        history_id = self._record("messageAdded", message)
        row = self.messages.put(message.model_copy(update={"history_id": history_id}))
        self.changed(history_id, labels)
        return row

    def _remove(self, message: MessageRow) -> None:
        self.messages.drop(message.id)
        self.changed(self._record("messageDeleted", message), message.labels)

    def _record(self, change: Change, message: MessageRow, changed: tuple[str, ...] = ()) -> int:
        counter = self._counter()
        history_id = counter.history_id + HISTORY_STEP
        floor = counter.history_floor
        self.history.put(
            HistoryRow(
                id=str(history_id),
                change=change,
                message_id=message.id,
                thread_id=message.thread_id,
                labels=message.labels,
                changed_labels=changed,
            )
        )
        if len(self.history) > self._config.history_kept:
            oldest = next(iter(self.history)).id
            self.history.drop(oldest)
            floor = int(oldest)
        self._counters.put(MailboxRow(id="mailbox", history_id=history_id, history_floor=floor))
        return history_id

    def _counter(self) -> MailboxRow:
        fresh = MailboxRow(id="mailbox", history_id=FIRST_HISTORY_ID, history_floor=FIRST_HISTORY_ID)
        return self._counters.get("mailbox") or fresh

    def _chosen_thread(self, kin: Kinship, thread_id: str | None) -> str | None:
        if thread_id and belongs_to(self.thread(thread_id), kin):
            return thread_id
        return thread_of_reply(self._threaded(), kin)

    def _threaded(self) -> list[MessageRow]:
        return [message for message in self.messages if "DRAFT" not in message.labels]

    def _is_to_self(self, raw: bytes) -> bool:
        own = {self._config.mailbox.lower(), *(alias.lower() for alias in self._config.aliases)}
        return bool(own & recipients_of([header(parse(raw), name) for name in ("To", "Cc", "Bcc")]))
