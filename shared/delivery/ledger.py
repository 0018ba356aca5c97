"""The delivery ledger: a row is claimed, and the claim committed, before any provider is called.

    queued → sending → sent → delivered → read        what should happen
             sending → deferred → sending             the provider is down: try again at next_at
             sending → unknown → sending | sent       the outcome is unknown: look, then decide
             … → failed                               refused, too old, or ambiguous: a person sees it
             … → deferred, held | rerouted            outside WhatsApp's window: shared.delivery.reroute
    queued, deferred → superseded                     a person took over first

While a claim runs (the client's hard deadline and a margin) nobody else touches the row. Only a
route's oldest unfinished delivery may be claimed, so replies on one route keep their order.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from shared.channels.gmail.compose import message_id
from shared.channels.message import Channel, EmailHeaders, Trust
from shared.channels.provider import Outbound, OutcomeUnknown, Receipt, Template
from shared.channels.whatsapp.codes import OPTED_OUT
from shared.conversations.numbers import SQL as NUMBERS
from shared.conversations.numbers import lookup_of
from shared.conversations.page_copies import copy_by_mail
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Retryable
from shared.observability.logs import logger
from shared.observability.metrics import DELIVERED_SECONDS, DELIVERIES
from shared.privacy.vault import Keyset, Vault
from shared.settings import Settings

SQL = load("ledger")

TOO_OLD = "too-old"
STILL_UNKNOWN = "outcome-unknown"
OUTSIDE_WINDOW = "outside-window"
_WINDOW_H = 24


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one delivery. `judge`: its outcome is unknown, look before sending.

    `give_up` names why it goes to a person unless this look settles it: TOO_OLD or STILL_UNKNOWN.
    `barred` names why it must not be sent at all: OPTED_OUT or OUTSIDE_WINDOW; then nothing was claimed.
    """

    route_id: UUID
    conversation_id: UUID
    customer_id: UUID
    outbound: Outbound
    judge: bool
    give_up: str | None
    barred: str | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's transactions."""

    db: Database
    vault: Vault
    settings: Settings

    async def route_of(self, delivery_id: UUID) -> UUID | None:
        """The route of a delivery; None when there is no such delivery."""
        row = await self.db.fetchrow(SQL["route_of"], delivery_id)
        return row["route_id"] if row else None

    async def claim(self, route_id: UUID) -> Claim | None:
        """Claim the route's oldest unfinished delivery; None when nothing there is due.

        Raises Retryable while another worker's claim runs.
        """
        settings = self.settings
        async with self.db.transaction() as connection:
            await connection.fetchval(SQL["lock_route"], route_id)
            row = await connection.fetchrow(
                SQL["oldest_unfinished"],
                route_id,
                settings.delivery_max_age_h * 3600,
                settings.delivery_unknown_max_s,
            )
            if row is None or row["early"]:
                return None
            if row["claimed"]:
                raise Retryable("another worker is sending this reply", reason="delivery-claimed")
            return await self._claim(connection, row)

    async def _claim(self, connection: Any, row: Any) -> Claim:
        judge = row["status"] in ("sending", "unknown")
        lasts = self.settings.provider_timeout_s + self.settings.delivery_claim_margin_s
        attempt = row["attempt"]
        barred = await self._barred(connection, row) if row["channel"] == Channel.WHATSAPP else None
        if judge:
            await connection.execute(SQL["claim_to_judge"], row["id"], lasts)
        elif barred is None:
            attempt = await connection.fetchval(SQL["claim"], row["id"], lasts)
        outbound = await self._outbound(connection, row, attempt)
        give_up = TOO_OLD if row["too_old"] else STILL_UNKNOWN if judge and row["unknown_too_long"] else None
        return Claim(row["route_id"], row["conversation_id"], row["customer_id"], outbound, judge, give_up, barred)

    async def _barred(self, connection: Any, row: Any) -> str | None:
        """Whether WhatsApp's rules, or the customer's own word, forbid sending this now."""
        keys = await self.vault.keys_for(connection, [row["address_enc"]])
        number = json.loads(keys.unseal("route.address", row["address_enc"]))["address"]
        lookup = lookup_of(self.vault, number)
        reach = await connection.fetchrow(NUMBERS["reach"], lookup, window_s(self.settings), row["id"])
        if reach is not None and reach["stopped"]:
            return OPTED_OUT
        if row["template"] is not None or (reach is not None and reach["open"]):
            return None
        return OUTSIDE_WINDOW

    async def claim_again(self, claim: Claim) -> Outbound | None:
        """After a look that found nothing was sent: claim the next attempt; None when a callback settled it."""
        lasts = self.settings.provider_timeout_s + self.settings.delivery_claim_margin_s
        delivery_id = UUID(claim.outbound.delivery_id)
        row = await self.db.fetchrow(SQL["claim_judged"], delivery_id, lasts, claim.outbound.attempt)
        return replace(claim.outbound, attempt=row["attempt"]) if row else None

    async def _outbound(self, connection: Any, row: Any, attempt: int) -> Outbound:
        answered = await connection.fetchrow(SQL["answered_by"], row["route_id"], row["id"])
        taken = await connection.fetch(SQL["taken_ids"], row["id"])
        sealed = [row["subject_enc"], row["body_enc"], row["address_enc"]]
        if answered:
            sealed += [answered["subject_enc"], answered["body_enc"], answered["details_enc"]]
        keys = await self.vault.keys_for(connection, sealed)
        outbound = _outbound(row, attempt, answered, frozenset(r["provider_id"] for r in taken), keys)
        if answered is None and row["channel"] == Channel.EMAIL:
            outbound = replace(outbound, in_reply_to=await self._last_of_ours(connection, row))
        # A notice's words are all ours already, and a copy goes to an address that is confirmed.
        is_ours = row["trust"] == Trust.VERIFIED or row["kind"] != "message"
        return outbound if is_ours else bare_of(outbound, self.settings)

    async def _last_of_ours(self, connection: Any, row: Any) -> EmailHeaders | None:
        """What a mail that answers no mail goes on with: ours before it on the same route, such as a page's."""
        before = await connection.fetch(SQL["mailed_before"], row["route_id"], row["id"])
        ids = [message_id(str(one["id"]), self.settings.gmail_mailbox) for one in before]
        return EmailHeaders(gmail_thread_id="", message_id=ids[-1], references=tuple(ids[:-1])) if ids else None

    def draft_keeper(self, outbound: Outbound) -> Callable[[str], Awaitable[None]]:
        """Commits a provider-side draft's id before the draft is sent. Raises Retryable when the claim is lost."""

        async def keep(draft_id: str) -> None:
            row = await self.db.fetchrow(SQL["keep_draft"], UUID(outbound.delivery_id), outbound.attempt, draft_id)
            if row is None:
                raise Retryable("the claim is another's", reason="claim-lost")

        return keep

    async def finish(self, outbound: Outbound, receipt: Receipt) -> UUID | None:
        """The provider has it. A row that a callback already moved forward stays where it is.

        Returns the route of the copy that is to be mailed now, of an answer on a page. Raises OutcomeUnknown
        (`ambiguous`) when another delivery is known by the receipt's id.
        """
        try:
            async with self.db.transaction() as connection:
                row, copied = await self._finish(connection, outbound, receipt)
        except UniqueViolationError:
            raise OutcomeUnknown("what was found is known as another's", code="ambiguous") from None
        if row is None:
            # The row was settled without us; the provider's id is the only trace of what went out.
            logger().error("delivered_without_claim", attempt=outbound.attempt, provider_id=receipt.provider_id)
            return None
        DELIVERIES.labels(outbound.channel, receipt.status).inc()
        DELIVERED_SECONDS.labels(outbound.channel).observe(max(0.0, row["took_s"]))
        logger().info("delivered", channel=outbound.channel, attempt=outbound.attempt)
        return copied

    async def _finish(self, connection: Any, outbound: Outbound, receipt: Receipt) -> tuple[Any, UUID | None]:
        """The row as it is now, None when the claim is another's; and the route of its copy."""
        delivery_id, on_page = UUID(outbound.delivery_id), outbound.channel is Channel.WEB
        if on_page:
            # A copy is written beside it: as every act on a conversation does, before the delivery.
            await connection.fetchval(SQL["lock_conversation_of"], delivery_id)
        settled = (delivery_id, outbound.attempt, receipt.status, receipt.provider_id, None)
        row = await connection.fetchrow(SQL["finish"], *settled)
        if row is None or not on_page:
            return row, None
        return row, await copy_by_mail(connection, self.vault, self.settings, delivery_id)

    async def defer(self, outbound: Outbound, seconds: float, code: str, *, unknown: bool) -> None:
        """Not now: `deferred`, or still `unknown`, until the database's clock says `seconds` passed."""
        delivery_id = UUID(outbound.delivery_id)
        await self.db.execute(SQL["defer"], delivery_id, outbound.attempt, seconds, unknown, code)
        DELIVERIES.labels(outbound.channel, "unknown" if unknown else "deferred").inc()
        logger().warning("delivery_deferred", channel=outbound.channel, attempt=outbound.attempt, reason=code)

    async def fail(self, delivery_id: UUID, code: str) -> None:
        """For good: the conversation goes to a person, who sees the ticket with its reason; a notice's does not."""
        async with self.db.transaction() as connection:
            await self.fail_in(connection, delivery_id, code)

    async def fail_in(self, connection: Any, delivery_id: UUID, code: str) -> Any:
        """As `fail`, in the caller's transaction; the row that failed, or None when it was settled already."""
        row = await connection.fetchrow(SQL["fail"], delivery_id, code)
        if row is None:
            return None
        if row["kind"] == "message":
            await connection.execute(SQL["to_person"], row["conversation_id"])
            await connection.execute(SQL["escalate_ticket"], row["conversation_id"], f"delivery-failed:{code}")
            await connection.execute(SQL["escalate_rest"], row["conversation_id"])
        DELIVERIES.labels(row["channel"], "failed").inc()
        logger().error("delivery_failed", channel=row["channel"], reason=code)
        return row

    async def next_on(self, route_id: UUID) -> bool:
        """Whether something more on this route is due now."""
        return await self.db.fetchrow(SQL["next_on_route"], route_id) is not None


