"""Matters that a person decides, recognised in code before any model is asked.

Two ways, and either is enough: phrases, which are data (phrases/*.txt, one file a language, all tried on every
message, since people mix them), and likeness to labelled examples (likeness/), for all the words that no list
foresees. A half phrase and a half likeness add up. What is found cannot be talked out of: no model has a say here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from shared.agent.likeness.model import Likeness, model
from shared.channels.fold import fold, letters
from shared.knowledge.query import distance

_FOLDER = Path(__file__).parent / "phrases"
_LANGUAGES = ("en", "de", "es", "fr", "ar", "ur", "it", "pt", "nl", "more")
_LINE = re.compile(r"^(\w+)([!?~]?)\s+(\S+)\s+(.+)$")
_TOKEN = re.compile(r"[^\W\d_]{5,}")
_LONG_WORD = re.compile(r"(\w{100})(?=\w)")
#: Characters searched at once, and those searched twice: longer than any phrase. A pattern's work grows with the square
#: of what it is given, so that a long text is searched in windows.
_WHOLE = 8_000
_WINDOW = 3_000
_OVERLAP = 500
#: Likeness from which it is enough by itself, and from which it makes a whole of half a phrase. Chosen on
#: examples that the model had not seen, for few false alarms (specs/decisions/0032).
_ALIKE = 0.2
_HALF_ALIKE = 0.1
#: Below it in every sentence a message is no matter, whatever phrase it holds. Well below half: what is glued to a
#: demand, such as a short subject, dilutes it.
_UNLIKE = -0.35
#: Different letters beyond which a sentence says something.
_LETTERS = 2
#: Faces that need no word beside them, and what they say.
_FURIOUS = str.maketrans(dict.fromkeys("🤬😡🖕👿💢😾", ". I am furious. "))

Policy = Literal["strict", "published"]


class Reason(StrEnum):
    """Why a person takes over. The first five are found here, in the order in which one is recorded."""

    REFUND = "refund"
    PRICING = "pricing"
    LEGAL = "legal"
    ANGRY = "angry"
    HUMAN = "human"
    NOT_FOUND = "not_found"
    LANGUAGE = "language"
    HELD = "held"
    GATE = "gate"
    MODEL_DOWN = "model_down"
    LINK_CONFLICT = "link_conflict"
    SECURITY = "security"


#: What the check finds, in the order in which one is recorded.
FOUND_HERE = (Reason.REFUND, Reason.PRICING, Reason.LEGAL, Reason.ANGRY, Reason.HUMAN)
_PUBLISHED = (Reason.REFUND, Reason.PRICING)


@dataclass(frozen=True, slots=True)
class Escalation:
    """A matter for a person. `evidence` names the rules that fired (`refund.money-back.en`), never the text."""

    reason: Reason
    evidence: tuple[str, ...]

    @property
    def others(self) -> tuple[Reason, ...]:
        """Further reasons besides the one that is recorded."""
        named = {rule.split(".", 1)[0] for rule in self.evidence}
        return tuple(reason for reason in FOUND_HERE if reason in named and reason is not self.reason)


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    pattern: re.Pattern[str]


@dataclass(slots=True)
class _Rules:
    """The rules of one reason and what they must not read, always or while policies are published."""

    rules: list[_Rule] = field(default_factory=list[_Rule])
    halves: list[_Rule] = field(default_factory=list[_Rule])
    exceptions: list[re.Pattern[str]] = field(default_factory=list[re.Pattern[str]])
    published: list[re.Pattern[str]] = field(default_factory=list[re.Pattern[str]])


def check(texts: Iterable[str], *, policy: Policy = "strict") -> Escalation | None:
    """What in the customer's own words (subject and messages) is for a person, or None.

    `policy="published"` lets questions about list prices and the refund policy through; demands never.
    """
    written = _LONG_WORD.sub(r"\1 ", "\n".join(texts)).translate(_FURIOUS)
    # Digits alone, such as a code, or a key held down are like nothing.
    sentences = [one for one in model().read(written) if len(set(filter(str.isalpha, one[0]))) > _LETTERS]
    if all(likeness.value < _UNLIKE for _, likeness in sentences):
        return None
    windows = _windows(fold(written))
    # Corrected as well as written: a correction must never hide what stands there.
    corrected = [after for before in windows if (after := _corrected(before)) != before]
    fired: dict[Reason, list[str]] = defaultdict(list)
    for reason, rules in _all_rules().items():
        exceptions = rules.exceptions + (rules.published if policy == "published" else [])
        half = [_corrected(sentence) for sentence, likeness in sentences if _is_half(likeness, reason, policy)]
        found = _fired(rules.rules, windows, exceptions) or _fired(rules.rules, corrected, exceptions)
        fired[reason] = found or _fired(rules.halves, half, exceptions)
    for reason in _like_examples((likeness for _, likeness in sentences), policy):
        fired[reason].append(f"{reason}.likeness.examples")
    return _found(fired)


def _is_half(likeness: Likeness, reason: Reason, policy: Policy) -> bool:
    """Whether half a phrase in this sentence is enough; not where it asks about what is published and may be told."""
    told = policy == "published" and reason in _PUBLISHED and likeness.label.endswith("?")
    return likeness.value >= _HALF_ALIKE and not told


def _found(fired: Mapping[Reason, list[str]]) -> Escalation | None:
    first = next((reason for reason in FOUND_HERE if fired[reason]), None)
    if first is None:
        return None
    evidence = tuple(name for reason in FOUND_HERE for name in fired[reason])
    return Escalation(first, evidence)


def _like_examples(found: Iterable[Likeness], policy: Policy) -> list[Reason]:
    labels = [likeness.label for likeness in found if likeness.value >= _ALIKE]
    answered = policy == "published"
    return list(dict.fromkeys(Reason(label.rstrip("?")) for label in labels if not (answered and label.endswith("?"))))


def load_rules() -> None:
    """Read and compile phrases and weights now, at start, instead of with the first message."""
    _all_rules()
    _keywords()
    model().read("hello")


def _windows(text: str) -> list[str]:
    """All of the text in pieces that overlap; an ordinary message is one piece."""
    if len(text) <= _WHOLE:
        return [text]
    starts = range(0, len(text) - _OVERLAP, _WINDOW - _OVERLAP)
    return list(dict.fromkeys(text[start : start + _WINDOW] for start in starts))


def _fired(rules: Sequence[_Rule], texts: Sequence[str], exceptions: Sequence[re.Pattern[str]]) -> list[str]:
    readable = [_without(exceptions, text) for text in texts]
    return [rule.name for rule in rules if any(rule.pattern.search(text) for text in readable)]


def _without(exceptions: Iterable[re.Pattern[str]], text: str) -> str:
    for pattern in exceptions:
        text = pattern.sub(" # ", text)
    return text


@cache
def _all_rules() -> Mapping[Reason, _Rules]:
    found: dict[Reason, _Rules] = {reason: _Rules() for reason in FOUND_HERE}
    for language in _LANGUAGES:
        for reason, kind, name, pattern in _lines(language):
            rules = found[Reason(reason)]
            compiled = re.compile(letters(pattern))
            if kind == "!":
                rules.exceptions.append(compiled)
            elif kind == "?":
                rules.published.append(compiled)
            else:
                (rules.halves if kind == "~" else rules.rules).append(_Rule(f"{reason}.{name}.{language}", compiled))
    return found


def _lines(language: str) -> list[tuple[str, str, str, str]]:
    text = (_FOLDER / f"{language}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    matched = [_LINE.match(line) for line in lines]
    if None in matched:
        raise ValueError(f"{language}.txt: line without reason, name and pattern: {lines[matched.index(None)]}")
    return [(one[1], one[2], one[3], one[4]) for one in matched if one]


@cache
def _keywords() -> tuple[Sequence[str], frozenset[str]]:
    """Words to recognise although misspelt, and words to leave alone."""
    lines = (_FOLDER / "keywords.txt").read_text(encoding="utf-8").splitlines()
    wanted = [word for line in lines if line[:1] not in {"#", "!"} for word in fold(line).split()]
    spared = [word for line in lines if line[:1] == "!" for word in fold(line[1:]).split()]
    return wanted, frozenset([*wanted, *spared])


def _corrected(text: str) -> str:
    return _TOKEN.sub(lambda match: _meant(match[0]), text)


@lru_cache(maxsize=4096)
def _meant(token: str) -> str:
    """The keyword that a token is a slip of, or the token."""
    wanted, known = _keywords()
    if token in known:
        return token
    slips = 2 if len(token) >= 9 else 1
    near = [word for word in wanted if word[0] == token[0] and abs(len(word) - len(token)) <= slips]
    distances = {word: distance(token, word) for word in near}
    best = min(near, key=lambda word: distances[word], default=token)
    return best if distances.get(best, slips + 1) <= slips else token
