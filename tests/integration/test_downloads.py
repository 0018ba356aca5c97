"""An operator takes files and raw mails out over the desk's API, on a real PostgreSQL: exact, inert, recorded."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from shared.channels.files import facts
from shared.channels.message import InboundMessage
from shared.cli.output import save
from shared.conversations import inbox
from shared.db.pool import Database
from shared.privacy import blobs
from shared.privacy.vault import Vault
from shared.settings import Settings
from tests.builders import email, form, whatsapp
from tests.integration.test_office import desk

__all__ = ["desk"]

_PAGE = b"<html><script>alert(1)</script></html>"
_NAME = 'na"me\r\nX-Evil: 1; ünï.html'


async def kept(db: Database, vault: Vault, data: bytes) -> uuid.UUID:
    async with db.transaction() as connection:
        return await blobs.keep(connection, vault, data)


async def with_file(db: Database, vault: Vault, made: InboundMessage) -> InboundMessage:
    """A message with a page whose name is no name, and its raw form."""
    file = facts("x", "text/html", _PAGE).model_copy(update={"blob": await kept(db, vault, _PAGE), "name": _NAME})
    return made.model_copy(update={"attachments": (file,), "raw_blob": await kept(db, vault, b"From: ada")})


async def stored(desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings, made: InboundMessage) -> Any:
    """The ticket as the desk shows it."""
    await inbox.store(db, vault, settings, await with_file(db, vault, made), uuid.uuid4().hex)
    row: Any = await db.fetchrow("SELECT id FROM tickets ORDER BY created_at DESC LIMIT 1")
    return (await desk.get(f"/tickets/{row['id']}")).json()


@pytest.mark.parametrize("made", [email(), whatsapp()], ids=["e-mail", "whatsapp"])
async def test_a_file_is_taken_out_as_bytes_to_save(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings, made: InboundMessage
) -> None:
    """Never as a page, its name no syntax, and it is written down which."""
    ticket = await stored(desk, db, vault, settings, made)
    [file] = ticket["messages"][0]["details"]["attachments"]
    answer = await desk.get(f"/tickets/{ticket['id']}/attachments/{file['id']}")
    assert (answer.status_code, answer.content) == (200, _PAGE)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''na%22me")
    assert "x-evil" not in answer.headers
    action: Any = await db.fetchrow("SELECT action, subject, details FROM operator_actions")
    assert (action["action"], action["subject"]) == ("tickets.attachment", ticket["id"])
    assert json.loads(action["details"]) == {"attachment": file["id"]}


async def test_a_raw_mail_is_taken_out(desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings) -> None:
    """By the message's id, which the ticket shows; recorded too."""
    ticket = await stored(desk, db, vault, settings, email())
    [message] = ticket["messages"]
    assert message["has_raw"] is True
    answer = await desk.get(f"/tickets/{ticket['id']}/messages/{message['id']}/raw")
    assert (answer.status_code, answer.content) == (200, b"From: ada")
    action: Any = await db.fetchrow("SELECT action FROM operator_actions")
    assert action["action"] == "tickets.raw"


async def test_only_what_is_the_ticket_s_and_still_here(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """404 for another ticket's file, 401 without the token, 410 once the customer is erased; nothing is recorded."""
    one = await stored(desk, db, vault, settings, email())
    other = await stored(desk, db, vault, settings, email(sender="grace@example.net", thread="t2"))
    [file] = other["messages"][0]["details"]["attachments"]
    assert (await desk.get(f"/tickets/{one['id']}/attachments/{file['id']}")).status_code == 404
    assert (await desk.get(f"/tickets/{one['id']}/messages/{uuid.uuid4()}/raw")).status_code == 404
    path = f"/tickets/{other['id']}/attachments/{file['id']}"
    assert (await desk.get(path, headers={"Authorization": "Bearer no"})).status_code == 401
    await db.execute("UPDATE customers SET data_key = NULL, erased_at = now()")
    assert (await desk.get(path)).status_code == 410
    assert await db.fetch("SELECT 1 FROM operator_actions") == []


async def test_cc_and_reply_to_are_shown_to_the_operator(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """As data; and a ticket whose customer was erased is shown without them."""
    made = email()
    assert made.email is not None
    headers = made.email.model_copy(update={"cc": "Grace <grace@example.net>", "reply_to": "other@example.net"})
    ticket = await stored(desk, db, vault, settings, made.model_copy(update={"email": headers}))
    details = ticket["messages"][0]["details"]
    assert (details["cc"], details["reply_to"]) == ("Grace <grace@example.net>", "other@example.net")
    await db.execute("UPDATE customers SET data_key = NULL, erased_at = now()")
    again = (await desk.get(f"/tickets/{ticket['id']}")).json()
    assert "cc" not in again["messages"][0]["details"]


def test_a_saved_file_is_new_and_its_owner_s_alone(tmp_path: Path) -> None:
    """Never over another, never through a link, never to be run."""
    save(tmp_path / "a", _PAGE)
    assert (tmp_path / "a").read_bytes() == _PAGE
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(typer.Exit):
        save(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == _PAGE


async def test_no_operator_reads_a_link_or_a_code_of_ours(
    desk: httpx.AsyncClient, db: Database, vault: Vault, settings: Settings
) -> None:
    """Neither in the mail that verifies an address nor in a reply that quotes it, nor in that reply as it came."""
    more = settings.model_copy(update={"form_public_url": "https://form.example.com"})
    await inbox.store(db, vault, more, form(), "e1")
    row: Any = await db.fetchrow("SELECT body_enc FROM messages WHERE kind = 'notice'")
    async with db.transaction() as connection:
        body = (await vault.keys_for(connection, [row["body_enc"]])).unseal("message.body", row["body_enc"])
    link = next(word for word in body.split() if "verify?token=" in word)
    token = link.partition("token=")[2]
    ticket: Any = await db.fetchrow("SELECT id FROM tickets")
    shown = await desk.get(f"/tickets/{ticket['id']}")
    assert "https://form.example.com/verify?token=[hidden]" in shown.text
    assert token not in shown.text
    raw = await kept(db, vault, f"From: ada\r\n\r\nIt fails:\r\n> {link}\r\n".encode())
    reply = email(f"It fails: {link}").model_copy(update={"raw_blob": raw})
    await inbox.store(db, vault, settings, reply, "e2")
    ticket = await db.fetchrow("SELECT id FROM tickets WHERE channel = 'email'")
    shown = await desk.get(f"/tickets/{ticket['id']}")
    assert token not in shown.text
    [message] = shown.json()["messages"]
    answer = await desk.get(f"/tickets/{ticket['id']}/messages/{message['id']}/raw")
    assert answer.content == b"From: ada\r\n\r\nIt fails:\r\n> https://form.example.com/verify?token=[hidden]\r\n"
