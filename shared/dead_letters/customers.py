"""Customers as operators see and join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.addresses import normalise_email, normalise_phone
from shared.conversations.unlink import unlink_identifiers
from shared.conversations.unmerge import unmerge_customers
from shared.db.pool import Database
from shared.db.queries import load
from shared.dead_letters.shown import plain, unsealed
from shared.errors import Rejected
from shared.identity.link import (
    Linked,
    link,
    look_at_link,
    merge_customers,
)
from shared.identity.merge import SQL as MERGING
from shared.identity.resolve import nobodys
from shared.privacy.vault import Vault

IDENTITY = load("identity")


@dataclass(frozen=True, slots=True)
class Customers:
    """The desk's reads and acts on customers. WHO is an id, an e-mail address or a phone number."""

    db: Database
    vault: Vault

    async def list(self, limit: int, address: str | None = None) -> list[dict[str, Any]]:
        """Latest activity first; with `address` only those who have it, proven or as a note. Raises Rejected (422)."""
        kind, lookup = self._lookup(address) if address else (None, None)
        async with self.db.transaction() as connection:
            rows = await connection.fetch(IDENTITY["list_customers"], limit, kind, lookup)
            sealed = [value for row in rows for value in (row["name_enc"], *row["addresses"])]
            keys = await self.vault.keys_for(connection, sealed)
        return [
            {
                **plain(row, keys, {"name_enc": "customer.name"}),
                "addresses": [unsealed(keys, "identifier", value) for value in row["addresses"]],
                "channels": sorted(set(row["channels"])),
            }
            for row in rows
        ]

    async def show(self, customer_id: UUID) -> dict[str, Any]:
        """One customer with identifiers, conversations and merges; one who was merged, as the one they went into.

        Raises Rejected (404).
        """
        async with self.db.transaction() as connection:
            row = await connection.fetchrow(IDENTITY["show_customer"], customer_id)
            if row is None:
                raise Rejected("no such customer", status=404, reason="unknown-customer")
            identifiers = await connection.fetch(IDENTITY["identifiers_of"], row["id"])
            conversations = await connection.fetch(IDENTITY["conversations_of"], row["id"])
            merges = await connection.fetch(MERGING["merges_of"], row["id"])
            sealed = [row["name_enc"], *(identifier["value_enc"] for identifier in identifiers)]
            keys = await self.vault.keys_for(connection, sealed)
        shown = plain(row, keys, {"name_enc": "customer.name"})
        shown["merged_from"] = str(customer_id) if customer_id != row["id"] else None
        shown["identifiers"] = [plain(i, keys, {"value_enc": "identifier"}) for i in identifiers]
        shown["conversations"] = [plain(c, keys, {}) for c in conversations]
        shown["merges"] = [plain(m, keys, {}) for m in merges]
        return shown

    async def at(self, address: str) -> dict[str, Any]:
        """The customer whose verified e-mail address or phone number this is.

        Raises Rejected: 422 when it is neither, 404 when nobody's or only claimed.
        """
        return await self.show(await self._owner(address))

    async def link(self, email: str, phone: str, *, dry_run: bool = False) -> dict[str, Any]:
        """Make both one customer's, or say what that would come to. Raises Rejected (422, 409)."""
        act = look_at_link if dry_run else link
        return _link_shown(await act(self.db, self.vault, normalise_email(email), normalise_phone(phone)))

    async def unlink(self, addresses: Sequence[str]) -> list[dict[str, Any]]:
        """Take addresses or numbers from their customers. Raises Rejected: 404 nobody's, 409 where it may not be."""
        pairs = [_normalised(address) for address in addresses]
        taken = await unlink_identifiers(self.db, self.vault, list(dict.fromkeys(pairs)))
        return [
            {
                "identifier": value,
                "customer_id": str(one.customer_id),
                "moved_to": str(one.moved_to) if one.moved_to else None,
                "conversations": one.conversations,
            }
            for one, (_, value) in zip(taken, dict.fromkeys(pairs), strict=True)
        ]

    async def merge(self, winner: str, loser: str) -> dict[str, Any]:
        """Move all of `loser` to `winner`. Raises Rejected: 404 unknown, 409 where it may not be, 422 for no WHO."""
        stays, goes = await self._who(winner), await self._who(loser)
        merge_id = await merge_customers(self.db, stays, goes)
        return {"merge_id": merge_id, "customer_id": str(stays), "merged": str(goes)}

    async def unmerge(self, what: str) -> dict[str, Any]:
        """Undo a merge, named by its id or by a customer. Raises Rejected: 404 unknown, 409 where it may not be."""
        if what.isascii() and what.isdigit() and len(what) < 10:
            parted = await unmerge_customers(self.db, self.vault, merge_id=int(what))
        else:
            parted = await unmerge_customers(self.db, self.vault, customer_id=await self._who(what))
        return {"merge_id": parted.merge_id, "customer_id": str(parted.winner), "restored": str(parted.loser)}

    async def _who(self, who: str) -> UUID:
        try:
            return UUID(who)
        except ValueError:
            return await self._owner(who)

    async def _owner(self, address: str) -> UUID:
        identifier = self._lookup(address)
        row = await self.db.fetchrow(IDENTITY["who_has"], *identifier)
        if row is not None:
            return row["customer_id"]
        raise await nobodys(self.db, *identifier)

    def _lookup(self, address: str) -> tuple[str, bytes]:
        kind, value = _normalised(address)
        return kind, self.vault.lookup(kind, value)


def _normalised(address: str) -> tuple[str, str]:
    return ("email", normalise_email(address)) if "@" in address else ("phone", normalise_phone(address))


def _link_shown(linked: Linked) -> dict[str, Any]:
    return {
        "customer_id": str(linked.customer_id) if linked.customer_id else None,
        "merged": linked.merge_id is not None or any(side.was == "another" for side in linked.sides),
        "merge_id": linked.merge_id,
        "identifiers": [{"value": side.value, "kind": side.kind, "was": side.was} for side in linked.sides],
    }
