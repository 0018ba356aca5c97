"""Signing in to a mailbox, and having it watched: the programs as they are run, with Google's side simulated."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dotenv import dotenv_values
from pydantic import SecretStr

from shared.channels.cursors import read_cursor
from shared.channels.gmail.client import GmailClient
from shared.channels.provider import ProviderDown
from shared.db.pool import Database
from shared.local.server_process import free_port
from tests.conftest import make_settings
from tests.contract.served import Served, simulated

_ROOT = Path(__file__).resolve().parents[2]
_SERVICE = "mail@example.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, options = tmp_path_factory.mktemp("gmail"), ("--client-secret", "secret", "--service-account", _SERVICE)
    with simulated("gmail", folder, free_port(), *options) as started:
        yield started


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """`fte …` in a folder of its own, where no .env and no system is."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "FTE_HOME": str(folder / "none")}
    return subprocess.Popen(
        [sys.executable, "-m", "shared.cli.fte", *arguments],
        cwd=folder,
        env={**known, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def secrets_file(folder: Path, url: str) -> Path:
    """The file of a desktop client, as Google's console gives it."""
    path = folder / "client.json"
    client = {
        "client_id": "client",
        "client_secret": "secret",
        "auth_uri": f"{url}/o/oauth2/auth",
        "token_uri": f"{url}/token",
        "redirect_uris": ["http://localhost"],
    }
    path.write_text(json.dumps({"installed": client}))
    return path


def consent(program: subprocess.Popen[str]) -> str:
    """What a browser does with the address that is printed; that address."""
    assert program.stderr is not None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        line = program.stderr.readline()
        if found := re.search(r"http://\S+", line):
            assert httpx.get(found[0], follow_redirects=True, timeout=20).status_code == 200
            return found[0]
    raise AssertionError("no address was printed")


async def profile(credentials: str, url: str) -> str:
    """The mailbox's historyId, asked with these credentials."""
    settings = make_settings(gmail_credentials=SecretStr(credentials), gmail_api_base_url=url)
    client = GmailClient(settings)
    try:
        return await client.profile()
    finally:
        await client.close()


def test_signing_in_leaves_credentials_that_work(simulator: Served, tmp_path: Path) -> None:
    """Consent in the browser, PKCE, a code for tokens; written for this user alone, the other lines kept."""
    env = tmp_path / ".env"
    env.write_text("LOG_LEVEL=DEBUG\nGMAIL_CREDENTIALS=old\n")
    env.chmod(0o644)
    program = run(
        tmp_path,
        *("gmail", "login", "--client-secrets", str(secrets_file(tmp_path, simulator.url)), "--no-browser"),
        OAUTHLIB_INSECURE_TRANSPORT="1",
    )
    asked = httpx.URL(consent(program)).params
    assert (asked["access_type"], asked["login_hint"]) == ("offline", "support@example.com")
    assert asked["code_challenge_method"] == "S256"
    _, said = program.communicate(timeout=30)
    assert program.returncode == 0, said
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    found = dotenv_values(env)
    assert found["LOG_LEVEL"] == "DEBUG"
    credentials = found["GMAIL_CREDENTIALS"] or ""
    assert json.loads(credentials)["type"] == "authorized_user"
    assert json.loads(credentials)["refresh_token"] not in said
    assert asyncio.run(profile(credentials, simulator.url)).isdigit()


def test_a_file_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    """One line, no traceback."""
    (tmp_path / "client.json").write_text("{}")
    for name in ("client.json", "missing.json"):
        program = run(tmp_path, "gmail", "login", "--client-secrets", name)
        _, said = program.communicate(timeout=30)
        assert program.returncode == 1
        assert said.startswith("error: ")
        assert "Traceback" not in said


def service_account(url: str) -> str:
    """A service account's key, as Google gives it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    info = {"type": "service_account", "client_email": _SERVICE, "private_key": pem, "token_uri": f"{url}/token"}
    return json.dumps(info)


async def test_a_service_account_speaks_for_the_mailbox(simulator: Served) -> None:
    """Domain-wide delegation: the assertion names the mailbox and the scope; another's mailbox is refused."""
    credentials = service_account(simulator.url)
    assert (await profile(credentials, simulator.url)).isdigit()
    other = make_settings(
        gmail_credentials=SecretStr(credentials), gmail_api_base_url=simulator.url, gmail_mailbox="boss@example.com"
    )
    client = GmailClient(other)
    with pytest.raises(ProviderDown) as refused:
        await client.profile()
    assert refused.value.code == "auth"
    await client.close()


async def test_a_watch_is_made_and_remembered(simulator: Served, tmp_path: Path, dsn: str, db: Database) -> None:
    """`fte gmail watch` says until when, and the database knows."""
    user = {"type": "authorized_user", "client_id": "client", "client_secret": "secret", "refresh_token": "any"}
    environment = {
        "DATABASE_URL": dsn,
        "GMAIL_API_BASE_URL": simulator.url,
        "GMAIL_CREDENTIALS": json.dumps({**user, "token_uri": f"{simulator.url}/token"}),
    }
    program = run(tmp_path, "gmail", "watch", "-o", "json", **environment, GMAIL_TOPIC="projects/local/topics/gmail")
    out, said = await asyncio.to_thread(program.communicate, timeout=30)
    assert program.returncode == 0, said
    found: Any = json.loads(out)
    expires = datetime.fromisoformat(found["expires"])
    assert timedelta(days=6) < expires - datetime.now(UTC) <= timedelta(days=7)
    assert (await read_cursor(db, "email")).watch_expires == expires
    without = run(tmp_path, "gmail", "watch", **environment)
    _, said = await asyncio.to_thread(without.communicate, timeout=30)
    assert (without.returncode, "GMAIL_TOPIC" in said) == (1, True)
