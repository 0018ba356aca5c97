"""Google's public keys, which sign the tokens of pushes: fetched when needed, kept for an hour."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, Field, ValidationError

from shared.clock import Clock
from shared.errors import Retryable
from shared.observability.logs import logger

#: Google rotates its keys within days and publishes a new one before it signs.
KEPT = timedelta(hours=1)
#: Tokens with invented key ids must not make us hammer Google.
_MOST_FETCHES = 10
_A_WHILE = timedelta(minutes=1)


class _Key(BaseModel):
    """One RSA key of a JWK set (RFC 7517, RFC 7518 section 6.3.1)."""

    kid: str
    kty: str
    n: str = ""
    e: str = ""
    use: str = "sig"


class _KeySet(BaseModel):
    keys: list[_Key] = Field(max_length=100)


class PushKeys:
    """The key set at `url`; one fetch at a time, over the client it is given."""

    def __init__(self, http: httpx.AsyncClient, url: str, clock: Clock) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: Mapping[str, bytes] = {}
        self._fetches: deque[datetime] = deque(maxlen=_MOST_FETCHES)
        self._lock = asyncio.Lock()

    async def of(self, key_id: str) -> Mapping[str, bytes]:
        """`{key_id: PEM}`, or nothing when Google knows no such key; an unknown one is looked for once more.

        Raises Retryable when the keys can't be fetched.
        """
        async with self._lock:
            if self._is_old() or (key_id not in self._keys and not self._is_hurried()):
                self._keys = await self._fetch()
                self._fetches.append(self._clock.now())
        return {key_id: self._keys[key_id]} if key_id in self._keys else {}

    def _is_old(self) -> bool:
        return not self._fetches or self._clock.now() - self._fetches[-1] > KEPT

    def _is_hurried(self) -> bool:
        return len(self._fetches) == _MOST_FETCHES and self._clock.now() - self._fetches[0] < _A_WHILE

    async def _fetch(self) -> Mapping[str, bytes]:
        try:
            answer = await self._http.get(self._url)
            answer.raise_for_status()
            keys = _KeySet.model_validate_json(answer.content).keys
            return {key.kid: _pem(key) for key in keys if key.kty == "RSA" and key.use == "sig"}
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError) as error:
            logger().warning("push_keys_unavailable", error_type=type(error).__name__)
            raise Retryable("Google's keys can't be fetched", reason="push-keys-unavailable") from None


def _pem(key: _Key) -> bytes:
    public = RSAPublicNumbers(_number(key.e), _number(key.n)).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _number(text: str) -> int:
    """A Base64urlUInt (RFC 7518, section 2)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
