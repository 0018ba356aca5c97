"""`fte mcp` as its own process, tried with the official client: on standard input and output, and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import httpx
import httpx2
import pytest
import pytest_asyncio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from shared.agent.database_conversation import DatabaseConversation
from shared.channels.message import InboundMessage
from shared.conversations import inbox
from shared.db.pool import Database
from shared.errors import Permanent
from shared.knowledge.document import Document
from shared.knowledge.embed import WordLlamaEmbedder
from shared.knowledge.ingest import ingest_document
from shared.local.server_process import free_port
from shared.mcp.http import door
from shared.mcp.server import build_server
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import desk_of, email, form, whatsapp
from tests.unit.test_agent_tools import Shelf

TOKEN = "secret"
PAGE = "knowledge://documents/exporting-data"


async def shelve(db: Database) -> None:
    """One document in two versions."""
    for version, where in ((1, "Settings"), (2, "Reports")):
        await ingest_document(
            db,
            WordLlamaEmbedder(),
            Document(
                id="exporting-data",
                title="Exporting your data",
                version=version,
                url="https://help.example.com/exporting-data",
                body=f"# Exporting your data\n\n## How do I export?\n\nOpen {where} › Hours and choose Export.",
            ),
        )


async def conversation_of(db: Database, vault: Vault, settings: Settings, message: InboundMessage) -> Any:
    """The id of the conversation that a message begins, unanswered."""
    stored = await inbox.store(db, vault, settings, message, "an-event")
    await db.execute("UPDATE conversations SET lease_token = NULL, lease_expires = NULL")
    return stored.conversation_id


@dataclass(frozen=True)
class Closed:
    """A matter that is over: its ids."""

    conversation: str
    ticket: str


@pytest_asyncio.fixture
async def closed(db: Database, vault: Vault, settings: Settings) -> Closed:
    """A conversation that a person answered and closed."""
    here = await conversation_of(db, vault, settings, email())
    row: Any = await db.fetchrow("SELECT id FROM tickets WHERE conversation_id = $1", here)
    desk = desk_of(db, vault, settings)
    await desk.reply(row["id"], "I have seen to it. Sam")
    await db.execute("UPDATE deliveries SET status = 'sent', finished_at = now() WHERE status = 'queued'")
    await desk.close(row["id"], None, survey=False)
    return Closed(str(here), row["id"])


def environment(settings: Settings) -> dict[str, str]:
    """What the process is told: this test's database and keys."""
    names = ("database_url", "fte_master_key", "fte_lookup_key", "fte_ticket_key", "fte_event_key")
    values = {name.upper(): getattr(settings, name).get_secret_value() for name in names}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": ".", **values}


