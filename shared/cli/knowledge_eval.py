"""`kn fte knowledge eval`: how well the search finds, beside plain BM25 and plain full text.

Over the current knowledge it asks the desk. Over documents of its own (`--docs`) it runs here, in a PostgreSQL that is
thrown away: the same code and statements, and nothing that any agent could see.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from shared.cli.desk_client import DeskClient
from shared.cli.jsonl import lines_of
from shared.cli.output import Format, Output, command, fail, say, show
from shared.errors import Permanent

_BATCH = 100
T = TypeVar("T", bound=BaseModel)


def _storable(text: str) -> str:
    """Without what JSON can write and PostgreSQL cannot hold: NUL, and halves of a character."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


Text = Annotated[str, AfterValidator(_storable)]


class Asked(BaseModel):
    """A line of the questions."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    query: Text
    relevant: list[Text]


class Sheet(BaseModel):
    """A line of the documents."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: Text
    title: Text | None = None
    text: Text


@command
async def evaluate(
    # Help is rich's markup, in which a bracket begins a style.
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help=r"JSONL: {query, relevant: \[document ids]}")
    ],
    docs: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="JSONL: {id, title?, text}; else what is known now")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Measure hit@1, hit@5, MRR and milliseconds a question, against plain BM25 and plain full text in the same run."""
    questions = _questions(file)
    sheets = None if docs is None else _lines(docs, Sheet)
    if sheets is not None and not sheets:
        fail(f"{docs and docs.name} has no document")
    found = await (_over_current(questions) if sheets is None else _over_sheets(questions, sheets))
    if output is Format.JSON:
        show(found, output)
    else:
        show(_rows(found), output)


def _questions(file: Path) -> list[Asked]:
    given = _lines(file, Asked)
    found = [one for one in given if one.relevant and one.query.strip()]
    if not found:
        fail(f"{file.name} has no question with a relevant document")
    if left := len(given) - len(found):
        lines = "1 line has" if left == 1 else f"{left} lines have"
        say(f"warning: {lines} no question or no relevant document: not counted")
    return found


def _lines(file: Path, kind: type[T]) -> list[T]:
    found: list[T] = []
    for number, line in enumerate(lines_of(file), 1):
        if not line.strip():
            continue
        try:
            found.append(kind.model_validate(json.loads(line)))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the line"
            fail(f"{file.name}, line {number}: {where}: {error.errors()[0]['msg']}")
        # Besides what is no JSON: a number of thousands of digits, brackets as deep.
        except (ValueError, RecursionError):
            fail(f"{file.name}, line {number}: is not JSON")
    return found


async def _over_current(questions: Sequence[Asked]) -> dict[str, Any]:
    desk = DeskClient.find()
    _warn_of_unknown(questions, {row["id"] for row in await desk.get("/knowledge")})
    places: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    for start in range(0, len(questions), _BATCH):
        batch = [one.model_dump() | {"query": one.query[:4000]} for one in questions[start : start + _BATCH]]
        ranks = await desk.post("/knowledge/eval", {"questions": batch})
        for name, rank in ranks.items():
            places.setdefault(name, []).extend(rank["places"])
            seconds[name] = seconds.get(name, 0.0) + rank["seconds"]
        _progress(start + len(batch), len(questions))
    from shared.knowledge.evaluation import Ranks, report

    return report({name: Ranks(tuple(rank), seconds[name]) for name, rank in places.items()})


async def _over_sheets(questions: Sequence[Asked], sheets: Sequence[Sheet]) -> dict[str, Any]:
    try:
        from shared.local.scratch import scratch_database
    except ImportError:
        raise Permanent("--docs needs pip install 'customer-success-fte[local]'", reason="not-installed") from None
    from shared.knowledge import space
    from shared.knowledge.embed import open_embedder
    from shared.knowledge.evaluation import Question, measure_all
    from shared.knowledge.search import KnowledgeSearch

    _warn_of_unknown(questions, {sheet.id for sheet in sheets})
    asked = [Question(one.query, frozenset(one.relevant)) for one in questions]
    given = [space.Sheet(sheet.id, sheet.title or "", sheet.text) for sheet in sheets]
    async with scratch_database() as db, open_embedder() as embedder:
        stored: Callable[[int], None] = lambda count: say(f"{count} passages stored")  # noqa: E731
        async with space.open_space(db, embedder, given, stored) as connection:
            search = KnowledgeSearch(db, embedder)
            return await measure_all(connection, search, asked, lambda done: _progress(done, len(asked)))


def _warn_of_unknown(questions: Sequence[Asked], known: AbstractSet[str]) -> None:
    missing = [one for one in questions if not known & set(one.relevant)]
    if missing:
        count = "1 question names" if len(missing) == 1 else f"{len(missing)} questions name"
        first = missing[0].relevant[0]
        say(f"warning: {count} no document that is there, the first {first!r}: counted as not found")


def _progress(done: int, total: int) -> None:
    if done == total or done % 500 == 0:
        say(f"{done} of {total} questions asked")


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    ways = {"kn fte": found, **cast(dict[str, Any], found["baselines"])}
    names = ("hit@1", "hit@5", "mrr", "ms")
    return [{"search": way, **{name: measures[name] for name in names}} for way, measures in ways.items()]
