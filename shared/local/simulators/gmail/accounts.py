"""Who may ask: OAuth 2 access tokens of the mailbox's owner.

Source: developers.google.com/identity/protocols/oauth2/web-server.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.clock import Clock
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.errors import delegation_denied, unauthenticated
from shared.local.simulators.gmail.rows import TokenRow
from shared.local.simulators.journal import Journal, Table

LIFETIME = timedelta(seconds=3_599)
SCOPE = "https://www.googleapis.com/auth/gmail.modify"


class Accounts:
    """The token endpoint and what it handed out."""

    def __init__(self, config: GmailConfig, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._journal = journal
        self._tokens = Table(journal, "tokens", TokenRow)
        self._refresh_revoked = False

    def admit(self, request: Request) -> None:
        """Raises GoogleError 401 without a token that is valid now, 403 for another's mailbox."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        row = self._tokens.get(token)
        if scheme.lower() != "bearer" or row is None or row.expires <= self._clock.now().timestamp():
            raise unauthenticated(missing=not token)
        user: str = request.path_params["user"]
        if user.lower() not in ("me", self._config.mailbox.lower()):
            raise delegation_denied(user)

    async def token(self, request: Request) -> Response:
        """POST /token with grant_type=refresh_token → an access token."""
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if form.get("grant_type") != "refresh_token":
            return _refused(400, "unsupported_grant_type", "Invalid grant_type")
        if not _same(form, "client_id", self._config.client_id) or not _same(
            form, "client_secret", self._config.client_secret
        ):
            return _refused(401, "invalid_client", "The OAuth client was not found.")
        if self._refresh_revoked or not form.get("refresh_token"):
            return _refused(400, "invalid_grant", "Token has been expired or revoked.")
        if not _same(form, "refresh_token", self._config.refresh_token):
            return _refused(400, "invalid_grant", "Bad Request")
        token = await self._hand_out()
        seconds = int(LIFETIME.total_seconds())
        return JSONResponse({"access_token": token, "expires_in": seconds, "scope": SCOPE, "token_type": "Bearer"})

    def revoke(self, refresh_too: bool) -> None:
        """Every access token stops working, and with `refresh_too` none is handed out any more."""
        self._tokens.clear()
        self._refresh_revoked = refresh_too

    async def _hand_out(self) -> str:
        expires = int((self._clock.now() + LIFETIME).timestamp())
        row = self._tokens.put(TokenRow(id=f"ya29.{secrets.token_urlsafe(32)}", expires=expires))
        await self._journal.flush()
        return row.id


def _same(form: dict[str, str], name: str, expected: str) -> bool:
    return not expected or secrets.compare_digest(form.get(name, ""), expected)


def _refused(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status_code=status)
