"""Gmail's side of a reply: the simulator's mailbox, and deliveries that answer what arrived there."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx
from pydantic import SecretStr

from shared.channels.message import Channel, EmailHeaders
from shared.channels.provider import Outbound
from shared.settings import Settings
from tests.conftest import make_settings


@dataclass(frozen=True)
class Arrived:
    """A customer's mail in the mailbox."""

    id: str
    thread_id: str
    headers: EmailHeaders


class GmailSide:
    """What a tester does at a running simulator."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=20)

    def close(self) -> None:
        self._http.close()

    def control(self, method: str, path: str, **sent: Any) -> Any:
        return self._http.request(method, f"/_control/{path}", **sent).raise_for_status().json()

    def fault(self, kind: str, **more: Any) -> None:
        self.control("POST", "faults", json={"kind": kind, "for_s": 60, **more})

    def arrive(self, subject: str = "Exporting my data", **headers: str) -> Arrived:
        """A mail reaches INBOX; further headers by name."""
        mail = EmailMessage()
        mail["From"] = "Ada Example <ada@example.org>"
        mail["To"] = "support@example.com"
        mail["Subject"] = subject
        mail["Message-ID"] = f"<{uuid.uuid4().hex}@example.org>"
        for name, value in headers.items():
            mail[name] = value
        mail.set_content("How do I export my data?")
        made = self.control("POST", "inbound", content=mail.as_bytes())
        known = EmailHeaders(
            gmail_thread_id=made["threadId"],
            message_id=str(mail["Message-ID"]),
            references=tuple(str(mail["References"] or "").split()),
        )
        return Arrived(made["id"], made["threadId"], known)

    def sent(self) -> list[EmailMessage]:
        """What left, oldest first."""
        raws = [base64.urlsafe_b64decode(row["raw"] + "==") for row in self.control("GET", "sent")]
        return [message_from_bytes(raw, policy=policy.default) for raw in raws]

    def sent_ids(self) -> list[str]:
        return [row["id"] for row in self.control("GET", "sent")]


def gmail_settings(url: str, **more: Any) -> Settings:
    """Settings of a mailbox at the simulator."""
    credentials = {
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
        "token_uri": f"{url}/token",
    }
    given: dict[str, Any] = {"gmail_api_base_url": url, "provider_timeout_s": 3.0, **more}
    return make_settings(gmail_credentials=SecretStr(json.dumps(credentials)), **given)


def reply_to(arrived: Arrived, **changes: Any) -> Outbound:
    """The agent's answer to a mail, as a delivery of its own."""
    fields: dict[str, Any] = {
        "delivery_id": str(uuid.uuid4()),
        "attempt": 1,
        "channel": Channel.EMAIL,
        "to": "ada@example.org",
        "to_name": "Ada Example",
        "subject": "Exporting my data",
        "text": "Dear Ada,\n\nYou find the export under Settings.\n\nKind regards\nTideline Support",
        "created_at": datetime.now(UTC),
        "in_reply_to": arrived.headers,
    }
    return Outbound(**fields | changes)
