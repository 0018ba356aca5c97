"""The reader of the mailbox against a real PostgreSQL, with a Gmail and a Kafka that fail when told to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.channels.cursors import advance_cursor, channel_health, read_cursor, set_watch
from shared.channels.gmail import intake as module
from shared.channels.gmail.answers import Answer
from shared.channels.gmail.client import HistoryGone, MessageGone
from shared.channels.gmail.inbound import NOBODY, Read
from shared.channels.gmail.intake import FIRST_LOOK, MOST_RESYNCED, POLL_AFTER, RESYNC, Intake
from shared.channels.gmail.raw_mail import RawMail
from shared.channels.message import InboundMessage
from shared.channels.provider import ProviderDown, ProviderError, ProviderRefused
from shared.db.pool import Database
from shared.errors import Retryable
from shared.events.envelope import CHANNEL_POLL, Event
from shared.settings import Settings

_TOPIC = "projects/local/topics/gmail"
_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass
class Gmail:
    """A mailbox as its API shows it: (history id, message id) pairs, and messages by id."""

    added: list[tuple[int, str]] = field(default_factory=list)
    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    latest: int = 100
    floor: int = 0
    fails: ProviderError | None = None
    fails_for: dict[str, ProviderError] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    threads_read: list[str] = field(default_factory=list)
    received: dict[str, datetime] = field(default_factory=dict)
    looked_since: list[tuple[datetime, int]] = field(default_factory=list)
    watched: int = 0
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def arrive(self, *ids: str, labels: str = "INBOX UNREAD") -> None:
        for each in ids:
            self.latest += 10
            self.added.append((self.latest, each))
            self.labels[each] = frozenset(labels.split())

    async def profile(self) -> str:
        self._answer()
        return str(self.latest)

    async def get_raw(self, message_id: str) -> RawMail:
        self._answer()
        if message_id in self.fails_for:
            raise self.fails_for[message_id]
        if message_id not in self.labels:
            raise MessageGone("gone", code="notFound")
        raw = f"From: ada@example.net\r\nSubject: Help\r\n\r\nThis is {message_id}.\r\n".encode()
        received = self.received.get(message_id, _NOW)
        return RawMail(message_id, f"t{message_id}", self.labels[message_id], received, raw)

    async def answers_in(self, thread_id: str) -> list[Answer]:
        self.threads_read.append(thread_id)
        return self.answers.get(thread_id, [])

    async def history(self, start: str) -> tuple[list[str], str]:
        self._answer()
        answer = [each for at, each in self.added if at > int(start)], str(self.latest)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if int(start) < self.floor:
            raise HistoryGone
        return answer

    async def list_inbox(self, since: datetime, limit: int) -> list[str]:
        self._answer()
        self.looked_since.append((since, limit))
        return [each for _, each in reversed(self.added) if each in self.labels]

    async def watch(self) -> tuple[str, datetime]:
        self._answer()
        self.watched += 1
        return str(self.latest), _NOW + timedelta(days=7)

    def _answer(self) -> None:
        if self.fails is not None:
            raise self.fails


@dataclass
class Kafka:
    """What was acknowledged; away once `most` events were."""

    events: list[Event] = field(default_factory=list)
    most: int = 1_000
    set_aside: list[Event] = field(default_factory=list)

    async def publish(self, topic: str, event: Event) -> None:
        if len(self.events) >= self.most:
            raise Retryable("away", reason="kafka-away")
        (self.events if topic == "fte.inbound" else self.set_aside).append(event)

    @property
    def messages(self) -> list[InboundMessage]:
        return [InboundMessage.model_validate_json(event.data) for event in self.events]

    @property
    def ids(self) -> list[str]:
        return [message.provider_message_id for message in self.messages]


class Noon:
    """It is always noon."""

    def now(self) -> datetime:
        return _NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def gmail() -> Gmail:
    return Gmail()


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
def intake(settings: Settings, db: Database, gmail: Gmail, kafka: Kafka) -> Intake:
    return Intake(settings.model_copy(update={"gmail_topic": _TOPIC}), db, gmail, kafka, Noon())


async def cursor(db: Database) -> str | None:
    return (await read_cursor(db, "email")).value


async def test_what_is_new_is_published_in_order(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Each once, and the next poll is due in five minutes."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b", "c")
    assert await intake.collect("130") == 3
    assert kafka.ids == ["a", "b", "c"]
    assert kafka.messages[0].text == "This is a."
    assert await intake.collect(None) == 0
    assert (await cursor(db), len(kafka.events)) == ("130", 3)
    assert (await read_cursor(db, "email")).next_due == _NOW + POLL_AFTER


async def test_only_what_is_in_the_inbox_is_ours(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Not spam, the bin, drafts, what we sent, what was archived; and what was deleted meanwhile is passed over."""
    await advance_cursor(db, "email", "100")
    for labels in ("SPAM", "TRASH", "DRAFT", "SENT", "SENT INBOX", "SPAM INBOX", "UNREAD"):
        gmail.arrive(f"m{labels}", labels=labels)
    gmail.arrive("gone", "kept")
    del gmail.labels["gone"]
    assert await intake.collect(None) == 1
    assert kafka.ids == ["kept"]
    assert await cursor(db) == str(gmail.latest)


