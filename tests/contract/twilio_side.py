"""Twilio's side of the webhook: recorded payloads, signed as Twilio documents it."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from shared.events.envelope import INBOUND, header_map
from tests.contract.served import MemoryKafka, Served

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads" / "twilio"
PUBLIC_URL = "https://support.example.com/hooks/whatsapp"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Twilio:
    """Twilio's side of the webhook; signs as Twilio documents it."""

    function: Served
    kafka: MemoryKafka
    tokens: tuple[str, str]
    event_key: str

    def post(
        self, pairs: Pairs, *, to: str = "/hooks/whatsapp", url: str = PUBLIC_URL, **options: Any
    ) -> httpx.Response:
        """Post a form, signed for `url` unless `signature` says otherwise."""
        signature = options.get("signature", self.sign(url, pairs, options.get("token", self.tokens[0])))
        headers = {"Content-Type": _FORM} | options.get("headers", {})
        if signature is not None:
            headers["X-Twilio-Signature"] = signature
        with self.function.client() as client:
            return client.post(to, content=urlencode(pairs), headers=headers)

    def sign(self, url: str, pairs: Pairs, token: str) -> str:
        """URL, then every field sorted."""
        text = url + "".join(name + value for name, value in sorted(set(pairs)))
        return base64.b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()

    def published(self, topic: str) -> list[dict[str, Any]]:
        """Attributes and data of all events of a topic."""
        return [
            {**header_map(record.headers() or []), "key": record.key(), "data": json.loads(record.value() or b"{}")}
            for record in self.kafka.records(topic)
        ]

    def message(self, sid: str) -> list[dict[str, Any]]:
        """The events of one message."""
        return [event for event in self.published(INBOUND) if event["data"]["provider_message_id"] == sid]


def payload(name: str, **changes: str) -> Pairs:
    """A recorded payload under a sid of its own."""
    sid = f"SM{secrets.token_hex(16)}"
    pairs = [(name, value) for name, value in json.loads((PAYLOADS / f"{name}.json").read_text())]
    new = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid} | changes
    return [(name, new.get(name, value)) for name, value in pairs]
