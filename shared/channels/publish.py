"""How a webhook hands a customer's message to the system: one event, acknowledged by the brokers.

The event's id depends on the channel and the provider's message id alone, so that a provider that
delivers twice makes the same event twice, and twice is once downstream.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Protocol

from shared.channels.cards import without_cards
from shared.channels.message import Channel, InboundMessage
from shared.events.data import ChannelPoll
from shared.events.envelope import CHANNEL_POLL, CHANNELS, MAX_EVENT_BYTES, MESSAGE_RECEIVED, Event, new_event
from shared.events.envelope import INBOUND as INBOUND_TOPIC
from shared.observability.metrics import INBOUND
from shared.settings import Settings, key_bytes

#: Stands where a text too long for an event was cut.
CUT_NOTE = "\n[The message was cut here: it was too long.]"


class Publisher(Protocol):
    """What is asked of the producer; shared.events.kafka.KafkaProducer is the real one."""

    async def publish(self, topic: str, event: Event) -> None:
        """Return after the acks. Raises Retryable while Kafka is away."""
        ...


async def publish_inbound(producer: Publisher, settings: Settings, message: InboundMessage) -> None:
    """Publish one `fte.message.received` on fte.inbound, without the numbers of cards; returns after the acks.

    A message too large for an event loses its quoted part first, then the text of its files, then the end of its own.
    Raises Retryable while Kafka is away, Permanent when FTE_LOOKUP_KEY is missing.
    """
    message = without_cards(message)
    await producer.publish(INBOUND_TOPIC, inbound_event(key_bytes(settings.fte_lookup_key, "FTE_LOOKUP_KEY"), message))
    INBOUND.labels(message.channel).inc()


def inbound_event(lookup_key: bytes, message: InboundMessage) -> Event:
    """The event of one message: its id and key are keyed hashes, so that headers carry no personal data."""
    return new_event(
        MESSAGE_RECEIVED,
        source=f"fte/{message.channel}",
        data=_fitting(message),
        key=_hashed(lookup_key, "key", message.channel, message.thread, message.sender.address),
        now=message.received_at,
        event_id=_hashed(lookup_key, "event", message.channel, message.provider_message_id)[:40],
    )


async def publish_look(
    producer: Publisher, settings: Settings, channel: Channel, message_id: str, now: datetime
) -> None:
    """Have one message looked at by itself: `fte.channel.poll` on fte.channels, the same event however often.

    Its source tries it for a quarter of an hour and then makes it a dead letter, which a replay tries again.
    Raises Retryable while Kafka is away, Permanent when FTE_LOOKUP_KEY is missing.
    """
    event_id = _hashed(key_bytes(settings.fte_lookup_key, "FTE_LOOKUP_KEY"), "look", channel, message_id)[:40]
    data = ChannelPoll(channel=channel.value, message=message_id).encoded()
    event = new_event(CHANNEL_POLL, source=f"fte/{channel}", data=data, key=event_id, now=now, event_id=event_id)
    await producer.publish(CHANNELS, event)


def _hashed(key: bytes, *parts: str) -> str:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        # Length-prefixed, so that no two different lists of parts read the same.
        raw = part.encode()
        mac.update(len(raw).to_bytes(4, "big") + raw)
    return mac.hexdigest()


def _fitting(message: InboundMessage) -> bytes:
    data = message.model_dump_json().encode()
    if len(data) > MAX_EVENT_BYTES and message.quoted:
        message = message.model_copy(update={"quoted": ""})
        data = message.model_dump_json().encode()
    if len(data) > MAX_EVENT_BYTES and any(file.text for file in message.attachments):
        bare = tuple(file.model_copy(update={"text": ""}) for file in message.attachments)
        message = message.model_copy(update={"attachments": bare})
        data = message.model_dump_json().encode()
    text = message.text
    while len(data) > MAX_EVENT_BYTES and text:
        # Escapes and UTF-8 make up to six bytes of a character: halve until it fits.
        text = text[: len(text) // 2]
        data = message.model_copy(update={"text": text + CUT_NOTE}).model_dump_json().encode()
    return data