@contextmanager
def serving(settings: Settings, *arguments: str, token: str = "", stderr: IO[bytes] | None = None) -> Iterator[str]:
    """`fte mcp --http` on a free port, ended at the end; its address."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "shared.cli.fte", "mcp", "--http", address, *arguments]
    told = environment(settings) | {"MCP_TOKEN": token}
    process = subprocess.Popen(command, env=told, stdout=subprocess.PIPE, stderr=stderr)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://{address}/")
            except httpx.TransportError:
                assert process.poll() is None, "it ended"
                assert time.monotonic() < deadline, "it never served"
                time.sleep(0.05)
            else:
                break
        yield f"http://{address}/mcp"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@asynccontextmanager
async def client(settings: Settings, transport: str, *arguments: str) -> AsyncGenerator[Client]:
    """The official client on a server of its own, over either transport."""
    if transport == "stdio":
        command = ["-m", "shared.cli.fte", "mcp", *arguments]
        server = StdioServerParameters(command=sys.executable, args=command, env=environment(settings))
        async with Client(stdio_client(server)) as made:
            yield made
        return
    with serving(settings, *arguments, token=TOKEN) as url:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as made,
        ):
            yield made


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_without_a_conversation_the_help_centre_is_open_and_nothing_else(
    db: Database, settings: Settings, transport: str
) -> None:
    """One tool, the documents with their versions, the rules as a prompt: nobody's matter."""
    await shelve(db)
    async with client(settings, transport) as made:
        assert [one.name for one in (await made.list_tools()).tools] == ["search_knowledge"]
        found = await made.call_tool("search_knowledge", {"query": "how do I export"})
        assert found.structured_content["passages"][0]["version"] == 2
        assert [one.uri for one in (await made.list_resources()).resources] == [PAGE]
        assert [one.uri_template for one in (await made.list_resource_templates()).resource_templates] == [
            "knowledge://documents/{id}",
            "knowledge://documents/{id}/versions",
            "knowledge://documents/{id}/versions/{version}",
        ]
        now = (await made.read_resource(PAGE)).contents[0].text
        assert now.startswith("# Exporting your data\n\nVersion 2\n\nSource: https://help.example.com/exporting-data")
        assert "## How do I export?\n\nOpen Reports › Hours" in now
        assert "Open Settings › Hours" in (await made.read_resource(f"{PAGE}/versions/1")).contents[0].text
        versions = json.loads((await made.read_resource(f"{PAGE}/versions")).contents[0].text)
        assert [(one["version"], one["active"]) for one in versions] == [(2, True), (1, False)]
        for nothing in (f"{PAGE}/versions/7", "knowledge://documents/no-such", "file:///etc/passwd"):
            with pytest.raises(MCPError):
                await made.read_resource(nothing)
        told = await made.get_prompt("answer_customer", {"channel": "whatsapp", "question": "how do I export?"})
        assert "At most 300 characters" in told.messages[0].content.text
        assert told.messages[-1].content.text == "how do I export?"
        with pytest.raises(MCPError):
            await made.get_prompt("answer_customer", {"channel": "pigeon", "question": "how?"})


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_with_a_conversation_its_matter_is_read_and_changed(
    db: Database, vault: Vault, settings: Settings, transport: str
) -> None:
    """All tools and its own prompt; what a tool changes is in the database at once."""
    here = await conversation_of(db, vault, settings, email("Wie exportiere ich meine Stunden?"))
    async with client(settings, transport, "--conversation", str(here)) as made:
        assert len((await made.list_tools()).tools) > 5
        told = await made.get_prompt("answer_customer")
        assert "Wie exportiere ich" in told.messages[-1].content.text
        await made.call_tool("update_ticket", {"category": "technical"})
    row: Any = await db.fetchrow("SELECT category FROM tickets")
    assert row["category"] == "technical"


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        (
            email("Guten Tag, wie exportiere ich meine Stunden in eine Datei? Vielen Dank"),
            "Guten Tag Ada Example,\n\nSelbstverständlich.",
        ),
        (whatsapp("hola, ¿cómo puedo exportar mis horas a un archivo? gracias"), "¡Hola, Ada! Por supuesto."),
        (
            form("Bonjour, comment puis-je exporter mes heures dans un fichier ? Merci"),
            "Bonjour Ada,\n\nBien sûr.",
        ),
        (whatsapp("السلام عليكم، كيف أصدر بيانات الساعات الخاصة بي إلى ملف؟"), "مرحبا Ada! بالتأكيد"),
        (whatsapp("how do I export my hours to a file?"), "Hi "),
    ],
)
async def test_a_client_hands_over_in_the_customers_language(
    db: Database, vault: Vault, settings: Settings, message: InboundMessage, begins: str
) -> None:
    """What the customer is told is ours, in the language in which they wrote."""
    here = await conversation_of(db, vault, settings, message)
    port = DatabaseConversation(db, vault, settings, here)
    async with Client(build_server(Shelf(), port)) as made:
        done = await made.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})
        assert not done.is_error
        again = await made.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})
        assert again.is_error
    (row,) = await db.fetch("SELECT m.body_enc, m.customer_id FROM messages m WHERE author = 'agent'")
    async with db.transaction() as connection:
        keys = await vault.keys_for(connection, [row["body_enc"]])
    assert keys.unseal("message.body", row["body_enc"]).startswith(begins)


