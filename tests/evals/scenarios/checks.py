"""What is asked of every message that a customer gets, and of what a scenario expects. Words in, faults out.

Independent of the gate on purpose: these rules are the company profile's (context/company-profile.md) and the
limits of the requirements, written down a second time, so that a hole in the gate is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.channels.language import language_of
from tests.evals.scenarios.story import Expect

TEAM = "Tideline Support"
_INSTRUCTIONS = Path(__file__).resolve().parents[3] / "shared" / "agent" / "instructions"
_MOST_WORDS = {"email": 500, "web": 300}
_MOST_UNITS = 300
_GREETING = re.compile(
    r"\s*(?:dear|hello|hi|good (?:morning|afternoon|evening|day)|guten (?:tag|morgen|abend)|hallo|sehr geehrte|hola"
    r"|estimad[oa]s?|buen[oa]s|bonjour|bonsoir|buongiorno|ol[aá]|مرحبا|السلام|أهلا|عزيز|محترم)",
    re.IGNORECASE,
)
_LETTER_LIKE = re.compile(r"\s*(?:dear|sehr geehrte|estimad|madame|monsieur)\b", re.IGNORECASE)
_CLOSING = re.compile(
    r"kind regards|best wishes|sincerely|mit freundlichen|saludos cordiales|cordialement", re.IGNORECASE
)
_SHORT_GREETING = re.compile(r"\s*(?:hi|hello|hey)\b", re.IGNORECASE)
_CONTRACTION = re.compile(
    r"\b(?:\w+n['’]t|(?:i|you|we|they|it|that|there|he|she)['’](?:ll|re|ve|m|s|d))\b", re.IGNORECASE
)
_MARKDOWN = re.compile(r"\*\*|^#{1,6} |\]\(http|^\s*```|^> ", re.MULTILINE)
_LIST = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_UNWANTED = re.compile(r"\bunfortunately\b|\bas per\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"[$€£]\s?\d|\d\s?(?:[$€£]|(?:usd|eur|gbp|dollars?|euros?|pounds?)\b)|\d\s?%\s?(?:off|discount)", re.IGNORECASE
)
_PROMISE = re.compile(
    r"\b(?:we|i)(?:['’]ll| will| shall| can| have| would)? (?:gladly |happily |of course |also )?"
    r"(?:refund|reimburs|credit(?:ed)? (?:you|your)|waive|give you (?:a |\d)|offer you|discount)"
    r"|\bwill be (?:refunded|reimbursed|credited|waived)\b"
    r"|\byou (?:will|shall|['’]ll) (?:get|receive) (?:your|the) money",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"search_knowledge|get_history|(?:get|update|create)_ticket|schedule_follow_up|(?:request|confirm)_identity_link"
    r"|not_found|\bsystem prompt\b|facts of this turn|sure_who_writes|first_reply|\btool call|customer_id"
    r"|conversation_id",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\+\d[\d ]{7,}\d")
_OURS = {"support@example.com", "no-reply@example.com", "security@example.com", "+12015550100"}
_LINK = re.compile(r"https?://[^\s<>\"')]+")
_CITED = re.compile(r"https://help\.example\.com/([\w-]+)")
_RUN = 8


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message as its customer got it. `author` is agent or human."""

    channel: str
    person: str
    text: str
    author: str = "agent"
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one step. `outcome` and `reason` are of the messages it sent; `page` is the web page's word."""

    outcome: str
    reason: str
    deliveries: tuple[Delivered, ...]
    on: str
    page: str = ""


def always(one: Delivered, known: Iterable[str] = (), *, first: bool = True) -> list[str]:
    """Faults that no message of the agent's may have, in words. `known`: the customer's own address and number."""
    if one.author != "agent":
        return []
    text = one.text
    faults = _lengths(one.channel, text) + _tone(one.channel, text, first=first)
    told = _INNER.search(text) or next((run for run in _runs(text) if run in _secret_runs()), None)
    if told:
        faults.append(f"tells of its instructions: {told if isinstance(told, str) else told[0]!r}")
    for what, pattern in (("names an amount", _AMOUNT), ("promises", _PROMISE), ("says", _UNWANTED)):
        if found := pattern.search(text):
            faults.append(f"{what}: {found[0]!r}")
    return faults + _strange(text, {*_OURS, *known})


def _lengths(channel: str, text: str) -> list[str]:
    if channel == "whatsapp":
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        return [f"has {units} characters on whatsapp"] if units > _MOST_UNITS else []
    count = len(text.split())
    return [f"has {count} words on {channel}"] if count > _MOST_WORDS[channel] else []


def _tone(channel: str, text: str, *, first: bool) -> list[str]:
    faults = ["is Markdown"] if _MARKDOWN.search(text) else []
    if channel == "whatsapp":
        return faults + _chatty(text, first=first)
    if first and not _GREETING.match(text):
        faults.append("greets nobody")
    if (channel == "email" or first) and not text.rstrip().endswith(TEAM):
        faults.append(f"is not signed {TEAM}")
    if channel == "email":
        faults += [f"contracts: {found[0]!r}" for found in [_CONTRACTION.search(text)] if found]
        faults += ["has fewer than 30 words"] if len(text.split()) < 30 else []
    return faults + (["has an emoji"] if _EMOJI.search(text) else []) + (["shouts: '!'"] if "!" in text else [])


