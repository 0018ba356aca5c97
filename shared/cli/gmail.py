"""`fte gmail`: sign in to the mailbox, and have Gmail push its news."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from shared.cli.local_settings import mailbox_settings
from shared.cli.output import Format, Output, command, fail, say, show
from shared.settings import Settings

gmail = typer.Typer(no_args_is_help=True, help="The mailbox: sign in, and keep its watch.")

_PATIENCE_S = 300
_LINE = re.compile(r"^GMAIL_CREDENTIALS=.*$", re.MULTILINE)


@gmail.command("watch")
@command
async def watch(output: Output = Format.TABLE) -> None:
    """Have Gmail push changes of the inbox for a week, now; the poll renews it daily."""
    from shared.channels.cursors import set_watch
    from shared.channels.gmail.client import GmailClient
    from shared.db.pool import Database

    settings = mailbox_settings()
    if not settings.gmail_topic:
        fail("GMAIL_TOPIC is not set: name the Pub/Sub topic, projects/…/topics/…, that Gmail may publish to")
    client, db = GmailClient(settings), Database.from_settings(settings)
    try:
        history_id, expires = await client.watch()
        await set_watch(db, "email", expires)
    finally:
        await client.close()
        await db.close()
    show({"mailbox": settings.gmail_mailbox, "expires": expires.isoformat(), "history_id": history_id}, output)


@gmail.command("login")
@command
async def login(
    client_secrets: Annotated[Path, typer.Option(help="the OAuth client's file, as Google's console gives it")],
    to: Annotated[Path, typer.Option(help="where GMAIL_CREDENTIALS is written, readable by you alone")] = Path(".env"),
    browser: Annotated[bool, typer.Option(help="open a browser; else only print the address to open")] = True,
) -> None:
    """Sign in to the mailbox in a browser on this machine, and keep what Google gives for it."""
    from google.auth.exceptions import GoogleAuthError
    from oauthlib.oauth2 import OAuth2Error

    if not _is_client(client_secrets):
        fail(f"{client_secrets} is no file of an OAuth client of type desktop app: download it from Google's console")
    try:
        given = await asyncio.to_thread(_sign_in, client_secrets, Settings().gmail_mailbox, browser)
    except OSError as error:
        fail(f"the sign-in could not be served or finished here: {error.strerror or 'no connection'}")
    except (OAuth2Error, GoogleAuthError, AttributeError) as error:
        # AttributeError: nobody came back from the browser in time.
        fail(f"Google did not sign in: {getattr(error, 'error', '') or 'no answer came back'}; run it again")
    if not given.refresh_token:
        fail("Google gave no lasting access: remove the app under myaccount.google.com/permissions and run it again")
    _write(to, given)
    say(f"written to {to} as GMAIL_CREDENTIALS; in a cluster put it into the secret fte-secrets")


def _is_client(file: Path) -> bool:
    try:
        told: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and bool({"installed", "web"} & set(cast("dict[str, Any]", told)))


def _sign_in(client_secrets: Path, mailbox: str, browser: bool) -> Any:
    """The installed-app flow: a consent in the browser, whose answer comes back to a port of loopback (RFC 8252)."""
    from google_auth_oauthlib.flow import InstalledAppFlow  # pyright: ignore[reportMissingTypeStubs]

    from shared.channels.gmail.transport import SCOPES

    flow: Any = InstalledAppFlow.from_client_secrets_file(str(client_secrets), scopes=list(SCOPES))
    # The library prints the address to open; standard output belongs to results.
    with contextlib.redirect_stdout(sys.stderr):
        return flow.run_local_server(
            host="127.0.0.1",
            port=0,
            open_browser=browser,
            authorization_prompt_message=f"sign in as {mailbox} at\n{{url}}",
            success_message="Signed in. You may close this window.",
            timeout_seconds=_PATIENCE_S,
            access_type="offline",
            prompt="consent",
            login_hint=mailbox,
        )


def _write(to: Path, given: Any) -> None:
    from shared.local.private import write_private

    user = {
        "type": "authorized_user",
        "client_id": given.client_id,
        "client_secret": given.client_secret,
        "refresh_token": given.refresh_token,
        "token_uri": given.token_uri,
    }
    line = f"GMAIL_CREDENTIALS='{json.dumps(user)}'"
    before = to.read_text(encoding="utf-8") if to.exists() else ""
    after = _LINE.sub(lambda _: line, before, count=1) if _LINE.search(before) else f"{before.rstrip()}\n{line}\n"
    write_private(to, after.lstrip("\n"))
