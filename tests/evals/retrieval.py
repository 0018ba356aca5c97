"""How well the search finds what is there, and stays silent about what is not: `python -m tests.evals.retrieval`.

Reads retrieval.yaml, asks the knowledge base at DATABASE_URL (documents already stored), prints a table and the
score that separates best on `dev`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.db.pool import Database
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.search import FOUND_ABOVE, KnowledgeSearch
from shared.settings import Settings

_CASES = Path(__file__).with_name("retrieval.yaml")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question after the search: `rank` of the first right document (0: not among five), best `score`."""

    ask: str
    documents: tuple[str, ...]
    rank: int
    score: float
    best: str

    def right(self, threshold: float) -> bool:
        """Found first and above the threshold; or, when nothing answers, nothing above it."""
        return self.rank == 1 and self.score >= threshold if self.documents else self.score < threshold


async def ask_all(search: KnowledgeSearch, part: str) -> list[Asked]:
    """Ask every question of one part (`dev` or `held_out`)."""
    cases: dict[str, Any] = yaml.safe_load(await asyncio.to_thread(_CASES.read_text, "utf-8"))
    answered = [await _ask(search, case["ask"], _documents(case)) for case in cases["answered"][part]]
    return answered + [await _ask(search, text, ()) for text in cases["unanswered"][part]]


def _documents(case: dict[str, Any]) -> tuple[str, ...]:
    named = case["document"]
    return tuple(named) if isinstance(named, list) else (named,)


async def _ask(search: KnowledgeSearch, text: str, documents: tuple[str, ...]) -> Asked:
    found = await search.search(text, limit=5)
    ids = [passage.document_id for passage in found]
    rank = next((place for place, one in enumerate(ids, 1) if one in documents), 0)
    best = f"{found[0].document_id} / {found[0].heading}" if found else "-"
    return Asked(text, documents, rank, found[0].score if found else 0.0, best)


def report(asked: list[Asked], threshold: float) -> str:
    """Recall at 1 and 5, how many unanswerable questions stay unanswered, and every miss."""
    answered = [one for one in asked if one.documents]
    silent = [one for one in asked if not one.documents]
    lines = [
        f"  right document first     {sum(one.rank == 1 for one in answered)}/{len(answered)}",
        f"  right document in five   {sum(one.rank > 0 for one in answered)}/{len(answered)}",
        f"  first and above {threshold:.2f}     {sum(one.right(threshold) for one in answered)}/{len(answered)}",
        f"  silent when unrelated    {sum(one.right(threshold) for one in silent)}/{len(silent)}",
    ]
    lines += [
        f"    {'miss' if one.documents else 'loud'} {one.score:.2f} rank {one.rank}  {one.ask[:70]!r} -> {one.best}"
        for one in asked
        if not one.right(threshold)
    ]
    return "\n".join(lines)


async def _main() -> None:
    db = Database.from_settings(Settings())
    try:
        search = KnowledgeSearch(db, WordLlamaEmbedder(), threshold=0.0)
        for part in ("dev", "held_out", "grown", "newcomers", "strangers"):
            asked = await ask_all(search, part)
            print(f"{part}\n{report(asked, FOUND_ABOVE)}")
            if part == "dev":
                best = max((sum(one.right(cut / 100) for one in asked), cut / 100) for cut in range(20, 80))
                print(f"  best cut {best[1]:.2f} with {best[0]}/{len(asked)} right")
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(_main())
