"""A running system from outside: customers through its channels, an operator through kn-fte. Async, shared by all.

What is looked at often is fetched once for everybody: what the simulators delivered, and the desk's list.
"""

from __future__ import annotations

import asyncio
import base64
import json
import mimetypes
import random
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx

from shared.channels.fixed_texts import fixed_texts
from shared.conversations import surveys
from tests.evals.scenarios.checks import Delivered
from tests.evals.scenarios.story import File, Person, Step

_FRESH_S = 0.4
_LISTED = 400
_ATTRIBUTION = re.compile(r"^On .{5,200} wrote:\s*$")
#: How the question after closing begins on WhatsApp, in each language.
_SURVEYS = tuple(text.partition("{")[0] for name, text in fixed_texts(surveys.TEXTS).items() if ".whatsapp" in name)
_NOTICE = re.compile(r"/verify\?token=|\b\d{6}\b")
_RESULTS = {
    "verified": "mx.google.com; dmarc=pass header.from={domain}",
    "claimed": "mx.google.com; spf=none smtp.mailfrom={domain}",
    "held": "mx.google.com; dmarc=fail header.from={domain}",
}


@dataclass
class Customer:
    """A person of a story with an address and a number of their own, and what they hold: a mail, a page."""

    person: Person
    address: str
    number: str
    #: Tickets with their tokens; the last one is written on.
    pages: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    subject: str = ""
    #: The last mail they got and the last one they wrote, by which a thread goes on.
    mail: EmailMessage | None = None
    wrote: str = ""

    @property
    def identities(self) -> set[str]:
        """What the desk knows them by."""
        return {self.address, self.number}


@dataclass
class _Shared:
    """The last answer of one look-up, for all who ask within a moment."""

    ask: Callable[[], Awaitable[Any]]
    at: float = -1e9
    value: Any = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, *, since: float) -> Any:
        """An answer no older than `since`, on the monotonic clock."""
        async with self.lock:
            if self.at < since:
                began = time.monotonic()
                self.value, self.at = await self.ask(), began
        return self.value


