"""Linking a phone and an e-mail address by a code that is sent to the other side.

Who asks has proven one side by writing from it; saying the code proves the other. The agent's tools only
read; the code is made, and used, in the one transaction that ends the turn. Whether an address is known to
us changes no word of it.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from shared.channels.message import Channel
from shared.conversations.lease import Stale
from shared.conversations.mailbox import OpenTurn
from shared.conversations.notice_texts import asking_channel, notice_text
from shared.conversations.notices import Notice, post
from shared.conversations.verification import SQL
from shared.identity.link import join
from shared.identity.merge import lock_customers, lock_identifiers, merge
from shared.identity.resolve import SQL as IDENTITY
from shared.privacy.vault import Keyset, Vault

ATTEMPTS = 5
LIFETIME_S = 15 * 60
#: Codes asked for within an hour and a day, by one customer and for one address.
MOST_AN_HOUR = 3
MOST_A_DAY = 5

Kind = Literal["email", "phone"]
#: sent: a code goes out; limit: none may now; already: it is the customer's. linked, wrong, conflict: a code was said.
State = Literal["sent", "limit", "already", "linked", "wrong", "conflict"]


@dataclass(frozen=True, slots=True)
class LinkAct:
    """What a turn does about linking; `state` is what the customer is told, and the commit makes it true or is stale.

    `address` (normalised) and `kind` belong to a request, `code` to what was said.
    """

    state: State
    kind: Kind = "email"
    address: str = ""
    code: str = ""
    language: str = "en"
    company: str = ""
    team: str = ""

    @property
    def says_code(self) -> bool:
        """Whether a code was said, and must be counted."""
        return self.state in ("linked", "wrong", "conflict")


async def standing(connection: Any, vault: Vault, customer_id: UUID, kind: Kind, address: str) -> State:
    """What a request would come to now: sent, limit or already."""
    lookup = vault.lookup(kind, address)
    if await connection.fetchval(IDENTITY["who_has"], kind, lookup) == customer_id:
        return "already"
    row = await connection.fetchrow(SQL["asked_lately"], customer_id, kind, lookup)
    hour, day = max(row["asker_hour"], row["target_hour"]), max(row["asker_day"], row["target_day"])
    return "limit" if hour >= MOST_AN_HOUR or day >= MOST_A_DAY else "sent"


async def judged(connection: Any, vault: Vault, customer_id: UUID, code: str) -> State | None:
    """What saying `code` would come to now: linked, wrong or conflict; None while no code is awaited."""
    row = await connection.fetchrow(SQL["open_code"], customer_id, ATTEMPTS)
    if row is None:
        return None
    if not hmac.compare_digest(row["secret"], _secret(vault, row["id"], code)):
        return "wrong"
    return "conflict" if await _conflicts(connection, customer_id, row) else "linked"


async def lock_for_code(connection: Any, vault: Vault, customer_id: UUID) -> None:
    """Before the conversation's lock: everything that using the awaited code may join."""
    row = await connection.fetchrow(SQL["open_code"], customer_id, ATTEMPTS)
    pairs: list[tuple[str, str]] = []
    if row is not None:
        keys = await vault.keys_for(connection, [row["value_enc"]])
        pairs = [(row["identifier_kind"], keys.unseal("identifier", row["value_enc"]))]
    owners = await lock_identifiers(connection, vault, pairs)
    await lock_customers(connection, {customer_id, *(owner for owner in owners if owner)})


async def use_code(connection: Any, vault: Vault, customer_id: UUID, act: LinkAct) -> None:
    """Count the code that was said and, if it is right, join the two sides. Raises Stale when it came out otherwise.

    Call it last, under `lock_for_code`: the customer may be another afterwards.
    """
    if await judged(connection, vault, customer_id, act.code) != act.state:
        raise Stale("the code is not what it was")
    row = await connection.fetchrow(SQL["open_code"], customer_id, ATTEMPTS)
    await connection.execute(SQL["count_guess"], row["id"])
    if act.state == "wrong":
        return
    await connection.execute(SQL["use"], row["id"])
    if act.state == "conflict":
        return
    keys = await vault.keys_for(connection, [row["value_enc"]])
    kind, address = row["identifier_kind"], keys.unseal("identifier", row["value_enc"])
    owner = await connection.fetchval(IDENTITY["who_has"], kind, vault.lookup(kind, address))
    if owner is None:
        await join(connection, vault, [(kind, address)], [None], "code", newcomer=customer_id)
    elif owner != customer_id:
        # The e-mail address's owner is the one who stays, as when an operator links.
        await merge(connection, *((customer_id, owner) if kind == "phone" else (owner, customer_id)), "code")


async def send_code(
    connection: Any, vault: Vault, keys: Keyset, customer_id: UUID, turn: OpenTurn, act: LinkAct
) -> UUID:
    """Make a code and post it to the other side: the delivery's id. Raises Stale when it may no longer be sent."""
    lookup = vault.lookup(act.kind, act.address)
    await connection.fetchval(SQL["lock_address"], lookup)
    if await standing(connection, vault, customer_id, act.kind, act.address) != act.state:
        raise Stale("a code may no longer be sent there")
    verification_id, code = uuid.uuid4(), f"{secrets.randbelow(1_000_000):06}"
    conversation_id = turn.lease.conversation_id
    delivery_id = await post(
        connection,
        vault,
        keys,
        customer_id=customer_id,
        conversation_id=conversation_id,
        notice=_code_notice(turn, act, code),
    )
    await connection.execute(
        SQL["create"],
        verification_id,
        "code",
        customer_id,
        conversation_id,
        act.kind,
        lookup,
        keys.seal(customer_id, "identifier", act.address),
        _secret(vault, verification_id, code),
        delivery_id,
        LIFETIME_S,
    )
    return delivery_id


def _secret(vault: Vault, verification_id: UUID, code: str) -> bytes:
    # With the row's id: a million codes hash differently in every row, so that none can be looked up.
    return vault.lookup("verification-code", f"{verification_id}:{code}")


async def _conflicts(connection: Any, customer_id: UUID, row: Any) -> bool:
    """Whether joining would lay two addresses, or two numbers, beside each other: a device may be shared."""
    owner = await connection.fetchval(IDENTITY["who_has"], row["identifier_kind"], row["lookup"])
    rows = await connection.fetch(SQL["proven_kinds"], [customer_id, *([owner] if owner else [])])
    asker = {one["kind"] for one in rows if one["customer_id"] == customer_id}
    other = {one["kind"] for one in rows if one["customer_id"] == owner} if owner else {row["identifier_kind"]}
    return owner != customer_id and bool(asker & other)


def _code_notice(turn: OpenTurn, act: LinkAct, code: str) -> Notice:
    words = {
        "channel": asking_channel(turn.channel, turn.to_address, act.language),
        "code": code,
        "company": act.company,
        "team": act.team,
    }
    if act.kind == "phone":
        return Notice(Channel.WHATSAPP, act.address, notice_text("code.whatsapp", act.language, **words))
    subject = notice_text("code.subject", act.language, company=act.company)
    return Notice(Channel.EMAIL, act.address, notice_text("code", act.language, **words), subject=subject)
