"""Who may ask: OAuth 2 access tokens of the mailbox's owner.

Source: developers.google.com/identity/protocols/oauth2/native-app and …/service-account.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.clock import Clock
from shared.local.simulators.gmail.config import GmailConfig
from shared.local.simulators.gmail.errors import delegation_denied, unauthenticated
from shared.local.simulators.gmail.rows import TokenRow
from shared.local.simulators.journal import Journal, Table

LIFETIME = timedelta(seconds=3_599)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/gmail.modify"


@dataclass(frozen=True, slots=True)
class Consent:
    """A code that was handed out: where to, and the challenge that its bearer must answer (RFC 7636)."""

    redirect_uri: str
    challenge: str

    def fits(self, form: dict[str, str]) -> bool:
        """Whether the verifier answers the challenge; without one there is nothing to answer."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        return not self.challenge or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge


class Accounts:
    """The token endpoint and what it handed out."""

    def __init__(self, config: GmailConfig, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._journal = journal
        self._tokens = Table(journal, "tokens", TokenRow)
        self._refresh_revoked = False
        self._codes: dict[str, Consent] = {}

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
        """POST /token → an access token, for a refresh token, an authorization code or a service account's word."""
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        grants = {"authorization_code": self._by_code, _JWT_BEARER: self._by_assertion, "refresh_token": self._by_token}
        granted = grants.get(form.get("grant_type", ""))
        return await granted(form) if granted else _refused(400, "unsupported_grant_type", "Invalid grant_type")

    async def consent(self, request: Request) -> Response:
        """GET /o/oauth2/auth: the owner agrees at once, and the browser goes back with a code."""
        asked = request.query_params
        code = f"4/{secrets.token_urlsafe(24)}"
        self._codes[code] = Consent(asked.get("redirect_uri", ""), asked.get("code_challenge", ""))
        answer = urlencode({"code": code, "scope": asked.get("scope", SCOPE), "state": asked.get("state", "")})
        return RedirectResponse(f"{asked.get('redirect_uri', '')}?{answer}", status_code=302)

    async def _by_code(self, form: dict[str, str]) -> Response:
        consent = self._codes.pop(form.get("code", ""), None)
        if consent is None or consent.redirect_uri != form.get("redirect_uri") or not consent.fits(form):
            return _refused(400, "invalid_grant", "Malformed auth code.")
        refreshing = self._config.refresh_token or secrets.token_urlsafe(24)
        self._refresh_revoked = False
        return await self._granted(refresh_token=refreshing)

    async def _by_assertion(self, form: dict[str, str]) -> Response:
        """A service account that speaks for the mailbox; its signature is not checked, its claims are."""
        claims = _claims(form.get("assertion", ""))
        if claims.get("scope") != SCOPE or self._config.service_account not in ("", claims.get("iss")):
            return _refused(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens.")
        if str(claims.get("sub", "")).lower() != self._config.mailbox.lower():
            return _refused(400, "invalid_grant", "Invalid email or User ID")
        return await self._granted()

    async def _by_token(self, form: dict[str, str]) -> Response:
        if not _same(form, "client_id", self._config.client_id) or not _same(
            form, "client_secret", self._config.client_secret
        ):
            return _refused(401, "invalid_client", "The OAuth client was not found.")
        if self._refresh_revoked or not form.get("refresh_token"):
            return _refused(400, "invalid_grant", "Token has been expired or revoked.")
        if not _same(form, "refresh_token", self._config.refresh_token):
            return _refused(400, "invalid_grant", "Bad Request")
        return await self._granted()

    async def _granted(self, **more: str) -> Response:
        token = await self._hand_out()
        seconds = int(LIFETIME.total_seconds())
        answer = {"access_token": token, "expires_in": seconds, "scope": SCOPE, "token_type": "Bearer", **more}
        return JSONResponse(answer)

    def revoke(self, refresh_too: bool) -> None:
        """Every access token stops working, and with `refresh_too` none is handed out any more."""
        self._tokens.clear()
        self._refresh_revoked = refresh_too

    async def _hand_out(self) -> str:
        expires = int((self._clock.now() + LIFETIME).timestamp())
        row = self._tokens.put(TokenRow(id=f"ya29.{secrets.token_urlsafe(32)}", expires=expires))
        await self._journal.flush()
        return row.id


def _claims(assertion: str) -> dict[str, Any]:
    try:
        payload = assertion.split(".")[1]
        found: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _same(form: dict[str, str], name: str, expected: str) -> bool:
    return not expected or secrets.compare_digest(form.get(name, ""), expected)


def _refused(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status_code=status)
