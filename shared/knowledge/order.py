"""Which section of a page is given first: the order of documents is the ranking's, and is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.db.pool import Row
from shared.knowledge.query import words
from shared.knowledge.rank import Ranked

#: Telling words, and the part of the best score, within which a section's place in its page counts; and within which a
#: section is given before the page's opening words.
_FEW = 2
_NEARLY = 0.88
_HARDLY_LESS = 0.95


def in_order(query: str, best: Sequence[Ranked], rows: Mapping[int, Row]) -> list[Ranked]:
    """Of a word or two the document tells what they are about, and its first section about it answers them.

    "How do I export?" is nearly as near to "The export link has expired". The opening words of a page name all of its
    matters: a section that is hardly less near answers. Which document comes first is left alone.
    """
    if not best:
        return []
    of_first = [one for one in best if rows[one.passage]["document_id"] == rows[best[0].passage]["document_id"]]
    few = len({word.term for word in words(query)}) <= _FEW
    least = (_NEARLY if few else _HARDLY_LESS) * best[0].score
    near = [one for one in of_first if one.score >= least and _is_section(rows[one.passage])]
    if few:
        first = min(near, key=lambda one: rows[one.passage]["ordinal"], default=best[0])
    else:
        first = next(iter(near), best[0]) if not _is_section(rows[best[0].passage]) else best[0]
    return [replace(first, score=best[0].score), *(one for one in best if one is not first)]


def _is_section(row: Row) -> bool:
    """Whether a passage stands under a heading of its own, and is not the page's opening words."""
    return row["heading_path"] != row["title"]
