"""What the offline model reads out of a model's input: the turn, and how far it has come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from shared.agent.compose import Reader, Source
from shared.agent.contract import EarlierContact
from shared.agent.linking import has_offer
from shared.agent.prompt import (
    CONTEXT_MARK,
    EMPTY_MESSAGE,
    FILE_MARK,
    FILE_TEXT_MARK,
    NOTE_MARK,
    QUOTE_MARK,
    REVIEW_MARK,
)
from shared.channels.language import ENGLISH
from shared.channels.message import Channel

_SUBJECT = "Subject: "
#: Begin lines that are not the customer's words.
_NOT_SAID = (FILE_MARK, FILE_TEXT_MARK, NOTE_MARK, QUOTE_MARK, EMPTY_MESSAGE)


@dataclass(frozen=True, slots=True)
class Search:
    """One search that was made: what was asked and what came back, best first."""

    query: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The turn as the input tells it. `answered` is our last message; `reviews` counts how often a draft was sent back.

    `sure`: who writes; `offered`: our last message offered to link another address; `linking`: a link tool was called.
    """

    reader: Reader
    language: str
    text: str
    subjects: tuple[str, ...] = ()
    quoted: str = ""
    before: str = ""
    answered: str = ""
    searches: tuple[Search, ...] = ()
    escalated: bool = False
    reviews: int = 0
    sure: bool = False
    code_awaited: bool = False
    offered: bool = False
    linking: bool = False


@dataclass(slots=True)
class _Item:
    kind: str
    role: str = ""
    content: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read(instructions: str, given: str | Sequence[Any]) -> Reading:
    """The turn of a model call; facts that are missing get their plainest value."""
    items = [_Item("message", "user", given)] if isinstance(given, str) else [_item(one) for one in given]
    users = [place for place, item in enumerate(items) if item.role == "user"]
    last = users[-1] if users else -1
    since = items[last + 1 :]
    subjects, text = _split(items[last].content if users else "")
    quoted = _quoted(items[last].content if users else "")
    facts = _facts(instructions)
    return Reading(
        reader=_reader(facts),
        language=str(facts.get("language", "en")),
        text=text,
        subjects=subjects,
        quoted=quoted,
        before=items[users[-2]].content if len(users) > 1 else "",
        answered=next((one.content for one in reversed(items[: max(last, 0)]) if one.role == "assistant"), ""),
        searches=_searches(since),
        sure=bool(facts.get("sure_who_writes", False)),
        code_awaited=bool(facts.get("code_awaited", False)),
        offered=any(has_offer(item.content) for item in items[: max(last, 0)] if item.role == "assistant"),
        linking=any(str(item.fields.get("name")).endswith("_identity_link") for item in since),
        escalated=any(item.fields.get("name") == "escalate" for item in since),
        reviews=sum(item.role == "system" and item.content.startswith(REVIEW_MARK) for item in since),
    )


def _item(raw: Any) -> _Item:
    one: Mapping[str, Any] = raw if isinstance(raw, Mapping) else raw.model_dump()
    return _Item(str(one.get("type", "message")), str(one.get("role", "")), _content(one.get("content")), one)


def _content(raw: Any) -> str:
    if isinstance(raw, list):
        parts = cast(list[Mapping[str, Any]], raw)
        return "\n".join(str(part.get("text", "")) for part in parts)
    return raw if isinstance(raw, str) else ""


def _split(content: str) -> tuple[tuple[str, ...], str]:
    lines = content.splitlines()
    count = next((place for place, line in enumerate(lines) if not line.startswith(_SUBJECT)), len(lines))
    text = "\n".join(line for line in lines[count:] if not line.startswith(_NOT_SAID))
    return tuple(line.removeprefix(_SUBJECT) for line in lines[:count]), text


def _quoted(content: str) -> str:
    """The mails that are forwarded or pointed at."""
    found: list[str] = []
    for line in content.splitlines():
        if line.startswith(QUOTE_MARK):
            with suppress(ValueError):
                found.append(str(json.loads(line.removeprefix(QUOTE_MARK).removesuffix("]"))))
    return "\n".join(found)


def _facts(instructions: str) -> Mapping[str, Any]:
    _, mark, raw = instructions.partition(f"{CONTEXT_MARK}\n")
    try:
        loaded: Any = json.loads(raw) if mark else {}
    except ValueError:
        loaded = {}
    return cast(Mapping[str, Any], loaded) if isinstance(loaded, dict) else {}


def _reader(facts: Mapping[str, Any]) -> Reader:
    return Reader(
        channel=Channel(facts.get("channel", "web")),
        name=str(facts.get("customer_name", "")),
        team=str(facts.get("team", "Support")),
        earlier=_earlier(facts.get("earlier_contact")),
        first=bool(facts.get("first_reply", True)),
        greet=bool(facts.get("greet", True)),
        policy="published" if facts.get("policy") == "published" else "strict",
    )


def _earlier(raw: Mapping[str, Any] | None) -> EarlierContact | None:
    if not raw:
        return None
    return EarlierContact(Channel(raw["channel"]), datetime.fromisoformat(raw["at"]), raw["subject"])


def _searches(items: Sequence[_Item]) -> tuple[Search, ...]:
    outputs = {item.fields.get("call_id"): item.fields.get("output") for item in items if item.kind.endswith("_output")}
    calls = [item.fields for item in items if item.fields.get("name") == "search_knowledge"]
    return tuple(_search(str(call.get("arguments")), outputs.get(call.get("call_id"))) for call in calls)


def _search(arguments: str, output: Any) -> Search:
    try:
        query = str(json.loads(arguments).get("query", ""))
        passages: list[Mapping[str, Any]] = json.loads(output).get("passages", [])
    except (ValueError, TypeError, AttributeError):
        return Search("", ())
    return Search(
        query,
        tuple(
            Source(
                one["title"],
                one["heading"],
                one["url"],
                one["text"],
                query,
                one.get("language", ENGLISH),
                one.get("score", 0.0),
            )
            for one in passages
        ),
    )
