"""Following the link in our mail: the address is theirs, and what they typed joins the customer who owns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.conversations.verification import SQL, link_secret
from shared.db.pool import Database
from shared.errors import Rejected
from shared.identity.link import join
from shared.identity.merge import lock_customers, lock_identifiers, merge
from shared.privacy.vault import Vault


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Who followed the link, and the ticket they may now read as a verified visitor. `name` may be empty."""

    customer_id: UUID
    ticket_id: str
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class MailedLinks:
    """The links that were mailed, for form-submit."""

    db: Database
    vault: Vault

    async def look(self, token: str) -> None:
        """Whether there is such a link, changing nothing. Raises Rejected as `redeem_link` does."""
        async with self.db.transaction() as connection:
            await _find(connection, self.vault, token)

    async def redeem(self, token: str) -> Redeemed:
        """See `redeem_link`."""
        return await redeem_link(self.db, self.vault, token)


async def redeem_link(db: Database, vault: Vault, token: str) -> Redeemed:
    """Verify the address that `token` was mailed to; following it again changes nothing.

    The claimed customer joins the address's owner by a recorded merge, or becomes its owner. Messages keep the
    trust they came with, so that the page that typed the address sees no more than before.

    Raises Rejected: 404 for a token that is none of ours, 410 when it expired or an operator undid what it did.
    """
    async with db.transaction() as connection:
        found = await _find(connection, vault, token)
        keys = await vault.keys_for(connection, [found["value_enc"]])
        address = keys.unseal("identifier", found["value_enc"])
        (owner,) = await lock_identifiers(connection, vault, [("email", address)])
        # Under the locks: a merge or another click may have come first.
        found = await _find(connection, vault, token)
        customer_id = await _prove(connection, vault, found, address, owner)
        return Redeemed(customer_id, found["ticket_id"], address, await _name(connection, vault, customer_id))


async def _find(connection: Any, vault: Vault, token: str) -> Any:
    found = await connection.fetchrow(SQL["find_link"], link_secret(vault, token))
    if found is None or found["ticket_id"] is None:
        raise Rejected("there is no such link", status=404, reason="unknown-link")
    if found["expired"]:
        raise Rejected("the link has expired: write to us again to get a new one", status=410, reason="expired-link")
    return found


async def _prove(connection: Any, vault: Vault, found: Any, address: str, owner: UUID | None) -> UUID:
    claimed = found["customer_id"]
    await lock_customers(connection, [claimed])
    if found["used_at"] is not None and owner == claimed:
        return claimed
    # Undone by an operator; or joined by one to somebody who proved another address, whom no click may join to this.
    if found["used_at"] is not None or await connection.fetchval(SQL["has_proven"], claimed):
        raise Rejected("the link is no longer valid", status=410, reason="undone-link")
    if owner is None:
        await join(connection, vault, [("email", address)], [None], "link", newcomer=claimed)
    elif owner != claimed:
        await merge(connection, owner, claimed, "link")
    await connection.execute(SQL["prove_conversation"], found["conversation_id"])
    await connection.execute(SQL["use"], found["id"])
    return owner or claimed


async def _name(connection: Any, vault: Vault, customer_id: UUID) -> str:
    sealed = await connection.fetchval(SQL["customer_name"], customer_id)
    keys = await vault.keys_for(connection, [sealed])
    return keys.unseal("customer.name", sealed) if sealed else ""
