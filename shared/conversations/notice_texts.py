"""The words of notices: notices.txt, in the reader's language where there are words for it, else in English."""

from __future__ import annotations

from pathlib import Path

from shared.channels.fixed_texts import fixed_texts
from shared.channels.language import ENGLISH
from shared.channels.message import Channel

_FILE = Path(__file__).with_name("notices.txt")


def notice_text(kind: str, language: str, **words: str) -> str:
    """One text (`link`, `code.subject`, …) with our words in place."""
    texts = fixed_texts(_FILE)
    text = texts.get(f"{language}.{kind}") or texts[f"{ENGLISH}.{kind}"]
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def asking_channel(channel: Channel, address: str, language: str) -> str:
    """The channel that asks with a hint at who: enough to recognise oneself by, too little to learn an address."""
    local, at, domain = address.partition("@")
    hint = f"{local[0]}…@{domain}" if at else address[-4:]
    return notice_text(f"channel.{channel}", language, hint=hint)
