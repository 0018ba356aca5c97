"""What a customer answers when we asked how content they are: a bare number on WhatsApp, or the page behind a link.

A number counts while it is the first thing said there since the question, and for CSAT_REPLY_H; a second number right
after it corrects the first. Anything else is an ordinary message.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from shared.channels.message import Channel, InboundMessage
from shared.conversations.placing import route_key
from shared.conversations.surveys import SQL, survey_secret
from shared.db.pool import Database
from shared.db.queries import load
from shared.errors import Rejected
from shared.observability.counts import Counts
from shared.observability.metrics import RATINGS
from shared.privacy.vault import Vault

_RATINGS = load("ratings")

_LONGEST = 12
# A digit of any script, also as a keycap emoji; `4/5`; nothing else but what stands around a number.
_NUMBER = re.compile(r"[\s*_(]*(\d)(?:\s*/\s*5)?[\s*_).!]*")
_STARS = re.compile(r"\s*((?:[⭐★]\s*){1,5})")


@dataclass(frozen=True, slots=True)
class Answer:
    """A ticket's rating, 1 to 5."""

    ticket_id: str
    score: int


def score_of(text: str) -> int | None:
    """1 to 5 if a text is that number and nothing more, or so many stars."""
    if len(text) > _LONGEST:
        return None
    bare = "".join(one for one in text if one not in "\ufe0f\u20e3")
    if stars := _STARS.fullmatch(bare):
        return len("".join(stars[1].split()))
    found = _NUMBER.fullmatch(bare)
    score = unicodedata.digit(found[1]) if found else 0
    return score if 1 <= score <= 5 else None


async def answer_in(connection: Any, vault: Vault, message: InboundMessage) -> Answer | None:
    """The answer that a WhatsApp message is to the question that was asked on its number, if it is one."""
    if message.channel is not Channel.WHATSAPP or message.ignored or message.attachments:
        return None
    if message.whatsapp is not None and (message.whatsapp.edits or message.whatsapp.deletes):
        return None
    score = score_of(message.text)
    if score is None:
        return None
    ticket_id = await connection.fetchval(SQL["open_on"], route_key(vault, message), message.received_at)
    return Answer(ticket_id, score) if ticket_id else None


async def keep_answer(connection: Any, answer: Answer, counts: Counts) -> None:
    """The ticket's rating from here on."""
    await connection.fetchval(_RATINGS["owner"], answer.ticket_id)
    await connection.execute(_RATINGS["rate"], answer.ticket_id, Channel.WHATSAPP, answer.score, None)
    counts.add(RATINGS, Channel.WHATSAPP, str(answer.score))


@dataclass(frozen=True, slots=True)
class MailedSurveys:
    """The links that were mailed, for form-submit. All raise Retryable without PostgreSQL."""

    db: Database
    vault: Vault

    async def look(self, token: str) -> str:
        """The language of the question, changing nothing. Raises Rejected: 404 for no link of ours, 410 expired."""
        async with self.db.transaction() as connection:
            return (await self._find(connection, token))["language"]

    async def rate(self, token: str, score: int, comment: str) -> str:
        """Keep a rating, 1 to 5; the last word counts. The language; raises as `look`."""
        async with self.db.transaction() as connection:
            found = await self._find(connection, token)
            ticket_id, owner = found["ticket_id"], await connection.fetchval(_RATINGS["owner"], found["ticket_id"])
            sealed = None
            if comment:
                sealed = (await self.vault.keys(connection, [owner])).seal(owner, "rating.comment", comment)
            await connection.execute(_RATINGS["rate"], ticket_id, Channel.EMAIL, score, sealed)
        return found["language"]

    async def _find(self, connection: Any, token: str) -> Any:
        found = await connection.fetchrow(SQL["by_secret"], survey_secret(self.vault, token))
        if found is None:
            raise Rejected("there is no such link", status=404, reason="unknown-link")
        if found["expired"]:
            raise Rejected("the link has expired", status=410, reason="expired-link")
        return found
