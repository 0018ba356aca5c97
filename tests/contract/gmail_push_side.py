"""Gmail's and Google's side of gmail-push: the simulator's mailbox, polls of ours, and a key server."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import asyncpg
import httpx

from shared.events.envelope import CHANNEL_POLL, INBOUND, header_map
from shared.events.signature import sign
from tests.contract.served import MemoryKafka, Served
from tests.unit.test_gmail_push import OURS, jwk

CUSTOMER = "ada.private@example.net"


@dataclass(frozen=True)
class World:
    """The function, and everything around it."""

    function: Served
    gmail: Served
    kafka: MemoryKafka
    environment: dict[str, str]

    def mail(self, text: str = "How do I export my invoices?", *, spam: bool = False) -> str:
        """A customer's mail reaches the mailbox; its id there."""
        mail = EmailMessage()
        mail["Authentication-Results"] = "mx.google.com; dmarc=pass header.from=example.net"
        mail["From"] = f"Ada Private <{CUSTOMER}>"
        mail["To"] = "support@example.com"
        mail["Subject"] = "A private question"
        mail["Message-ID"] = f"<{uuid.uuid4().hex}@example.net>"
        mail.set_content(text)
        return self.control("inbound?spam=true" if spam else "inbound", content=mail.as_bytes())["id"]

    def relabel(self, message_id: str, *, add: list[str], remove: list[str]) -> None:
        """What a person does in Gmail's own window."""
        self._by_hand("POST", f"messages/{message_id}/modify", {"addLabelIds": add, "removeLabelIds": remove})

    def answer_by_hand(self, message_id: str, to: str = CUSTOMER) -> None:
        """A person answers a mail, or passes it on, in Gmail's own window."""
        asked = self._by_hand("GET", f"messages/{message_id}?format=metadata", None)
        known = next(h["value"] for h in asked["payload"]["headers"] if h["name"] == "Message-ID")
        mail = EmailMessage()
        mail["To"] = f"Ada <{to}>"
        mail["Subject"] = "Re: A private question"
        mail["In-Reply-To"] = known
        mail["References"] = known
        mail.set_content("I did it for you.")
        raw = base64.urlsafe_b64encode(mail.as_bytes()).decode()
        sent = self._by_hand("POST", "messages/send", {"raw": raw, "threadId": asked["threadId"]})
        assert sent["threadId"] == asked["threadId"]

    def _by_hand(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        credentials = json.loads(self.environment["GMAIL_CREDENTIALS"])
        with self.gmail.client() as client:
            form = {"grant_type": "refresh_token", **{k: v for k, v in credentials.items() if k != "type"}}
            token = client.post("/token", data=form).raise_for_status().json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            answer = client.request(method, f"/gmail/v1/users/me/{path}", json=body, headers=headers)
            return answer.raise_for_status().json()

    def control(self, path: str, method: str = "POST", **sent: Any) -> Any:
        with self.gmail.client() as client:
            return client.request(method, f"/_control/{path}", **sent).raise_for_status().json()

    def push(self, **asked: Any) -> list[int]:
        """The last notification again; what it was answered."""
        return self.control("push", json=asked)["statuses"]

    def settled(self) -> bool:
        """Whether every push was acknowledged."""
        return self.control("push", "GET") == {"waiting": 0}

    def poll(self, event_type: str = CHANNEL_POLL, data: bytes = b'{"channel":"email"}', **more: str) -> httpx.Response:
        """An event of the sweep's, as a KafkaSource delivers it."""
        key = base64.b64decode(self.environment["FTE_EVENT_KEY"])
        event = {"id": uuid.uuid4().hex, "source": "fte/dlq-review", "type": event_type}
        signature = sign(key, event["id"], event_type, event["source"], data)
        attributes = {"specversion": "1.0", "ftesig": signature, **event, **more}
        headers = {f"ce-{name}": value for name, value in attributes.items()} | {"content-type": "application/json"}
        with self.function.client() as client:
            return client.post("/poll", content=data, headers=headers)

    def events(self, message_id: str) -> list[dict[str, Any]]:
        """Attributes, key and data of the events of one message."""
        every = [
            {**header_map(record.headers() or []), "key": record.key(), "data": json.loads(record.value() or b"{}")}
            for record in self.kafka.records(INBOUND)
        ]
        return [event for event in every if event["data"]["provider_message_id"] == message_id]

    def row(self) -> dict[str, Any]:
        """The channel's row in PostgreSQL."""
        return self.sql("SELECT * FROM channel_cursors WHERE channel = 'email'")

    def sql(self, statement: str) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            connection = await asyncpg.connect(self.environment["DATABASE_URL"])
            try:
                return dict(await connection.fetchrow(statement) or {})
            finally:
                await connection.close()

        return asyncio.run(ask())

    def email_health(self) -> dict[str, str]:
        with self.function.client() as client:
            answer = client.get("/health")
        assert answer.status_code == 200
        return answer.json()["channels"]["email"]


def eventually(check: Callable[[], object], deadline_s: float = 20.0) -> None:
    """Ask again until it is so."""
    end = time.monotonic() + deadline_s
    while not check():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


@contextmanager
def key_server() -> Iterator[str]:
    """Publishes the public half of the key that `token` signs with."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [jwk(OURS, "one")]}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/certs"
        server.shutdown()
        thread.join()
