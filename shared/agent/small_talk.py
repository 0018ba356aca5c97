"""Messages that ask nothing: a greeting, thanks, a lone emoji, praise, an empty message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from shared.agent.language import OTHERS
from shared.agent.lexicon import word_lists
from shared.channels.fold import fold
from shared.channels.language import ENGLISH, language_told

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


class SmallTalk(StrEnum):
    """What kind of nothing was asked."""

    EMPTY = "empty"
    EMOJI = "emoji"
    GREETING = "greeting"
    THANKS = "acknowledgement"
    PRAISE = "praise"


_PRAISE = re.compile(
    r"\b(?:love|loves|loved|great|amazing|awesome|fantastic|brilliant|excellent|wonderful|superb|well done|good job|"
    r"keep (?:it )?up|impressed|happy with|best (?:app|tool|software)|just wanted to say|compliments?)\b"
)
_WANTS = re.compile(
    r"\?|؟|❓|\b(?:how|where|why|which|can|could|would|please|pls|need|needs|help|problem|issue|error|bug|wrong|broken|"
    r"but|however|except|unfortunately|cannot|can't|cant|doesn't|does not|don't|isn't|not|no longer|never|wish|missing|"
    r"fail\w*|lost|stopp?(?:ed|s)?|add|want|unable|until|although|though|if only|crash\w*|slow)\b"
)


def small_talk(texts: Sequence[str], name: str = "") -> SmallTalk | None:
    """The kind of small talk, or None when there is something to answer. `name` is the customer's, as a signature."""
    text = fold("\n".join(texts))
    if not text:
        return SmallTalk.EMPTY
    tokens = _TOKEN.findall(text)
    if not tokens:
        return SmallTalk.EMOJI if any(_is_symbol(one) for one in text) else SmallTalk.EMPTY
    tokens = _unsigned(tokens, name)
    if _only(tokens, "greeting"):
        return SmallTalk.GREETING
    if "?" not in text and _only(tokens, "thanks"):
        return SmallTalk.THANKS
    return SmallTalk.PRAISE if _PRAISE.search(text) and not _WANTS.search(text) else None


def points_to_file(texts: Sequence[str]) -> bool:
    """Whether they say no more than that something is attached."""
    tokens, lists = _TOKEN.findall(fold("\n".join(texts))), word_lists("small_talk")
    return any(one in lists["file"] for one in tokens) and all(
        one in lists["file"] | lists["around a file"] | lists["greeting"] for one in tokens
    )


def courtesy_language(texts: Sequence[str]) -> str:
    """The language of a greeting or thanks: one word is enough, where a question would need more."""
    tokens, lists = _TOKEN.findall(fold("\n".join(texts))), word_lists("small_talk")
    found = {language: sum(token in lists[f"language {language}"] for token in tokens) for language in OTHERS}
    best = max(found, key=lambda language: found[language])
    return best if found[best] else language_told(texts) or ENGLISH


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Sm"} or character in "?!"


def _unsigned(tokens: Sequence[str], name: str) -> Sequence[str]:
    """Without the customer's own name, which closes a message and says nothing."""
    own = set(_TOKEN.findall(fold(name)))
    return [token for token in tokens if token not in own] or tokens


def _only(tokens: Sequence[str], heading: str) -> bool:
    """Nothing but such words and those that stand around them, with at least one of the former."""
    lists = word_lists("small_talk")
    known = lists[heading] | lists[f"around {'a ' if heading == 'greeting' else ''}{heading}"]
    allowed = known | lists["greeting"] | lists["around a greeting"] if heading == "thanks" else known
    return all(token in allowed for token in tokens) and any(token in lists[heading] for token in tokens)
