"""An answer made of passages, word for word, in the tone of its channel: what the offline model writes.

In the language of the pages. Nothing is cut inside a sentence or a list: what does not fit is left out whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.agent.addresses import links
from shared.agent.contract import EarlierContact
from shared.agent.dress import dressed, first_name
from shared.agent.escalation import Policy
from shared.agent.frames import day, frame
from shared.agent.plain import Block, blocks
from shared.agent.promises import promises
from shared.agent.small_talk import SmallTalk
from shared.channels.fold import fold
from shared.channels.language import ENGLISH, common_words, without_region
from shared.channels.limits import MOST_UNITS, utf16_units
from shared.channels.message import Channel
from shared.knowledge.query import words

_BODY_WORDS = {Channel.EMAIL: 260, Channel.WEB: 180}
_PER_PASSAGE_WORDS = 140
_SUBJECT_LENGTH = 60
_QUESTION_LENGTH = 110
#: A last sentence that leads to a list.
_ANNOUNCED = re.compile(r"(?:^|(?<=[.!?])\s)[^.!?\n]*:$")


@dataclass(frozen=True, slots=True)
class Source:
    """One passage to answer from. `query` is what was asked; `text` Markdown, in `language`; `score` the search's."""

    title: str
    heading: str
    url: str
    text: str
    query: str = ""
    language: str = ENGLISH
    score: float = 0.0

    @property
    def tongue(self) -> str:
        """The language without its region: `de` of `de-AT`."""
        return without_region(self.language)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is answered. `first`: nothing of ours is in this conversation yet; `greet`: nothing on this channel."""

    channel: Channel
    name: str
    team: str
    earlier: EarlierContact | None = None
    first: bool = True
    greet: bool = True
    policy: Policy = "strict"


def answer(sources: Sequence[Source], reader: Reader, *, brief: bool = False, left: Sequence[str] = ()) -> str:
    """The whole message with greeting, source and signature; `brief` names the page and its first sentence alone.

    `left` are questions that no source answers: they are named. Empty when nothing of the sources may be said, or when
    there is no room to say what is left out: then a person must.
    """
    said = [source for source in sources if quotable(source, reader.policy)]
    if not said:
        return ""
    if reader.channel is Channel.WHATSAPP:
        return _short_of(said, reader, brief=brief, left=bool(left))
    tongue = said[0].tongue
    left = [*left, *(source.query for source in said if source.tongue != tongue)]
    said = [source for source in said if source.tongue == tongue]
    closing = frame(tongue, f"closing.{reader.channel}")
    named = "\n".join(dict.fromkeys(_left(question, tongue) for question in left))
    parts = [_opening(reader, tongue), _body(said, reader, brief=brief), named, _pages(said), closing]
    body = "\n\n".join(part for part in parts if part)
    return dressed(reader.channel, body, name=reader.name, team=reader.team, greet=reader.greet, language=tongue)


def whole(sources: Sequence[Source], policy: Policy) -> str:
    """All that may be said of the sources, as a mail's body: what WhatsApp has no room for."""
    said = [source for source in sources if quotable(source, policy)]
    parts = [_excerpt(source, policy, _BODY_WORDS[Channel.EMAIL]) for source in said]
    return "\n\n".join([*parts, _pages(said)]).strip() if said else ""


def quotable(source: Source, policy: Policy) -> bool:
    """Whether the answer itself, its first sentence, is something that not only a person may say."""
    found = blocks(source.text)
    return bool(found) and not promises(found[0].lines[0], policy)


_COURTESIES = {SmallTalk.PRAISE: "praise", SmallTalk.THANKS: "welcome"}


def courtesy(kind: SmallTalk, reader: Reader, language: str = ENGLISH) -> str:
    """What is said to a greeting, a lone emoji, thanks or praise, in the language of it."""
    key = _COURTESIES.get(kind, "asked")
    if reader.channel is not Channel.WHATSAPP:
        text, team = frame(language, key), reader.team
        return dressed(reader.channel, text, name=reader.name, team=team, greet=reader.greet, language=language)
    short, name = frame(language, f"short.{key}"), first_name(reader.name)
    if kind in _COURTESIES or not reader.greet:
        return short
    hello = frame(language, "hello.whatsapp", name=name) if name else frame(language, "hello").rstrip(":،,") + "!"
    return f"{hello} {short}"


