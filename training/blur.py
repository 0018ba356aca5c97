"""Examples as other customers would have typed them: misspelt, in small letters, without marks."""

from __future__ import annotations

from random import Random

_VOWELS_AND_MORE = "aeiourstn"
_MARKS = ".,'’!?;:"
#: Shares of words that are misspelt in one text.
_RATES = (0.0, 0.1, 0.2)
#: A word of fewer letters is left as it is.
_LEAST = 4


def blurred(text: str, chance: Random) -> str:
    """The text, differently typed; what it says stays."""
    if chance.random() < 0.5:
        text = text.lower()
    if chance.random() < 0.3:
        text = "".join(one for one in text if one not in _MARKS)
    rate = chance.choice(_RATES)
    return " ".join(_slip(word, chance) if chance.random() < rate else word for word in text.split())


def _slip(word: str, chance: Random) -> str:
    """Two letters changed places, one left out, one twice, or one hit beside; the first stands."""
    if len(word) < _LEAST or not word.isalpha():
        return word
    at = chance.randrange(1, len(word) - 1)
    before, here, after = word[:at], word[at], word[at + 1 :]
    return chance.choice(
        (
            before + after[0] + here + after[1:],
            before + after,
            before + here + here + after,
            before + chance.choice(_VOWELS_AND_MORE) + after,
        )
    )
