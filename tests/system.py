"""Driving a running system from outside: as customers through the channels, as an operator through kn-fte.

Everything asserted on is what was delivered: the bytes a provider's simulator took, or what the
ticket's page shows.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

T = TypeVar("T")


@dataclass(frozen=True)
class System:
    """One system that is up; `home` is its FTE_HOME."""

    home: Path
    environment: dict[str, str]

    @property
    def endpoints(self) -> dict[str, Any]:
        """The endpoints file."""
        return json.loads((self.home / "endpoints.json").read_text())

    def http(self, method: str, url: str, **more: Any) -> httpx.Response:
        """A request from outside."""
        return httpx.request(method, url, timeout=20, trust_env=False, **more)

    # -- customers ------------------------------------------------------------------------------

    def email(
        self,
        text: str,
        *,
        sender: str,
        subject: str = "A question",
        reply_to: EmailMessage | None = None,
        results: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        """An e-mail arrives at support@example.com; its Message-ID."""
        mail = EmailMessage(policy=policy.SMTP)
        domain = sender.rpartition("@")[2]
        mail["Authentication-Results"] = results or f"mx.google.com; dmarc=pass header.from={domain}"
        mail["From"] = f"Ada Example <{sender}>"
        mail["To"] = "support@example.com"
        mail["Subject"] = subject
        mail["Message-ID"] = f"<{uuid.uuid4().hex}@{domain}>"
        if reply_to is not None:
            mail["In-Reply-To"] = reply_to["Message-ID"]
            mail["References"] = f"{reply_to['References'] or ''} {reply_to['Message-ID']}".strip()
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        url = self.endpoints["simulators"]["gmail"] + "/_control/inbound"
        response = self.http("POST", url, content=mail.as_bytes())
        assert response.status_code < 300, response.text
        return str(mail["Message-ID"])

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What was sent to an address, oldest first."""
        rows = self.http("GET", self.endpoints["simulators"]["gmail"] + "/_control/sent").json()
        mails = [message_from_bytes(base64.urlsafe_b64decode(row["raw"] + "=="), policy=policy.default) for row in rows]
        return [mail for mail in mails if address in str(mail["To"])]

    def whatsapp(self, text: str, *, sender: str, sid: str | None = None) -> dict[str, Any]:
        """A WhatsApp message arrives; `{sid, status_code}`."""
        body: dict[str, Any] = {"from": sender, "body": text, "profile_name": "Ada"}
        if sid:
            body["message_sid"] = sid
        url = self.endpoints["simulators"]["twilio"] + "/_control/inbound"
        return self.http("POST", url, json=body).json()

    def whatsapps_to(self, number: str) -> list[str]:
        """Bodies sent to a number, oldest first."""
        rows = self.http("GET", self.endpoints["simulators"]["twilio"] + "/_control/sent").json()
        return [row["body"] for row in rows if row["to"].removeprefix("whatsapp:") == number]

    def form(
        self, text: str, *, sender: str = "grace@example.net", key: str | None = None, **more: Any
    ) -> dict[str, str]:
        """The form is sent; `{ticket_id, token, trust}`."""
        body = {"name": "Grace", "email": sender, "subject": "Help", "category": "technical", "message": text, **more}
        headers = {"Idempotency-Key": key} if key else {}
        response = self.http(
            "POST", self.endpoints["functions"]["form-submit"] + "/tickets", json=body, headers=headers
        )
        assert response.status_code == 202, response.text
        return response.json()

    def page(self, ticket: dict[str, str]) -> dict[str, Any]:
        """The ticket's page."""
        url = f"{self.endpoints['functions']['form-submit']}/tickets/{ticket['ticket_id']}"
        return self.http("GET", url, headers={"Authorization": f"Bearer {ticket['token']}"}).json()

    def on_page(self, ticket: dict[str, str], method: str, path: str = "", **more: Any) -> httpx.Response:
        """A request on a ticket's page, with its token."""
        url = f"{self.endpoints['functions']['form-submit']}/tickets/{ticket['ticket_id']}{path}"
        headers = {"Authorization": f"Bearer {ticket['token']}"} | more.pop("headers", {})
        return self.http(method, url, headers=headers, **more)

    def add(self, ticket: dict[str, str], text: str, *, key: str | None = None) -> str:
        """A further message on the page; its id."""
        headers = {"Idempotency-Key": key} if key else {}
        response = self.on_page(ticket, "POST", "/messages", json={"message": text}, headers=headers)
        assert response.status_code == 202, response.text
        return response.json()["message_id"]

    def attach(self, ticket: dict[str, str], name: str, data: bytes, text: str = "", *, key: str | None = None) -> str:
        """A file on the page; its message's id."""
        headers = {"Idempotency-Key": key} if key else {}
        files, fields = {"file": (name, data)}, {"message": text} if text else {}
        response = self.on_page(ticket, "POST", "/attachments", files=files, data=fields, headers=headers)
        assert response.status_code == 202, response.text
        return response.json()["message_id"]

    def rate(self, ticket: dict[str, str], score: int, comment: str = "") -> int:
        """The answer is rated; the status of the response."""
        return self.on_page(ticket, "POST", "/rating", json={"score": score, "comment": comment}).status_code

    def answers_on(self, ticket: dict[str, str]) -> list[dict[str, Any]]:
        """What others than the customer wrote on the page."""
        return [message for message in self.page(ticket)["messages"] if message["author"] != "customer"]

    def fault(self, simulator: str, kind: str, for_s: float, **more: Any) -> None:
        """Provoke a provider's fault."""
        url = f"{self.endpoints['simulators'][simulator]}/_control/faults"
        assert self.http("POST", url, json={"kind": kind, "for_s": for_s, **more}).status_code < 300

    # -- the operator ---------------------------------------------------------------------------

    def fte(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `fte`."""
        command = [sys.executable, "-m", "shared.cli.fte", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def kn(self, *arguments: str) -> Any:
        """Run `kn-fte … -o json`; its JSON."""
        command = [sys.executable, "-m", "shared.cli.kn_fte", *arguments, "-o", "json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ticket_where(self, **wanted: str) -> dict[str, Any] | None:
        """The newest ticket with these values, or None."""
        rows = self.kn("tickets", "list")
        return next((row for row in rows if all(row[name] == value for name, value in wanted.items())), None)

    def tickets_of(self, *addresses: str) -> list[dict[str, Any]]:
        """The tickets of customers who have these addresses or numbers, the latest first."""
        owners = {self.kn("customers", "show", address)["id"] for address in addresses}
        return [row for row in self.kn("tickets", "list", "--limit", "200") if row["customer_id"] in owners]

    # -- processes ------------------------------------------------------------------------------

    def pids(self, function: str) -> list[int]:
        """The copies of a function, by their command line and home."""
        module = f"functions.{function.replace('-', '_')}.main:app"
        port = self.endpoints["functions"][function].rpartition(":")[2]
        found = []
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if module in line and port in line:
                found.append(process.pid)
        return found

    def kill(self, function: str) -> list[int]:
        """kill -9 every copy; the pids that died."""
        pids = self.pids(function)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return pids


def eventually(check: Callable[[], T], patience_s: float = 40.0, every_s: float = 0.2) -> T:
    """The first true value of `check`, which may raise until then; the last look fails for it."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            value = check()
            if value:
                return value
        except (httpx.HTTPError, AssertionError, KeyError, IndexError, ValueError):
            pass
        time.sleep(every_s)
    value = check()
    assert value, "it did not happen in time"
    return value


def stays(check: Callable[[], bool], for_s: float) -> None:
    """`check` holds now and for so long: for what must not happen."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        assert check()
        time.sleep(0.3)


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail, the quoted original left out."""
    part = mail.get_body(preferencelist=("plain",))
    assert part is not None
    lines = str(part.get_content()).splitlines()
    kept = [line for line in lines if not line.startswith(">")]
    return "\n".join(kept)


#: 555-0100 to 555-0199 are reserved for fiction in every area code; 0100 in 201 is our own sender.
_AREAS = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212)
_numbers = (f"+1{area}55501{last:02d}" for area in _AREAS for last in range(2, 100))


def new_number() -> str:
    """A reserved number nobody used yet in this run."""
    return next(_numbers)


def new_address() -> str:
    """An address nobody used yet."""
    return f"ada.{uuid.uuid4().hex[:8]}@example.org"
