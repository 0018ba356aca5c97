"""The desk's routes for what the agent knows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from shared.dead_letters.office import Office
from shared.knowledge.evaluation import BATCH, Question

Text = Annotated[str, Query(min_length=1, max_length=2000)]
Fact = Annotated[str | None, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Document(BaseModel):
    """A document for the knowledge base; `name` as a file would be called. `dry_run` tells what would be done."""

    name: str = Field(min_length=1, max_length=300)
    content: str = Field(min_length=1, max_length=1_000_000)
    dry_run: bool = False


class Reindex(BaseModel):
    """`begin` marks a document, or all; without it what waits is worked on."""

    begin: bool = False
    document_id: str | None = Field(None, max_length=120)


class Asked(BaseModel):
    """A question with the documents that answer it."""

    query: str = Field(min_length=1, max_length=4000)
    relevant: list[str] = Field(max_length=1000)


class Evaluation(BaseModel):
    """Questions to measure by, a batch at a time."""

    questions: list[Asked] = Field(min_length=1, max_length=BATCH)


def add_knowledge(router: APIRouter, office: Office) -> None:
    """Every route below /knowledge."""
    _reads(router, office)
    _writes(router, office)


def _reads(router: APIRouter, office: Office) -> None:
    library = office.library

    @router.get("/knowledge")
    async def documents() -> Any:
        return await library.documents()

    @router.get("/knowledge/search")
    async def search(
        q: Text, limit: Limit = 5, language: Fact = None, product: Fact = None, audience: Fact = None
    ) -> Any:
        return await library.search(q, limit, language=language, product=product, audience=audience)

    @router.get("/knowledge/index")
    async def index() -> Any:
        return await library.index()

    @router.get("/knowledge/documents/{document_id}")
    async def document(document_id: str, version: Annotated[int | None, Query(ge=1)] = None) -> Any:
        return await library.document(document_id, version)

    @router.post("/knowledge/eval")
    async def evaluate(request: Evaluation) -> Any:
        return await library.measure([Question(one.query, frozenset(one.relevant)) for one in request.questions])


def _writes(router: APIRouter, office: Office) -> None:
    library = office.library

    @router.post("/knowledge/documents/{document_id}/remove")
    async def remove(document_id: str) -> Any:
        return await library.remove(document_id)

    @router.post("/knowledge")
    async def add(request: Document) -> Any:
        return await library.add(request.name, request.content, dry_run=request.dry_run)

    @router.post("/knowledge/reindex")
    async def reindex(request: Reindex) -> Any:
        return await (library.begin_reindex(request.document_id) if request.begin else library.work())
