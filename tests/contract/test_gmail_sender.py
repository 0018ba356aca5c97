"""Gmail's way out against Gmail's REST API, spoken over a real socket by the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.channels.gmail.client import GmailClient
from shared.channels.gmail.sender import GmailReplySender
from shared.channels.message import EmailHeaders
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderDown, ProviderRefused
from shared.errors import Retryable
from shared.local.server_process import free_port
from tests.contract.gmail_side import Arrived, GmailSide, gmail_settings, reply_to
from tests.contract.served import Served, simulated


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with simulated("gmail", tmp_path_factory.mktemp("gmail"), free_port()) as started:
        yield started


@pytest.fixture
def gmail(simulator: Served) -> Iterator[GmailSide]:
    side = GmailSide(simulator.url)
    side.control("POST", "reset")
    side.control("POST", "tokens/revoke", json={"refresh_too": False})
    yield side
    side.control("DELETE", "faults")
    side.control("POST", "tokens/revoke", json={"refresh_too": False})
    side.close()


@pytest_asyncio.fixture
async def sender(simulator: Served) -> AsyncIterator[GmailReplySender]:
    """With time enough on a busy machine: where the first call runs out of time, no fault of these tests is met."""
    made = GmailReplySender(gmail_settings(simulator.url, provider_timeout_s=30.0))
    yield made
    await made.close()


@pytest_asyncio.fixture
async def hasty(simulator: Served) -> AsyncIterator[GmailReplySender]:
    """Its deadline is 3 seconds."""
    made = GmailReplySender(gmail_settings(simulator.url))
    yield made
    await made.close()


class Ledger:
    """Remembers the draft, as the delivery's row does."""

    def __init__(self) -> None:
        self.drafts: list[str] = []

    async def keep(self, draft_id: str) -> None:
        self.drafts.append(draft_id)


async def test_an_answer_stands_in_its_thread(gmail: GmailSide, sender: GmailReplySender) -> None:
    """One mail: thread headers, one Re:, auto-replied, our private header, text and HTML; the draft's id was kept."""
    arrived = gmail.arrive("AW: Re: Exporting my data", References="<first@example.org>")
    outbound = reply_to(arrived, subject="AW: Re: Exporting my data")
    ledger = Ledger()
    receipt = await sender.send(outbound, ledger.keep)
    (mail,) = gmail.sent()
    assert gmail.sent_ids() == [receipt.provider_id]
    assert len(ledger.drafts) == 1
    assert mail["Subject"] == "Re: Exporting my data"
    assert mail["In-Reply-To"] == arrived.headers.message_id
    assert str(mail["References"]).split() == ["<first@example.org>", arrived.headers.message_id]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-FTE-Delivery"] == outbound.delivery_id
    assert mail["From"] == "Tideline Support <support@example.com>"
    assert {part.get_content_type() for part in mail.iter_parts()} == {"text/plain", "text/html"}
    rows = gmail.control("GET", "sent")
    assert rows[0]["threadId"] == arrived.thread_id


async def test_a_persons_reply_is_not_called_automatic(gmail: GmailSide, sender: GmailReplySender) -> None:
    """RFC 3834 marks the agent's words alone."""
    await sender.send(reply_to(gmail.arrive(), author="human"), Ledger().keep)
    assert gmail.sent()[0]["Auto-Submitted"] is None


@pytest.mark.parametrize("kind", ["outage", "rate_limit"])
async def test_gmail_away_means_surely_not_sent(gmail: GmailSide, sender: GmailReplySender, kind: str) -> None:
    """503 and 429: ProviderDown; later the same delivery goes out once."""
    outbound = reply_to(gmail.arrive())
    gmail.fault(kind)
    with pytest.raises(ProviderDown):
        await sender.send(outbound, Ledger().keep)
    gmail.control("DELETE", "faults")
    await sender.send(replace(outbound, attempt=2), Ledger().keep)
    assert len(gmail.sent()) == 1


