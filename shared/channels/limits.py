"""The hard limits on what is sent (R1.3), counted as strictly as anyone may count.

E-mail 500 words, web 300 words, greeting and signature included; WhatsApp 300 characters in UTF-16
code units, as the provider counts, which is never fewer than a person's count.
"""

from __future__ import annotations

import re

from shared.channels.message import Channel

_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")

MOST_WORDS = {Channel.EMAIL: 500, Channel.WEB: 300}
MOST_UNITS = {Channel.WHATSAPP: 300}


def words(text: str) -> int:
    """Words as white space parts them; a sign of a script without spaces (Chinese, Japanese, Thai) is one."""
    return len(text.split()) + len(_UNSPACED.findall(text))


def utf16_units(text: str) -> int:
    """Length in UTF-16 code units: an emoji outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def over_limit(channel: Channel, text: str) -> str | None:
    """What is exceeded, as a sentence for a person; None when the text fits."""
    if channel in MOST_WORDS and (count := words(text)) > MOST_WORDS[channel]:
        return f"{count} words, the limit on {channel.value} is {MOST_WORDS[channel]}"
    if channel in MOST_UNITS and (count := utf16_units(text)) > MOST_UNITS[channel]:
        return f"{count} characters, the limit on {channel.value} is {MOST_UNITS[channel]}"
    return None