async def test_a_client_s_handover_tells_the_person_what_any_other_does(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Who, what, tried, mood and next; the decision names the call."""
    here = await conversation_of(db, vault, settings, form("Where do I change the time zone?"))
    async with Client(build_server(Shelf(), DatabaseConversation(db, vault, settings, here))) as made:
        await made.call_tool(
            "escalate", {"reason": "not_found", "summary": "looked under regions; tell ada@example.org"}
        )
    (ticket,) = await db.fetch("SELECT summary_enc FROM tickets")
    (decided,) = await db.fetch("SELECT record_enc FROM decisions")
    async with db.transaction() as connection:
        keys = await vault.keys_for(connection, [ticket["summary_enc"], decided["record_enc"]])
    told = keys.unseal("ticket.summary", ticket["summary_enc"])
    assert [line.partition(":")[0] for line in told.splitlines()] == ["Who", "What", "Tried", "Mood", "Next"]
    assert "not_found: " in told
    assert "Where do I change the time zone?" in told
    assert "looked under regions; tell [address]" in told
    kept = json.loads(keys.unseal("decision.record", decided["record_enc"]))
    assert [(call["name"], call["ok"]) for call in kept["tool_calls"]] == [("escalate", True)]
    assert kept["summary"] == told


async def test_a_handover_of_what_was_answered_quotes_the_last_that_they_wrote(
    db: Database, vault: Vault, settings: Settings
) -> None:
    """Nothing is unanswered: the person must still read what it is about."""
    here = await conversation_of(db, vault, settings, email("Where do I change the time zone of anna@example.org?"))
    await db.execute("UPDATE messages SET outcome = 'replied', outcome_at = now()")
    async with Client(build_server(Shelf(), DatabaseConversation(db, vault, settings, here))) as made:
        done = await made.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})
        assert not done.is_error
    (ticket,) = await db.fetch("SELECT summary_enc FROM tickets")
    async with db.transaction() as connection:
        keys = await vault.keys_for(connection, [ticket["summary_enc"]])
    told = keys.unseal("ticket.summary", ticket["summary_enc"])
    assert "What: human: Where do I change the time zone of [address]?" in told


def test_a_closed_conversation_is_refused_at_the_start(closed: Closed, settings: Settings) -> None:
    """By its ticket or its own id: one plain line, nothing on standard output; an id of nothing is told too."""
    for given, said in (
        (closed.ticket, "the conversation is closed; without --conversation the help centre is open"),
        (closed.conversation, "the conversation is closed; without --conversation the help centre is open"),
        ("00000000-0000-4000-8000-000000000000", "is neither a conversation nor a ticket"),
    ):
        command = [sys.executable, "-m", "shared.cli.fte", "mcp", "--conversation", given]
        done = subprocess.run(
            command, env=environment(settings), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (1, b"")
        [line] = done.stderr.decode().splitlines()
        assert line.startswith("error: ")
        assert said in line


async def test_a_server_says_what_it_is_and_where(settings: Settings, tmp_path: Path) -> None:
    """Its version is the distribution's; on stderr the address and how to connect, and never the token."""
    async with client(settings, "stdio") as made:
        assert made.server_info is not None
        assert made.server_info.name == "customer-success-fte"
        assert made.server_info.version == metadata.version("customer-success-fte")
    for token in ("", TOKEN):
        told = tmp_path / f"told{len(token)}"
        with told.open("wb") as stderr, serving(settings, token=token, stderr=stderr) as url:
            [line] = [each for each in told.read_text().splitlines() if "serving MCP" in each]
        assert f"serving MCP at {url}: " in line
        assert "streamable HTTP" in line
        assert ("Authorization: Bearer" in line) is bool(token)
        assert TOKEN not in told.read_text()


def post(url: str, **headers: str) -> int:
    """The status of a first request with these headers."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    told = {"accept": "application/json, text/event-stream", **headers}
    return httpx.post(url, json=asked, headers=told).status_code


def test_a_page_of_another_site_and_a_stranger_are_turned_away(settings: Settings) -> None:
    """DNS rebinding: a browser sends the other site's Host and Origin; the token keeps out the rest of the machine."""
    with serving(settings, token=TOKEN) as url:
        shown = {"authorization": f"Bearer {TOKEN}"}
        assert post(url) == 401
        assert post(url, authorization="Bearer secret2") == 401
        assert post(url, **shown, host="evil.example.net") == 421
        assert post(url, **shown, origin="https://evil.example.net") == 403
        assert post(url, **shown, host="127.0.0.1.evil.example.net:80") == 421
        assert post(url, **shown, origin="http://localhost.evil.example.net") == 403
        assert post(url, **shown, origin="http://localhost:3000") not in (401, 403, 421)
        large = httpx.post(url, content=b"x" * 300_000, headers=shown | {"content-type": "application/json"})
        assert large.status_code == 413


@pytest.mark.parametrize(
    ("address", "token", "names", "reason"),
    [
        ("0.0.0.0:8765", "", ("mcp.example.com",), "missing-token"),
        ("192.0.2.7:8765", "", (), "missing-token"),
        ("mcp.example.com:8765", "", (), "missing-token"),
        ("0.0.0.0:8765", TOKEN, (), "missing-name"),
        ("8765", TOKEN, (), "bad-address"),
        ("localhost:99999", TOKEN, (), "bad-address"),
    ],
)
def test_a_door_open_to_others_needs_a_token_and_a_name(
    address: str, token: str, names: tuple[str, ...], reason: str
) -> None:
    """Nothing is served beyond this machine by mistake."""
    with pytest.raises(Permanent) as refused:
        door(address, token, names)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("address", "names", "url"),
    [
        (":8765", (), "http://127.0.0.1:8765/mcp"),
        ("[::1]:8765", ("mcp.example.com",), "http://[::1]:8765/mcp"),
        ("0.0.0.0:8765", ("mcp.example.com",), "http://mcp.example.com:8765/mcp"),
    ],
)
def test_a_door_has_the_address_that_clients_call(address: str, names: tuple[str, ...], url: str) -> None:
    """An address of all interfaces is nobody's to call."""
    assert door(address, TOKEN, names).url == url


