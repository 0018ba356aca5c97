"""What a customer is told about linking an address and a number: fixed words, so that no model can promise or leak."""

from __future__ import annotations

import re
from pathlib import Path

from shared.agent.contract import TurnInput
from shared.agent.dress import dressed
from shared.channels.fixed_texts import fixed_texts
from shared.channels.language import ENGLISH, language_of
from shared.channels.message import Channel
from shared.conversations.codes import Kind, LinkAct

_FILE = Path(__file__).with_name("linking.txt")
_ADDRESS = re.compile(r"\S+@\S+|[+\d][\d ()./-]{5,}")


def link_text(channel: Channel, act: LinkAct, name: str, *, greet: bool = True) -> str:
    """What the turn answers, in the channel's form."""
    kind = f"sent.{act.kind}" if act.state == "sent" else act.state
    return in_form(channel, _text(kind, act.language), name=name, team=act.team, greet=greet)


def offer(kind: Kind, language: str) -> str:
    """The question for the other side's address or number."""
    return _text(f"offer.{kind}", language)


def answer_to_yes(kind: Kind, language: str, *, linked: bool) -> str:
    """What a plain yes to the offer is told: that it was done meanwhile, or to write the address or number."""
    return _text("already" if linked else f"ask.{kind}", language)


def is_offer(text: str) -> bool:
    """Whether a text is one of our offers, word for word."""
    return any(text.strip() == words for name, words in fixed_texts(_FILE).items() if ".offer." in name)


def has_offer(text: str) -> bool:
    """Whether a message of ours held an offer."""
    return any(words in text for name, words in fixed_texts(_FILE).items() if ".offer." in name)


def in_form(channel: Channel, text: str, *, name: str, team: str, greet: bool = True) -> str:
    """Dressed as its channel wants where it is English; the greetings of others are not in our words."""
    return dressed(channel, text, name=name, team=team, greet=greet) if language_of([text]) == ENGLISH else text


def language_to_use(turn: TurnInput) -> str:
    """The language of what was written now; where that is but an address or a code, of what was written before."""
    now = _ADDRESS.sub(" ", "\n".join(turn.texts))
    before = [one.text for one in turn.own_history if one.author == "customer"]
    if sum(char.isalpha() for char in now) < 8 and before:
        now = _ADDRESS.sub(" ", before[-1])
    return language_of([now])


def _text(kind: str, language: str) -> str:
    texts = fixed_texts(_FILE)
    return texts.get(f"{language}.{kind}") or texts[f"{ENGLISH}.{kind}"]
