"""What of a text is compared: its words, word pairs, parts of words, the ideas it touches, and the ideas' pairs.

An idea (money, taken, twice, client …) has its words in every language, ideas/*.txt, so that what is learned from
examples in one language holds in the others. Parts of words bear misspellings.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

from shared.channels.fold import letters

_FOLDER = Path(__file__).parent / "ideas"
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[?!€$£%]")
_PARTS = (3, 4, 5)
_LONGEST_TOKEN = 40


def features(folded: str) -> Mapping[str, int]:
    """How often each feature occurs in a folded text; the first letter of a name is its group."""
    tokens = [token[:_LONGEST_TOKEN] for token in _TOKEN.findall(folded)]
    counts = Counter(f"w {token}" for token in tokens)
    counts.update(f"b {one} {two}" for one, two in pairwise(["^", *tokens, "$"]))
    counts.update(part for token in tokens for part in _parts(token))
    named = ideas(folded)
    counts.update(f"i {name}" for name in named)
    counts.update(f"p {one}+{two}" for one, two in combinations(named, 2))
    return counts


def _parts(token: str) -> Iterator[str]:
    marked = f"^{token}$"
    return (f"c {marked[at : at + size]}" for size in _PARTS for at in range(len(marked) - size + 1))


def ideas(folded: str) -> list[str]:
    """The ideas that a folded text touches, in alphabetical order."""
    return [name for name, pattern in _lexicon() if pattern.search(folded)]


@cache
def _lexicon() -> Sequence[tuple[str, re.Pattern[str]]]:
    """Each idea with its words of all languages; whole words, one pattern an idea."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(_FOLDER.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                name, pattern = line.split(maxsplit=1)
                found[name].append(letters(pattern))
    return [(name, re.compile(rf"(?<!\w)(?:{'|'.join(found[name])})(?!\w)")) for name in sorted(found)]
