"""The keys that sign push tokens, as Google's at www.googleapis.com/oauth2/v3/certs."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.local.simulators.gmail.rows import KeyRow
from shared.local.simulators.journal import Journal, Table

KEYS_PUBLISHED = 2  # the signing key and the one before it


class PushKeys:
    """RSA keys made here and kept in the state; the newest signs."""

    def __init__(self, journal: Journal) -> None:
        self._keys = Table(journal, "keys", KeyRow)

    async def ensure(self) -> None:
        if len(self._keys) == 0:
            await self.rotate()

    async def rotate(self) -> None:
        """A new key signs from now on; the one before it stays published."""
        self._keys.put(KeyRow(id=secrets.token_hex(20), pem=await asyncio.to_thread(new_key)))
        for old in list(self._keys)[:-KEYS_PUBLISHED]:
            self._keys.drop(old.id)

    def sign(self, claims: dict[str, Any]) -> str:
        key = next(iter(self._keys.newest_first()))
        return jwt.encode(claims, key.pem, algorithm="RS256", headers={"kid": key.id})

    def forge(self, claims: dict[str, Any], pem: str) -> str:
        """A token that names our key and is signed by another."""
        key = next(iter(self._keys.newest_first()))
        return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key.id})

    def published(self) -> dict[str, Any]:
        """The JWK set (RFC 7517)."""
        return {"keys": [_jwk(key) for key in self._keys]}


def new_key() -> str:
    """A new private key in PEM; takes some tenths of a second of a core."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _jwk(row: KeyRow) -> dict[str, Any]:
    private = serialization.load_pem_private_key(row.pem.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)  # noqa: S101 — only new_key makes rows
    public = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    return {"kty": public["kty"], "n": public["n"], "e": public["e"], "kid": row.id, "alg": "RS256", "use": "sig"}
