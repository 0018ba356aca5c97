"""The event of a message: the same message is the same event, it always fits, and its headers name nobody."""

from __future__ import annotations

import json
import secrets

import pytest

from shared.channels.message import InboundMessage
from shared.channels.publish import CUT_NOTE, inbound_event, publish_inbound
from shared.errors import Permanent
from shared.events.envelope import INBOUND, MAX_EVENT_BYTES, Event
from tests.builders import email, whatsapp
from tests.conftest import make_settings

_KEY = secrets.token_bytes(32)


class Topic:
    """Takes events as the brokers do."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Event]] = []

    async def publish(self, topic: str, event: Event) -> None:
        self.taken.append((topic, event))


def test_the_same_message_is_the_same_event() -> None:
    """The id follows channel and provider id alone, so a provider that delivers twice makes one event."""
    once, again = email("a", provider_id="18c0"), email("b", provider_id="18c0")
    assert inbound_event(_KEY, once).id == inbound_event(_KEY, again).id
    assert inbound_event(_KEY, once).id != inbound_event(_KEY, whatsapp(provider_id="18c0")).id
    assert inbound_event(_KEY, once).id != inbound_event(_KEY, email(provider_id="18c1")).id


def test_the_key_follows_thread_and_sender() -> None:
    """One conversation partner is one partition; strangers in one thread are two."""
    first = inbound_event(_KEY, email(thread="t1"))
    assert inbound_event(_KEY, email(thread="t1")).key == first.key
    assert inbound_event(_KEY, email(thread="t2")).key != first.key
    assert inbound_event(_KEY, email(thread="t1", sender="bob@example.org")).key != first.key


def test_no_header_names_anybody() -> None:
    """Addresses and provider ids appear in the data alone."""
    event = inbound_event(_KEY, email(provider_id="18c0ffee", thread="t-secret"))
    shown = repr(event.headers("00", None)) + event.key
    assert not any(word in shown for word in ("ada@", "Ada", "example.org", "18c0ffee", "t-secret"))
    assert event.source == "fte/email"


@pytest.mark.parametrize("text", ["a" * 200_000, "\x01" * 200_000, "\U0001f600" * 200_000])
def test_a_message_of_any_length_fits(text: str) -> None:
    """What is too long loses the quote first, then its end, and says so; it is never refused."""
    message = email(text).model_copy(update={"quoted": "\U0001f600" * 200_000})
    event = inbound_event(_KEY, message)
    assert len(event.data) <= MAX_EVENT_BYTES
    kept = InboundMessage.model_validate_json(event.data)
    assert kept.quoted == ""
    assert kept.text == text or kept.text.endswith(CUT_NOTE)


async def test_it_goes_to_the_inbound_topic() -> None:
    """One event on fte.inbound, its data the message itself."""
    topic = Topic()
    message = email("hello")
    await publish_inbound(topic, make_settings(), message)
    ((name, event),) = topic.taken
    assert name == INBOUND
    assert json.loads(event.data)["text"] == "hello"
    assert event.time == message.received_at


async def test_without_its_key_nothing_is_published() -> None:
    """An unkeyed hash of an address could be guessed."""
    with pytest.raises(Permanent):
        await publish_inbound(Topic(), make_settings(fte_lookup_key=""), email())
