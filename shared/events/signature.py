"""`ftesig`: the HMAC that says an event is ours.

It covers id, type, source and data, each length-prefixed so that no two different events share a
text to sign. Extensions are left out: Knative adds its own on the way to a dead letter.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from shared.errors import Rejected


def sign(key: bytes, event_id: str, event_type: str, source: str, data: bytes) -> str:
    """The signature as 64 hexadecimal digits."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in (event_id.encode(), event_type.encode(), source.encode(), data):
        mac.update(len(part).to_bytes(8, "big"))
        mac.update(part)
    return mac.hexdigest()


def is_ours(keys: Sequence[bytes], signature: str, event_id: str, event_type: str, source: str, data: bytes) -> bool:
    """Whether any of our keys (two while rotating) made this signature."""
    given = signature.encode()
    return any(hmac.compare_digest(sign(key, event_id, event_type, source, data).encode(), given) for key in keys)


def require_ours(
    keys: Sequence[bytes], signature: str | None, event_id: str, event_type: str, source: str, data: bytes
) -> None:
    """Raise Rejected (401, so straight to the dead letters) unless the event is ours."""
    if not signature:
        raise Rejected("the event carries no ftesig", status=401, reason="unsigned-event", field="ftesig")
    if not is_ours(keys, signature, event_id, event_type, source, data):
        raise Rejected("the event's ftesig does not match", status=401, reason="bad-event-signature", field="ftesig")
