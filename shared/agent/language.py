"""Which language a message is in, as far as the handoff needs it: by script, then by its commonest words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from shared.agent.backing import neutral, stem
from shared.agent.fold import letters
from shared.agent.lexicon import word_lists

ENGLISH = "en"
OTHER = "other"
#: Languages whose promises the gate can read.
READ = frozenset({"en", "de", "es", "fr", "ar", "ur"})

_TOKEN = re.compile(r"[^\W\d_]+")
_URDU = set("ٹڈڑںےگچپژھہ")
_LATIN = "LATIN"
#: Letters with marks that English, German, Spanish and French do not write.
_FOREIGN_LETTER = re.compile("[ãåāăąćčďđěęēėğģīįıķļłľńňőõōřšśşșťțůűųūżźžþð]")
#: Share of a text's words that must be common words of its language; and the fewest words that tell.
_COMMON = 0.15
_TELLING_WORDS = 8


def language_of(texts: Iterable[str]) -> str:
    """ISO 639-1 of the language, `other` for one we do not know, `en` where nothing tells."""
    text = "\n".join(texts)[:4000]
    scripts = Counter(unicodedata.name(one, "?").split()[0] for one in text if one.isalpha())
    if not scripts:
        return ENGLISH
    script, _ = scripts.most_common(1)[0]
    if script == "ARABIC":
        return "ur" if _URDU & set(text) else "ar"
    if script != _LATIN:
        return OTHER
    return _by_words(text)


def _by_words(text: str) -> str:
    tokens = _TOKEN.findall(letters(text.casefold()))
    scores = {language: sum(token in known for token in tokens) for language, known in word_lists("languages").items()}
    # Words that several languages share must not outvote English: another needs a clear lead.
    best = max(scores, key=lambda language: (scores[language], language == ENGLISH))
    if best == ENGLISH or scores[best] < 2 or scores[best] <= scores[ENGLISH]:
        return ENGLISH
    return best


def language_of_reply(text: str) -> str:
    """As `language_of`, but `other` where nothing tells that it is a known one: what we send is not guessed."""
    found = language_of([text])
    tokens = _TOKEN.findall(letters(text.casefold()))
    lists = word_lists("languages")
    if found not in lists or len(tokens) < _TELLING_WORDS:
        return found
    if len([word for word in text.lower().split() if _FOREIGN_LETTER.search(word)]) > len(tokens) // _TELLING_WORDS:
        return OTHER
    plain = neutral() if found == ENGLISH else frozenset[str]()
    common = sum(token in lists[found] or stem(token) in plain for token in tokens)
    return found if common >= _COMMON * len(tokens) else OTHER
