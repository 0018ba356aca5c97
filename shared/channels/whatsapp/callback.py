"""Status callbacks: the URL that carries our delivery to Twilio and back, and what comes back.

The URL is derived from the webhook's, so that one setting names both:
`https://host/whatsapp` → `https://host/whatsapp/status?delivery=<id>&attempt=<n>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import ValidationError

from shared.channels.status import DeliveryStatus
from shared.errors import Rejected

_STATUS = "/status"
_FIELDS = {"delivery_id": "delivery", "attempt": "attempt", "sid": "MessageSid", "status": "MessageStatus"}


def is_status_path(path: str) -> bool:
    """Whether a request to `path` is a status callback; a proxy may have cut the front of the path."""
    return path.rstrip("/").endswith(_STATUS)


def status_url(webhook_url: str) -> str:
    """The webhook's URL with `/status` behind its path; its query stays, its fragment goes."""
    parts = urlsplit(webhook_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + _STATUS, parts.query, ""))


def callback_url(webhook_url: str, delivery_id: str, attempt: int) -> str:
    """The StatusCallback of one attempt of one delivery."""
    parts = urlsplit(status_url(webhook_url))
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("delivery", delivery_id), ("attempt", str(attempt))]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def delivery_status(query: str, fields: Mapping[str, str], at: datetime) -> DeliveryStatus:
    """A callback as data; `query` and `fields` were verified by the signature.

    Raises Rejected (422) naming the parameter that is missing or malformed, also for callbacks of
    messages that were not sent by a delivery of ours.
    """
    ours = parse_qs(query)
    told = {
        "delivery_id": ours.get("delivery", [""])[0],
        "attempt": ours.get("attempt", [""])[0],
        "sid": fields.get("MessageSid") or fields.get("SmsSid", ""),
        "status": (fields.get("MessageStatus") or fields.get("SmsStatus", "")).lower(),
        "error_code": _error_code(fields),
        "at": at,
    }
    try:
        return DeliveryStatus.model_validate(told)
    except ValidationError as error:
        name = _FIELDS.get(str(error.errors()[0]["loc"][0]), "ErrorCode")
        raise Rejected(f"{name} is missing or malformed", status=422, reason="bad-callback", field=name) from None


def _error_code(fields: Mapping[str, str]) -> str | None:
    code = fields.get("ErrorCode", "").strip()
    # 0 is another way to say that nothing went wrong.
    return code if code.strip("0") else None
