"""The simulators of the system on this machine, as `fte try`, `fte send` and `fte sent` speak to them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx

from shared.cli.desk_client import local_endpoints
from shared.errors import Permanent, Retryable

#: What to do next on this machine, by the reason that a channel's entrance gave.
_NEXT = {"kafka-away": "nothing was accepted; `fte start kafka` brings it back, or try again"}


def endpoints_here() -> dict[str, Any]:
    """`.fte/endpoints.json`. Raises Permanent when nothing is up."""
    endpoints = local_endpoints()
    if endpoints is None:
        raise Permanent("nothing is up here: start it with `make up`", reason="not-up")
    return endpoints


async def call(client: httpx.AsyncClient, method: str, url: str, **more: Any) -> Any:
    """A request; its JSON. Raises Retryable when the part is away or can't now, Permanent when it refuses."""
    try:
        response = await client.request(method, url, **more)
    except httpx.HTTPError:
        raise Retryable(f"{url.split('?', maxsplit=1)[0]} does not answer") from None
    if response.status_code >= 400:
        raise (Retryable if response.status_code >= 500 else Permanent)(_message(response))
    return response.json()


def mails_of(sent: Iterable[Mapping[str, Any]]) -> list[EmailMessage]:
    """The mails in the answer of the Gmail simulator's `/_control/sent`."""
    return [message_from_bytes(base64.urlsafe_b64decode(row["raw"] + "=="), policy=policy.default) for row in sent]


def mail_text(mail: EmailMessage) -> str:
    """The text part, decoded; empty without one."""
    part = mail.get_body(preferencelist=("plain",))
    # Lines end in CRLF where the transfer encoding kept them.
    return str(part.get_content()).replace("\r\n", "\n").strip() if part else ""


def _message(response: httpx.Response) -> str:
    then = None
    try:
        found: Any = response.json()
        found = found.get("error", found.get("detail"))
        if isinstance(found, dict):
            then, found = _NEXT.get(str(found.get("reason"))), found.get("message")
    except (ValueError, AttributeError):
        found = None
    said = str(found) if found else f"refused with {response.status_code}"
    return f"{said}: {then}" if then else said
