"""Which keys a system on one machine goes by, and who may read what it keeps."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from shared.cli.desk_client import DeskClient
from shared.cli.local_settings import local_settings
from shared.local.private import private_folder
from shared.local.system import environment
from shared.local.system.environment import Plan, function_environment, keys_in_use
from shared.local.system.home import PREFERRED, Home
from shared.local.system.view import last_errors
from shared.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in ("FTE_OPERATOR_TOKEN", "FTE_LOOKUP_KEY", "FTE_DESK_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FTE_HOME", str(tmp_path / "home"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose system is up, as far as its files say."""
    made = Home(tmp_path / "home")
    made.prepare()
    endpoints = {
        "postgres": "postgresql://127.0.0.1/fte",
        "kafka": "127.0.0.1:1",
        "functions": {"dlq-review": "http://127.0.0.1:2"},
        "operator_token": "the running system's",
    }
    made.endpoints_file.write_text(json.dumps(endpoints))
    return made


def test_a_given_key_is_every_process_s_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions, supervisor and commands agree, whether the caller or `.env` gave the key."""
    made = home.keys()
    Path(".env").write_text("FTE_OPERATOR_TOKEN=from-the-file\nFTE_LOOKUP_KEY=file\n")
    monkeypatch.setenv("FTE_LOOKUP_KEY", "caller")
    monkeypatch.setenv("FTE_TICKET_KEY", "")
    functions = function_environment(Plan(PREFERRED, made, Settings()), dsn="postgresql://x/y", kafka="z:1")
    keys = keys_in_use(made)
    assert (keys["FTE_OPERATOR_TOKEN"], keys["FTE_LOOKUP_KEY"]) == ("from-the-file", "caller")
    assert keys["FTE_TICKET_KEY"] == made["FTE_TICKET_KEY"], "an empty value gives nothing"
    assert all(functions[name] == keys[name] for name in keys if name.startswith("FTE_"))
    settings = local_settings()
    assert settings.fte_lookup_key.get_secret_value() == "caller"
    assert settings.fte_operator_token.get_secret_value() == "from-the-file"
    assert settings.fte_event_key.get_secret_value() == made["FTE_EVENT_KEY"]


def test_this_machine_s_desk_is_asked_with_its_own_token(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another desk's token in the environment is not sent to the one that is up here."""
    assert home.endpoints_file.exists()
    monkeypatch.setenv("FTE_OPERATOR_TOKEN", "another desk's")
    assert DeskClient.find().token == "the running system's"
    monkeypatch.setenv("FTE_DESK_URL", "https://desk.example.com/")
    assert DeskClient.find() == DeskClient("https://desk.example.com", "another desk's")


def test_a_private_folder_is_closed_again(tmp_path: Path) -> None:
    """One that an earlier version left open to all is closed, with what is in it."""
    folder = tmp_path / "kafka"
    folder.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700
    assert stat.S_IMODE(private_folder(tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_the_last_errors_are_this_run_s_and_short(tmp_path: Path) -> None:
    """Errors alone, of all logs, in order of time, none from before; broken lines are passed over."""
    line = {"level": "error", "function": "agent-run", "event_type": "turn_failed", "reason": "model-away"}
    rows = [
        {**line, "timestamp": "2026-01-01T09:00:00.5Z", "reason": "yesterday"},
        {**line, "timestamp": "2026-01-02T09:00:01.5Z"},
        {**line, "timestamp": "2026-01-02T09:00:02.5Z", "level": "warning"},
        {**line, "timestamp": "soon"},
    ]
    later = {**line, "timestamp": "2026-01-02T09:00:03.5Z", "function": "send-reply", "reason": None}
    (tmp_path / "a.log").write_text(json.dumps(later) + "\n")
    (tmp_path / "b.log").write_text("\n".join(map(json.dumps, rows)) + "\n{half a li")
    shown = last_errors(tmp_path, "2026-01-02T08:59:59.000000+00:00")
    assert [error.split(" ", 1)[1] for error in shown] == ["agent-run turn_failed model-away", "send-reply turn_failed"]
