"""What a misspelt word was meant to be: the commonest stem that one slip of the fingers turns it into.

The stems are read once for each state of the knowledge base, and only when a word is not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from shared.db.pool import Connection
from shared.db.queries import load
from shared.knowledge.query import near

_SQL = load("knowledge_search")
_SHORTEST = 5  # letters of a word that is corrected: in a shorter one a slip is as often another word
_REMEMBERED = 10_000


class Spelling:
    """Corrections against the stems of one knowledge base."""

    def __init__(self) -> None:
        self._revision: int | None = None
        self._stems: Mapping[str, list[tuple[str, int]]] = {}
        self._known: dict[str, str | None] = {}

    async def corrections(
        self, connection: Connection, revision: int, words: Mapping[str, Collection[str]]
    ) -> dict[str, str]:
        """The stem that each word was meant to be, without those that look like none; words come with own stems."""
        wanted = [word for word in words if len(word) >= _SHORTEST and word.isalpha()]
        if not wanted:
            return {}
        if self._revision != revision:
            self._stems = _by_initial(await connection.fetch(_SQL["vocabulary"]))
            self._revision, self._known = revision, {}
        if len(self._known) > _REMEMBERED:
            self._known = {}
        for word in wanted:
            if word not in self._known:
                self._known[word] = self._meant(word, words[word])
        return {word: stem for word in wanted if (stem := self._known[word]) is not None}

    def _meant(self, word: str, own: Collection[str]) -> str | None:
        likely = [one for one in self._stems.get(word[0], ()) if meant(word, one[0], own)]
        return max(likely, key=lambda one: (one[1], one[0]))[0] if likely else None


def _by_initial(rows: Iterable[Mapping[str, object]]) -> dict[str, list[tuple[str, int]]]:
    stems: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        stem = str(row["lexeme"])
        stems.setdefault(stem[0], []).append((stem, int(str(row["holders"]))))
    return stems


def meant(word: str, stem: str, own: Collection[str] = ()) -> bool:
    """Whether a word may be a slip of a stem; `own` are the stems that dictionaries make of the word as it is.

    A stem has lost its ending: it is compared with the word, and with the word cut to the same length. Some change
    theirs (policy, polici), and so does the stem of a slip (polcy, polci): the two are compared as well. A slip may
    bring a vowel before the y, which then stays (history, histori, but histroy).
    """
    if not len(word) - 3 <= len(stem) <= len(word) + 1:
        return False
    if near(word, stem) or (len(word) > len(stem) >= 5 and near(word[: len(stem)], stem)):
        return True
    ends = {*own, f"{word[:-1]}i"} if word.endswith("y") else own
    return any(min(len(one), len(stem)) >= _SHORTEST and near(one, stem) for one in ends)