async def test_a_lost_answer_to_the_send_is_found_in_sent(gmail: GmailSide, sender: GmailReplySender) -> None:
    """The mail left, its answer did not arrive: unknown, then found by the private header; never a second mail."""
    outbound, ledger = reply_to(gmail.arrive()), Ledger()
    gmail.fault("lost_response", path="drafts/send")
    with pytest.raises(OutcomeUnknown):
        await sender.send(outbound, ledger.keep)
    assert len(gmail.sent()) == 1
    gmail.control("DELETE", "faults")
    known = replace(outbound, draft_id=ledger.drafts[0])
    receipt = await sender.find(known)
    assert receipt is not None
    assert [receipt.provider_id] == gmail.sent_ids()
    assert await sender.send(replace(known, attempt=2), ledger.keep) == receipt
    assert len(gmail.sent()) == 1


async def test_a_send_that_times_out_is_unknown_and_sent_once(
    gmail: GmailSide, sender: GmailReplySender, hasty: GmailReplySender
) -> None:
    """Slower than our deadline: unknown; the draft tells whether it left."""
    outbound, ledger = reply_to(gmail.arrive()), Ledger()
    gmail.fault("outage", path="drafts/send")
    with pytest.raises(ProviderDown):
        await sender.send(outbound, ledger.keep)
    gmail.control("DELETE", "faults")
    known = replace(outbound, draft_id=ledger.drafts[0])
    gmail.fault("slow", ms=3_500, path="drafts/send")
    with pytest.raises(OutcomeUnknown):
        await hasty.send(known, ledger.keep)
    gmail.control("DELETE", "faults")
    await _settled(sender, known)
    assert len(gmail.sent()) == 1


async def _settled(sender: GmailReplySender, known: Outbound) -> None:
    """As the ledger does: look, and send again only when it surely did not leave."""
    receipt = await sender.find(known)
    if receipt is None:
        await sender.send(known, Ledger().keep)


async def test_a_draft_whose_id_was_lost_is_used_again(
    gmail: GmailSide, sender: GmailReplySender, simulator: Served
) -> None:
    """The answer to drafts.create got lost: surely not sent, and no orphan draft is left for a person to send."""
    outbound, ledger = reply_to(gmail.arrive()), Ledger()
    gmail.fault("lost_response", path="/drafts", count=1)
    with pytest.raises(ProviderDown):
        await sender.send(outbound, ledger.keep)
    assert gmail.control("GET", "faults") == {"active": []}
    assert ledger.drafts == []
    assert await sender.find(outbound) is None
    await sender.send(replace(outbound, attempt=2), ledger.keep)
    assert len(gmail.sent()) == 1
    assert len(ledger.drafts) == 1
    assert await _drafts(simulator.url, outbound) is None


async def _drafts(url: str, outbound: Outbound) -> str | None:
    """A draft of this delivery that is still there."""
    client = GmailClient(gmail_settings(url, provider_timeout_s=30.0))
    try:
        assert outbound.in_reply_to
        return await client.find_draft(outbound.in_reply_to.gmail_thread_id, outbound.delivery_id)
    finally:
        await client.close()


async def test_nothing_is_sent_before_the_draft_is_committed(gmail: GmailSide, sender: GmailReplySender) -> None:
    """PostgreSQL goes away between draft and send: the draft waits, nothing left."""

    async def away(_draft_id: str) -> None:
        raise Retryable("PostgreSQL is away")

    outbound = reply_to(gmail.arrive())
    with pytest.raises(Retryable):
        await sender.send(outbound, away)
    assert gmail.sent() == []
    await sender.send(replace(outbound, attempt=2), Ledger().keep)
    assert len(gmail.sent()) == 1


async def test_a_draft_that_is_still_there_was_not_sent(gmail: GmailSide, sender: GmailReplySender) -> None:
    """Gmail refused the send with 503: find says None, and the same draft goes out."""
    outbound, ledger = reply_to(gmail.arrive()), Ledger()
    gmail.fault("outage", path="drafts/send")
    with pytest.raises(ProviderDown):
        await sender.send(outbound, ledger.keep)
    gmail.control("DELETE", "faults")
    known = replace(outbound, draft_id=ledger.drafts[0], attempt=2)
    assert await sender.find(known) is None
    await sender.send(known, ledger.keep)
    assert len(gmail.sent()) == 1
    assert len(ledger.drafts) == 1


