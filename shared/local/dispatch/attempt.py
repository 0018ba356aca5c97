"""One HTTP request with one event, and what its answer means (Knative's data plane specification, delivery retry)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from shared.local.dispatch.cloudevent import CloudEvent

_KEPT_BODY_BYTES = 1024
_ERROR_HEADER = "kne-"
_ALSO_RETRIED = (404, 408, 409, 429)
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None when nothing did, and then `failure` names why.

    `body` is at most its first 1,024 bytes; `error_extensions` are the `kne-…` headers without that prefix.
    """

    status: int | None
    body: bytes = b""
    failure: str = ""
    error_extensions: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def delivered(self) -> bool:
        return self.status is not None and self.status // 100 == 2

    @property
    def retryable(self) -> bool:
        return self.status is None or self.status >= _SERVER_ERROR or self.status in _ALSO_RETRIED

    def __str__(self) -> str:
        return self.failure or f"HTTP {self.status}"


class EventClient:
    """Posts events in binary content mode; redirects are answers, not instructions."""

    def __init__(self) -> None:
        # Idle connections are let go before uvicorn's 5 s, so that none is written to as it closes.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0)
        # No timeout of its own: one deadline covers the exchange, in `post`.
        self._client = httpx.AsyncClient(limits=limits, timeout=None, follow_redirects=False, trust_env=False)  # noqa: S113

    async def post(self, url: str, event: CloudEvent, *, timeout_s: float, namespace: str) -> Answer:
        """Offer the event once; `timeout_s` bounds the whole exchange. Raises nothing but cancellation."""
        headers = event.http_headers() | {"prefer": "reply", "kn-namespace": namespace}
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(url, headers, event.data or b"")
        except TimeoutError:
            return Answer(None, failure=f"no answer within {timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Answer(None, failure=type(error).__name__)

    async def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        kept = b""
        async with self._client.stream("POST", url, headers=headers, content=body) as response:
            async for chunk in response.aiter_bytes():
                kept += chunk[: _KEPT_BODY_BYTES - len(kept)]
        told = {
            name.lower().removeprefix(_ERROR_HEADER): value
            for name, value in response.headers.items()
            if name.lower().startswith(_ERROR_HEADER)
        }
        return Answer(response.status_code, kept, error_extensions=told)

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()
