"""Whether what a mail quotes is its matter: it was forwarded, or the new text points at it."""

from __future__ import annotations

import re

from shared.channels.gmail.phrases import FORWARDED, any_of

_PREFIXES = any_of("fw | fwd | wg | tr | rv | enc | vb | vs | vl | pd | doorst | i | ilt | iletilen")
_SUBJECT = re.compile(
    rf"^\s*(?:{_PREFIXES}(?:\[\d+\])?\s*[:：]|(?:转发|轉寄|転送|전달|إعادة توجيه|فارورڈ)\s*[:：]?)", re.IGNORECASE
)
_POINTS = re.compile(
    any_of(r"""
\bsee (?:the )?(?:below|mail|message|thread) | \b(?:mail|e-mail|message|question|request|text) below | \bbelow\b
\bforward(?:ed|ing)\b | \bsiehe unten | \bunten(?:stehend\w*)?\b | \bweitergeleitet\w*\b | \bci-dessous\b
\btransf[eé]r\w+ | \b(?:más )?abajo\b | \breenv\w+ | \bqui sotto\b | \bqui di seguito\b | \babaixo\b
\bencaminh\w+ | \bhieronder\b | \bponiżej\b | \bnedan\b | \bnedenfor\b | \balla oleva | \bниже\b
\başağıda\w* | 下記 | 以下の | 下面 | 如下 | 아래 | أدناه | نیچے
"""),
    re.IGNORECASE,
)
#: A longer text of its own says what it wants.
_LONGEST = 600
_FIRST_LINES = 3


def points_at_quote(subject: str, text: str, quoted: str) -> bool:
    """Whether an agent needs the quoted text to understand the new one; when unsure it is given it."""
    if not quoted.strip():
        return False
    lines = [line.lstrip("> ") for line in quoted.split("\n") if line.strip()][:_FIRST_LINES]
    if _SUBJECT.match(subject) or any(FORWARDED.match(line) for line in lines):
        return True
    return len(text) <= _LONGEST and bool(_POINTS.search(text))
