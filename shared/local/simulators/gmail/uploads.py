"""The message in a request: JSON with `raw`, or the two forms of /upload/ (media and multipart/related)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from shared.local.simulators.gmail.errors import invalid

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Submission:
    """`raw` is None when the request only names a draft."""

    raw: bytes | None
    thread_id: str | None
    draft_id: str | None

    def required(self) -> bytes:
        """Raises GoogleError 400 when there is no message."""
        if not self.raw:
            raise invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
        return self.raw


async def submission(request: Request) -> Submission:
    """What a send or a draft request carries. Raises GoogleError 400 for a body that is neither form."""
    body = await request.body()
    if not request.url.path.startswith("/upload/"):
        return _of_json(await json_object(request), None)
    if request.query_params.get("uploadType") == "media":
        return Submission(body, None, None)
    metadata, media = _related(body, request.headers.get("content-type", ""))
    return _of_json(metadata, media)


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON body; an empty one is an empty object."""
    return _object(await request.body())


def _object(body: bytes) -> dict[str, Any]:
    try:
        value: Any = json.loads(body or b"{}")
    except ValueError:
        raise invalid("Invalid JSON payload received. Parse error") from None
    if not isinstance(value, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    return value  # pyright: ignore[reportUnknownVariableType] — JSON


def _of_json(value: dict[str, Any], media: bytes | None) -> Submission:
    is_draft = isinstance(value.get("message"), dict) or not {"raw", "threadId"} & value.keys()
    message: dict[str, Any] = (value.get("message") or {}) if is_draft else value
    raw = media if media is not None else _decoded(message.get("raw"))
    return Submission(raw, message.get("threadId"), value.get("id") if is_draft else None)


def _decoded(raw: object) -> bytes | None:
    if not raw:
        return None
    try:
        text = str(raw)
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise invalid("Invalid value at 'raw' (TYPE_BYTES), Base64 decoding failed") from None


def _related(body: bytes, content_type: str) -> tuple[dict[str, Any], bytes]:
    """The JSON and the media of a multipart/related body, byte for byte."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise invalid("Missing boundary in the multipart upload")
    parts = re.split(rb"(?:^|\r?\n)--" + re.escape(match[1].encode()) + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    bodies = [_HEADER_END.split(part, 1)[-1] for part in parts if part.strip()]
    if len(bodies) != 2:
        raise invalid("A multipart upload has two parts")
    return _object(bodies[0]), bodies[1]
