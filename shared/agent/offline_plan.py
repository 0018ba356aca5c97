"""What the offline model does next: search, search wider, answer, or hand over. Pure: input in, steps out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.agent.asked import SENTENCE, elliptic_parts, questions
from shared.agent.by_hand import by_hand
from shared.agent.compose import Source, answer, courtesy, covers, quotable
from shared.agent.frames import has_frames
from shared.agent.link_reading import mentions_other_side, other_side, said_code, wanted_address
from shared.agent.linking import offer
from shared.agent.offline_follow_up import leans, likelier, with_page
from shared.agent.offline_reading import Reading, Search
from shared.agent.own_words import says_it_failed, words_of
from shared.agent.plain import blocks
from shared.agent.promises import promises
from shared.agent.small_talk import courtesy_language, small_talk
from shared.channels.language import language_of, language_told, language_written

_UNSEEN = [
    (re.compile(rf"<{name}\b.*?</{name}\s*>", re.IGNORECASE | re.DOTALL), re.compile(rf"</{name}\s*>", re.IGNORECASE))
    for name in ("script", "style")
]
_TAG = re.compile(r"<[^<>]{1,200}>")
_REPLY_MARK = re.compile(r"^(?:(?:re|fwd?|aw|wg|antw)\s*:\s*)+", re.IGNORECASE)
_FORWARDED = re.compile(
    r"^[-\t ]*(?:forwarded message|original message)[-\t ]*$|^(?:from|to|date|sent|cc):.*$",
    re.IGNORECASE | re.MULTILINE,
)
#: The writer's name behind the last sentence: it is looked for in vain.
_SIGNED = re.compile(r"(?<=[.?!])\s+(?:[A-ZÄÖÜÉ][\w'’-]*\.?\s*){1,3}$")
_EMPTY_TEXT = re.compile(r"^\W*(?:(?:please )?see (?:the )?(?:subject|title|above)|as above|n/?a)?\W*$", re.IGNORECASE)
_ASKS = re.compile(
    r"\?|\b(?:how|where|which|whether|could|can|would|possible|way|tell me|what|need|want|like to)\b", re.IGNORECASE
)
_MAX_QUESTIONS = 4
_MAX_QUERY = 1900
_MAX_SEARCHES = 6
_LEANS_ON_BEFORE = 14  # words, up to which a message may not be understood without the one before it
_KINDS = {"price": "pricing", "refund": "refund", "law": "legal"}


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool to call."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Say:
    """The message to send."""

    text: str


def plan(reading: Reading) -> Sequence[ToolUse | Say]:
    """The next steps of a turn."""
    if reading.escalated:
        return [Say("A person takes over.")]
    step = _link(reading) or _without_search(reading)
    if step is not None:
        return [step]
    if not reading.searches:
        wanted = queries(reading)
        return [_search(query, reading) for query in wanted] or [_hand_over("not_found", reading)]
    found = [one for one in (_readable_to(reading, search) for search in reading.searches) if one.sources]
    if not leans(reading):
        found = _of_two_matters(found, reading)
        reading = replace(reading, searches=tuple(_of_two_matters(reading.searches, reading)))
    else:
        found = _of_follow_up(found, reading)
        reading = replace(reading, searches=tuple(found) or reading.searches)
    if not found:
        return _wider(reading) or _offer(reading) or [_hand_over("not_found", reading)]
    return [_answer(found, reading)]


def _without_search(reading: Reading) -> Say | None:
    """What asks nothing of the documents: a greeting or thanks, and that the answer before did not work."""
    subjects = reading.subjects if reading.reader.first else ()
    kind = small_talk([*subjects, reading.text], reading.reader.name)
    if kind is not None and not reading.quoted:
        return Say(courtesy(kind, reading.reader, courtesy_language([*subjects, reading.text])))
    if says_it_failed([reading.text]) and not reading.reader.first and not reading.quoted:
        return Say(words_of("failed", language_told([reading.text]) or language_of([reading.before])))
    return None


def _readable_to(reading: Reading, search: Search) -> Search:
    """Without pages in another language than the customer's: they would be quoted as they are, between our words.

    Of a few words that tell no language, the page found tells it.
    """
    told = language_written([reading.text], reading.subjects)
    kept = [one for one in search.sources if told is None or one.tongue == reading.language]
    return replace(search, sources=tuple(one for one in kept if has_frames(one.tongue)))


def _of_follow_up(found: Sequence[Search], reading: Reading) -> list[Search]:
    """The one passage that answers a question which leans on the answer before."""
    beside = with_page(whole(reading), reading)
    alone = [source for one in found if one.query != beside for source in one.sources]
    chosen = likelier(alone, [source for one in found if one.query == beside for source in one.sources], reading)
    return [Search(chosen.query, (chosen,))] if chosen else []


def _of_two_matters(found: Sequence[Search], reading: Reading) -> list[Search]:
    """Of a question that may be two with one verb: both parts where each has an answer of its own, else the whole."""
    everything = whole(reading)
    parts = elliptic_parts(everything)
    first = {one.query: one.sources[0] for one in found if one.query in parts and one.sources}
    apart = len(first) == len(parts) == len({source.heading for source in first.values()})
    return [one for one in found if one.query not in ([everything] if apart and parts else parts)]


def _link(reading: Reading) -> ToolUse | None:
    """A code that was said, or an address to link; once, and only for somebody who is surely the writer."""
    if reading.linking or not reading.sure:
        return None
    code = said_code(reading.text) if reading.code_awaited else None
    if code is not None:
        return ToolUse("confirm_identity_link", {"code": code})
    address = wanted_address(reading.text, reading.reader.channel, offered=reading.offered)
    return ToolUse("request_identity_link", {"address": address}) if address else None


def _offer(reading: Reading) -> list[ToolUse | Say]:
    """Somebody who says they wrote by the other side, of whom nothing is known from there."""
    channel = reading.reader.channel
    known = reading.reader.earlier is not None or reading.offered
    if known or not reading.sure or not mentions_other_side(reading.text, channel):
        return []
    return [Say(offer(other_side(channel), reading.language))]


def queries(reading: Reading) -> list[str]:
    """What to search for: each of several questions by itself, else the whole message with its subject.

    Of a message too long to be searched for only what it asks; nothing when that cannot be told: its beginning may
    not be what matters.
    """
    if reading.quoted and len(reading.text.split()) <= _LEANS_ON_BEFORE:
        return _of_quote(reading)
    text = _readable(reading.text)
    asked = questions(text)
    if len(asked) > 1:
        return asked[:_MAX_QUESTIONS] if max(map(len, asked)) <= _MAX_QUERY else []
    everything = whole(reading)
    if len(everything) <= _MAX_QUERY:
        more = [with_page(everything, reading)] if leans(reading) else elliptic_parts(everything)
        return [everything, *more]
    request = _request(reading.text)
    return [request] if 0 < len(request) <= _MAX_QUERY else []


def _of_quote(reading: Reading) -> list[str]:
    """What a forwarded mail asks: few words above it say whose it is."""
    asked = questions(_readable(reading.quoted))[:_MAX_QUESTIONS]
    tries = asked or [_request(reading.quoted) or _readable(reading.quoted)]
    return [query for query in tries if 0 < len(query) <= _MAX_QUERY]


def whole(reading: Reading, *, old_subject: bool = False) -> str:
    """Subject and message as one text; a subject that the message repeats, or an empty message, is left out.

    In a thread that was answered the subject is old, and says something only where the message does not.
    """
    text = _SIGNED.sub("", _readable(reading.text))
    text = "" if _EMPTY_TEXT.match(text) else text
    told = reading.subjects if reading.reader.first or old_subject or not text else ()
    subjects = [_REPLY_MARK.sub("", _readable(subject)).strip() for subject in told]
    parts = [subject for subject in subjects if subject and subject.casefold() not in text.casefold()]
    return "\n".join([part if part[-1] in ".?!" else f"{part}." for part in parts] + [text]).strip()


def _readable(text: str) -> str:
    for block, ending in _UNSEEN:
        # Up to the last ending only, so that each beginning has one and none is looked for in vain.
        end = max((found.end() for found in ending.finditer(text)), default=0)
        text = block.sub(" ", text[:end]) + text[end:]
    return _FORWARDED.sub("", _TAG.sub(" ", text)).strip()


def _search(query: str, reading: Reading) -> ToolUse:
    arguments: dict[str, Any] = {"query": query or "help", "limit": 3}
    if reading.language != "en":
        arguments["language"] = reading.language
    return ToolUse("search_knowledge", arguments)


def _wider(reading: Reading) -> list[ToolUse | Say]:
    """One more try: the whole instead of its questions, what it asks without the story, or with the message before."""
    tried = {search.query for search in reading.searches}
    tries = [whole(reading), whole(reading, old_subject=True), _request(reading.text)]
    if reading.quoted:
        tries += [*_of_quote(reading), _readable(reading.quoted)]
    if reading.before and len(reading.text.split()) <= _LEANS_ON_BEFORE:
        tries.insert(0, f"{_readable(reading.before)}\n{_readable(reading.text)}")
    left = [query for query in tries if 0 < len(query) <= _MAX_QUERY and query not in tried]
    return [_search(query, reading) for query in left[:1]] if len(tried) < _MAX_SEARCHES else []


def _request(text: str) -> str:
    """The last two sentences that ask for something, of a message that tells more."""
    asking = [sentence.strip() for sentence in SENTENCE.split(_readable(text)) if _ASKS.search(sentence)]
    return " ".join(asking[-2:])


def _answer(found: Sequence[Search], reading: Reading) -> ToolUse | Say:
    reader = reading.reader
    best = list({(one.url or one.title, one.heading): one for one in (search.sources[0] for search in found)}.values())
    forbidden = next((source for source in best if not quotable(source, reader.policy)), None)
    left = _left_out(found, reading)
    if any(by_hand(source, reading.text) for source in best):
        return _hand_over("human", reading)
    if forbidden is not None or 2 * len(found) < max(len(reading.searches), len(found) + len(left)):
        return _hand_over(_matter(forbidden), reading)
    text = answer(best, reader, brief=bool(reading.reviews), left=left)
    return Say(text) if text else _hand_over("not_found", reading)


def _left_out(found: Sequence[Search], reading: Reading) -> list[str]:
    """Of several questions those that nothing was found for, and those beyond what is searched for."""
    answered, first = {search.query for search in found}, queries(reading)
    if len(first) < 2 or leans(reading) or elliptic_parts(whole(reading)) or not answered <= set(first):
        return []
    asked = questions(_readable(reading.text)) or questions(_readable(reading.quoted))
    quoted = [search.sources[0] for search in found]
    left = [query for query in first if query not in answered and not any(covers(one, query) for one in quoted)]
    return left + asked[_MAX_QUESTIONS:]


def _matter(source: Source | None) -> str:
    """A page that answers with a price or money back: then the question was about that, and a person answers."""
    parts = blocks(source.text) if source else []
    kinds = promises(parts[0].lines[0]) if parts else []
    return _KINDS[kinds[0]] if kinds else "not_found"


def _hand_over(reason: str, reading: Reading) -> ToolUse:
    asked = "; ".join(search.query.replace("\n", " ")[:200] for search in reading.searches) or "nothing"
    return ToolUse("escalate", {"reason": reason, "summary": f"Searched the documents for: {asked}"})
