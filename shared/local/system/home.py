"""`.fte/`: what one machine's system keeps: keys, data, logs, ports and the endpoints file.

The folder is beside the project, or where FTE_HOME says, so that two systems (a developer's and a
test's) live side by side.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.local.private import private_folder, write_private
from shared.local.server_process import free_port, is_port_free

PROJECT = Path(__file__).resolve().parents[3]

#: Preferred ports; a taken one is stepped around.
PREFERRED = {
    "form-submit": 8080,
    "gmail-push": 8081,
    "whatsapp-webhook": 8082,
    "agent-run": 8083,
    "send-reply": 8084,
    "dlq-review": 8085,
    "gmail": 8091,
    "twilio": 8092,
    "dispatcher": 8093,
    "control": 8094,
    "kafka": 8095,
    "postgres": 8096,
}


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and its files."""

    folder: Path

    @classmethod
    def default(cls) -> Home:
        """FTE_HOME, else `.fte` beside the project."""
        return cls(Path(os.environ.get("FTE_HOME") or PROJECT / ".fte").resolve())

    @property
    def logs(self) -> Path:
        """Where every part writes its log."""
        return self.folder / "logs"

    @property
    def endpoints_file(self) -> Path:
        """Names everything that runs; there while the system is up."""
        return self.folder / "endpoints.json"

    @property
    def supervisor_file(self) -> Path:
        """Pid of the supervisor in its first line."""
        return self.folder / "supervisor.pid"

    def prepare(self) -> None:
        """Make the folder, which PostgreSQL's own user must pass, and keep others out of what is in it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        private_folder(self.logs)

    def keys(self) -> dict[str, str]:
        """Local keys by setting name, made at the first start."""
        path = self.folder / "keys.json"
        if not path.exists():
            write_private(path, json.dumps(_new_keys(), indent=2))
        return json.loads(path.read_text(encoding="utf-8"))

    def ports(self) -> dict[str, int]:
        """A free port for each part: last time's, else the preferred one, else any."""
        path = self.folder / "ports.json"
        before: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        taken: set[int] = set()
        chosen = {name: _choose((before.get(name), preferred), taken) for name, preferred in PREFERRED.items()}
        path.write_text(json.dumps(chosen, indent=2))
        return chosen

    def endpoints(self) -> dict[str, Any] | None:
        """The endpoints file, or None while nothing is up."""
        try:
            return json.loads(self.endpoints_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None


def _choose(wished: tuple[int | None, ...], taken: set[int]) -> int:
    port = next((p for p in wished if p and p not in taken and is_port_free(p)), None)
    while port is None or port in taken:
        port = free_port()
    taken.add(port)
    return port


def _new_keys() -> dict[str, str]:
    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "FTE_MASTER_KEY": f"local:{key()}",
        "FTE_LOOKUP_KEY": key(),
        "FTE_EVENT_KEY": key(),
        "FTE_TICKET_KEY": key(),
        "FTE_OPERATOR_TOKEN": secrets.token_urlsafe(24),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "GMAIL_CLIENT_SECRET": secrets.token_urlsafe(18),
        "GMAIL_REFRESH_TOKEN": secrets.token_urlsafe(24),
    }
