"""What the system asks of Gmail's API, over a real socket, answered by the simulator."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from shared.channels.gmail.client import GmailClient, HistoryGone, MessageGone
from shared.channels.provider import ProviderDown, ProviderRefused
from shared.local.server_process import free_port
from tests.contract.gmail_side import GmailSide, gmail_settings
from tests.contract.served import Served, simulated


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with simulated("gmail", tmp_path_factory.mktemp("gmail"), free_port()) as started:
        yield started


@pytest.fixture
def gmail(simulator: Served) -> Iterator[GmailSide]:
    side = GmailSide(simulator.url)
    side.control("POST", "reset")
    yield side
    side.control("DELETE", "faults")
    side.close()


@pytest_asyncio.fixture
async def client(simulator: Served) -> AsyncIterator[GmailClient]:
    made = GmailClient(gmail_settings(simulator.url, gmail_topic="projects/local/topics/gmail"))
    yield made
    await made.close()


async def test_history_tells_what_arrived_since(gmail: GmailSide, client: GmailClient) -> None:
    """Every mail of INBOX since the cursor, in order, over more than one page; the drafts between them never."""
    start = await client.profile()
    arrived = [gmail.arrive().id for _ in range(3)]
    await client.create_draft(b"To: ada@example.org\r\n\r\nhi", None)
    arrived += [gmail.arrive().id for _ in range(120)]
    ids, reached = await client.history(start)
    assert ids == arrived
    assert int(reached) >= int(start)
    assert await client.history(reached) == ([], reached)


async def test_a_mail_is_fetched_byte_for_byte(gmail: GmailSide, client: GmailClient) -> None:
    """The bytes as they came, labels, thread and time."""
    raw = b"From: a@example.org\nTo: support@example.com\n\n\xff\xfe bytes\r\n" + secrets.token_bytes(5_000)
    made = gmail.control("POST", "inbound", content=raw)
    mail = await client.get_raw(made["id"])
    assert mail.raw == raw
    assert mail.thread_id == made["threadId"]
    assert "INBOX" in mail.labels
    assert abs(mail.received_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_is_gone_is_said(gmail: GmailSide, client: GmailClient) -> None:
    """A deleted mail, a cursor too old, a cursor from the future: each has its own word."""
    with pytest.raises(MessageGone):
        await client.get_raw("0123456789abcdef")
    start = await client.profile()
    gmail.control("POST", "history/forget")
    with pytest.raises(HistoryGone):
        await client.history(start)
    with pytest.raises(HistoryGone):
        await client.history("99999999999999")


async def test_the_inbox_is_listed_newest_first_within_bounds(gmail: GmailSide, client: GmailClient) -> None:
    """For a bounded resync: since when, and how many at most."""
    arrived = [gmail.arrive().id for _ in range(5)]
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert await client.list_inbox(hour_ago, 100) == arrived[::-1]
    assert await client.list_inbox(hour_ago, 2) == arrived[:-3:-1]
    assert await client.list_inbox(datetime.now(UTC) + timedelta(hours=1), 100) == []


async def test_a_watch_lasts_about_a_week(client: GmailClient, gmail: GmailSide) -> None:
    """users.watch answers where the history stands and until when it pushes."""
    history_id, expires = await client.watch()
    assert history_id.isdigit()
    assert timedelta(days=6) < expires - datetime.now(UTC) < timedelta(days=8)


async def test_a_topic_that_is_none_is_refused(simulator: Served) -> None:
    """A mistake in the settings is no outage."""
    client = GmailClient(gmail_settings(simulator.url, gmail_topic="gmail"))
    with pytest.raises(ProviderRefused):
        await client.watch()
    await client.close()


async def test_a_question_that_gets_no_answer_is_gmail_away(gmail: GmailSide, client: GmailClient) -> None:
    """Reading has no unknown outcome: lost answers, outages and rates all mean later."""
    for kind in ("outage", "rate_limit", "lost_response"):
        gmail.fault(kind)
        with pytest.raises(ProviderDown):
            await client.history("100003")
        gmail.control("DELETE", "faults")
    assert (await client.profile()).isdigit()


async def test_the_answers_of_a_thread_are_told_apart(gmail: GmailSide, client: GmailClient) -> None:
    """Ours carries our header, a robot's says so, and a person's is neither; drafts and what arrived are none."""
    arrived = gmail.arrive()
    marks = ("X-FTE-Delivery: d-1\r\n", "Auto-Submitted: auto-replied\r\n", "")
    for mark in marks:
        head = f"To: Ada <ADA@example.org>\r\nCc: a@example.com\r\n{mark}Subject: Re: Exporting my data\r\n"
        raw = f"{head}In-Reply-To: {arrived.headers.message_id}\r\n\r\nhi".encode()
        await client.send_draft(await client.create_draft(raw, arrived.thread_id))
    await client.create_draft(raw, arrived.thread_id)
    answers = await client.answers_in(arrived.thread_id)
    assert [answer.by_hand for answer in answers] == [False, False, True]
    assert {answer.to for answer in answers} == {frozenset({"ada@example.org", "a@example.com"})}
    assert await client.answers_in("00000000000000aa") == []
