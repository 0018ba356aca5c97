"""X-Twilio-Signature: is this request Twilio's?

The signature (twilio.com/docs/usage/webhooks/webhooks-security) covers the exact public URL that
Twilio called and every form field, or for JSON the body's hash in the URL. What a proxy tells us of
the URL is a claim, so the configured one is used, with the request's own query. Nothing signed
carries a time: repeats are for the inbox to find.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Self, cast
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit, urlunsplit

from starlette.datastructures import Headers, ImmutableMultiDict
from starlette.requests import Request
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from shared.channels.whatsapp.callback import is_status_path, status_url
from shared.errors import Permanent, Rejected
from shared.settings import Settings

#: Twilio sends some thirty; the bound keeps the work before the check small.
_MAX_FIELDS = 500

Fields = Mapping[str, str]

_SIGNATURE = "X-Twilio-Signature"
_ALGORITHMS = {HMAC_SHA1, HMAC_SHA256}
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """The parts of a request that a signature speaks of. `query` is as it came, still encoded."""

    query: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    async def read(cls, request: Request) -> Self:
        """Read the body. `headers` are Starlette's, which ignore case."""
        query = request.scope["query_string"].decode("latin-1")
        return cls(query, request.headers, await request.body())

    @property
    def is_json(self) -> bool:
        """Whether the body is signed by its hash, as JSON is, and not field by field."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class WebhookGuard:
    """Holds the public URL and one auth token, or two while they rotate."""

    def __init__(self, webhook_url: str, tokens: tuple[str, ...]) -> None:
        """Raises Permanent when `webhook_url` is given and cannot be Twilio's."""
        self._webhook_url = _checked(webhook_url)
        self._signers = [RequestValidator(token) for token in tokens]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Without a token or a URL the guard refuses everything."""
        tokens = settings.twilio_auth_token.get_secret_value().split(",")
        return cls(settings.twilio_webhook_url.strip(), tuple(token.strip() for token in tokens if token.strip()))

    @property
    def configured(self) -> bool:
        """Whether any request can pass."""
        return bool(self._webhook_url and self._signers)

    def inbound(self, request: WebhookRequest) -> Fields:
        """The fields of a message. Raises Rejected: 403 for the signature, 400 for the body."""
        return self._fields(self._webhook_url, request)

    def status(self, request: WebhookRequest) -> Fields:
        """The fields of a status callback, signed over its own URL. Raises Rejected."""
        return self._fields(status_url(self._webhook_url), request)

    def _fields(self, url: str, request: WebhookRequest) -> Fields:
        signature = _only(request.headers, _SIGNATURE)
        if not self.configured:
            raise _refused("TWILIO_AUTH_TOKEN or TWILIO_WEBHOOK_URL is not set", "not-configured")
        if not signature:
            raise _refused(f"there is no {_SIGNATURE}", "missing-signature")
        signed = _signed_json(request) if request.is_json else _form(request.body)
        if not self._is_signed(signed_urls(url, request.query), signed, signature, request):
            raise _refused(f"{_SIGNATURE} does not match", "bad-signature")
        return _json_fields(signed) if isinstance(signed, str) else dict(reversed(signed.multi_items()))

    def _is_signed(
        self, urls: Sequence[str], signed: ImmutableMultiDict[str, str] | str, signature: str, request: WebhookRequest
    ) -> bool:
        """Whether one of our tokens made `signature` over one of the URLs; all are tried, in constant time each."""
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER)).upper()
        if algorithm not in _ALGORITHMS:
            return False
        fields = {} if isinstance(signed, str) else signed
        made = [one.compute_signature(url, fields, algorithm) for one in self._signers for url in urls]
        given = signature.encode("utf-8", "surrogateescape")
        return sum(hmac.compare_digest(one.encode(), given) for one in made) > 0


def signed_urls(configured: str, query: str) -> tuple[str, ...]:
    """The URLs Twilio may have signed for a call of `configured` that arrived with `query`.

    The fragment holds connection overrides and is never sent; credentials are dropped over https; a bare host is
    called with or without its slash; a host in capitals or beyond ASCII stands as it was entered or as it is called
    (RFC 3986, section 6.2.2.1; RFC 3490); the port stands there or not, since Twilio's own systems differ in that (its
    SDKs try both). A query counts as it came; where a proxy spelled it anew, as it was configured.
    """
    parts = urlsplit(configured)
    paths = {parts.path} if parts.path.strip("/") else {"", "/"}
    hosts = {f"{user}@{host}" if user else host for host in _with_and_without_port(parts) for user in _users(parts)}
    query = query or parts.query
    queries = {query, parts.query} if parse_qsl(query) == parse_qsl(parts.query) else {query}
    return tuple(urlunsplit((parts.scheme, host, path, one, "")) for host, path, one in product(hosts, paths, queries))


def _users(parts: SplitResult) -> set[str]:
    return {"", parts.netloc.rpartition("@")[0]}


def _with_and_without_port(parts: SplitResult) -> set[str]:
    """The host in every spelling, with its port or the scheme's own, and with none."""
    host = parts.netloc.rpartition("@")[2]
    bare = (host if parts.port is None else host.rpartition(":")[0]).rstrip(":")
    port = parts.port or _PORTS[parts.scheme]
    return {f"{one}{end}" for one in _spellings(bare) for end in ("", f":{port}")}


def _spellings(host: str) -> set[str]:
    """In the letters of the setting, in small ones, and as the DNS has it."""
    small = host.lower()
    return {host, small} if host.isascii() else {host, small, small.encode("idna").decode()}


def _checked(webhook_url: str) -> str:
    try:
        parts = urlsplit(webhook_url)
        reachable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        # Raises for a name that the DNS cannot have.
        _spellings(parts.hostname or "")
        usable = reachable and not is_status_path(parts.path) and not parts.path.rstrip("/").endswith("/poll")
    except ValueError:
        usable = False
    if webhook_url and not usable:
        message = "TWILIO_WEBHOOK_URL is not an http(s) URL, or ends with /status or /poll, which have other uses"
        raise Permanent(message, reason="bad-setting")
    return webhook_url


def _form(body: bytes) -> ImmutableMultiDict[str, str]:
    text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:
        message = f"the form has more than {_MAX_FIELDS} fields"
        raise Rejected(message, status=400, reason="malformed-body", field="body") from None
    return ImmutableMultiDict(pairs)


def _signed_json(request: WebhookRequest) -> str:
    told = parse_qs(request.query).get("bodySHA256", [])
    if len(told) != 1:
        raise Rejected("a JSON body needs its bodySHA256", status=403, reason="bad-signature", field="bodySHA256")
    if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), told[0].lower().encode()):
        raise _refused("the body is not the one that was signed", "bad-signature")
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        raise _refused("the body is not UTF-8", "bad-signature") from None


def _json_fields(body: str) -> Fields:
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise Rejected("the body is not a JSON object", status=400, reason="malformed-body", field="body")
    values = cast(dict[str, Any], parsed).items()
    return {name: str(value) for name, value in values if isinstance(value, str | int | float)}


def _only(headers: Mapping[str, str], name: str) -> str | None:
    """A header's value; one that comes twice says nothing certain, and counts as missing."""
    values = headers.getlist(name) if isinstance(headers, Headers) else [headers[name]] if name in headers else []
    return values[0] if len(values) == 1 else None


def _refused(message: str, reason: str) -> Rejected:
    return Rejected(message, status=403, reason=reason, field=_SIGNATURE)
