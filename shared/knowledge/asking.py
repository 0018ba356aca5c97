"""What a text asks the words of the knowledge base for: stems, what each is worth, and pairs of them.

A term is one word of the text with its alternatives; it is worth what it is rare. Several texts are asked at once: a
statement costs the same for one as for many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from shared.db.pool import Connection
from shared.db.queries import load
from shared.knowledge.query import Word
from shared.knowledge.rank import PRIOR, UNKNOWN, rarity
from shared.knowledge.spelling import Spelling

_SQL = load("knowledge_search")
_PAIRS_FROM = 1000
_MISSPELT_WEIGHT = 0.9
_COMMON = 10
#: Passages from which a word that none of them has says that they are about something else.
_KNOWS_WORDS = 200
_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What is searched. `filters` are product, language and audience, None for all.

    `stemmers` are PostgreSQL's dictionaries, `model` is whose vectors are searched, `revision` changes with passages.
    """

    filters: tuple[str | None, str | None, str | None]
    passages: int
    mean_length: float
    stemmers: tuple[str, ...]
    model: str
    revision: int


@dataclass(frozen=True, slots=True)
class Sought:
    """One lexeme that a text asks for: its part, term and choice, and what it is worth (see `word_features`).

    `leads`: it is telling and rare enough to look for passages by it; `share` is then what it is worth.
    """

    part: int
    term: int
    choice: int
    lexeme: str
    pair: bool
    share: float
    leads: bool = False
    among_all: float = 0.0
    among_telling: float = 0.0
    among_pairs: float = 0.0
    among_names: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the parts ask for, and of each part the share of its telling words, by rarity, that no passage has."""

    terms: Sequence[Sought]
    strange: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A word as one dictionary stems it: its telling stems, or where it has none (`tells` is false), all of them."""

    word: Word
    lexemes: tuple[str, ...]
    tells: bool

    @property
    def telling(self) -> bool:
        """Whether finding it means something: it is neither a stop word nor noise."""
        return self.tells and self.word.telling


class Holders:
    """How many passages have each lexeme, remembered until they change: common words are asked for each time."""

    def __init__(self) -> None:
        self._of: Scope | None = None
        self._known: dict[str, int] = {}

    async def count(self, connection: Connection, scope: Scope, lexemes: Iterable[str]) -> dict[str, int]:
        """Of those lexemes that passages have; the others are left out."""
        if self._of != scope or len(self._known) > _REMEMBERED:
            self._of, self._known = scope, {}
        known, wanted = self._known, list(lexemes)  # its own to the end: another search may begin anew meanwhile
        if unknown := [lexeme for lexeme in wanted if lexeme not in known]:
            rows = await connection.fetch(_SQL["holders"], *scope.filters, unknown)
            known |= dict.fromkeys(unknown, 0) | {row["lexeme"]: row["holders"] for row in rows}
        return {lexeme: known[lexeme] for lexeme in wanted if known[lexeme]}


async def sought(
    connection: Connection, scope: Scope, parts: Sequence[Sequence[Word]], spelling: Spelling, holders: Holders
) -> Asked:
    """Everything that the parts ask for. A telling word that no passage has is corrected if it looks misspelt."""
    stems = await _stems(connection, scope, {word.text for part in parts for word in part})
    choices = [[choice for word in part for choice in _choices(word, stems, scope)] for part in parts]
    pairs = [_pairs(part) for part in choices]
    lexemes = {lexeme for part in choices for choice in part for lexeme in choice.lexemes}
    held = await holders.count(connection, scope, lexemes | {pair for part in pairs for _, pair in part})
    unknown: dict[str, set[str]] = {}
    for choice in (one for part in choices for one in _unheld(part, held)):
        unknown.setdefault(choice.word.text, set()).update(choice.lexemes)
    meant = await spelling.corrections(connection, scope.revision, unknown) if unknown else {}
    if meant:
        held |= await holders.count(connection, scope, set(meant.values()) - held.keys())
        choices = [[_corrected(choice, meant) for choice in part] for part in choices]
    worths = [_worth(part, held, scope) for part in choices]
    weighed = [_weighed(number, choices[number], worth, scope) for number, worth in enumerate(worths)]
    paired = [_weighed_pairs(number, part, held, scope) for number, part in enumerate(pairs)]
    strange = [_strange(part, worth, scope) for part, worth in zip(choices, worths, strict=True)]
    return Asked([one for part in (*weighed, *paired) for one in part], strange)


async def held(connection: Connection, scope: Scope, words: Sequence[Word]) -> list[str]:
    """Those of the words that passages have as they are, each once; none where an abbreviation is not among them."""
    own = [word for word in words if word.weight == 1.0 and word.telling]
    stems = await _stems(connection, scope, {word.text for word in own})
    found = await Holders().count(connection, scope, {lexeme for made in stems.values() for lexeme, _ in made})
    known = {text for (text, _), made in stems.items() if any(tells and lexeme in found for lexeme, tells in made)}
    if any(word.named and word.text not in known for word in own):
        return []
    return list(dict.fromkeys(word.text for word in own if word.text in known))


async def _stems(
    connection: Connection, scope: Scope, words: Iterable[str]
) -> dict[tuple[str, str], list[tuple[str, bool]]]:
    """Lexemes of each word by each dictionary, and whether they are telling."""
    found: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for row in await connection.fetch(_SQL["stems"], list(words), list(scope.stemmers)):
        found.setdefault((row["word"], row["dictionary"]), []).append((row["lexeme"], row["telling"]))
    return found


