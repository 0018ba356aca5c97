"""The JSON of Twilio's resources (www.twilio.com/docs/messaging/api/message-resource, …/media-resource)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from shared.local.simulators.twilio.rows import MediaRow, MessageRow

API_VERSION = "2010-04-01"


def account_path(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}"


def message_resource(account_sid: str, message: MessageRow) -> dict[str, Any]:
    """The Message resource."""
    base = f"{account_path(account_sid)}/Messages/{message.id}"
    in_service = message.status == "accepted"
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent),
        "date_updated": rfc2822(message.updated),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": message.error_message,
        "from": None if in_service else message.sender,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(message.num_media),
        "num_segments": "0" if in_service else "1",
        "price": None,
        "price_unit": None,
        "sid": message.id,
        "status": message.status,
        "subresource_uris": {"media": f"{base}/Media.json"},
        "to": message.to,
        "uri": f"{base}.json",
    }


def media_resource(account_sid: str, media: MediaRow) -> dict[str, Any]:
    """The Media resource."""
    created = rfc2822(media.created)
    return {
        "sid": media.id,
        "account_sid": account_sid,
        "parent_sid": media.message_sid,
        "content_type": media.content_type,
        "date_created": created,
        "date_updated": created,
        "uri": f"{account_path(account_sid)}/Messages/{media.message_sid}/Media/{media.id}.json",
    }


def rfc2822(seconds: float | None) -> str | None:
    return None if seconds is None else format_datetime(datetime.fromtimestamp(int(seconds), UTC))