async def test_a_draft_that_vanished_is_never_guessed_about(gmail: GmailSide, sender: GmailReplySender) -> None:
    """Neither draft nor mail: a person decides."""
    known = reply_to(gmail.arrive(), draft_id="r123456789")
    with pytest.raises(OutcomeUnknown) as raised:
        await sender.find(known)
    assert raised.value.code == "draft-gone"
    with pytest.raises(OutcomeUnknown):
        await sender.send(known, Ledger().keep)
    assert gmail.sent() == []


async def test_another_deliverys_mail_is_no_proof(gmail: GmailSide, sender: GmailReplySender) -> None:
    """Two replies in one thread: each is found by its own header alone."""
    arrived = gmail.arrive()
    await sender.send(reply_to(arrived), Ledger().keep)
    with pytest.raises(OutcomeUnknown):
        await sender.find(reply_to(arrived, draft_id="r987654321"))


async def test_an_expired_token_is_refreshed_and_a_withdrawn_sign_in_is_said(
    gmail: GmailSide, sender: GmailReplySender
) -> None:
    """401 once: a new token, no failure. No token any more: ProviderDown with code auth."""
    arrived = gmail.arrive()
    await sender.send(reply_to(arrived), Ledger().keep)
    gmail.control("POST", "tokens/revoke", json={"refresh_too": False})
    await sender.send(reply_to(arrived), Ledger().keep)
    assert len(gmail.sent()) == 2
    gmail.control("POST", "tokens/revoke", json={"refresh_too": True})
    with pytest.raises(ProviderDown) as raised:
        await sender.send(reply_to(arrived), Ledger().keep)
    assert raised.value.code == "auth"


async def test_a_refused_connection_was_never_sent() -> None:
    """Nobody listens: ProviderDown, at once."""
    sender = GmailReplySender(gmail_settings(f"http://127.0.0.1:{free_port()}"))
    side = reply_to(_nowhere())
    with pytest.raises(ProviderDown) as raised:
        await sender.send(side, Ledger().keep)
    assert raised.value.code == "connection"
    await sender.close()


async def test_unusable_credentials_degrade_this_channel_alone(simulator: Served) -> None:
    """No crash at start: the first use says what to do."""
    sender = GmailReplySender(gmail_settings(simulator.url).model_copy(update={"gmail_credentials": SecretStr("")}))
    with pytest.raises(ProviderDown) as raised:
        await sender.send(reply_to(_nowhere()), Ledger().keep)
    assert raised.value.code == "auth"
    await sender.close()


async def test_an_address_gmail_refuses_is_refused_for_good(gmail: GmailSide, sender: GmailReplySender) -> None:
    """400: no retry ever helps."""
    with pytest.raises(ProviderRefused):
        await sender.send(reply_to(gmail.arrive(), to="not an address"), Ledger().keep)
    assert gmail.sent() == []


async def test_a_thread_that_was_deleted_does_not_keep_the_answer_back(
    gmail: GmailSide, sender: GmailReplySender
) -> None:
    """404 for the thread: the answer goes out, tied by In-Reply-To."""
    arrived = gmail.arrive()
    gmail.control("POST", "reset")
    await sender.send(reply_to(arrived), Ledger().keep)
    (mail,) = gmail.sent()
    assert mail["In-Reply-To"] == arrived.headers.message_id


async def test_the_deadline_holds_over_all_calls_of_one_send(gmail: GmailSide, hasty: GmailReplySender) -> None:
    """Each call is slow, together too slow: the send ends within the claim's time, and nothing leaves later."""
    gmail.fault("slow", ms=1_600)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises((ProviderDown, OutcomeUnknown)):
        await hasty.send(reply_to(gmail.arrive()), Ledger().keep)
    assert loop.time() - began < 3.2


def _nowhere() -> Arrived:
    return Arrived("1", "1", EmailHeaders(gmail_thread_id="1", message_id="<a@example.org>"))
