"""Identifiers and texts at rest: AES-256-GCM under a data key per customer.

A data key is wrapped by a master key from a Secret; destroying it erases the customer. A sealed
value names the customer whose key sealed it, so that merging two customers re-encrypts nothing:

    sealed  = 0x01 | owner's uuid (16) | nonce (12) | ciphertext and tag
    wrapped = length of key id (1) | key id | nonce (12) | ciphertext and tag

The nonce is random; one key seals far fewer than 2^32 values (NIST SP 800-38D, section 8.3). The
label (`message.body`) and the owner are authenticated, so a value cannot be moved to another column.
Look-up goes by HMAC under a key of its own: rotating the master key changes no look-up.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from typing import Any, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from shared.errors import Permanent
from shared.settings import Settings, key_bytes

_VERSION = b"\x01"
_NONCE = 12
_SERVICE_OWNER = UUID(int=0)


class Erased(Permanent):
    """The key that sealed this value was destroyed: the customer is erased."""

    reason = "erased"


class Keyset:
    """The unwrapped data keys of a few owners, for one transaction's work."""

    def __init__(self, keys: Mapping[UUID, bytes]) -> None:
        self._keys = dict(keys)

    def add(self, owner: UUID, key: bytes) -> None:
        """Make one more owner's key usable."""
        self._keys[owner] = key

    def seal(self, owner: UUID, label: str, text: str) -> bytes:
        """Encrypt `text` for `owner`. Raises Erased when the owner has no key any more."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(owner).encrypt(nonce, text.encode("utf-8", "surrogatepass"), _bound(owner, label))
        return _VERSION + owner.bytes + nonce + sealed

    def unseal(self, label: str, sealed: bytes) -> str:
        """Decrypt. Raises Erased without the key, Permanent when the value was tampered with or mislabelled."""
        owner = owner_of(sealed)
        body = sealed[17:]
        try:
            text = self._cipher(owner).decrypt(body[:_NONCE], body[_NONCE:], _bound(owner, label))
        except InvalidTag:
            raise Permanent(f"a sealed {label} does not open", reason="bad-ciphertext") from None
        return text.decode("utf-8", "surrogatepass")

    def _cipher(self, owner: UUID) -> AESGCM:
        key = self._keys.get(owner)
        if key is None:
            raise Erased("the data key is gone or was not loaded")
        return AESGCM(key)


class Vault:
    """Master keys and the look-up key. Holds no customer's key."""

    def __init__(self, masters: Mapping[str, bytes], lookup_key: bytes) -> None:
        self._masters = masters
        self._newest = next(iter(masters))
        self._lookup_key = lookup_key

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises Permanent naming the setting that is missing or malformed."""
        return cls(_masters(settings.fte_master_key), key_bytes(settings.fte_lookup_key, "FTE_LOOKUP_KEY"))

    def lookup(self, kind: str, value: str) -> bytes:
        """The keyed hash by which a normalised value is found; `kind` keeps name spaces apart."""
        return hmac.new(self._lookup_key, f"{kind}\x00{value}".encode(), hashlib.sha256).digest()

    def new_key(self) -> tuple[bytes, bytes]:
        """A fresh data key: (key, wrapped)."""
        key = AESGCM.generate_key(256)
        return key, self.wrap(key)

    def wrap(self, key: bytes) -> bytes:
        """Wrap under the newest master key."""
        name = self._newest.encode()
        nonce = os.urandom(_NONCE)
        return bytes([len(name)]) + name + nonce + AESGCM(self._masters[self._newest]).encrypt(nonce, key, name)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Raises Permanent when its master key is not configured or does not fit."""
        name, body = wrapped[1 : 1 + wrapped[0]], wrapped[1 + wrapped[0] :]
        master = self._masters.get(name.decode("ascii", "replace"))
        if master is None:
            raise Permanent("the master key that wrapped a data key is not configured", reason="missing-key")
        try:
            return AESGCM(master).decrypt(body[:_NONCE], body[_NONCE:], name)
        except InvalidTag:
            raise Permanent("FTE_MASTER_KEY does not open this database's data keys", reason="bad-key") from None

    async def keys(self, connection: Any, owners: Iterable[UUID]) -> Keyset:
        """The data keys of these owners that still exist."""
        rows = await connection.fetch(
            "SELECT id, data_key FROM customers WHERE id = ANY($1::uuid[]) AND data_key IS NOT NULL", list(set(owners))
        )
        return Keyset({row["id"]: self.unwrap(row["data_key"]) for row in rows})

    async def keys_for(self, connection: Any, sealed: Iterable[bytes | None]) -> Keyset:
        """The data keys that open these values."""
        return await self.keys(connection, {owner_of(value) for value in sealed if value})

    async def service_keys(self, connection: Any, name: str) -> tuple[UUID, Keyset]:
        """The key for texts without a customer (`name`: dead_letters), made at first use; and its owner id."""
        _, wrapped = self.new_key()
        await connection.execute(
            "INSERT INTO service_keys (name, data_key) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, wrapped
        )
        stored = await connection.fetchval("SELECT data_key FROM service_keys WHERE name = $1", name)
        return _SERVICE_OWNER, Keyset({_SERVICE_OWNER: self.unwrap(stored)})


def owner_of(sealed: bytes) -> UUID:
    """Whose key sealed this value. Raises Permanent for a value of another format."""
    if sealed[:1] != _VERSION or len(sealed) < 17 + _NONCE:
        raise Permanent("a sealed value has an unknown format", reason="bad-ciphertext")
    return UUID(bytes=sealed[1:17])


def _bound(owner: UUID, label: str) -> bytes:
    return owner.bytes + label.encode()


def _masters(setting: SecretStr) -> dict[str, bytes]:
    masters: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in setting.get_secret_value().split(","))):
        name, found, encoded = part.partition(":")
        if not found or not name:
            raise Permanent("FTE_MASTER_KEY is a list of id:base64 pairs, newest first", reason="bad-key")
        masters[name] = key_bytes(SecretStr(encoded), "FTE_MASTER_KEY")
    if not masters:
        raise Permanent("FTE_MASTER_KEY is not set: give it id:base64 of 32 random bytes", reason="missing-key")
    return masters
