"""The web's way out: delivered is the committed, visible row, so there is nobody to call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.channels.provider import Outbound, Receipt


class WebReplySender:
    """The ticket's page shows a reply as soon as its delivery row says so."""

    async def send(self, outbound: Outbound, keep_draft: Callable[[str], Awaitable[None]]) -> Receipt:
        """Nothing can fail before the commit that follows."""
        return Receipt(f"web:{outbound.delivery_id}", "delivered")

    async def find(self, outbound: Outbound) -> Receipt | None:
        """Whatever happened before, the row is not visible yet: send again."""
        return None
