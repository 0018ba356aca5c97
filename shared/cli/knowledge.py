"""`kn fte knowledge`: what the agent knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from shared.cli.desk_client import DeskClient
from shared.cli.knowledge_eval import evaluate
from shared.cli.output import Format, Output, command, confirm, fail, say, show
from shared.errors import Permanent
from shared.knowledge.document import Document
from shared.knowledge.reading import Facts, read_page, read_sources

app = typer.Typer(no_args_is_help=True, help="What the agent knows.")

Product = Annotated[str | None, typer.Option(help="leave out documents for another product")]
Language = Annotated[str | None, typer.Option(help="only documents in it, such as en")]
Audience = Annotated[str | None, typer.Option(help="leave out documents for another audience")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="tell what would be done, and do nothing")]
DocumentId = Annotated[str, typer.Argument(metavar="ID", help="the document's id")]


@app.command("add")
@command
async def add(
    paths: Annotated[
        list[Path],
        typer.Argument(exists=True, readable=True, help="Markdown, HTML, PDF or text; folders; lists of URLs"),
    ],
    product: Annotated[str, typer.Option(help="for documents that name none")] = "",
    language: Annotated[str, typer.Option(help="for documents that name none")] = "en",
    audience: Annotated[str, typer.Option(help="for documents that name none; internal: not for customers")] = "",
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="of one file: where customers find its page, for answers to link")
    ] = None,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
) -> None:
    """Add documents; one that did not change is left alone, a changed one becomes a new version.

    A list of URLs is a .urls or .txt file: one URL a line, with the saved page's file after it or else fetched.
    """
    try:
        documents = await _read(paths, url, Facts(product, language, audience))
    except Permanent as error:
        fail(f"nothing was added: {error}")
    desk = DeskClient.find()
    rows, refused = await _store(desk, documents, dry_run)
    if not dry_run and (waiting := (await desk.get("/knowledge/index"))["waiting"]):
        say(f"{waiting} passages wait for their vectors and are found by their words or older vectors until then")
    show(rows, output)
    if refused:
        names = ", ".join(refused)
        fail(f"{len(refused)} of {len(documents)} documents were refused: {names}; the others are as shown")


async def _store(desk: DeskClient, documents: list[Document], dry_run: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """What became of each document, and the ids of those that the desk refused."""
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    for number, document in enumerate(documents, 1):
        body = {"name": document.id, "content": document.markdown, "dry_run": dry_run}
        try:
            rows.append(await desk.post("/knowledge", body))
            done = f"{'would be ' if dry_run else ''}{rows[-1]['change']}"
        except Permanent as error:
            refused.append(document.id)
            done = f"refused: {error}"
        say(f"[{number}/{len(documents)}] {document.id}: {done}")
    return rows, refused


async def _read(paths: list[Path], url: str | None, facts: Facts) -> list[Document]:
    if url is None:
        return await read_sources(paths, facts)
    if len(paths) > 1:
        fail("--url is the address of one file's page: give one file, or a list of URLs with the file of each")
    return [await read_page(paths[0], url, facts)]


@app.command("list")
@command
async def list_documents(output: Output = Format.TABLE) -> None:
    """The documents the agent answers from."""
    columns = ("id", "version", "title", "language", "product", "audience", "passages")
    show(await DeskClient.find().get("/knowledge"), output, columns)


@app.command("show")
@command
async def show_document(
    document: DocumentId,
    version: Annotated[int | None, typer.Option(min=1, help="an earlier version, as an answer cited it")] = None,
    output: Output = Format.TABLE,
) -> None:
    """One document: its versions and its passages."""
    show(await DeskClient.find().get(f"/knowledge/documents/{_part(document)}", version=version), output)


@app.command("remove")
@command
async def remove(
    document: DocumentId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
) -> None:
    """Answer from a document no more. Its text stays for what cited it; adding it again is a new version."""
    desk = DeskClient.find()
    found = await desk.get(f"/knowledge/documents/{_part(document)}")
    if dry_run:
        say(f"would remove version {found['version']} with {len(found['passages'])} passages")
        return
    confirm(yes, f"Remove {document}?")
    show(await desk.post(f"/knowledge/documents/{_part(document)}/remove"), output)


@app.command("reindex")
@command
async def reindex(
    document: Annotated[str | None, typer.Argument(metavar="[ID]", help="one document; else all")] = None,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
) -> None:
    """Make words and vectors of the passages anew, as after a change of EMBEDDING_MODEL; the search goes on."""
    desk = DeskClient.find()
    if dry_run:
        state = await desk.get("/knowledge/index")
        say(f"{state['waiting']} of {state['passages']} passages wait; without --dry-run all are made anew")
        show(state, output)
        return
    if document:
        await desk.get(f"/knowledge/documents/{_part(document)}")
    state = await desk.post("/knowledge/reindex", {"begin": True, "document_id": document})
    while state["waiting"] or state["model"] != state["next_model"]:
        say(f"{state['passages'] - state['waiting']} of {state['passages']} passages are indexed")
        before = state["waiting"]
        state = await desk.post("/knowledge/reindex", {})
        if before == state["waiting"] == 0 and state["model"] != state["next_model"]:
            break  # nothing is stored: the first document decides
    say(f"{state['passages']} of {state['passages']} passages are indexed")
    show(state, output)


@app.command("search")
@command
async def search(
    query: Annotated[str, typer.Argument(help="as a customer would ask")],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    language: Language = None,
    product: Product = None,
    audience: Audience = None,
    output: Output = Format.TABLE,
) -> None:
    """What the agent would find, in its order; nothing when nothing is near enough.

    SCORE is what they are ordered by, comparable within one search; CONFIDENCE how sure each is to answer, 0 to 1.
    """
    if not query.strip():
        fail("the query is empty")
    filters = {"language": language, "product": product, "audience": audience}
    rows = await DeskClient.find().get("/knowledge/search", q=query, limit=limit, **filters)
    show(rows, output, ("score", "confidence", "document_id", "version", "heading_path", "url"))


app.command("eval")(evaluate)


def _part(text: str) -> str:
    return quote(text, safe="")
