"""Which language a reply of ours is in: one that the gate can read, or it is not sent."""

from __future__ import annotations

import re

from shared.agent.backing import neutral, stem
from shared.channels.fold import letters
from shared.channels.language import ENGLISH, OTHER, common_words, language_of

#: Besides English, the languages in which the gate can read what is promised and stated; and all of them.
OTHERS = ("de", "es", "fr", "ar", "ur")
READ = frozenset({ENGLISH, *OTHERS})

_TOKEN = re.compile(r"[^\W\d_]+")
#: Letters with marks that English, German, Spanish and French do not write.
_FOREIGN_LETTER = re.compile("[ãåāăąćčďđěęēėğģīįıķļłľńňőõōřšśşșťțůűųūżźžþð]")
_ARABIC = re.compile(r"[\u0621-\u06ff]")
_TELLING_LETTERS = 8
#: Share of a text's words that must be common words of its language; and the fewest words that tell.
_COMMON = 0.15
_TELLING_WORDS = 8


def in_one_script(text: str) -> str:
    """Of a text in Arabic letters those alone: the labels of an English screen may be the larger part of it."""
    if len(_ARABIC.findall(text)) < _TELLING_LETTERS:
        return text
    return "".join(one if _ARABIC.match(one) else " " for one in text)


def language_of_reply(text: str) -> str:
    """As `language_of`, but `other` where nothing tells that it is a known one: what we send is not guessed."""
    text = in_one_script(text)
    found = language_of([text])
    tokens = _TOKEN.findall(letters(text.casefold()))
    lists = common_words()
    if found not in lists or len(tokens) < _TELLING_WORDS:
        return found
    if len([word for word in text.lower().split() if _FOREIGN_LETTER.search(word)]) > len(tokens) // _TELLING_WORDS:
        return OTHER
    plain = neutral() if found == ENGLISH else frozenset[str]()
    common = sum(token in lists[found] or stem(token) in plain for token in tokens)
    return found if common >= _COMMON * len(tokens) else OTHER