async def test_a_first_look_is_bounded(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Without a cursor: a day of INBOX, oldest first, and from then on the history."""
    gmail.arrive("a", "b")
    assert await intake.collect("120") == 2
    assert gmail.looked_since == [(_NOW - FIRST_LOOK, MOST_RESYNCED)]
    assert (kafka.ids, await cursor(db)) == (["a", "b"], "120")
    gmail.arrive("c")
    assert await intake.collect("130") == 1
    assert len(gmail.looked_since) == 1


async def test_a_forgotten_history_is_made_good(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Three days of INBOX again, under the same event ids, and the cursor may then even be lower."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a")
    await intake.collect(None)
    await advance_cursor(db, "email", "900")
    gmail.arrive("b")
    gmail.floor = 1_000
    assert await intake.collect(None) == 2
    assert gmail.looked_since == [(_NOW - RESYNC, MOST_RESYNCED)]
    assert (kafka.ids, await cursor(db)) == (["a", "a", "b"], "120")
    assert len({event.id for event in kafka.events}) == 2


async def test_the_cursor_waits_for_the_acks(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Kafka away after two of five: the cursor stays, and the retry publishes the other three."""
    await advance_cursor(db, "email", "100")
    gmail.arrive(*"abcde")
    kafka.most = 2
    with pytest.raises(Retryable):
        await intake.collect("150")
    assert (await cursor(db), kafka.ids) == ("100", ["a", "b"])
    kafka.most = 1_000
    assert await intake.collect("150") == 3
    assert (await cursor(db), kafka.ids) == ("150", list("abcde"))


async def test_the_cursor_never_goes_back(intake: Intake, db: Database, gmail: Gmail) -> None:
    """Another process was further when this one finished."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a")
    gmail.gate = asyncio.Event()
    collecting = asyncio.create_task(intake.collect(None))
    await gmail.reached.wait()
    await advance_cursor(db, "email", "500")
    gmail.gate.set()
    await collecting
    assert await cursor(db) == "500"


async def test_a_push_during_a_look_is_not_lost(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """What arrives after Gmail answered is found by whoever waited; a push that says nothing new looks no more."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a")
    gmail.gate = asyncio.Event()
    first = asyncio.create_task(intake.collect("110"))
    await gmail.reached.wait()
    gmail.arrive("b")
    waiting = [asyncio.create_task(intake.collect(hint)) for hint in ("120", "120", "110")]
    gmail.gate.set()
    assert await first == 1
    assert [await each for each in waiting] == [1, 0, 0]
    assert kafka.ids == ["a", "b"]


async def test_a_mail_that_breaks_our_parser_holds_up_nobody(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is handed on as one that was not understood, and those behind it as they are."""
    parse = module.read_mail

    def fragile(mail: RawMail, settings: Settings) -> Read:
        if mail.id == "b":
            raise RecursionError
        return parse(mail, settings)

    monkeypatch.setattr(module, "read_mail", fragile)
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b", "c")
    assert await intake.collect(None) == 3
    assert [message.ignored for message in kafka.messages] == ["", "not-understood", ""]
    assert kafka.ids == ["a", "b", "c"]


async def test_a_mail_that_gmail_refuses_holds_up_nobody(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka
) -> None:
    """It is handed on under its id, for a person to look at, and the mailbox goes on."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b", "c")
    gmail.fails_for["a"] = ProviderRefused("refused", code="invalidArgument")
    assert await intake.collect(None) == 3
    assert (kafka.ids, await cursor(db)) == (["a", "b", "c"], "130")
    assert [message.ignored for message in kafka.messages] == ["not-understood", "", ""]
    refused = kafka.messages[0]
    assert (refused.sender.address, refused.sender.trust, refused.thread) == (NOBODY, "claimed", "a")


async def test_a_mail_that_cannot_be_had_now_lets_its_neighbour_pass(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka
) -> None:
    """The cursor waits for it alone: the neighbour is published, and not again by the retry."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b", "c")
    gmail.fails_for["a"] = ProviderDown("away", code="unavailable")
    with pytest.raises(Retryable):
        await intake.collect(None)
    assert (kafka.ids, await cursor(db)) == (["b"], "100")
    gmail.fails_for.clear()
    assert await intake.collect(None) == 2
    assert (kafka.ids, await cursor(db)) == (["b", "a", "c"], "130")


async def test_an_answer_that_cannot_be_read_sets_its_mail_alone_aside(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka
) -> None:
    """The cursor goes on; the mail has an event of its own, whose retries are bounded and end as a dead letter."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b")
    gmail.fails_for["a"] = ProviderDown("what?", code="malformed-answer")
    assert await intake.collect(None) == 1
    assert (kafka.ids, await cursor(db)) == (["b"], "120")
    (aside,) = kafka.set_aside
    assert aside.type == CHANNEL_POLL
    assert json.loads(aside.data) == {"channel": "email", "since": None, "known": [], "message": "a"}
    assert (await channel_health(db))["email"].status == "ok"
    with pytest.raises(Retryable):
        await intake.take("a")
    assert kafka.ids == ["b"]
    gmail.fails_for.clear()
    await intake.take("a")
    await intake.take("a")
    assert kafka.ids == ["b", "a", "a"]
    assert len({event.id for event in kafka.events}) == 2


