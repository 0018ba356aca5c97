"""An event as it reaches a function: a CloudEvent 1.0 in HTTP's binary mode.

Parsed from the request itself, not through functions-framework's event signature: `ftesig` covers
the very bytes of the data, which that signature has already turned into objects.
Source: CloudEvents HTTP protocol binding 1.0.2, section 3.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from shared.errors import Permanent, Rejected
from shared.events.signature import require_ours

_REQUIRED = ("specversion", "id", "source", "type")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """Attributes, extensions among them, by bare name (`id`, `ftesig`), and the data's bytes."""

    attributes: Mapping[str, str]
    content_type: str
    data: bytes

    @property
    def id(self) -> str:
        """Unique together with `source`."""
        return self.attributes["id"]

    @property
    def type(self) -> str:
        """Such as `fte.message.received`."""
        return self.attributes["type"]

    @property
    def source(self) -> str:
        """Who made it."""
        return self.attributes["source"]

    @property
    def key(self) -> str:
        """The partition key it travelled under."""
        return self.attributes.get("partitionkey") or self.attributes.get("key", "")

    def require_ours(self, keys: Sequence[bytes]) -> None:
        """Raise Rejected (401) unless one of our keys signed it."""
        require_ours(keys, self.attributes.get("ftesig"), self.id, self.type, self.source, self.data)

    def parse(self, model: type[Model]) -> Model:
        """The data as `model`. Raises Permanent naming the first field that does not fit, never its value."""
        try:
            return model.model_validate_json(self.data)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "data"
            raise Permanent(f"the data of {self.type} does not fit: {where}", reason="bad-event-data") from None


async def unreadable(request: Request, reason: str) -> ReceivedEvent:
    """What is no CloudEvent, kept as one: named after its content, so that a copy of it is the same."""
    body = await request.body()
    given = {name[3:]: value for name, value in request.headers.items() if name.startswith("ce-")}
    name = hashlib.sha256(repr(sorted(given.items())).encode() + body).hexdigest()[:40]
    made = {"id": f"unreadable-{name}", "type": "unreadable", "source": "unknown", "knereason": reason}
    topic = {"ftetopic": given["ftetopic"]} if "ftetopic" in given else {}
    return ReceivedEvent({**made, **topic}, request.headers.get("content-type", ""), body)


async def receive_event(request: Request) -> ReceivedEvent:
    """Read one event from a request.

    Raises Rejected: 405 for a method other than POST, 400 naming the attribute that is missing.
    """
    if request.method != "POST":
        raise Rejected("events are POSTed", status=405, reason="method-not-allowed")
    attributes = {name[3:]: unquote(value) for name, value in request.headers.items() if name.startswith("ce-")}
    missing = next((name for name in _REQUIRED if not attributes.get(name)), None)
    if missing:
        raise Rejected(
            f"not a CloudEvent: ce-{missing} is missing", status=400, reason="malformed-event", field=missing
        )
    if attributes["specversion"] != "1.0":
        raise Rejected("CloudEvents 1.0 is understood", status=400, reason="malformed-event", field="specversion")
    return ReceivedEvent(attributes, request.headers.get("content-type", ""), await request.body())
