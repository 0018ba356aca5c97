"""The files of WhatsApp messages, from Twilio (twilio.com/docs/messaging/api/media-resource).

The account's credentials go to Twilio's own address alone (TWILIO_API_BASE_URL, and where that is Twilio's, its API
in every region: twilio.com/docs/global-infrastructure); Twilio answers with a redirect
to its store, which is followed without them, and only to hosts where Twilio keeps media. A URL in a message is
a stranger's until it has Twilio's origin: nothing else is ever asked for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from shared.channels.files import MAX_BYTES
from shared.channels.provider import ProviderDown, ProviderRefused
from shared.settings import Settings

#: Seconds for one file; a turn waits for it.
TIMEOUT_S = 6.0
_REDIRECTS = 3
_CHUNK = 65_536
# Twilio's own hosts, its content network, and the S3 host names that it has redirected to.
_STORES = re.compile(r"(?:[a-z0-9-]+\.)*(?:twilio|twiliocdn)\.com|(?:[a-z0-9.-]+\.)?s3[a-z0-9.-]*\.amazonaws\.com")

_API = re.compile(r"api(?:\.[a-z0-9-]+){0,2}\.twilio\.com")


@dataclass(frozen=True, slots=True)
class Fetched:
    """The contents, and the type the store declared (empty when it did not)."""

    data: bytes
    content_type: str


class MediaClient:
    """Nothing connects before the first file. `transport` is httpx's, for a wire of one's own."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        token = settings.twilio_auth_token.get_secret_value().partition(",")[0].strip()
        self._origin = _origin(settings.twilio_api_base_url)
        self._auth = (settings.twilio_account_sid, token) if settings.twilio_account_sid and token else None
        timeout = httpx.Timeout(TIMEOUT_S, connect=TIMEOUT_S / 2)
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def fetch(self, url: str) -> Fetched:
        """The file at a MediaUrl.

        Raises ProviderRefused for what never works (`foreign-host`, `not-found`, `too-large`), ProviderDown for
        what may work later (`auth`, `not-configured`, `timeout`, `connection`, an HTTP status).
        """
        if not self._is_ours(url):
            raise ProviderRefused("a file is not at Twilio", code="foreign-host")
        if self._auth is None:
            raise ProviderDown("TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is not set", code="not-configured")
        try:
            return await self._follow(url)
        except httpx.TimeoutException:
            raise ProviderDown("a file did not come in time", code="timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ProviderDown("a file could not be fetched", code="connection") from None

    async def _follow(self, url: str) -> Fetched:
        for _ in range(_REDIRECTS + 1):
            auth = self._auth if self._is_ours(url) else None
            async with self._http.stream("GET", url, auth=auth, follow_redirects=False) as answer:
                if not answer.is_redirect:
                    return await _read(answer)
                url = urljoin(url, answer.headers.get("location", ""))
            if not self._may_store(url):
                raise ProviderRefused("Twilio points elsewhere for a file", code="foreign-host")
        raise ProviderDown("Twilio points on and on for a file", code="redirects")

    def _is_ours(self, url: str) -> bool:
        origin = _origin(url)
        return origin == self._origin or (_is_api(origin) and _is_api(self._origin))

    def _may_store(self, url: str) -> bool:
        parts = urlsplit(url)
        return self._is_ours(url) or (
            parts.scheme == "https" and bool(_STORES.fullmatch((parts.hostname or "").lower()))
        )


async def _read(answer: httpx.Response) -> Fetched:
    if answer.status_code in (404, 410):
        raise ProviderRefused("Twilio has no such file", code="not-found")
    if answer.status_code in (401, 403):
        raise ProviderDown("Twilio refuses our credentials", code="auth")
    if not answer.is_success:
        raise ProviderDown("Twilio does not give a file", code=str(answer.status_code))
    data = bytearray()
    async for chunk in answer.aiter_bytes(_CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise ProviderRefused("a file is larger than we keep", code="too-large")
    return Fetched(bytes(data), answer.headers.get("content-type", ""))


def _is_api(origin: tuple[str, str, int | None] | None) -> bool:
    return origin is not None and origin[::2] == ("https", 443) and _API.fullmatch(origin[1]) is not None


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, or None for what is no http(s) URL or carries credentials of its own."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        return None
    return parts.scheme, parts.hostname.lower(), port
