"""Whether what is wanted is done by a person at support, as the page that answers says.

"Write to support: a person checks the request" is no answer to who is writing to support: a person has it then.
"""

from __future__ import annotations

import re
from itertools import pairwise

from shared.agent.asked import POINTS_BACK
from shared.agent.compose import Source, stems
from shared.agent.plain import blocks
from shared.channels.fold import fold

_BY_HAND = re.compile(
    r"\b(?:write to (?:us|support)|ask (?:us|support) to|contact (?:us|support)|our staff can|we (?:can )?do it for you"
    r"|schreiben sie (?:uns|dem support|an den support)|escriba (?:al soporte|a soporte)|escribanos)\b"
)
_A_PERSON = re.compile(r"\b(?:a person|our staff|a colleague|mensch|person|persona)\b")
#: Asks that something be done, rather than how.
_REQUEST = re.compile(
    r"^(?:(?:hi|hello|hey|dear|hallo|hola|guten)\b[^,!.\n]{0,30}[,!.\n ]+)?"
    r"(?:please|pls|plz|kindly|can you|could you|would you|i (?:want|need|would like|'d like) you to|bitte|konnen sie"
    r"|konnten sie|por favor|puede[ns]?)\b",
    re.MULTILINE,
)


def leads_to_support(line: str) -> bool:
    """Whether a sentence sends who reads it to support."""
    return bool(_BY_HAND.search(fold(line)))


def by_hand(source: Source, text: str) -> bool:
    """Whether the customer asks for what a person at support does.

    That is so when the sentence that says it is the nearest to their words; where others are as near, when they ask us
    to do it.
    """
    lines = [line for block in blocks(source.text) for line in block.lines]
    asked = stems(text, source.tongue)
    # "Our staff can move it" is about what the sentence before says.
    told = [f"{before} {line}" if POINTS_BACK.search(line) else line for before, line in pairwise(["", *lines])]
    near = [len(stems(line, source.tongue) & asked) for line in told]
    said = [place for place, line in enumerate(lines) if leads_to_support(line) and _A_PERSON.search(fold(line))]
    if not said:
        return False
    best = max(near[place] for place in said)
    others = max((one for place, one in enumerate(near) if place not in said), default=0)
    return best > others or (best == others and bool(_REQUEST.search(fold(text))))
