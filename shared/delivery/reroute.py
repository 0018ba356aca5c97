"""What becomes of a message that cannot go out as it stands.

    outside the 24-hour window (or 63016)   a template asks the customer to write back, and the reply waits for that;
                                            without a template, or when nobody wrote back: by e-mail, where the
                                            customer's address is confirmed; else a person
    everything else                         a person (a notice: nobody)

Decided under the conversation's lock and written in one transaction, so that a callback that comes twice, or
while another worker decides, changes nothing more. Sources: WhatsApp's customer service window; Twilio, error
63016; specs/decisions/0016-outside-the-window.md.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.language import language_of
from shared.channels.message import Channel
from shared.channels.whatsapp.codes import OPTED_OUT, OPTED_OUT_CODE
from shared.channels.whatsapp.texts import fixed, letter
from shared.conversations.letters import confirmed, open_thread
from shared.conversations.notices import Notice, post
from shared.conversations.numbers import SQL as NUMBERS
from shared.conversations.numbers import lookup_of
from shared.delivery.ledger import OUTSIDE_WINDOW, SQL, TOO_OLD, Ledger, window_s
from shared.observability.logs import logger
from shared.observability.metrics import DELIVERIES
from shared.privacy.vault import Keyset

#: Twilio's code of a message that WhatsApp refused for its window, after Twilio had taken it.
WINDOW_CODE = "63016"


async def undeliverable(ledger: Ledger, delivery_id: UUID, attempt: int, code: str) -> tuple[UUID, ...]:
    """Find a delivery another way, or fail it for good; the routes on which something is due now.

    Nothing when `attempt`, of which `code` was said, is not its last any more, or when another worker held it already.
    """
    async with ledger.db.transaction() as connection:
        await connection.fetchval(SQL["lock_conversation_of"], delivery_id)
        max_age_s = ledger.settings.delivery_max_age_h * 3600
        row = await connection.fetchrow(SQL["to_reroute"], delivery_id, max_age_s, attempt)
        if row is None or (row["held"] and not row["over"] and code in (OUTSIDE_WINDOW, WINDOW_CODE)):
            return ()
        keys = await ledger.vault.keys_for(connection, [row["body_enc"], row["address_enc"]])
        case = _Case(ledger, connection, keys, row, code)
        await case.remember()
        return await case.settle()


@dataclass(frozen=True, slots=True)
class _Case:
    """One delivery that cannot go out, locked."""

    ledger: Ledger
    connection: Any
    keys: Keyset
    row: Any
    code: str

    async def remember(self) -> None:
        """What the provider's code says of the number."""
        if self.code == WINDOW_CODE:
            await self.connection.execute(NUMBERS["closed"], self._lookup(), self.row["id"])
        if self.code == OPTED_OUT_CODE and self.row["channel"] == Channel.WHATSAPP:
            await self.connection.execute(NUMBERS["stop"], self._lookup(), "provider")

    async def settle(self) -> tuple[UUID, ...]:
        """Another way, or a person."""
        row, waited = self.row, self.row["held"]
        if self.code == OPTED_OUT and await self._came_back():
            return (row["route_id"],)
        window = waited or self.code in (OUTSIDE_WINDOW, WINDOW_CODE)
        if row["channel"] == Channel.WHATSAPP and row["kind"] == "message" and window:
            in_time = not row["too_old"] or self.code == WINDOW_CODE
            if in_time and not waited and self._template() is not None:
                return await self._wait_for_the_customer()
            if mailed := await self._mail():
                return mailed
        code = TOO_OLD if waited else self.code
        failed = await self.ledger.fail_in(self.connection, row["id"], code)
        return await self._asked_in_vain(failed["asks_for"]) if failed and failed["asks_for"] else ()

    async def _came_back(self) -> bool:
        """Whether START came between the look at the block and this; then it is due."""
        # Locks the number's row, as the inbox does: whoever comes second sees the other.
        await self.connection.execute(NUMBERS["wrote"], self._lookup(), None)
        if await self.connection.fetchval(NUMBERS["is_stopped"], self._lookup()):
            return False
        await self.connection.execute(SQL["due_now"], self.row["id"])
        return True

    async def _wait_for_the_customer(self) -> tuple[UUID, ...]:
        """The reply stays in the ledger, as itself or, when it was out already, as its copy."""
        row, connection, settings = self.row, self.connection, self.ledger.settings
        waiting = row["id"]
        if self.code == WINDOW_CODE:
            waiting = await self._copy(row["route_id"], Channel.WHATSAPP, None, row["body_enc"])
            await connection.execute(SQL["rerouted"], row["id"], waiting, self.code)
        # Locks the number's row, as the inbox does: whoever comes second sees the other.
        await connection.execute(NUMBERS["wrote"], self._lookup(), None)
        reach = await connection.fetchrow(NUMBERS["reach"], self._lookup(), window_s(settings), None)
        if reach["open"]:
            # They wrote back in this very moment.
            await connection.execute(SQL["due_now"], waiting)
            return (row["route_id"],)
        await connection.execute(SQL["hold"], waiting, settings.delivery_max_age_h * 3600, OUTSIDE_WINDOW)
        _count(row["channel"], "held", self.code)
        return () if reach["asked"] else (await self._ask(waiting),)

    async def _ask(self, waiting: UUID) -> UUID:
        """Send the template; the route it goes out on."""
        row, ledger, connection = self.row, self.ledger, self.connection
        sid = self._template()
        variables = {"1": ledger.settings.company_name}
        said = f"[WhatsApp template {sid}: asked to write back]"
        keys = await ledger.vault.keys(connection, [row["customer_id"]])
        notice = Notice(Channel.WHATSAPP, self._address()["address"], said, name=self._address()["name"])
        delivery_id = await post(
            connection,
            ledger.vault,
            keys,
            customer_id=row["customer_id"],
            conversation_id=row["conversation_id"],
            notice=notice,
        )
        template = json.dumps({"sid": sid, "variables": variables})
        await connection.execute(SQL["mark_template"], delivery_id, template, waiting)
        await connection.execute(NUMBERS["asked"], self._lookup())
        return (await connection.fetchrow(SQL["route_of"], delivery_id))["route_id"]

    async def _mail(self) -> tuple[UUID, ...]:
        """By e-mail, with a subject of its own, to the confirmed address; empty when there is none."""
        row, connection, vault = self.row, self.connection, self.ledger.vault
        owner = row["customer_id"]
        to = await confirmed(connection, vault, owner)
        if to is None:
            return ()
        text = self.keys.unseal("message.body", row["body_enc"])
        language, team = language_of([text]), self.ledger.settings.support_team_name
        keys = await vault.keys(connection, [owner])
        body = keys.seal(owner, "message.body", letter("moved", language, text, name=to.name, team=team))
        subject = keys.seal(owner, "message.subject", fixed("moved_subject", language))
        route_id = await open_thread(connection, vault, keys, owner, row["conversation_id"], to)
        copy = await self._copy(route_id, Channel.EMAIL, subject, body)
        await connection.execute(SQL["rerouted"], row["id"], copy, self.code)
        _count(row["channel"], "rerouted", self.code)
        return (route_id,)

    async def _copy(self, route_id: UUID, channel: Channel, subject: bytes | None, body: bytes) -> UUID:
        message_id, delivery_id, row = uuid.uuid4(), uuid.uuid4(), self.row
        await self.connection.execute(
            SQL["copy_message"], row["message_id"], message_id, route_id, channel, subject, body
        )
        await self.connection.execute(SQL["copy_delivery"], row["id"], delivery_id, message_id, route_id, channel)
        await self.connection.execute(SQL["answered_elsewhere"], row["message_id"], message_id)
        return delivery_id

    async def _asked_in_vain(self, waiting: UUID) -> tuple[UUID, ...]:
        """The template did not go out either: what waits for its answer goes another way at once."""
        max_age_s = self.ledger.settings.delivery_max_age_h * 3600
        row = await self.connection.fetchrow(SQL["to_reroute"], waiting, max_age_s, None)
        if row is None or not row["held"]:
            return ()
        keys = await self.ledger.vault.keys_for(self.connection, [row["body_enc"], row["address_enc"]])
        return await _Case(self.ledger, self.connection, keys, row, OUTSIDE_WINDOW).settle()

    def _template(self) -> str | None:
        """The template in the language of the reply, else the one for all."""
        settings = self.ledger.settings
        named = (part.partition(":") for part in settings.twilio_template_sids)
        by_language = {language.strip(): sid.strip() for language, _, sid in named}
        text = self.keys.unseal("message.body", self.row["body_enc"])
        return by_language.get(language_of([text])) or settings.twilio_template_sid or None

    def _address(self) -> dict[str, str]:
        return json.loads(self.keys.unseal("route.address", self.row["address_enc"]))

    def _lookup(self) -> bytes:
        return lookup_of(self.ledger.vault, self._address()["address"])


def _count(channel: str, status: str, code: str) -> None:
    DELIVERIES.labels(channel, status).inc()
    logger().warning(f"delivery_{status}", channel=channel, reason=code)