def _opening(reader: Reader, tongue: str) -> str:
    known = _acknowledged(reader.earlier, tongue)
    if not reader.greet:
        return known
    return f"{frame(tongue, f'thanks.{reader.channel}')} {known}".strip()


def _acknowledged(earlier: EarlierContact | None, tongue: str) -> str:
    """R4.4: what about, when, by which channel."""
    if earlier is None:
        return ""
    about = _matter(earlier.subject)
    key = f"{'about' if about else 'known'}.{earlier.channel}"
    return frame(tongue, key, day=day(tongue, earlier.at), about=about)


def _matter(subject: str) -> str:
    """A subject as it may be repeated: short, one line, nothing in it that the gate would stop."""
    plain = re.sub(r"^(?:(?:re|fwd?|aw|wg)\s*:\s*)+", "", " ".join(subject.split()), flags=re.IGNORECASE)
    if promises(plain) or links(plain) or re.search(r"[@<>“”\"]|\d{4,}", plain):
        return ""
    return plain if len(plain) <= _SUBJECT_LENGTH else f"{plain[:_SUBJECT_LENGTH].rsplit(' ', 1)[0]} …"


def _body(sources: Sequence[Source], reader: Reader, *, brief: bool) -> str:
    parts: list[str] = []
    left = _BODY_WORDS[reader.channel]
    for place, source in enumerate(sources):
        # Each gets its share, so that none is left out because those before it are long.
        share = left // (len(sources) - place)
        text = _excerpt(source, reader.policy, 1 if brief else min(share, _PER_PASSAGE_WORDS))
        left -= len(text.split())
        parts.append(f"{source.heading}\n{text}" if len(sources) > 1 else text)
    return "\n\n".join(parts)


def _left(question: str, tongue: str) -> str:
    """What names a question that is left out, as it was put; without its words where the gate would stop them."""
    asked = re.split(r"[.!?:]\s|\n", question.strip())[0].strip(" ?.!¿,;:")
    if promises(asked) or links(asked) or re.search(r"[@<>“”„\"]", asked) or not 3 <= len(asked) <= _QUESTION_LENGTH:
        return frame(tongue, "left.bare")
    return frame(tongue, "left", question=asked)


def _excerpt(source: Source, policy: Policy, budget: int) -> str:
    """The passage's blocks in order, as long as they fit; its first sentence always."""
    chosen: list[str] = []
    for block in blocks(source.text):
        allowed = _allowed(block, policy)
        size = len(str(allowed).split())
        if chosen and block.is_list and (size > budget or not allowed.lines):
            chosen[-1] = _ANNOUNCED.sub("", chosen[-1]) or chosen[-1]
        if size <= budget:
            chosen.append(str(allowed))
            budget -= size
        elif not chosen:
            chosen.append(_beginning(allowed, budget))
            budget = 0
        if allowed != block and block.is_list:
            break
    return "\n\n".join(part for part in chosen if part)


def _allowed(block: Block, policy: Policy) -> Block:
    """Without sentences that only a person may say; a list loses nothing, or all."""
    kept = tuple(line for line in block.lines if not promises(line, policy))
    return Block(() if block.is_list and kept != block.lines else kept, block.is_list)


def _beginning(block: Block, budget: int) -> str:
    kept = [block.lines[0]] if block.lines else []
    for line in block.lines[1:]:
        if block.is_list or len(" ".join([*kept, line]).split()) > budget:
            break
        kept.append(line)
    return " ".join(kept)


def _pages(sources: Sequence[Source]) -> str:
    pages = dict.fromkeys((source.tongue, source.title, source.url) for source in sources)
    return "\n".join(
        frame(tongue, "page" if url else "page.named", title=title, url=url) for tongue, title, url in pages
    )


def _short_of(sources: Sequence[Source], reader: Reader, *, brief: bool, left: bool) -> str:
    """Each question has its first sentence; where that does not fit one is answered and the others' pages are named.

    What has no page is told; empty where that does not fit either.
    """
    tongue = sources[0].tongue
    together = _first_sentences(sources, reader, brief=brief, left=left)
    if together:
        return together
    others = dict.fromkeys(one.url for one in sources[1:] if one.url)
    more = [frame(tongue, "short.also", url=url) for url in others]
    more += [frame(tongue, "short.left")] if left or not all(one.url for one in sources[1:]) else []
    return _short(sources[0], reader, brief=brief, more="".join(f" {part}" for part in more))