class Outside:
    """One system. `environment` is kn-fte's."""

    def __init__(self, endpoints: Mapping[str, Any], environment: Mapping[str, str], client: httpx.AsyncClient) -> None:
        self._functions: Mapping[str, str] = endpoints["functions"]
        self._simulators: Mapping[str, str] = endpoints["simulators"]
        self._token = str(endpoints["operator_token"])
        self._environment = dict(environment)
        self._client = client
        self._operators = asyncio.Semaphore(2)
        self._mails = _Shared(self._sent_mails)
        self._texts = _Shared(self._sent_texts)
        self._tickets = _Shared(lambda: self._desk(f"/tickets?limit={_LISTED}"))
        self._used: set[str] | None = None

    # -- customers ------------------------------------------------------------------------------

    async def customer(self, person: Person) -> Customer:
        """Somebody nobody met yet, also not in an earlier run on this system."""
        if self._used is None:
            known = {number for number, _ in await self._texts.get(since=time.monotonic())}
            # Others asked meanwhile, and may have taken numbers already.
            self._used = known if self._used is None else self._used
        number = ""
        while not number or number in self._used:
            # 555-0100 to 555-0199 are reserved for fiction in every area code; 201 is our sender's and other tests'.
            number = f"+1{random.randrange(220, 980)}55501{random.randrange(2, 100):02d}"
        self._used.add(number)
        local = re.sub(r"[^a-z]+", ".", person.name.lower()).strip(".") or "customer"
        return Customer(person, f"{local}.{uuid.uuid4().hex[:8]}@example.org", number)

    async def email(self, who: Customer, text: str, step: Step) -> None:
        """An e-mail arrives at support@example.com."""
        mail = EmailMessage(policy=policy.SMTP)
        domain = who.address.rpartition("@")[2]
        results = _RESULTS[step.trust or who.person.trust].format(domain=domain)
        mail["Authentication-Results"] = results
        mail["From"] = f"{who.person.name} <{who.address}>"
        mail["To"] = "support@example.com"
        if not step.new and who.wrote:
            _thread(mail, who)
        who.subject = who.subject if step.subject is None and who.wrote and not step.new else step.subject or ""
        mail["Subject"] = f"Re: {who.subject}" if mail["In-Reply-To"] and step.subject is None else who.subject
        mail["Message-ID"] = f"<{uuid.uuid4().hex}@{domain}>"
        for name, value in step.headers.items():
            mail[name] = value
        mail.set_content(text + (_quoted(who.mail) if step.quote and who.mail else ""))
        for file in step.files:
            kind, _, sort = _type(file).partition("/")
            mail.add_attachment(_bytes(file), maintype=kind, subtype=sort, filename=file.name)
        who.wrote = str(mail["Message-ID"])
        await self._post(self._simulators["gmail"] + "/_control/inbound", content=mail.as_bytes())

    async def whatsapp(self, who: Customer, text: str, step: Step) -> None:
        """A WhatsApp message arrives."""
        media = [{"content_type": _type(f), "base64": base64.b64encode(_bytes(f)).decode()} for f in step.files]
        body = {"from": who.number, "body": text, "profile_name": who.person.name, "media": media}
        done = await self._post(self._simulators["twilio"] + "/_control/inbound", json=body)
        if done["status_code"] >= 300:
            raise AssertionError(f"the webhook answered {done['status_code']}")

    async def web(self, who: Customer, text: str, step: Step) -> None:
        """The form is sent, or something added on its page."""
        if not who.pages or step.new:
            body = {"name": who.person.name, "email": step.typed or who.address, "message": text}
            body["subject"] = step.subject or "Help"
            base = self._functions["form-submit"] + "/tickets"
            who.pages.append(await self._post(base, json={"category": "technical", **body}))
            text = ""
        if step.files:
            files = {"file": (step.files[0].name, _bytes(step.files[0]))}
            await self._on_page(who, "/attachments", files=files, data={"message": text} if text else {})
        elif text:
            await self._on_page(who, "/messages", json={"message": text})

    async def rate(self, who: Customer, score: int) -> None:
        """The answer on the page is rated."""
        await self._on_page(who, "/rating", json={"score": score, "comment": ""})

    async def page(self, who: Customer) -> dict[str, Any]:
        """The web page that is written on, as its customer sees it; empty without one."""
        return await self._shown(who.pages[-1]) if who.pages else {}

    async def _shown(self, page: Mapping[str, str]) -> dict[str, Any]:
        url = f"{self._functions['form-submit']}/tickets/{page['ticket_id']}"
        return (await self._client.get(url, headers=_bearer(page["token"]))).json()

    async def deliveries(self, who: Customer, *, since: float) -> list[Delivered]:
        """All that this customer got on every channel, each channel's oldest first."""
        mails = [mail for to, mail in await self._mails.get(since=since) if who.address in to]
        texts = [body for to, body in await self._texts.get(since=since) if to == who.number]
        pages = [await self._shown(page) for page in who.pages]
        shown = [one for page in pages for one in page.get("messages", []) if one["author"] != "customer"]
        answers = [mail for mail in mails if not _is_notice(mail)]
        who.mail = answers[-1] if answers else None
        name = who.person.name
        return [
            *(Delivered("email", name, body_of(mail), _author(mail), notice=_is_notice(mail)) for mail in mails),
            *(Delivered("whatsapp", name, body, notice=body.startswith(_SURVEYS)) for body in texts),
            *(Delivered("web", name, one["text"], one["author"]) for one in shown),
        ]

    # -- the operator ---------------------------------------------------------------------------

    async def kn(self, *arguments: str) -> Any:
        """Run `kn-fte … -o json`; its JSON."""
        command = [sys.executable, "-m", "shared.cli.kn_fte", *arguments, "-o", "json"]
        async with self._operators:
            process = await asyncio.create_subprocess_exec(
                *command, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            out, err = await process.communicate()
        if process.returncode:
            raise AssertionError(f"kn-fte {' '.join(arguments[:2])}: {err.decode().strip()}")
        return json.loads(out)

    async def tickets(self, identities: Iterable[str], *, since: float) -> list[dict[str, Any]]:
        """The tickets in which these wrote last, the latest change first."""
        wanted = set(identities)
        return [row for row in await self._tickets.get(since=since - _FRESH_S) if row["address"] in wanted]

    async def conversations(self, identities: Iterable[str]) -> set[str]:
        """Those of these customers, also the ones that no ticket was opened for."""
        found: set[str] = set()
        for identity in identities:
            answer = await self._ask_desk("POST", "/customers/find", json={"address": identity})
            if answer.status_code == 200:
                found |= {str(one["id"]) for one in answer.json()["conversations"]}
        return found

    async def ticket(self, ticket_id: str) -> dict[str, Any]:
        """One ticket with messages and decisions."""
        return await self._desk(f"/tickets/{ticket_id}")

    async def _desk(self, path: str) -> Any:
        answer = await self._ask_desk("GET", path)
        answer.raise_for_status()
        return answer.json()

    async def _ask_desk(self, method: str, path: str, **more: Any) -> httpx.Response:
        url = self._functions["dlq-review"] + path
        return await self._client.request(method, url, headers=_bearer(self._token), **more)

    # -- the wire -------------------------------------------------------------------------------

    async def _sent_mails(self) -> list[tuple[str, EmailMessage]]:
        rows = (await self._client.get(self._simulators["gmail"] + "/_control/sent")).json()
        read = self._read_mails
        for row in rows:
            if row["id"] not in read:
                raw = base64.urlsafe_b64decode(row["raw"] + "==")
                mail = message_from_bytes(raw, policy=policy.default)
                read[row["id"]] = (str(mail["To"]), mail)
        return [read[row["id"]] for row in rows]

    @property
    def _read_mails(self) -> dict[str, tuple[str, EmailMessage]]:
        return self.__dict__.setdefault("_mails_by_id", {})

    async def _sent_texts(self) -> list[tuple[str, str]]:
        rows = (await self._client.get(self._simulators["twilio"] + "/_control/sent")).json()
        return [(row["to"].removeprefix("whatsapp:"), row["body"]) for row in rows]

    async def _on_page(self, who: Customer, path: str, **more: Any) -> None:
        assert who.pages, "there is no page yet"
        page = who.pages[-1]
        url = f"{self._functions['form-submit']}/tickets/{page['ticket_id']}{path}"
        await self._post(url, headers=_bearer(page["token"]), **more)

    async def _post(self, url: str, **more: Any) -> Any:
        answer = await self._client.post(url, **more)
        if answer.status_code >= 300:
            raise AssertionError(f"{url.rpartition(':')[2]} answered {answer.status_code}: {answer.text[:200]}")
        return answer.json() if answer.content else None


def body_of(mail: EmailMessage) -> str:
    """The new text of a mail: without the quoted original and the line that announces it."""
    part = mail.get_body(preferencelist=("plain",))
    lines = str(part.get_content()).splitlines() if part else []
    kept = [line for line in lines if not line.startswith(">") and not _ATTRIBUTION.match(line)]
    return "\n".join(kept).strip()


def _author(mail: EmailMessage) -> str:
    """A person's words are no automatic reply (RFC 3834)."""
    return "agent" if mail["Auto-Submitted"] else "human"


def _is_notice(mail: EmailMessage) -> bool:
    """A link or a code of ours, which answers nobody."""
    return mail["In-Reply-To"] is None and bool(_NOTICE.search(body_of(mail)))


def _thread(mail: EmailMessage, who: Customer) -> None:
    before = str(who.mail["Message-ID"]) if who.mail is not None else who.wrote
    earlier = str(who.mail["References"] or "") if who.mail is not None else ""
    mail["In-Reply-To"] = before
    mail["References"] = " ".join([*earlier.split(), before])


def _quoted(mail: EmailMessage) -> str:
    lines = "\n".join(f"> {line}" for line in body_of(mail).splitlines())
    return f"\n\nOn Mon, 1 Jun 2026 at 09:00, Tideline Support <support@example.com> wrote:\n{lines}\n"


def _type(file: File) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _bytes(file: File) -> bytes:
    return base64.b64decode(file.base64) if file.base64 else file.text.encode()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
