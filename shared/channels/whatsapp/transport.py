"""The wire under Twilio's SDK: httpx, so that nothing blocks, and every failure named exactly.

The SDK takes any HTTP client (twilio.com/docs/libraries/reference/twilio-python: custom HTTP
clients). This one turns whatever is not a success into delivery's own errors before the SDK sees
it, because only here is it known whether the request had left.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, cast

import httpx
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from shared.channels.provider import OutcomeUnknown, ProviderDown, ProviderError, ProviderRefused
from shared.channels.whatsapp.codes import FOR_NOW

# Rates and full queues (twilio.com/docs/api/errors): the same request may pass later.
_LATER = FOR_NOW | {"21611", "14107"}
# Account, credentials, our own sender: ours to repair, and the message is fine.
_OURS_TO_REPAIR = {"20003", "20005", "20006", "20404", "21212", "21603", "21606", "63007"}
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


class HttpxTransport(AsyncHttpClient):
    """One request is one attempt: nothing is repeated here."""

    def __init__(self, client: httpx.AsyncClient, deadline_s: float) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=True)
        self._client = client
        self._deadline_s = deadline_s

    async def request(  # noqa: PLR0917  the SDK's signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  the SDK's signature; the deadline is ours
        allow_redirects: bool = False,
    ) -> Response:
        """Raises ProviderDown, ProviderRefused or OutcomeUnknown; see shared.channels.provider."""
        query = cast(dict[str, Any], params)
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._client.request(
                    method, uri, params=query, data=data, headers=headers, auth=auth, follow_redirects=allow_redirects
                )
        except _NEVER_LEFT as error:
            raise ProviderDown("Twilio was not reached", code=_word(error)) from None
        except (TimeoutError, httpx.HTTPError) as error:
            raise OutcomeUnknown("Twilio did not answer", code=_word(error)) from None
        if not answer.is_success:
            raise failure(answer.status_code, answer.text, answer.headers.get("Retry-After"))
        return Response(answer.status_code, answer.text, answer.headers)


def failure(status: int, body: str, retry_after: str | None = None) -> ProviderError:
    """What an answer that is not 2xx means; `body` is Twilio's JSON `{"code": 21211, …}` or anything.

    A 5xx, 503 too, leaves the outcome open: Twilio documents it as worth a retry, never as not
    carried out, and its sends carry no idempotency key.
    """
    code = _code(body) or str(status)
    if status in {408, 409} or status >= 500 or status < 400:
        return OutcomeUnknown(f"Twilio answered {status}", code=code)
    if status == 401 or code == "20003":
        return ProviderDown("Twilio refuses our credentials", code="auth")
    if status == 429 or code in _LATER:
        return ProviderDown("Twilio asks us to slow down", code=code, retry_after_s=_seconds(retry_after))
    if code in _OURS_TO_REPAIR:
        return ProviderDown("Twilio refuses our account or sender", code=code)
    return ProviderRefused("Twilio refuses this message", code=code)


def failure_of_code(code: str) -> ProviderError:
    """What Twilio's code on a message that failed after it was taken means."""
    return failure(400, json.dumps({"code": code}))


def _code(body: str) -> str:
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = str(cast(dict[str, Any], parsed).get("code", "")) if isinstance(parsed, dict) else ""
    return code if code.isascii() and code.isdigit() and len(code) <= 10 else ""


def _seconds(retry_after: str | None) -> float | None:
    # RFC 9110, section 10.2.3 allows a date too; Twilio sends seconds.
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


def _word(error: BaseException) -> str:
    return "timeout" if isinstance(error, TimeoutError | httpx.TimeoutException) else "connection"
