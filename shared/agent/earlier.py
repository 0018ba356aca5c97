"""The earlier contact that an answer acknowledges (R4.4): when, by which channel and, if told, what about."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.agent.contract import EarlierContact
from shared.agent.longer import accepts, declines
from shared.agent.own_words import asks_whether_bot, says_it_failed
from shared.agent.small_talk import small_talk
from shared.channels.message import Channel
from shared.conversations.history import Said
from shared.knowledge.query import words

_LINE = 80


def earlier_contact(said: Sequence[Said], channel: Channel, here: UUID) -> EarlierContact | None:
    """The customer's last message before this turn from another channel or matter.

    What it was about is that matter's subject, else its first message with content: a "YES" is none. So it is where the
    two channels were joined to one matter, since the customer cannot see that they were.
    """
    theirs = [one for one in said if one.author == "customer"]
    elsewhere = [one for one in theirs if one.channel is not channel or one.conversation_id != here]
    if not elsewhere:
        return None
    last = elsewhere[-1]
    matter = [one for one in theirs if one.conversation_id == last.conversation_id]
    return EarlierContact(last.channel, last.at, _about(matter))


def _about(matter: Sequence[Said]) -> str:
    told = [*(one.subject for one in matter), *(_first_line(one.text) for one in matter)]
    return next((one for one in told if _says_something(one)), "")


def _says_something(text: str) -> bool:
    said = [text]
    courteous = small_talk(said) is not None or accepts(said) or declines(said)
    return bool(words(text)) and not courteous and not says_it_failed(said) and not asks_whether_bot(said)


def _first_line(text: str) -> str:
    return " ".join(text.split())[:_LINE]
