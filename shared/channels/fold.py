"""One spelling of a text, so that a phrase is found however it was typed.

Lower case without accents, one form of each Arabic letter, plain apostrophes and spaces, no
invisible characters, Latin look-alikes of Cyrillic letters as Latin, `r e f u n d` and `refuuund` as
`refund`.
"""

from __future__ import annotations

import re
import unicodedata

_SAME = str.maketrans(
    {
        "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-",
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ۃ": "ه",
        "ھ": "ھ", "ـ": "", "ß": "ss", "ø": "o", "ı": "i", "œ": "oe", "æ": "ae",
    }
)  # fmt: skip
_LOOKALIKES = str.maketrans("асеіорхуѕ", "aceiopxys")
_WORD = re.compile(r"\w+")
_MIXED = re.compile(r"[a-z][асеіорхуѕ]|[асеіорхуѕ][a-z]")
_LETTERS_APART = re.compile(r"(?<!\w)(?:[a-z][ .*_-]){3,}[a-z](?!\w)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_SPACES = re.compile(r"[^\S\n]+")


def fold(text: str) -> str:
    """The text as phrases are written in shared/agent/phrases; line breaks stay."""
    folded = letters(unicodedata.normalize("NFKC", text.replace("\0", " ")).casefold())
    folded = _WORD.sub(_of_one_alphabet, folded)
    folded = _LETTERS_APART.sub(lambda match: re.sub(r"[ .*_-]", "", match[0]), folded)
    return _SPACES.sub(" ", _STRETCHED.sub(r"\1", folded)).strip()


def _of_one_alphabet(word: re.Match[str]) -> str:
    return word[0].translate(_LOOKALIKES) if _MIXED.search(word[0]) else word[0]


def letters(text: str) -> str:
    """Letters without accents and vowel signs, each in one form; what a pattern goes through as well."""
    decomposed = unicodedata.normalize("NFD", text.translate(_SAME))
    kept = (one for one in decomposed if unicodedata.category(one) not in {"Mn", "Cf"})
    return unicodedata.normalize("NFC", "".join(kept)).translate(_SAME)
