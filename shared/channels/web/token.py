"""A ticket's id and the token that opens its page: both keyed hashes, so that nothing need be stored.

The id is made of everything that was sent under the idempotency key: the same request again is the
same ticket, and a key that strangers happen to share, or guess, leads to no ticket of another. The
token is made of the id alone, so a page's link works before the ticket has been stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

_ID_BYTES = 15  # 120 bits, 24 characters without padding
_TOKEN_BYTES = 32


def ticket_id(key: bytes, idempotency_key: str, email: str, payload: bytes) -> str:
    """24 characters of base32 (RFC 4648, section 6), such as `MFRGG…`; `email` is normalised."""
    parts = (b"ticket", idempotency_key.encode(), email.encode(), payload)
    # Length-prefixed, so that no two different lists of parts read the same.
    text = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return base64.b32encode(hmac.new(key, text, hashlib.sha256).digest()[:_ID_BYTES]).decode()


def ticket_token(key: bytes, ticket: str) -> str:
    """The token that opens the page of `ticket`: 43 characters of base64url."""
    mac = hmac.new(key, b"token:" + ticket.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()[:_TOKEN_BYTES]).rstrip(b"=").decode()


def opens(keys: Sequence[bytes], ticket: str, token: str) -> bool:
    """Whether `token` was made for `ticket` under any of our keys, in constant time for each."""
    given = token.encode("utf-8", "replace")
    return any(hmac.compare_digest(ticket_token(key, ticket).encode(), given) for key in keys)
