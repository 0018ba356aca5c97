"""A ticket's id, a message's id and the token that opens the ticket's page: nothing need be stored for any.

An id is a keyed hash of everything that was sent under the idempotency key: the same request again is the
same ticket, and a key that strangers happen to share, or guess, leads to no ticket of another.

A token says for itself which ticket it opens, for whom and how sure that is, so that a message on the page
is accepted without PostgreSQL. It is AES-SIV (RFC 5297) under a key derived from FTE_TICKET_KEY: nobody else
can read or make one, and the same ticket has the same token whenever it is made, as the mode needs no nonce.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.channels.message import Trust

_ID_BYTES = 15  # 120 bits, 24 characters without padding
_LABEL = b"fte ticket token 1"
#: Of a name of 200 characters and an address of 254, four bytes each, in base64: a longer one was not made here.
_MAX_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a token speaks for: on which ticket, from which normalised address, and how sure that is."""

    ticket: str
    address: str
    name: str
    trust: Trust


def keyed_id(key: bytes, kind: str, *parts: bytes) -> str:
    """24 characters of base32 (RFC 4648, section 6), such as `MFRGG…`; `kind` keeps name spaces apart."""
    return base64.b32encode(_mac(key, kind, parts)[:_ID_BYTES]).decode()


def keyed_uuid(key: bytes, kind: str, *parts: bytes) -> UUID:
    """As `keyed_id`, as a UUID."""
    return uuid.UUID(bytes=_mac(key, kind, parts)[:16], version=4)


def seal_token(key: bytes, holder: Holder) -> str:
    """The token of `holder`, in base64url without padding: about 200 characters."""
    said = {"address": holder.address, "name": holder.name, "ticket": holder.ticket, "trust": holder.trust}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_cipher(key).encrypt(text, [_LABEL])).rstrip(b"=").decode()


def open_token(keys: Sequence[bytes], ticket: str, token: str) -> Holder | None:
    """Who holds `token`, if it was made for `ticket` under any of our keys, all of which are tried."""
    sealed = _decoded(token)
    opened = [found for key in keys if (found := _opened(key, sealed)) is not None]
    if not opened or not hmac.compare_digest(opened[0].ticket.encode(), ticket.encode("utf-8", "replace")):
        return None
    return opened[0]


def _opened(key: bytes, sealed: bytes) -> Holder | None:
    try:
        said = json.loads(_cipher(key).decrypt(sealed, [_LABEL]))
    except (InvalidTag, ValueError):
        return None
    return Holder(said["ticket"], said["address"], said["name"], Trust(said["trust"]))


def _decoded(token: str) -> bytes:
    """The bytes of a token; some that open nothing for what is none, so that it costs the same."""
    wrong = bytes(64)
    if not 0 < len(token) <= _MAX_TOKEN:
        return wrong
    try:
        sealed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return wrong
    # One spelling alone: base64 ignores the last bits of its last character.
    return sealed if base64.urlsafe_b64encode(sealed).rstrip(b"=") == token.encode() and len(sealed) > 16 else wrong


def _cipher(key: bytes) -> AESSIV:
    return AESSIV(HKDF(SHA256(), 64, None, _LABEL).derive(key))


def _mac(key: bytes, kind: str, parts: Sequence[bytes]) -> bytes:
    # Length-prefixed, so that no two different lists of parts read the same.
    text = b"".join(len(part).to_bytes(8, "big") + part for part in (kind.encode(), *parts))
    return hmac.new(key, text, hashlib.sha256).digest()