def _choices(
    word: Word, stems: Mapping[tuple[str, str], Sequence[tuple[str, bool]]], scope: Scope
) -> Iterator[_Choice]:
    for stemmer in scope.stemmers:
        lexemes = stems.get((word.text, stemmer), ())
        telling = tuple(lexeme for lexeme, tells in lexemes if tells)
        if lexemes:
            yield _Choice(word, telling or tuple(lexeme for lexeme, _ in lexemes), bool(telling) or word.known)


def _pairs(choices: Sequence[_Choice]) -> list[tuple[int, str]]:
    """Telling stems next to each other in the text, by the first dictionary; alternatives make none."""
    said: dict[int, tuple[str, ...]] = {}
    for choice in choices:
        if choice.word.weight == 1.0 and choice.tells:
            said.setdefault(choice.word.term, choice.lexemes)
    row = [lexeme for term in sorted(said) for lexeme in said[term]]
    return [(_PAIRS_FROM + place, f"{a} {b}") for place, (a, b) in enumerate(pairwise(row))]


def _unheld(choices: Sequence[_Choice], held: Mapping[str, int]) -> Iterator[_Choice]:
    known = {choice.word.term for choice in choices if any(lexeme in held for lexeme in choice.lexemes)}
    return (choice for choice in choices if choice.telling and choice.word.term not in known)


def _corrected(choice: _Choice, meant: Mapping[str, str]) -> _Choice:
    lexeme = meant.get(choice.word.text)
    if lexeme is None:
        return choice
    return replace(choice, word=replace(choice.word, weight=_MISSPELT_WEIGHT), lexemes=(lexeme,))


def _weighed(part: int, choices: Sequence[_Choice], worth: Mapping[int, float | None], scope: Scope) -> list[Sought]:
    nowhere = rarity(0, scope.passages)
    known = sum(value for value in worth.values() if value is not None)
    everything = known + UNKNOWN * nowhere * sum(value is None for value in worth.values())
    telling = _telling(choices, worth)
    told = sum(math.sqrt(nowhere if value is None else value) for term, value in worth.items() if term in telling)
    leads = _leads({term: worth[term] for term in telling}, scope)
    names = len({choice.word.term for choice in choices if choice.word.named})
    found: list[Sought] = []
    for number, choice in enumerate(choices):
        term, value = choice.word.term, worth[choice.word.term]
        if value is None:
            continue
        share = choice.word.weight / len(choice.lexemes)
        gain = share * value
        sure = share * math.sqrt(value) / (told + PRIOR) if choice.telling else 0.0
        name = 1.0 / (names * len(choice.lexemes)) if choice.word.named else 0.0
        found += [
            Sought(part, term, number, lexeme, False, gain, term in leads, gain / everything, sure, among_names=name)
            for lexeme in choice.lexemes
        ]
    return found


def _telling(choices: Sequence[_Choice], worth: Mapping[int, float | None]) -> set[int]:
    """The terms that tell: what one of several languages takes for a stop word is none that was looked for in vain."""
    idle = {choice.word.term for choice in choices if not choice.tells and worth[choice.word.term] is None}
    return {choice.word.term for choice in choices if choice.telling} - idle


def _strange(choices: Sequence[_Choice], worth: Mapping[int, float | None], scope: Scope) -> float:
    """What no passage is about, as a share: "moon" of "the colour of the moon". Few passages know too few words."""
    if scope.passages < _KNOWS_WORDS:
        return 0.0
    nowhere = math.sqrt(rarity(0, scope.passages))
    each = [worth[term] for term in _telling(choices, worth)]
    everything = sum(nowhere if value is None else math.sqrt(value) for value in each)
    return each.count(None) * nowhere / (everything + PRIOR)


def _leads(worth: Mapping[int, float | None], scope: Scope) -> set[int]:
    """The terms to look for passages by: a word on every tenth page finds nothing that two rarer ones do not."""
    known = {term: value for term, value in worth.items() if value is not None}
    rare = {term for term, value in known.items() if value >= rarity(scope.passages // _COMMON, scope.passages)}
    return rare if len(rare) > 1 else set(known)


def _worth(choices: Sequence[_Choice], held: Mapping[str, int], scope: Scope) -> dict[int, float | None]:
    """How rare each term is: as its own word, or where no passage has that, as the commonest alternative."""
    worth: dict[int, float | None] = {}
    for choice in choices:
        term = choice.word.term
        holders = min((held.get(lexeme, 0) for lexeme in choice.lexemes), default=0)
        if holders and (worth.get(term) is None):
            worth[term] = rarity(holders, scope.passages)
        worth.setdefault(term, None)
    return worth


def _weighed_pairs(part: int, pairs: Sequence[tuple[int, str]], held: Mapping[str, int], scope: Scope) -> list[Sought]:
    worth = {pair: rarity(held.get(pair, 0), scope.passages) for _, pair in pairs}
    total = sum(worth.values())
    terms = {pair: term for term, pair in pairs if pair in held}
    return [Sought(part, term, 0, pair, True, 0.0, among_pairs=worth[pair] / total) for pair, term in terms.items()]
