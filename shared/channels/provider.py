"""What delivery asks of a channel's provider, and how a provider may fail.

    ProviderDown      nothing was sent: outage, refused connection before the request, 429, 5xx that
                      the provider documents as not carried out. Try later.
    ProviderRefused   nothing was sent and never will be: a permanent error with the provider's code.
    OutcomeUnknown    the request may have been carried out: time-out, dropped connection, 5xx.

`str(error)` and `code` never carry an address or a text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.channels.message import Channel, EmailHeaders
from shared.errors import FteError


class ProviderError(FteError):
    """Base; `code` is the provider's own, such as 21211, or a short word."""

    def __init__(self, message: str, *, code: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, reason=code)
        self.code = code
        self.retry_after_s = retry_after_s


class ProviderDown(ProviderError):
    """Surely not sent; later may work."""


class ProviderRefused(ProviderError):
    """Surely not sent; never will be."""


class OutcomeUnknown(ProviderError):
    """Perhaps sent: only looking tells."""


@dataclass(frozen=True, slots=True)
class Template:
    """A message that WhatsApp approved: Twilio's content SID (HX…) and what stands in its places, by their numbers."""

    sid: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outbound:
    """One reply, ready for a provider. `delivery_id` and `attempt` mark it there."""

    delivery_id: str
    attempt: int
    channel: Channel
    to: str
    to_name: str
    subject: str
    text: str
    created_at: datetime
    in_reply_to: EmailHeaders | None = None
    quoted: str = ""
    quoted_at: datetime | None = None
    author: str = "agent"
    draft_id: str | None = None
    #: A subject of its own, of a text that answers no mail; empty: the answered one's.
    own_subject: str = ""
    #: WhatsApp alone: sent in place of `text`, which then only says in the records what was sent.
    template: Template | None = None
    #: Provider ids that belong to other deliveries: never taken as proof of this one.
    taken_ids: frozenset[str] = field(default_factory=frozenset[str])


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has it. `status` is `sent` or, where the provider says more, `delivered`."""

    provider_id: str
    status: str = "sent"


class ReplySender(Protocol):
    """One channel's way out; implemented in channels/gmail, channels/whatsapp, channels/web."""

    async def send(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]]) -> Receipt:
        """Send once. `keep_draft(id)` commits a provider-side draft before it is sent (Gmail).

        Raises ProviderDown, ProviderRefused or OutcomeUnknown.
        """
        ...

    async def find(self, outbound: Outbound) -> Receipt | None:
        """After an unknown outcome: the receipt if it was sent, None if it surely was not.

        Raises ProviderDown when the provider can't be asked, OutcomeUnknown when what it shows is ambiguous.
        """
        ...
