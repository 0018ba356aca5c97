"""A question that leans on the answer before ("how long does that take?"): searched for with that answer's page.

It is searched for as it stands, too: what is found for it surely is the answer, so that a new matter is not bent to the
old one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.agent.addresses import links, plain_url
from shared.agent.compose import Source, covers
from shared.agent.offline_reading import Reading
from shared.agent.plain import blocks
from shared.channels.fold import fold

_MOST_WORDS = 14
_FEW_WORDS = 4
#: Search's confidence from which a question needs no help.
_SURE = 0.9
_PAGE = re.compile(r"^[^\n:]{3,40}: (?P<title>[^\n]{2,200}), (?P<url>https?://\S+)$", re.MULTILINE)
_LEANS = re.compile(
    r"^\W*(?:and|also|but|or|so|then|what about|how about|und|auch|aber|y|tambien|pero|et|aussi|mais)\b"
    r"|\b(?:it|its|that|this|there|they|them|those|these|one|damit|davon|dafur|dort|dabei|eso|ahi|alli|ello|cela|ca)\b"
)


def page_before(answer: str) -> tuple[str, str]:
    """Title and address of the page that an answer of ours names first; empty where it names none."""
    named = _PAGE.search(answer)
    if named:
        return named["title"], named["url"]
    found = links(answer)
    return (found[0].rstrip("/").rpartition("/")[2].replace("-", " "), found[0]) if found else ("", "")


def leans(reading: Reading) -> bool:
    """Whether the message may not be understood without the answer before it."""
    if reading.reader.first or reading.quoted or not page_before(reading.answered)[1]:
        return False
    count = len(reading.text.split())
    return 0 < count <= _MOST_WORDS and (count <= _FEW_WORDS or bool(_LEANS.search(fold(reading.text))))


def with_page(query: str, reading: Reading) -> str:
    """The question with the subject of the answer before."""
    return f"{page_before(reading.answered)[0]}: {query}"


def likelier(alone: Sequence[Source], beside: Sequence[Source], reading: Reading) -> Source | None:
    """The passage that answers, of those found for the question alone and with the page beside it; None: neither.

    Of the page it is the section that has all of the question's own words, and rather the one that was quoted before:
    with the page's title beside them each section is sure.
    """
    page = plain_url(page_before(reading.answered)[1])
    if alone and max(one.score for one in alone) >= _SURE:
        return alone[0]
    of_page = [one for one in (*alone, *beside) if plain_url(one.url) == page]
    telling = [one for one in of_page if covers(one, reading.text)]
    if telling:
        return next((one for one in telling if _is_quoted(one, reading.answered)), telling[0])
    best = max((one.score for one in alone), default=0.0)
    if of_page and (of_page[0] in alone or of_page[0].score > best):
        return of_page[0]
    return alone[0] if alone else None


def _is_quoted(source: Source, answer: str) -> bool:
    found = blocks(source.text)
    return bool(found) and found[0].lines[0] in answer
