"""The cases of cases.yaml, and what it means to pass one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shared.agent.gate import spoken_words
from shared.channels.limits import utf16_units, words
from shared.channels.message import Channel, Trust

PATH = Path(__file__).with_name("cases.yaml")


@dataclass(frozen=True, slots=True)
class Case:
    """One customer on one channel; `turns` are the messages, those of one turn together."""

    id: str
    channel: Channel
    trust: Trust
    subject: str
    turns: tuple[tuple[str, ...], ...]
    headers: dict[str, str]
    expect: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last turn of a case ended. `documents` are the ids that the text cites."""

    outcome: str
    reason: str = ""
    text: str = ""
    documents: frozenset[str] = field(default_factory=frozenset[str])


def load_cases(path: Path = PATH) -> list[Case]:
    """All cases in order."""
    return [_case(raw) for raw in yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]]


def _case(raw: dict[str, Any]) -> Case:
    messages = tuple(str(message) for message in raw["messages"])
    turns = (messages,) if raw.get("burst") else tuple((message,) for message in messages)
    return Case(
        id=raw["id"],
        channel=Channel(raw["channel"]),
        trust=Trust(raw["trust"]),
        subject=raw.get("subject", ""),
        turns=turns,
        headers=raw.get("headers", {}),
        expect=raw["expect"],
    )


def broken(case: Case, got: Outcome) -> list[str]:
    """What of the case's expectation does not hold, in words; empty when it passed."""
    expect, text = case.expect, got.text.lower()
    found = [
        f"{key} is {have!r}, not {expect[key]!r}"
        for key, have in (("outcome", got.outcome), ("reason", got.reason))
        if key in expect and have != expect[key]
    ]
    if "document" in expect and expect["document"] not in got.documents:
        found.append(f"cites {sorted(got.documents)}, not {expect['document']}")
    if "contains_any" in expect and not _any(expect["contains_any"], text):
        found.append(f"says none of {expect['contains_any']}")
    found += [f"says {part!r}" for part in expect.get("contains_none", []) if part.lower() in text]
    return found + _lengths(expect, got.text)


def _any(parts: Sequence[str], text: str) -> bool:
    return any(part.lower() in text for part in parts)


def _lengths(expect: dict[str, Any], text: str) -> list[str]:
    found = [f"has {words(text)} words"] if words(text) > expect.get("max_words", 10_000) else []
    found += [f"has {utf16_units(text)} characters"] if utf16_units(text) > expect.get("max_chars", 1_000_000) else []
    return found + ([f"has {spoken_words(text)} words"] if spoken_words(text) < expect.get("min_words", 0) else [])
