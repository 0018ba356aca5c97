"""Messages with files, and Twilio's media as a test wants them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from shared.channels.message import InboundMessage
from shared.channels.whatsapp.media import Fetched
from shared.channels.whatsapp.message import inbound_message
from shared.conversations import inbox
from shared.db.pool import Database
from shared.privacy.vault import Vault
from shared.settings import Settings

BASE = "https://api.twilio.com"
URL = f"{BASE}/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Source:
    """Twilio's media as a test wants them: what is fetched, in order; an exception is raised."""

    answers: list[Fetched | Exception] = field(default_factory=list[Fetched | Exception])
    asked: list[str] = field(default_factory=list[str])

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def with_files(*types: str, body: str = "look at this") -> InboundMessage:
    """A message with so many files."""
    fields = {"MessageSid": f"MM{uuid4().hex}", "From": "whatsapp:+12015550123", "Body": body}
    fields |= {"NumMedia": str(len(types))}
    for index, kind in enumerate(types):
        fields |= {f"MediaUrl{index}": f"{URL}{index}", f"MediaContentType{index}": kind}
    return inbound_message(fields, datetime.now(UTC))


async def stored(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> inbox.Stored:
    return await inbox.store(db, vault, settings, message, str(uuid4()))


async def states(db: Database) -> list[tuple[str, str | None]]:
    rows = await db.fetch("SELECT state, reason FROM attachments ORDER BY ordinal")
    return [(row["state"], row["reason"]) for row in rows]
