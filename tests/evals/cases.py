"""The cases of cases.yaml, and what it means to pass one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shared.agent.contract import TicketChange
from shared.agent.gate import spoken_words
from shared.channels.limits import utf16_units, words
from shared.channels.message import Channel, Trust
from shared.conversations.follow_ups import FollowUp

PATH = Path(__file__).with_name("cases.yaml")


@dataclass(frozen=True, slots=True)
class Case:
    """One customer on one channel; `turns` are the messages, those of one turn together.

    `model`: what a scripted model does in the last turn, call by call. `code_awaited`: a code was sent to another
    address of theirs.
    """

    id: str
    channel: Channel
    trust: Trust
    subject: str
    turns: tuple[tuple[str, ...], ...]
    headers: dict[str, str]
    expect: dict[str, Any]
    model: tuple[dict[str, Any], ...] = ()
    code_awaited: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that was called, and what it said."""

    tool: str
    said: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last turn of a case ended. `documents` are the ids that the text cites; `said` what tools answered."""

    outcome: str
    reason: str = ""
    text: str = ""
    documents: frozenset[str] = field(default_factory=frozenset[str])
    summary: str = ""
    ticket: TicketChange = field(default_factory=TicketChange)
    follow_up: FollowUp | None = None
    link: str = ""
    said: tuple[Call, ...] = ()

    @property
    def decided(self) -> tuple[object, ...]:
        """What must be the same whoever decided it: all but the wording."""
        told = tuple(line for line in self.summary.splitlines() if line.startswith(("Who: ", "Mood: ", "Next: ")))
        ticket, later = self.ticket, self.follow_up
        return self.outcome, self.reason, sorted(self.documents), told, ticket, later, self.link


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
        model=tuple(raw.get("model", ())),
        code_awaited=raw.get("code_awaited", False),
    )


def broken(case: Case, got: Outcome) -> list[str]:
    """What of the case's expectation does not hold, in words; empty when it passed."""
    expect, text = case.expect, got.text.lower()
    found = [
        f"{key} is {have!r}, not {expect[key]!r}"
        for key, have in (("outcome", got.outcome), ("reason", got.reason), ("link", got.link))
        if key in expect and have != expect[key]
    ]
    if "document" in expect and expect["document"] not in got.documents:
        found.append(f"cites {sorted(got.documents)}, not {expect['document']}")
    if "contains_any" in expect and not _any(expect["contains_any"], text):
        found.append(f"says none of {expect['contains_any']}")
    found += [f"says {part!r}" for part in expect.get("contains_none", []) if part.lower() in text]
    return found + _noted(expect, got) + _lengths(expect, got.text)


def _noted(expect: Mapping[str, Any], got: Outcome) -> list[str]:
    """What the tools had put down, and what they answered."""
    have = {"ticket": asdict(got.ticket), "follow_up": asdict(got.follow_up) if got.follow_up else {}}
    have["ticket"]["new_tickets"] = [one.subject for one in got.ticket.new_tickets]
    found = [
        f"{what}: {key} is {have[what].get(key)!r}, not {value!r}"
        for what in have
        for key, value in expect.get(what, {}).items()
        if have[what].get(key) != value
    ]
    for tool, part in expect.get("said", {}).items():
        if not any(one.tool == tool and part in one.said for one in got.said):
            found.append(f"{tool} did not say {part!r}")
    return found


def _any(parts: Sequence[str], text: str) -> bool:
    return any(part.lower() in text for part in parts)


def _lengths(expect: dict[str, Any], text: str) -> list[str]:
    found = [f"has {words(text)} words"] if words(text) > expect.get("max_words", 10_000) else []
    found += [f"has {utf16_units(text)} characters"] if utf16_units(text) > expect.get("max_chars", 1_000_000) else []
    return found + ([f"has {spoken_words(text)} words"] if spoken_words(text) < expect.get("min_words", 0) else [])
