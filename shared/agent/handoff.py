"""The one message that hands over: we have read it, a person has it, when they answer. No opinion, no promise, no link.

The words are data: handoffs.txt, a block a kind in each of the form's languages. A language without words gets English.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.agent.dress import dressed, first_name
from shared.agent.escalation import Reason
from shared.agent.frames import frame
from shared.channels.fixed_texts import fixed_texts
from shared.channels.language import ENGLISH
from shared.channels.message import Channel

_FILE = Path(__file__).with_name("handoffs.txt")

_SUBJECTS = {
    Reason.REFUND: "billing",
    Reason.PRICING: "sales",
    Reason.LEGAL: "legal",
    Reason.ANGRY: "upset",
    Reason.HUMAN: "asked",
    Reason.LINK_CONFLICT: "link",
    Reason.SECURITY: "security",
    Reason.LANGUAGE: "language",
}


def handoff(
    channel: Channel, reason: Reason, *, name: str, team: str, language: str = ENGLISH, greet: bool = True
) -> str:
    """The handoff in the channel's form and length; a sender who is not who they say gets none (empty)."""
    if reason is Reason.HELD:
        return ""
    texts = load_texts()
    kind = _SUBJECTS.get(reason, "other")
    text = texts.get(f"{language}.{kind}") or texts.get(f"{language}.any")
    if text:
        if channel is not Channel.WHATSAPP:
            return dressed(channel, text, name=name, team=team, greet=greet, language=language)
        # WhatsApp messages are not signed (company profile: tone on each channel).
        called = first_name(name) if greet else ""
        return f"{frame(language, 'hello.whatsapp', name=called)} {text}" if called else text
    if channel is Channel.WHATSAPP:
        hello = f"Hi {first_name(name)}! " if greet and first_name(name) else ""
        return hello + texts[f"short.{kind}"]
    return dressed(channel, texts[f"long.{kind}"], name=name, team=team, greet=greet)


def load_texts() -> Mapping[str, str]:
    """The blocks of handoffs.txt by name; read once, at start."""
    return fixed_texts(_FILE)
