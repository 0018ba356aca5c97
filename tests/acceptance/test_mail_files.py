"""A mail with a file, from the customer's client to the operator's folder, through the real processes."""

from __future__ import annotations

import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

from tests.system import System, eventually, new_address

_NOTES = b"The export button is grey since Tuesday.\n"


def _mail(sender: str) -> bytes:
    mail = EmailMessage()
    mail["Authentication-Results"] = f"mx.google.com; dmarc=pass header.from={sender.rpartition('@')[2]}"
    mail["From"], mail["To"], mail["Subject"] = f"Ada Example <{sender}>", "support@example.com", "My export"
    mail["Message-ID"] = f"<files.{sender}>"
    mail.set_content("How do I export my data from Tideline? See the notes that I attached.")
    mail.add_attachment(_NOTES, maintype="text", subtype="plain", filename="notes.txt")
    return mail.as_bytes()


def _save(system: System, *arguments: str) -> None:
    command = [sys.executable, "-m", "shared.cli.kn_fte", "tickets", *arguments]
    done = subprocess.run(command, env=system.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_an_operator_saves_what_a_customer_attached(system: System, tmp_path: Path) -> None:
    """Answered as any mail; the file and the raw mail come out byte for byte."""
    sender = new_address()
    raw = _mail(sender)
    system.http("POST", system.endpoints["simulators"]["gmail"] + "/_control/inbound", content=raw)
    eventually(lambda: system.mails_to(sender))
    ticket = next(row for row in system.kn("tickets", "list") if row["address"] == sender)["id"]
    message = system.kn("tickets", "show", ticket)["messages"][0]
    [file] = message["details"]["attachments"]
    assert (file["name"], file["content_type"], file["state"]) == ("notes.txt", "text/plain", "kept")
    _save(system, "attachment", ticket, file["id"], "--to", str(tmp_path / "notes"))
    _save(system, "raw", ticket, message["id"], "--to", str(tmp_path / "raw.eml"))
    assert (tmp_path / "notes").read_bytes() == _NOTES
    assert (tmp_path / "raw.eml").read_bytes() == raw
