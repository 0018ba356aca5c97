"""What ends a loop between two robots, by e-mail alone: nobody else answers a machine by themselves.

A text that was answered already and comes again, in the thread or from the same sender, or more messages an
hour than a person writes, get no automatic answer. They go to a person without a word, so a person who was
taken for a robot is heard all the same, and whatever else that sender writes in a new thread is answered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, InboundMessage
from shared.db.queries import load
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("loops")

REPEATED, TOO_MANY = "repeated-text", "too-many-messages"
# "Yes please" may answer two questions; a sentence that comes again answers nothing.
_SHORT = 10
_HEAD = 20_000
_WORD = re.compile(r"[^\W_]+")
# Days and months as robots write them into "received on …": they change as numbers do.
_CALENDAR_WORDS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday",
    "mon tue tues wed thu thur thurs fri sat sun am pm utc gmt cet cest est edt pst pdt",
    "januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag",
    "sonnabend sonntag uhr janvier février mars avril juin juillet août septembre octobre novembre décembre",
    "lundi mardi mercredi jeudi vendredi samedi dimanche enero febrero marzo abril mayo junio julio agosto",
    "septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes sábado domingo gennaio febbraio",
    "aprile maggio giugno luglio settembre ottobre dicembre lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "janeiro fevereiro março maio junho julho setembro outubro dezembro segunda terça quarta quinta sexta",
)
_CALENDAR = frozenset(" ".join(_CALENDAR_WORDS).split())


@dataclass(frozen=True, slots=True)
class Traces:
    """Keyed hashes of one e-mail; `text` is None where nothing is left to compare."""

    sender: bytes
    thread: bytes
    text: bytes | None
    short: bool


def traces_of(vault: Vault, message: InboundMessage) -> Traces | None:
    """None for what no loop is made of: other channels, and what is not answered anyway."""
    if message.channel is not Channel.EMAIL or message.ignored:
        return None
    words = normalised(message.text) or normalised(message.subject)
    local, _, domain = message.sender.address.rpartition("@")
    return Traces(
        sender=vault.lookup("sender", f"{local.partition('+')[0]}@{domain}"),
        thread=vault.lookup("thread", json.dumps([message.channel, message.thread])),
        text=vault.lookup("text", words) if words else None,
        short=len(words) < _SHORT,
    )


def normalised(text: str) -> str:
    """The words alone: case folded, without those that carry a digit or name a day or a month."""
    words = (word for word in _WORD.findall(text[:_HEAD].casefold()) if not any(map(str.isdigit, word)))
    return " ".join(word for word in words if word not in _CALENDAR)


async def loop_reason(connection: Any, settings: Settings, traces: Traces) -> str | None:
    """Why this message gets no automatic answer, or None; within the inbox's transaction."""
    seen = await connection.fetchrow(
        SQL["seen"], traces.sender, traces.thread, traces.text, settings.mail_loop_window_h
    )
    enough = 2 if traces.short else 1
    if seen["repeated_in_thread"] >= enough or seen["repeated_by_sender"] >= enough:
        return REPEATED
    many = seen["in_thread"] >= settings.mail_thread_max_per_h or seen["by_sender"] >= settings.mail_sender_max_per_h
    return TOO_MANY if many else None


async def note_traces(connection: Any, message_id: UUID, traces: Traces) -> None:
    """Remember them with the message."""
    await connection.execute(SQL["note"], message_id, traces.sender, traces.thread, traces.text)