def window_s(settings: Settings) -> float:
    """How long after their last message a person may be written to freely, less the margin, in seconds."""
    return _WINDOW_H * 3600 - settings.whatsapp_window_margin_s


async def supersede(connection: Any, conversation_id: UUID) -> int:
    """A person speaks: the agent's replies not yet being sent are withdrawn, what they answered is escalated."""
    rows = await connection.fetch(SQL["supersede"], conversation_id)
    if rows:
        await connection.fetch(SQL["reopen_superseded"], [row["message_id"] for row in rows])
    return len(rows)


def bare_of(outbound: Outbound, settings: Settings) -> Outbound:
    """A mail to an address that is only claimed carries nothing that its writer wrote: no quote, subject or name.

    Else whoever writes in another's name has us mail their words to that person.
    """
    if outbound.channel is not Channel.EMAIL:
        return outbound
    known = outbound.in_reply_to
    return replace(
        outbound,
        to_name="",
        subject="",
        quoted="",
        own_subject=f"Re: your message to {settings.support_team_name}",
        # Of the thread only what ties the answer to it.
        in_reply_to=known
        and EmailHeaders(gmail_thread_id=known.gmail_thread_id, message_id=known.message_id, date=known.date),
    )


def _outbound(row: Any, attempt: int, answered: Any, taken: frozenset[str], keys: Keyset) -> Outbound:
    address = json.loads(keys.unseal("route.address", row["address_enc"]))
    details = json.loads(keys.unseal("message.details", answered["details_enc"])) if answered else {}
    email = details.get("email")
    return Outbound(
        delivery_id=str(row["id"]),
        attempt=attempt,
        channel=Channel(row["channel"]),
        to=address["address"],
        to_name=address["name"],
        subject=keys.unseal("message.subject", answered["subject_enc"]) if answered and answered["subject_enc"] else "",
        text=keys.unseal("message.body", row["body_enc"]),
        created_at=row["created_at"],
        in_reply_to=EmailHeaders.model_validate(email) if email else None,
        quoted=keys.unseal("message.body", answered["body_enc"]) if answered else "",
        quoted_at=answered["received_at"] if answered else None,
        author=row["author"],
        draft_id=row["draft_id"],
        own_subject=keys.unseal("message.subject", row["subject_enc"]) if row["subject_enc"] else "",
        template=Template(**json.loads(row["template"])) if row["template"] else None,
        taken_ids=taken,
    )
