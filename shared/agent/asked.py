"""The questions of one message, as the offline model searches for them: each is answered, in order, or named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from shared.agent.plain import unwrapped
from shared.channels.fold import letters
from shared.channels.language import every_common_word
from shared.knowledge.query import words

_POINT = re.compile(r"^[ \t]*(?:\(?\d{1,2}[.)]|[a-h]\)|[-*•])\s+", re.MULTILINE)
#: A number within a line; it begins a point if the others count on.
_NUMBERED = re.compile(r"(?:^|(?<=\s))\(?(\d{1,2})[.):]\s+(?=[^\W\d_])")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_ASKING = (
    r"(?:how|where|when|which|what|who|why|can|could|do|does|is|are|will|wie|wo|wann|welche\w*|was|wer|kann|k[oö]nn\w+"
    r"|gibt|ist|sind|c[oó]mo|d[oó]nde|cu[aá]\w+|qu[eé]|qui[eé]n|puedo|se puede|hay)\s"
)
_AND_ASKS = re.compile(rf",?\s(?:and|und|y|also|plus|&)\s(?:also\s)?(?={_ASKING})", re.IGNORECASE)
_COMMA_ASKS = re.compile(rf",\s(?={_ASKING})", re.IGNORECASE)
_BEGINS_TO_ASK = re.compile(_ASKING, re.IGNORECASE)
#: A second matter without a verb of its own: "offline and on a watch".
_AND_MORE = re.compile(
    r",?\s(?:and|und|y)\s(?=(?:on|in|for|with|from|at|by|to|auf|mit|f[uü]r|bei|en|con|para|por)\s)", re.IGNORECASE
)
_CONDITION = re.compile(
    r"^(?:if|when|once|after|before|as|since|wenn|falls|sobald|nachdem|si|cuando|despu[eé]s)\b", re.IGNORECASE
)
#: What asks without a question mark, as people type on a phone.
_ASKS_PLAINLY = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|hola|ok|so|and|also|btw|und|y)[ ,!]+(?:there[ ,!]+)?)*"
    r"(?:how (?:do|can|to|is|does|long|many|much|about)|where (?:do|can|is|are)|what (?:is|are|does|do)"
    r"|can (?:i|we|you)|is (?:it|there)|do you|wie (?:kann|geht|mache|lade)|wo (?:ist|kann|finde)|kann (?:ich|man)"
    r"|c[oó]mo|d[oó]nde|puedo)\b",
    re.IGNORECASE,
)
POINTS_BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|they|them|es|das|dies\w*|ihn|ihm|eso|esto|ello)\b", re.IGNORECASE
)
#: Words of a question that may be no more than "can you help me?"; of one that may be two with one verb.
_SHORT = 4
_ELLIPTIC = 12
#: Words of a sentence that tells something, and telling words of a question that stands by itself.
_STORY = 6
_TELLING = 2
_MODAL = frozenset({"should", "would", "shall", "might", "must", "sollte", "soll", "debe", "deberia"})


def questions(text: str) -> list[str]:
    """The separate questions of a message: numbered points, else its sentences that ask and the parts of these."""
    points = _points(text)
    if points:
        return [point.split("\n\n")[0] for point in points if len(point.split()) > 2]
    sentences = [sentence.strip() for sentence in SENTENCE.split(unwrapped(text))]
    asking = [part for one in sentences if _asks(one) for part in _parted(one)]
    if len(asking) > 1 and _lean_on_a_story(asking, sentences):
        return []
    return [one for one in asking if len(one.split()) > _SHORT or (_tells(one) and not _points_back(one))]


def elliptic_parts(question: str) -> list[str]:
    """The two matters of a short question that has one verb for both, or none; empty where it has one matter."""
    parts = [part.strip(" ,?") for part in _AND_MORE.split(question)]
    if len(parts) != 2 or len(question.split()) > _ELLIPTIC:
        return []
    return parts if all(_about(part) for part in parts) and not _points_back(question) else []


def _points(text: str) -> list[str]:
    """Points on lines of their own, or numbered within a line: 1) … 2) …"""
    if len(_POINT.findall(text)) > 1:
        return [point.strip() for point in _POINT.split(text)[1:]]
    marks = list(_NUMBERED.finditer(text))
    if [int(mark[1]) for mark in marks] != list(range(1, len(marks) + 1)) or len(marks) < 2:
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]


def _asks(sentence: str) -> bool:
    return sentence.endswith("?") or any(_ASKS_PLAINLY.match(part) for part in _AND_ASKS.split(sentence))


def _parted(sentence: str) -> list[str]:
    """Several questions in one sentence; what leans on what stands before it keeps that beside it."""
    parts = [part.strip(" ,?") for one in _AND_ASKS.split(sentence) for part in _at_commas(one)]
    condition = parts.pop(0) if len(parts) > 2 and _CONDITION.match(parts[0]) else ""
    if len(parts) < 2 or _CONDITION.match(parts[0]) or _points_back(parts[0]):
        return [sentence]
    if len(parts) == 2 and not condition:
        whole = [parts[0], sentence.rstrip("?") if _points_back(parts[1]) else parts[1]]
    else:
        leaning = [f"{condition or before}, {part}" for before, part in pairwise(["", *parts])]
        whole = [more if _points_back(part) else part for more, part in zip(leaning, parts, strict=True)]
    return [f"{part}?" for part in whole] if all(map(_tells, whole)) else [sentence]


def _at_commas(text: str) -> list[str]:
    """Questions that commas part, behind a question or a condition; what else stands before a comma is no question."""
    parts = _COMMA_ASKS.split(text)
    return parts if _BEGINS_TO_ASK.match(parts[0]) or _CONDITION.match(parts[0]) else [text]


def _lean_on_a_story(asking: Sequence[str], sentences: Sequence[str]) -> bool:
    """Whether questions of one word each, such as "what should the job do?", are about what is told beside them."""
    told = any(len(one.split()) >= _STORY and not _asks(one) for one in sentences)
    return told and all(len(_about(part)) < _TELLING for part in asking)


def _points_back(text: str) -> bool:
    return bool(POINTS_BACK.search(letters(text)))


def _tells(question: str) -> bool:
    """Whether a question of three words or more has one that says what it is about."""
    return len(question.split()) > 2 and bool(_about(question))


def _about(text: str) -> set[str]:
    own = {letters(word.text) for word in words(text) if word.weight == 1.0}
    return own - every_common_word() - _MODAL