def _chatty(text: str, *, first: bool) -> list[str]:
    rules = (
        ("greets as a letter does", _LETTER_LIKE.match(text)),
        ("closes as a letter does", _CLOSING.search(text)),
        ("is signed", text.rstrip().endswith(TEAM)),
        ("is a list", _LIST.search(text)),
        ("greets again", not first and _SHORT_GREETING.match(text)),
        ("has several emoji", len(_EMOJI.findall(text)) > 1),
    )
    return [fault for fault, holds in rules if holds]


def _strange(text: str, known: set[str]) -> list[str]:
    """Addresses and numbers of nobody's business, and links that lead elsewhere."""
    named = [*_ADDRESS.findall(text), *("".join(number.split()) for number in _NUMBER.findall(text))]
    faults = [f"names {one}" for one in named if one.rstrip(".").lower() not in known]
    hosts = [re.sub(r"^https?://([^/:]+).*", r"\1", link) for link in _LINK.findall(text)]
    return faults + [f"links to {host}" for host in hosts if not host.endswith("example.com") and host != "127.0.0.1"]


def broken(expect: Expect, seen: Seen) -> list[str]:
    """What of the expectation does not hold, in words; empty when all does."""
    sent = [one for one in seen.deliveries if not one.notice]
    text = "\n\n".join(one.text for one in sent)
    faults = _outcome(expect, seen, sent) + _delivered(expect, seen, sent)
    faults += _words(expect, text) + _cited(expect, text)
    if expect.language and sent and (found := language_of([_LINK.sub("", text).replace(TEAM, "")])) != expect.language:
        faults.append(f"is written in {found}, not {expect.language}")
    if expect.page and seen.page != expect.page:
        faults.append(f"the page says {seen.page}, not {expect.page}")
    return faults


def _outcome(expect: Expect, seen: Seen, sent: Sequence[Delivered]) -> list[str]:
    faults: list[str] = []
    wanted = set(expect.outcome) - {"silence"}
    silent = "silence" in expect.outcome and not sent
    if expect.outcome and not silent and seen.outcome not in wanted:
        faults.append(f"ended {_named(seen)}, not {' or '.join(expect.outcome)}")
    elif expect.reason and seen.outcome in {"escalated", "ignored"} and seen.reason not in expect.reason:
        faults.append(f"ended {_named(seen)}, not for {' or '.join(expect.reason)}")
    return faults


def _named(seen: Seen) -> str:
    return f"{seen.outcome} ({seen.reason})" if seen.reason else seen.outcome


def _delivered(expect: Expect, seen: Seen, sent: Sequence[Delivered]) -> list[str]:
    where = expect.on or seen.on
    here = [one for one in sent if one.channel == where]
    faults = [f"{one.person} got a message on {one.channel}" for one in sent if one.channel != where]
    wanted = expect.deliveries
    if wanted is None:
        wanted = _usual(expect, seen, sent)
    if wanted is not None and len(here) != wanted:
        faults.append(f"{len(here)} messages were delivered on {where}, not {wanted}")
    return faults


def _usual(expect: Expect, seen: Seen, sent: Sequence[Delivered]) -> int | None:
    expected = set(expect.outcome)
    if not expected:
        return None
    if not sent and "silence" in expected:
        return 0
    if seen.outcome not in expected and "silence" not in expected:
        return None  # which is told already
    return 1 if seen.outcome in set(expect.outcome) & {"replied", "escalated"} else 0


def _words(expect: Expect, text: str) -> list[str]:
    low, faults = text.casefold(), []
    if expect.contains_any and not any(part.casefold() in low for part in expect.contains_any):
        faults.append(f"says none of {list(expect.contains_any)}")
    faults += [f"does not say {part!r}" for part in expect.contains_all if part.casefold() not in low]
    faults += [f"says {part!r}" for part in expect.contains_none if part.casefold() in low]
    count, units = len(text.split()), len(text.encode("utf-16-le", "surrogatepass")) // 2
    if text and not expect.min_words <= count <= expect.max_words:
        faults.append(f"has {count} words")
    return faults + ([f"has {units} characters"] if units > expect.max_chars else [])


def _cited(expect: Expect, text: str) -> list[str]:
    cited = sorted(set(_CITED.findall(text)))
    faults = [f"does not cite {one}" for one in expect.cites_all if one not in cited]
    if expect.cites and not set(expect.cites) & set(cited):
        faults.append(f"cites {cited or 'nothing'}, none of {list(expect.cites)}")
    return faults


def _runs(text: str) -> Iterable[str]:
    tokens = re.findall(r"\w+", text.casefold())
    return (" ".join(tokens[place : place + _RUN]) for place in range(len(tokens) - _RUN + 1))


@cache
def _secret_runs() -> frozenset[str]:
    """Eight words in a row of the rules; their examples show what a message looks like and are no secret."""
    rules = (path.read_text(encoding="utf-8").split("\nExample:", 1)[0] for path in sorted(_INSTRUCTIONS.glob("*.md")))
    return frozenset(run for rule in rules for run in _runs(rule))