def _first_sentences(sources: Sequence[Source], reader: Reader, *, brief: bool, left: bool) -> str:
    """The first sentence of each of several sources, with its page; empty where that is too long."""
    tongue = sources[0].tongue
    pages = [one.url or frame(tongue, "short.named", title=one.title) for one in sources]
    if brief or len(sources) < 2 or any(one.tongue != tongue for one in sources):
        return ""
    parts = [f"{blocks(one.text)[0].lines[0]} {page}" for one, page in zip(sources, pages, strict=True)]
    parts += [frame(tongue, "short.left")] if left else []
    name = first_name(reader.name) if reader.greet else ""
    hello = [frame(tongue, "hello.whatsapp", name=name)] if name else []
    starts = _short_acknowledgements(reader.earlier, tongue) or [""]
    told = (" ".join([*hello, *([start.strip()] if start else []), *parts]) for start in starts)
    return next((one for one in told if utf16_units(one) <= MOST_UNITS[Channel.WHATSAPP]), "")


def _short(source: Source, reader: Reader, *, brief: bool, more: str = "") -> str:
    """At most 300 UTF-16 units: the sentences that say most about the question, the link, and `more`."""
    name, tongue = first_name(reader.name), source.tongue
    hello = f"{frame(tongue, 'hello.whatsapp', name=name)} " if reader.greet and name else ""
    starts = [hello + text for text in _short_acknowledgements(reader.earlier, tongue)] or [hello]
    pool = [] if brief else _telling(source, reader.policy)
    page = source.url or frame(tongue, "short.named", title=source.title)
    for start in starts:
        for sentences in pool:
            message = f"{start}{sentences} {page}{more}"
            if utf16_units(message) <= MOST_UNITS[Channel.WHATSAPP]:
                return message
    if not source.url:
        return ""  # a page that nobody can open explains nothing
    fallbacks = (
        starts[-1] + frame(tongue, "short.page", title=source.title, url=source.url),
        frame(tongue, "short.bare", url=source.url),
    )
    whole_of_it = (text + more for text in fallbacks)
    return next((text for text in whole_of_it if utf16_units(text) <= MOST_UNITS[Channel.WHATSAPP]), "")


def _short_acknowledgements(earlier: EarlierContact | None, tongue: str) -> list[str]:
    """From the fullest to the shortest, since the answer must fit behind it."""
    if earlier is None:
        return []
    about, at = _matter(earlier.subject), day(tongue, earlier.at, short=True)
    keys = ["about", "known"] if about else ["known"]
    return [f"{frame(tongue, f'short.{key}.{earlier.channel}', day=at, about=about)} " for key in keys]


def _telling(source: Source, policy: Policy) -> list[str]:
    """Runs of whole sentences, longest and most telling first; each begins with the best sentence."""
    lines = [line for block in blocks(source.text) if not block.is_list for line in _allowed(block, policy).lines]
    if not lines:
        return []
    asked = stems(source.query, source.tongue)
    # The first sentence of a section is its answer unless another is clearly nearer to the question.
    best = max(
        range(len(lines)),
        key=lambda place: len(stems(lines[place], source.tongue) & asked) + (1.5 if place == 0 else 0),
    )
    return [" ".join(lines[best:end]) for end in range(min(len(lines), best + 4), best, -1)]


def covers(source: Source, question: str) -> bool:
    """Whether a passage has every word by which a question tells what it is about, and there is one."""
    own = " ".join(word.text for word in words(question) if word.weight == 1.0)
    asked = {stem for stem in stems(own, source.tongue) if len(stem) > 2}
    return bool(asked) and asked <= stems(f"{source.heading} {source.text}", source.tongue)


def stems(text: str, tongue: str) -> set[str]:
    """The beginnings of the words that say something."""
    common = common_words().get(tongue, frozenset())
    return {word[:5] for word in re.findall(r"[^\W_]+", fold(text)) if word not in common and len(word) > 1}