@pytest.mark.parametrize("address", [":8765", "localhost:8765", "[::1]:8765", "127.0.0.2:8765"])
def test_loopback_needs_neither(address: str) -> None:
    """A developer's own machine."""
    assert door(address, "").is_local


@pytest.mark.parametrize(
    ("message", "begins"),
    [(email("Wie exportiere ich meine Zeiten in eine Datei?", subject=""), "Guten Tag Ada"), (whatsapp(), "Of course")],
    ids=["by mail, in German", "on WhatsApp"],
)
async def test_a_handover_of_what_was_answered_is_told_once_and_waits_for_a_person(
    db: Database, vault: Vault, settings: Settings, message: InboundMessage, begins: str
) -> None:
    """The customer hears that a person has it, in their language; it waits for that person until they speak."""
    here = await conversation_of(db, vault, settings, message)
    await db.execute("UPDATE messages SET outcome = 'replied', outcome_at = now()")
    if message.channel == "whatsapp":
        await db.execute(
            "INSERT INTO messages (id, conversation_id, customer_id, route_id, channel, author, trust, body_enc,"
            " received_at) SELECT gen_random_uuid(), conversation_id, customer_id, route_id, channel, 'agent', trust,"
            " body_enc, now() FROM messages"
        )
    waits = "SELECT waits_for, since IS NOT NULL AS since FROM conversation_waits"
    assert tuple((await db.fetch(waits))[0]) == ("customer", False)
    async with Client(build_server(Shelf(), DatabaseConversation(db, vault, settings, here))) as made:
        assert not (await made.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})).is_error
        assert (await made.call_tool("escalate", {"reason": "human", "summary": "asks for a person"})).is_error
    (told,) = await db.fetch(
        "SELECT m.body_enc, m.channel, d.status FROM messages m JOIN deliveries d ON d.message_id = m.id"
    )
    async with db.transaction() as connection:
        keys = await vault.keys_for(connection, [told["body_enc"]])
    assert keys.unseal("message.body", told["body_enc"]).startswith(begins)
    assert (told["channel"], told["status"]) == (message.channel, "queued")
    assert tuple((await db.fetch(waits))[0]) == ("person", True)
    (ticket,) = await db.fetch("SELECT id FROM tickets")
    desk = desk_of(db, vault, settings)
    await desk.reply(ticket["id"], "Here I am. Sam")
    assert tuple((await db.fetch(waits))[0]) == ("customer", False)
    await desk.give_back(ticket["id"])
    await db.execute("UPDATE conversations SET state = 'human', handed_over_at = now()")
    assert tuple((await db.fetch(waits))[0]) == ("person", True)
