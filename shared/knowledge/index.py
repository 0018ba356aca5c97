"""What passages are found by: their words, counted by PostgreSQL, and their vectors, one set a model.

Words and vectors are made for passages that are already stored, in batches, so that a change of the embedding model
works in the background: the old vectors are searched until the last new one is there, then the model is switched.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.db.pool import Connection, Database
from shared.db.queries import load
from shared.knowledge.embed import Embedder, embedder_of, literals

_SQL = load("knowledge")

_BATCH = 100
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SHORTEST = 15  # characters of a sentence that can answer by itself
_MOST_SENTENCES = 40


@dataclass(frozen=True, slots=True)
class Text:
    """A passage to index: its heading path and its text."""

    heading: str
    content: str


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of passages by one model, in their order; a sentence's with the place of its passage."""

    model: str
    passages: list[str] = field(default_factory=list[str])
    headings: list[str | None] = field(default_factory=list[str | None])
    sentences: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


async def embed_passages(embedder: Embedder, texts: Sequence[Text]) -> Vectors:
    """Embed passages, headings and sentences in one call. Raises what the embedder raises."""
    sentences = [(place, one) for place, text in enumerate(texts) for one in _sentences(text)]
    headed = [place for place, text in enumerate(texts) if text.heading]
    whole = [f"{text.heading}\n{text.content}".strip() for text in texts]
    made = await embedder.embed([*whole, *(texts[place].heading for place in headed), *(one for _, one in sentences)])
    found = literals(made)
    headings = dict(zip(headed, found[len(whole) :], strict=False))
    rest = found[len(whole) + len(headed) :]
    return Vectors(
        embedder.name,
        found[: len(whole)],
        [headings.get(place) for place in range(len(texts))],
        [(place, vector) for (place, _), vector in zip(sentences, rest, strict=True)],
    )


def _sentences(text: Text) -> list[str]:
    """What a question may be nearest to: the heading, and each sentence long enough to say something."""
    said = [one.strip() for one in _SENTENCE.split(text.content)]
    heading = text.heading.rsplit(" > ", 1)[-1]
    kept = [one for one in (heading, *(one for one in said if len(one) > _SHORTEST)) if one]
    return kept[:_MOST_SENTENCES]


async def store_index(connection: Connection, ids: Sequence[int], vectors: Vectors) -> None:
    """Index passages `ids` in the order their vectors were made."""
    await connection.execute(_SQL["index_words"], list(ids))
    owners = [ids[place] for place, _ in vectors.sentences]
    await connection.execute(
        _SQL["insert_vectors"],
        list(ids),
        vectors.model,
        vectors.passages,
        vectors.headings,
        owners,
        [vector for _, vector in vectors.sentences],
    )


async def searched_by(db: Database, embedder: Embedder) -> Embedder:
    """The embedder whose vectors are searched now; the given one if that can't be had, or nothing is stored."""
    row = await db.fetchrow(_SQL["live_model"])
    return embedder_of(embedder, row["model"] if row else "") or embedder


async def catch_up(db: Database, embedder: Embedder, document_id: str | None = None) -> AsyncIterator[int]:
    """Index what lacks words or vectors of this model, batch by batch; yields how many passages are done.

    Then the model is switched if nothing lacks them any more. Several at once do some work twice, and no harm.
    """
    done = 0
    while rows := await db.fetch(_SQL["unindexed"], embedder.name, _BATCH, document_id):
        vectors = await embed_passages(embedder, [Text(row["heading_path"], row["content"]) for row in rows])
        async with db.transaction() as connection:
            ids = [row["id"] for row in rows]
            kept = {row["id"] for row in await connection.fetch(_SQL["lock_passages"], ids)}
            await store_index(connection, [one for one in ids if one in kept], _only(vectors, ids, kept))
            await connection.execute(_SQL["touch_index"], embedder.name)
        done += len(rows)
        yield done
    await switch(db, embedder.name)


def _only(vectors: Vectors, ids: Sequence[int], kept: set[int]) -> Vectors:
    """Without the passages that were superseded meanwhile."""
    places = [place for place, one in enumerate(ids) if one in kept]
    new = {place: number for number, place in enumerate(places)}
    return Vectors(
        vectors.model,
        [vectors.passages[place] for place in places],
        [vectors.headings[place] for place in places],
        [(new[place], vector) for place, vector in vectors.sentences if place in new],
    )


async def switch(db: Database, model: str) -> bool:
    """Search by `model` from now on, if every passage has its vectors; whether that changed anything."""
    async with db.transaction() as connection:
        if await connection.fetchval(_SQL["switch_model"], model) is None:
            return False
        await connection.execute(_SQL["forget_other_models"], model)
        return True
