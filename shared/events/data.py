"""The data of the events that are not messages: ids and times alone, so that nothing personal waits in a topic."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True)

    def encoded(self) -> bytes:
        """UTF-8 JSON."""
        return self.model_dump_json().encode()


class ConversationWake(_Data):
    """Data of `fte.conversation.wake`: look at this conversation again."""

    conversation_id: UUID


class DeliveryRequested(_Data):
    """Data of `fte.delivery.requested`: this reply is committed and waits to be sent."""

    delivery_id: UUID


class ChannelPoll(_Data):
    """Data of `fte.channel.poll`: look for messages that no push announced."""

    channel: Literal["email", "whatsapp", "web"]
    #: WhatsApp, whose listing function has no database: where to begin, and the provider's ids already stored.
    since: datetime | None = None
    known: tuple[str, ...] = ()
    #: E-mail: this one message alone, which could not be read with its neighbours; Gmail's id.
    message: str | None = None
