"""Gmail's way out: a draft is made, its id committed, and then the draft is sent.

Sending has no idempotency key, but a draft is sent once: sending it ends it. So whatever was lost on
the way, a draft that is still there was not sent, and one that is gone is looked for in SENT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from shared.channels.gmail.client import GmailClient
from shared.channels.gmail.compose import compose
from shared.channels.gmail.failures import NotFound
from shared.channels.gmail.transport import Deadline
from shared.channels.provider import Outbound, OutcomeUnknown, ProviderRefused, Receipt
from shared.settings import Settings

# Gmail's clock and ours need not agree.
_CLOCK_TOLERANCE = timedelta(minutes=10)
# Left over from the hard deadline, so that the answer comes from here and names what is known.
_MARGIN = 0.95


class GmailReplySender:
    """Implements shared.channels.provider.ReplySender; nothing connects before the first send."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gmail = GmailClient(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._gmail.close()

    async def send(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]]) -> Receipt:
        """Send one reply within `provider_timeout_s`, whatever became of earlier attempts.

        Raises ProviderDown while the draft was surely not sent, OutcomeUnknown when it may have been,
        ProviderRefused when Gmail will never take it.
        """
        deadline = Deadline.after(self._settings.provider_timeout_s * _MARGIN)
        draft_id = outbound.draft_id or await self._draft(outbound, keep_draft, deadline)
        try:
            return Receipt(await self._gmail.send_draft(draft_id, deadline))
        except NotFound:
            return await self._sent(outbound, deadline)

    async def find(self, outbound: Outbound) -> Receipt | None:
        """The receipt if it was sent, None if it surely was not.

        Raises ProviderDown while Gmail can't be asked, OutcomeUnknown when neither draft nor mail is there.
        """
        if outbound.draft_id is None:
            # A draft is sent only after its id was committed.
            return None
        deadline = Deadline.after(self._settings.provider_timeout_s * _MARGIN)
        if await self._gmail.draft_exists(outbound.draft_id, deadline):
            return None
        return await self._sent(outbound, deadline)

    async def _draft(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]], deadline: Deadline) -> str:
        """Make the draft and commit its id; one whose id an earlier attempt lost is used again."""
        thread_id = _thread_id(outbound)
        draft_id = None
        if outbound.attempt > 1 and thread_id:
            draft_id = await self._gmail.find_draft(thread_id, outbound.delivery_id, deadline)
        if draft_id is None:
            draft_id = await self._create(outbound, thread_id, deadline)
        await keep_draft(draft_id)
        return draft_id

    async def _create(self, outbound: Outbound, thread_id: str | None, deadline: Deadline) -> str:
        raw = await asyncio.to_thread(_composed, outbound, self._settings)
        try:
            return await self._gmail.create_draft(raw, thread_id, deadline)
        except NotFound:
            if thread_id is None:
                raise
            # The thread was deleted from the mailbox; In-Reply-To still ties the answer at the customer's end.
            return await self._gmail.create_draft(raw, None, deadline)

    async def _sent(self, outbound: Outbound, deadline: Deadline) -> Receipt:
        since = outbound.created_at - _CLOCK_TOLERANCE
        found = await self._gmail.find_sent(_thread_id(outbound) or "", outbound.delivery_id, since, deadline)
        if found is None:
            # Deleted by a person, or not in the index yet: never guess, never send again.
            raise OutcomeUnknown("the draft is gone and not in SENT", code="draft-gone")
        return Receipt(found)


def _thread_id(outbound: Outbound) -> str | None:
    return outbound.in_reply_to.gmail_thread_id if outbound.in_reply_to else None


def _composed(outbound: Outbound, settings: Settings) -> bytes:
    """Raises ProviderRefused for an address that no mail can be written to."""
    try:
        return compose(outbound, settings)
    except (ValueError, UnicodeError, IndexError):
        raise ProviderRefused("no mail can be written to this address", code="bad-recipient") from None