async def test_a_mail_set_aside_again_is_the_same_event(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka
) -> None:
    """Kafka went away behind it: the retry makes no second one of another id."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a")
    gmail.fails_for["a"] = ProviderDown("what?", code="malformed-answer")
    await intake.collect(None)
    gmail.floor = 1_000
    await intake.collect(None)
    assert len(kafka.set_aside) == 2
    assert len({event.id for event in kafka.set_aside}) == 1


async def test_a_mail_set_aside_that_is_gone_is_done(intake: Intake, gmail: Gmail, kafka: Kafka) -> None:
    """Deleted meanwhile, or refused for good: the one leaves nothing, the other what a person finds it by."""
    await intake.take("gone")
    gmail.arrive("a")
    gmail.fails_for["a"] = ProviderRefused("refused", code="invalidArgument")
    await intake.take("a")
    assert [message.ignored for message in kafka.messages] == ["not-understood"]


_LATER = _NOW + timedelta(minutes=1)
_BY_HAND = Answer(_LATER, frozenset({"ada@example.net"}), by_hand=True)


@pytest.mark.parametrize(
    ("answer", "ignored"),
    [
        (_BY_HAND, "answered-by-hand"),
        (replace(_BY_HAND, by_hand=False), ""),
        (replace(_BY_HAND, at=_NOW - timedelta(minutes=1)), ""),
        (replace(_BY_HAND, to=frozenset({"colleague@example.com"})), ""),
    ],
)
async def test_a_mail_that_somebody_answered_is_not_answered_after_a_resync(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka, answer: Answer, ignored: str
) -> None:
    """Not one that we answered, that was answered earlier in its thread, or passed on to a colleague."""
    await advance_cursor(db, "email", "900")
    gmail.arrive("a")
    gmail.floor = 1_000
    gmail.answers["ta"] = [answer]
    assert await intake.collect(None) == 1
    assert [message.ignored for message in kafka.messages] == [ignored]
    assert kafka.messages[0].text == "This is a."


async def test_threads_are_read_for_late_mail_alone(intake: Intake, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    """Mail that is read as it comes costs Gmail no second call; what lay there for minutes does."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a", "b")
    gmail.received["b"] = _NOW - timedelta(minutes=3)
    gmail.answers["tb"] = [_BY_HAND]
    await intake.collect(None)
    assert gmail.threads_read == ["tb"]
    assert [message.ignored for message in kafka.messages] == ["", "answered-by-hand"]


@pytest.mark.parametrize(
    "failure", [ProviderDown("away", code="unavailable"), ProviderRefused("refused", code="invalidArgument")]
)
async def test_gmail_away_degrades_email_alone(
    intake: Intake, db: Database, gmail: Gmail, kafka: Kafka, failure: ProviderError
) -> None:
    """Come again, says the door, and health says why; afterwards everything is there."""
    await advance_cursor(db, "email", "100")
    gmail.arrive("a")
    gmail.fails = failure
    with pytest.raises(Retryable):
        await intake.collect("110")
    assert (await channel_health(db))["email"].reason == failure.code
    gmail.fails = None
    assert await intake.collect("110") == 1
    assert (await channel_health(db))["email"].status == "ok"


@pytest.mark.parametrize(("days", "calls"), [(None, 1), (-1, 1), (5.9, 1), (6.1, 0)])
async def test_the_watch_is_renewed_daily(
    intake: Intake, db: Database, gmail: Gmail, days: float | None, calls: int
) -> None:
    """Missing, lapsed or more than a day old; a fresh one is left alone."""
    if days is not None:
        await set_watch(db, "email", _NOW + timedelta(days=days))
    await intake.keep_watch()
    await intake.keep_watch()
    assert gmail.watched == calls
    assert (await read_cursor(db, "email")).watch_expires == _NOW + timedelta(days=7 if calls else 6.1)


async def test_without_a_topic_nothing_is_watched(settings: Settings, db: Database, gmail: Gmail, kafka: Kafka) -> None:
    await Intake(settings, db, gmail, kafka, Noon()).keep_watch()
    assert gmail.watched == 0


async def test_a_watch_that_is_refused_is_marked(intake: Intake, db: Database, gmail: Gmail) -> None:
    """Polls go on without it, so nothing is raised."""
    gmail.fails = ProviderDown("refused", code="forbidden")
    await intake.keep_watch()
    assert (await channel_health(db))["email"].reason == "watch-forbidden"
    assert (await read_cursor(db, "email")).watch_expires is None
