"""A customer for `fte try` and `fte send`: writes on a channel through its simulator and reads what was delivered."""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

import httpx

from shared.channels.addresses import normalise_email, normalise_phone
from shared.cli.output import say
from shared.cli.simulators import call, endpoints_here, mail_text, mails_of
from shared.errors import Permanent, Rejected, Retryable

_POLL_S = 0.3


class Customer(ABC):
    """One person on one channel. `address` is what they write from."""

    channel: str
    default: str

    def __init__(self, client: httpx.AsyncClient, endpoints: dict[str, Any], address: str) -> None:
        self.client = client
        self.endpoints = endpoints
        self.address = address
        self._seen = 0
        self._told = ""

    @staticmethod
    @asynccontextmanager
    async def on(channel: str, address: str | None) -> AsyncGenerator[Customer]:
        """A customer on `email`, `whatsapp` or `web`.

        Raises Permanent when nothing is up, for another channel, or for an address that is not the channel's.
        """
        kinds = {"email": EmailCustomer, "whatsapp": WhatsAppCustomer, "web": WebCustomer}
        if channel not in kinds:
            raise Permanent(f"{channel!r} is not a channel: email, whatsapp or web", reason="unknown-channel")
        endpoints = endpoints_here()
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            kind = kinds[channel]
            customer = kind(client, endpoints, kind.fitting(address or kind.default))
            await customer.begin()
            yield customer

    @classmethod
    def fitting(cls, address: str) -> str:
        """The address as this channel knows it. Raises Permanent when it is none of the channel's."""
        return _email(address, cls.channel)

    @property
    def name(self) -> str:
        """What the channel says of who writes: the default person's, else one made of the address, or none."""
        if self.address == self.default:
            return "Ada Example"
        local, at, _ = self.address.partition("@")
        return " ".join(re.split(r"[^\w]|_", local)).title().strip() if at else ""

    @property
    def ticket_id(self) -> str | None:
        """The ticket of the last message, where the channel's entrance tells it."""
        return None

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
            answers = await self._read()
            if len(answers) > self._seen:
                new = answers[self._seen :]
                self._seen = len(answers)
                return "\n\n".join(new)
            await asyncio.sleep(_POLL_S)
        return None

    async def _read(self) -> list[str]:
        try:
            return await self.answers()
        except Retryable as error:
            # What was written is in safe hands: reading goes on, and it is said once why nothing is seen.
            if str(error) != self._told:
                say(str(error))
            self._told = str(error)
            return []

    async def call(self, method: str, url: str, **more: Any) -> Any:
        """As `simulators.call`."""
        return await call(self.client, method, url, **more)

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

    channel = "email"
    default = "ada@example.org"
    _last: str | None = None

    @classmethod
    def fitting(cls, address: str) -> str:
        """In ASCII: what our simulator of Gmail hands over is no internationalised mail (RFC 6531)."""
        found = super().fitting(address)
        if not found.isascii():
            raise Permanent(f"--from {address} is not ASCII: write its domain as xn--…, and another name before the @")
        return found

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
        # What answers no mail is a notice, such as a link to confirm the address that a form was given.
        ours = [m for m in mails_of(sent) if self.address.casefold() in str(m["To"]).casefold() and m["In-Reply-To"]]
        if ours:
            self._last = str(ours[-1]["Message-ID"])
        return [mail_text(mail) for mail in ours]


class WhatsAppCustomer(Customer):
    """Writes WhatsApp messages."""

    channel = "whatsapp"
    default = "+12015550123"

    @classmethod
    def fitting(cls, address: str) -> str:
        """In E.164, whatever spaces were typed."""
        try:
            return normalise_phone(address)
        except Rejected:
            raise Permanent(
                f"--from {address} is no phone number with its country code (+12015550123), which whatsapp writes from"
            ) from None

    async def write(self, text: str, subject: str) -> dict[str, Any]:
        body = {"from": self.address, "body": text, "profile_name": self.name}
        said = await self.call("POST", self.simulator("twilio") + "/_control/inbound", json=body)
        if not 200 <= said["status_code"] < 300:
            raise Retryable(_refused(said))
        return said

    async def answers(self) -> list[str]:
        sent = await self.call("GET", self.simulator("twilio") + "/_control/sent")
        return [row["body"] for row in sent if row["to"].removeprefix("whatsapp:") == self.address]


class WebCustomer(Customer):
    """Fills in the form."""

    channel = "web"
    default = "ada@example.org"
    _ticket: dict[str, str] | None = None

    @property
    def ticket_id(self) -> str | None:
        return self._ticket["ticket_id"] if self._ticket else None

    async def write(self, text: str, subject: str) -> dict[str, Any]:
        body = {
            "name": self.name or self.address,
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
        try:
            page = await self.call("GET", url, headers={"Authorization": f"Bearer {self._ticket['token']}"})
        except Retryable:
            raise Retryable("accepted; the page can't be read while the database is away") from None
        return [message["text"] for message in page["messages"] if message["author"] != "customer"]


def _refused(said: Mapping[str, Any]) -> str:
    """A webhook's refusal; what it did not take Twilio has all the same."""
    refused = f"the webhook refused it with {said['status_code']}"
    if said.get("reason") != "kafka-away":
        return f"{refused}; try again"
    return (
        f"{refused}: {said['message']}; `fte start kafka` brings it back, and the message, which Twilio keeps, is "
        "then found within minutes"
    )


def _email(address: str, channel: str) -> str:
    try:
        normalise_email(address)
    except Rejected:
        raise Permanent(f"--from {address} is no e-mail address, which {channel} writes from") from None
    return address.strip()
