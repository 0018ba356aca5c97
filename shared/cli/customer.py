"""A customer for `fte try` and `fte send`: writes on a channel through its simulator and reads what was delivered."""

from __future__ import annotations

import asyncio
import base64
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

import httpx

from shared.cli.desk_client import local_endpoints
from shared.errors import Permanent, Retryable

_POLL_S = 0.3


class Customer(ABC):
    """One person on one channel. `address` is what they write from."""

    def __init__(self, client: httpx.AsyncClient, endpoints: dict[str, Any], address: str) -> None:
        self.client = client
        self.endpoints = endpoints
        self.address = address
        self._seen = 0

    @staticmethod
    @asynccontextmanager
    async def on(channel: str, address: str | None) -> AsyncGenerator[Customer]:
        """A customer on `email`, `whatsapp` or `web`. Raises Permanent when nothing is up, or for another channel."""
        kinds = {"email": EmailCustomer, "whatsapp": WhatsAppCustomer, "web": WebCustomer}
        if channel not in kinds:
            raise Permanent(f"{channel!r} is not a channel: email, whatsapp or web", reason="unknown-channel")
        endpoints = local_endpoints()
        if endpoints is None:
            raise Permanent("nothing is up here: start it with `make up`", reason="not-up")
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            kind = kinds[channel]
            customer = kind(client, endpoints, address or kind.default)
            await customer.begin()
            yield customer

    async def begin(self) -> None:
        """Remember what was delivered before: it is no answer to what is written now."""
        self._seen = len(await self.answers())

    @abstractmethod
    async def write(self, text: str, subject: str) -> dict[str, Any]:
        """Send one message; what the channel's entrance said."""

    @abstractmethod
    async def answers(self) -> list[str]:
        """All that was delivered to this customer, oldest first."""

    async def answer(self, patience_s: float) -> str | None:
        """The next answer, or None when none comes in time."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            answers = await self.answers()
            if len(answers) > self._seen:
                new = answers[self._seen :]
                self._seen = len(answers)
                return "\n\n".join(new)
            await asyncio.sleep(_POLL_S)
        return None

    async def call(self, method: str, url: str, **more: Any) -> Any:
        """A request; its JSON. Raises Retryable when the part does not answer, Permanent when it refuses."""
        try:
            response = await self.client.request(method, url, **more)
        except httpx.HTTPError:
            raise Retryable(f"{url.split('?', maxsplit=1)[0]} does not answer") from None
        if response.status_code >= 400:
            raise Permanent(f"refused with {response.status_code}: {response.text[:200]}")
        return response.json()

    def simulator(self, name: str) -> str:
        """Its base URL. Raises Permanent where the real provider is used."""
        url = self.endpoints["simulators"].get(name)
        if url is None:
            raise Permanent(
                f"this system uses the real {name}: write to it from a real account", reason="real-provider"
            )
        return str(url)


class EmailCustomer(Customer):
    """Writes e-mail that passed DMARC at the receiving server."""

    default = "ada@example.org"
    _last: str | None = None

    async def write(self, text: str, subject: str) -> dict[str, Any]:
        mail = EmailMessage(policy=policy.SMTP)
        domain = self.address.rpartition("@")[2]
        mail["Authentication-Results"] = f"mx.google.com; dmarc=pass header.from={domain}"
        mail["From"] = self.address
        mail["To"] = "support@example.com"
        mail["Subject"] = f"Re: {subject}" if self._last else subject
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = make_msgid(domain=domain)
        if self._last:
            mail["In-Reply-To"] = mail["References"] = self._last
        mail.set_content(text)
        return await self.call("POST", self.simulator("gmail") + "/_control/inbound", content=mail.as_bytes())

    async def answers(self) -> list[str]:
        sent = await self.call("GET", self.simulator("gmail") + "/_control/sent")
        mails = [message_from_bytes(base64.urlsafe_b64decode(row["raw"] + "=="), policy=policy.default) for row in sent]
        ours = [mail for mail in mails if self.address in str(mail["To"])]
        if ours:
            self._last = str(ours[-1]["Message-ID"])
        return [_mail_text(mail) for mail in ours]


class WhatsAppCustomer(Customer):
    """Writes WhatsApp messages."""

    default = "+12015550123"

    async def write(self, text: str, subject: str) -> dict[str, Any]:
        body = {"from": self.address, "body": text, "profile_name": "Ada Example"}
        return await self.call("POST", self.simulator("twilio") + "/_control/inbound", json=body)

    async def answers(self) -> list[str]:
        sent = await self.call("GET", self.simulator("twilio") + "/_control/sent")
        number = self.address.removeprefix("whatsapp:")
        return [row["body"] for row in sent if row["to"].removeprefix("whatsapp:") == number]


class WebCustomer(Customer):
    """Fills in the form."""

    default = "ada@example.org"
    _ticket: dict[str, str] | None = None

    async def write(self, text: str, subject: str) -> dict[str, Any]:
        body = {
            "name": "Ada Example",
            "email": self.address,
            "subject": subject,
            "category": "general",
            "message": text,
        }
        self._ticket = await self.call("POST", self.endpoints["functions"]["form-submit"] + "/tickets", json=body)
        self._seen = 0
        return dict(self._ticket or {})

    async def answers(self) -> list[str]:
        if self._ticket is None:
            return []
        url = f"{self.endpoints['functions']['form-submit']}/tickets/{self._ticket['ticket_id']}"
        page = await self.call("GET", url, headers={"Authorization": f"Bearer {self._ticket['token']}"})
        return [message["text"] for message in page["messages"] if message["author"] != "customer"]


def _mail_text(mail: EmailMessage) -> str:
    part = mail.get_body(preferencelist=("plain",))
    return str(part.get_content()).strip() if part else ""
