"""The wire under Google's client library: httpx, so that nothing blocks and nothing is sent twice.

googleapiclient builds the requests; its own transport, httplib2, sends a POST a second time by itself
when the connection drops without an answer, which is exactly when the first may have been carried
out. Here one request is one attempt, under one deadline, and every failure is named exactly.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any, cast

import google_auth_httplib2  # pyright: ignore[reportMissingTypeStubs]
import httplib2  # pyright: ignore[reportMissingTypeStubs]
import httpx
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from shared.channels.gmail.failures import MALFORMED, failure
from shared.channels.provider import OutcomeUnknown, ProviderDown
from shared.settings import Settings

SCOPES = ("https://www.googleapis.com/auth/gmail.modify",)
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address, not a secret
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock after which nothing may be sent any more."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.at - time.monotonic())


class GoogleTransport:
    """Sends the requests that googleapiclient builds. Opens nothing before its first call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout_s = settings.provider_timeout_s
        self._http: httpx.AsyncClient | None = None
        self._credentials: Any = None
        self._refreshing = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def call(self, request: Any, deadline: Deadline | None = None, *, sends: bool = False) -> dict[str, Any]:
        """Carry out one `HttpRequest` and return its JSON object.

        Raises NotFound, ProviderRefused, ProviderDown; OutcomeUnknown only where `sends` says that a
        repeat could reach the customer twice.
        """
        deadline = deadline or Deadline.after(self._timeout_s)
        answer = await self._attempt(request, deadline, await self._token(deadline), sends)
        if answer.status_code == 401:
            # A token may be withdrawn before it expires; a 401 is never carried out.
            token = await self._token(deadline, instead_of=answer.request.headers["authorization"])
            answer = await self._attempt(request, deadline, token, sends)
        if not answer.is_success:
            raise failure(answer.status_code, answer.content, answer.headers.get("Retry-After"), sends=sends)
        return _json_object(answer, sends)

    async def _attempt(self, request: Any, deadline: Deadline, token: str, sends: bool) -> httpx.Response:
        headers = {"accept": "application/json", "authorization": token}
        if request.body is not None:
            headers["content-type"] = "application/json"
        left = deadline.left_s()
        if left <= 0:
            raise ProviderDown("no time was left to ask Gmail", code="timeout")
        if self._http is None:
            self._http = httpx.AsyncClient(limits=httpx.Limits(max_connections=40, keepalive_expiry=30))
        try:
            async with asyncio.timeout(left):
                return await self._http.request(
                    request.method, request.uri, content=request.body, headers=headers, timeout=left
                )
        except _NEVER_LEFT as error:
            raise ProviderDown("Gmail was not reached", code=_word(error)) from None
        except (TimeoutError, httpx.HTTPError) as error:
            raise _unanswered(_word(error), sends) from None

    async def _token(self, deadline: Deadline, instead_of: str = "") -> str:
        """`Bearer …`, refreshed when it ran out. Raises ProviderDown with code `auth` when Google refuses."""
        async with self._refreshing:
            if self._credentials is None:
                self._credentials = _credentials(self._settings)
            known = f"Bearer {self._credentials.token}"
            if not self._credentials.valid or known == instead_of:
                await self._refresh(deadline)
            return f"Bearer {self._credentials.token}"

    async def _refresh(self, deadline: Deadline) -> None:
        left = deadline.left_s()
        try:
            async with asyncio.timeout(left):
                # google-auth blocks: this is the one place where it runs, in a thread.
                await asyncio.to_thread(_refresh, self._credentials, left)
        except GoogleAuthError as error:
            if getattr(error, "retryable", False):
                raise ProviderDown("Google's token endpoint does not answer", code="connection") from None
            raise ProviderDown("Google refuses our credentials: sign in again", code="auth") from None
        except (OSError, TimeoutError, httplib2.HttpLib2Error) as error:
            raise ProviderDown("Google's token endpoint was not reached", code=_word(error)) from None


def _refresh(credentials: Any, timeout_s: float) -> None:
    http = httplib2.Http(timeout=max(0.1, timeout_s))
    try:
        credentials.refresh(google_auth_httplib2.Request(http))
    finally:
        http.close()


def _credentials(settings: Settings) -> Any:
    """Raises ProviderDown with code `auth`: a channel without credentials is degraded, the others go on."""
    try:
        info = cast("dict[str, Any]", json.loads(settings.gmail_credentials.get_secret_value()))
        if info.get("type") == "service_account":
            return service_account.Credentials.from_service_account_info(  # pyright: ignore[reportUnknownMemberType]
                info, scopes=SCOPES, subject=settings.gmail_mailbox
            )
        # The library's own loader would put Google's token endpoint in place of the one given.
        return user_credentials.Credentials(
            token=None,
            refresh_token=info["refresh_token"],
            client_id=info["client_id"],
            client_secret=info["client_secret"],
            token_uri=info.get("token_uri") or _TOKEN_URI,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProviderDown("GMAIL_CREDENTIALS is not usable: run `fte gmail login`", code="auth") from None


def _json_object(answer: httpx.Response, sends: bool) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        parsed: Any = answer.json()
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise _unanswered(MALFORMED, sends)
    return cast("dict[str, Any]", parsed)


def _unanswered(code: str, sends: bool) -> ProviderDown | OutcomeUnknown:
    return (OutcomeUnknown if sends else ProviderDown)("Gmail did not answer", code=code)


def _word(error: BaseException) -> str:
    return "timeout" if isinstance(error, TimeoutError | httpx.TimeoutException) else "connection"
