"""What ends a loop between two robots, by e-mail and on WhatsApp: the page answers nobody by itself.

A text that was answered twice and comes again, or one of nearly the same words, in the thread or from the same sender,
or more messages than a person writes, get no automatic answer. They go to a person without a word, so a person who
was taken for a robot is heard all the same, and whatever else that sender writes in a new thread is answered. Asking
once more is what people do who were not helped: silence would be worse than the same answer.

Senders and threads count apart by their trust: whoever forges a customer's address neither mutes the customer
nor has us fill that mailbox with answers, of which a claimed address gets a few.

On WhatsApp people write in many short lines, say "yes" to one question after the other and press the same button
again: there only whole sentences are compared, which were typed and stand alone, and more of them make too many.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.channels.message import Channel, InboundMessage, Trust, WhatsAppFacts
from shared.conversations.likeness import alike, signature, unspaced
from shared.conversations.reasons import HandedOver
from shared.db.queries import load
from shared.identity.resolve import SQL as IDENTITY
from shared.privacy.vault import Vault
from shared.settings import Settings

SQL = load("loops")

REPEATED, TOO_MANY = HandedOver.REPEATED_TEXT, HandedOver.TOO_MANY
#: Answers after which a text that comes again is a robot's: people ask once more, and chat on WhatsApp.
_OFTEN_BY_MAIL, _OFTEN = 2, 4
#: Letters that a line on WhatsApp has at least before it counts as text that came again.
_SENTENCE = 25
_HEAD = 20_000
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
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
    """Keyed hashes of one message; `text` and `likeness` are None where there is too little to compare."""

    channel: Channel
    sender: bytes
    thread: bytes
    text: bytes | None
    likeness: bytes | None
    claimed: bool


def traces_of(vault: Vault, message: InboundMessage) -> Traces | None:
    """None for what no loop is made of: the page, and what is not answered anyway."""
    trust = message.sender.trust
    if message.channel is Channel.WEB or message.ignored or trust is Trust.HELD:
        return None
    words = _words(message)
    return Traces(
        channel=message.channel,
        sender=vault.lookup("sender", json.dumps([trust, _sender(message)])),
        thread=vault.lookup("thread", json.dumps([message.channel, trust, message.thread])),
        text=vault.lookup("text", words) if words else None,
        likeness=signature(vault, words),
        claimed=trust is not Trust.VERIFIED,
    )


def _sender(message: InboundMessage) -> str:
    """A number, or an address without its tag."""
    local, at, domain = message.sender.address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else domain


def _words(message: InboundMessage) -> str:
    """What is compared; empty where to come again says nothing."""
    if message.channel is Channel.EMAIL:
        return normalised(message.text) or normalised(message.subject)
    facts = message.whatsapp or WhatsAppFacts()
    # A correction resembles what it corrects; files and places are told in words of ours, in brackets.
    told = message.attachments or facts.edits or facts.command or message.text.startswith("[")
    words = "" if told else normalised(message.text)
    return words if len(words) >= _SENTENCE else ""


def normalised(text: str) -> str:
    """The words alone: case folded, without those that carry a digit or name a day or a month.

    Where words are written without spaces a digit's "word" may be the whole text: there the digits alone go.
    """
    found = _WORD.findall(text[:_HEAD].casefold())
    words = (_DIGITS.sub("", word) if unspaced(word) else word for word in found)
    return " ".join(word for word in words if word not in _CALENDAR and not any(map(str.isdigit, word)))


async def loop_reason(connection: Any, settings: Settings, traces: Traces) -> str | None:
    """Why this message gets no automatic answer, or None; within the inbox's transaction."""
    if traces.claimed:
        # Forged mails come at once and in threads of their own: they are counted one after another.
        await connection.fetchval(IDENTITY["lock_sender"], traces.sender)
    mail = traces.channel is Channel.EMAIL
    window = settings.mail_loop_window_h if mail else settings.whatsapp_loop_window_h
    seen = await connection.fetchrow(SQL["seen"], traces.sender, traces.thread, traces.text, window)
    enough = _OFTEN_BY_MAIL if mail else _OFTEN
    if seen["repeated_in_thread"] >= enough or seen["repeated_by_sender"] >= enough:
        return REPEATED
    limits = _of_mail(settings, seen, claimed=traces.claimed) if mail else _of_whatsapp(settings, seen)
    if any(count >= limit for count, limit in limits):
        return TOO_MANY
    return REPEATED if await _resembles(connection, window, traces, enough) else None


def _of_whatsapp(settings: Settings, seen: Any) -> list[tuple[int, int]]:
    """A number is its own thread."""
    return [(seen["in_thread"], settings.whatsapp_max_per_h), (seen["in_thread_today"], settings.whatsapp_max_per_d)]


def _of_mail(settings: Settings, seen: Any, *, claimed: bool) -> list[tuple[int, int]]:
    limits = [
        (seen["in_thread"], settings.mail_thread_max_per_h),
        (seen["in_thread_today"], settings.mail_thread_max_per_d),
        (seen["by_sender"], settings.mail_sender_max_per_h),
    ]
    if claimed:
        limits.append((seen["answered"], settings.mail_claimed_max_per_h))
        limits.append((seen["answered_today"], settings.mail_claimed_max_per_d))
    return limits


async def _resembles(connection: Any, window: float, traces: Traces, enough: int) -> bool:
    """Whether `enough` messages of nearly the same words were answered: robots also change a name or a sentence."""
    if traces.likeness is None:
        return False
    answered = await connection.fetch(SQL["answered"], traces.sender, traces.thread, window)
    return sum(alike(traces.likeness, row["text_likeness"]) for row in answered) >= enough


async def note_traces(connection: Any, message_id: UUID, traces: Traces) -> None:
    """Remember them with the message."""
    await connection.execute(SQL["note"], message_id, traces.sender, traces.thread, traces.text, traces.likeness)
