"""X-Twilio-Signature of a form request (www.twilio.com/docs/usage/security#validating-requests)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

Form = Sequence[tuple[str, str]]


def sign(auth_token: str, url: str, form: Form) -> str:
    """HMAC-SHA1 over the exact URL and every field, sorted by name; a repeated value of one field counts once."""
    signed = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
