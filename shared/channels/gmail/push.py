"""Pub/Sub's push: is this request Google's, and which mailbox does it speak of?

Pub/Sub signs each push with an OpenID Connect token (cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
A token proves the sender, not the news: what arrived is asked of Gmail, never read from the push.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import google.auth.jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.channels.gmail.inbound import own_addresses
from shared.channels.gmail.push_keys import PushKeys
from shared.errors import Rejected
from shared.settings import Settings

_ISSUERS = frozenset({"accounts.google.com", "https://accounts.google.com"})
_SKEW_S = 10
#: Google's tokens have about 900 characters; the bound keeps the work before the check small.
_MOST_CHARACTERS = 8_192
_LARGEST_HISTORY_ID = 2**64 - 1
_HEADER = "Authorization"

_Model = TypeVar("_Model", bound=BaseModel)


class PushGuard:
    """Checks the token of a push against Google's keys and the subscription's audience and account."""

    def __init__(self, settings: Settings, keys: PushKeys) -> None:
        self._audience = settings.gmail_push_audience.strip()
        self._account = settings.gmail_push_service_account.strip()
        self._keys = keys

    @property
    def configured(self) -> bool:
        """Whether any push can pass."""
        return bool(self._audience and self._account)

    async def admit(self, authorization: str | None) -> None:
        """Return for a push of our subscription; `authorization` is that header's value.

        Raises Rejected (401) for anything else, and while GMAIL_PUSH_AUDIENCE or
        GMAIL_PUSH_SERVICE_ACCOUNT is missing; Retryable (503) when Google's keys can't be fetched.
        """
        if not self.configured:
            raise _refused("GMAIL_PUSH_AUDIENCE or GMAIL_PUSH_SERVICE_ACCOUNT is not set", "not-configured")
        token = _bearer(authorization)
        claims = _verified(token, await self._keys.of(_key_id(token)))
        if claims.get("aud") != self._audience:
            raise _refused("the token is for another audience", "wrong-audience")
        if claims.get("iss") not in _ISSUERS:
            raise _refused("the token is not Google's", "wrong-issuer")
        if claims.get("email") != self._account or claims.get("email_verified") is not True:
            raise _refused("the token is another account's", "wrong-account")


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _refused("there is no bearer token", "missing-token")
    if len(token) > _MOST_CHARACTERS:
        raise _refused("the token is too long", "bad-token")
    return token.strip()


def _key_id(token: str) -> str:
    try:
        header: Any = google.auth.jwt.decode_header(token)
    except (ValueError, RecursionError):
        raise _refused("this is not a token", "bad-token") from None
    # RS256 alone: a token must not choose how it is checked (RFC 8725, section 3.1).
    if header.get("alg") != "RS256":
        raise _refused("the token is not signed with RS256", "bad-algorithm")
    if not isinstance(key_id := header.get("kid"), str) or not key_id:
        raise _refused("the token names no key", "bad-token")
    return key_id


def _verified(token: str, keys: Mapping[str, bytes]) -> Mapping[str, Any]:
    """The claims under a signature that holds and between `iat` and `exp`, give or take ten seconds."""
    if not keys:
        raise _refused("the token's key is not Google's", "unknown-key")
    try:
        return google.auth.jwt.decode(token, certs=keys, clock_skew_in_seconds=_SKEW_S)
    except (ValueError, TypeError):
        # What the library says repeats the token's parts.
        raise _refused("the token's signature or its time does not hold", "bad-token") from None


def _refused(message: str, reason: str) -> Rejected:
    return Rejected(message, status=401, reason=reason, field=_HEADER)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)

    data: str = Field(max_length=10_000)
    message_id: str = Field("", alias="messageId", max_length=200)


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True)

    message: _Message
    subscription: str = Field("", max_length=1_000)


class _News(BaseModel):
    model_config = ConfigDict(frozen=True)

    address: str = Field(alias="emailAddress", max_length=320)
    history_id: int = Field(alias="historyId", ge=0, le=_LARGEST_HISTORY_ID)


@dataclass(frozen=True, slots=True)
class Notification:
    """What one push says: some mailbox changed, up to this history id (decimal digits)."""

    address: str
    history_id: str

    def is_ours(self, settings: Settings) -> bool:
        """Whether it speaks of our mailbox.

        A topic may serve several mailboxes, or still one that the team moved away from: such a push is
        acknowledged, since Pub/Sub would repeat a refused one for days and slow down ours meanwhile.
        """
        return self.address.strip().lower() in own_addresses(settings)


def notification(body: bytes) -> Notification:
    """Read the body of a push (developers.google.com/workspace/gmail/api/guides/push).

    Raises Rejected (400) naming the field that is missing or malformed, never its value.
    """
    envelope = _read(_Envelope, body, "")
    news = _read(_News, _decoded(envelope.message.data), "message.data")
    return Notification(news.address, str(news.history_id))


def _read(model: type[_Model], body: bytes, inside: str) -> _Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        path = [inside, *(str(part) for part in error.errors()[0]["loc"])]
        raise _malformed(".".join(part for part in path if part) or "body") from None


def _decoded(data: str) -> bytes:
    # Gmail's guide says base64url, Pub/Sub's says base64: either is read, padded or not.
    plain = data.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("message.data") from None


def _malformed(field: str) -> Rejected:
    return Rejected(f"{field} is missing or malformed", status=400, reason="malformed-push", field=field)
