"""The token of a push, made here by the rules of RFC 7515 and RFC 7519 and not by the code under test."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.channels.gmail.push import Notification, PushGuard, notification
from shared.channels.gmail.push_keys import KEPT, PushKeys
from shared.errors import Rejected, Retryable
from tests.conftest import make_settings

_AUDIENCE = "https://push.example.com/"
_ACCOUNT = "push@example.iam.gserviceaccount.com"
_CERTS = "https://keys.example.com/certs"
_SETTINGS = make_settings(
    gmail_push_audience=_AUDIENCE,
    gmail_push_service_account=_ACCOUNT,
    gmail_certs_url=_CERTS,
    gmail_aliases=("help@example.com",),
)
OURS = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
_OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    """The public half as Google publishes it."""
    public = key.public_key().public_numbers()
    n, e = (b64(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (public.n, public.e))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": n, "e": e}


def token(key: rsa.RSAPrivateKey = OURS, kid: str | None = "one", alg: str = "RS256", **claims: Any) -> str:
    """A token of Google's; a claim that is None is left out."""
    now = int(time.time())
    usual = {"iss": "https://accounts.google.com", "aud": _AUDIENCE, "email": _ACCOUNT, "email_verified": True}
    all_claims = {**usual, "iat": now, "exp": now + 3_600, "sub": "1", **claims}
    said = {name: value for name, value in all_claims.items() if value is not None}
    header = {"alg": alg, "typ": "JWT"} | ({"kid": kid} if kid else {})
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(said).encode())}"
    signature = b"" if alg == "none" else key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{b64(signature)}"


@dataclass
class Google:
    """The key endpoint: what it publishes, how often it was asked, whether it is away; and a clock."""

    keys: list[dict[str, str]] = field(default_factory=lambda: [jwk(OURS, "one")])
    asked: int = 0
    away: bool = False
    time: datetime = datetime(2026, 1, 5, tzinfo=UTC)

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == _CERTS
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away", request=request)
        return httpx.Response(200, json={"keys": self.keys})

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def google() -> Google:
    return Google()


@pytest_asyncio.fixture
async def guard(google: Google) -> AsyncIterator[PushGuard]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(google.answer)) as http:
        yield PushGuard(_SETTINGS, PushKeys(http, _CERTS, google))


async def refused(guard: PushGuard, authorization: str | None) -> str:
    """The reason of a 401."""
    with pytest.raises(Rejected) as caught:
        await guard.admit(authorization)
    assert (caught.value.status, caught.value.field) == (401, "Authorization")
    return caught.value.reason


@pytest.mark.parametrize("issuer", ["accounts.google.com", "https://accounts.google.com"])
async def test_a_token_of_our_subscription_passes(guard: PushGuard, google: Google, issuer: str) -> None:
    """Both names of Google's; the keys are fetched once for many pushes."""
    for _ in range(3):
        await guard.admit(f"Bearer {token(iss=issuer)}")
    assert google.asked == 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "https://elsewhere.example.net/"}, "wrong-audience"),
        ({"aud": [_AUDIENCE]}, "wrong-audience"),
        ({"aud": None}, "wrong-audience"),
        ({"iss": "https://issuer.example.net"}, "wrong-issuer"),
        ({"iss": None}, "wrong-issuer"),
        ({"email": "someone@example.net"}, "wrong-account"),
        ({"email": None}, "wrong-account"),
        ({"email_verified": False}, "wrong-account"),
        ({"email_verified": "true"}, "wrong-account"),
        ({"email_verified": None}, "wrong-account"),
        ({"exp": int(time.time()) - 60}, "bad-token"),
        ({"exp": None}, "bad-token"),
        ({"exp": "tomorrow"}, "bad-token"),
        # Hours ahead: parameters are made when tests are collected, long before some of them run.
        ({"iat": int(time.time()) + 6 * 3600}, "bad-token"),
        ({"iat": None}, "bad-token"),
    ],
)
async def test_each_claim_counts(guard: PushGuard, claims: dict[str, Any], reason: str) -> None:
    """A signature that holds is not enough."""
    assert await refused(guard, f"Bearer {token(**claims)}") == reason


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -2), ("iat", 5)])
async def test_clocks_may_differ_by_a_little(guard: PushGuard, claim: str, seconds: int) -> None:
    """Ten seconds each way. (The bounds leave room for a slow run.)"""
    claims = {claim: int(time.time()) + seconds}
    await guard.admit(f"Bearer {token(**claims)}")


async def test_another_key_under_our_id_is_refused(guard: PushGuard) -> None:
    """The id is only a hint."""
    assert await refused(guard, f"Bearer {token(_OTHER)}") == "bad-token"


async def test_a_token_cannot_choose_its_algorithm(guard: PushGuard) -> None:
    """Unsigned, or signed with our public key as a shared secret (RFC 8725, section 2.1)."""
    assert await refused(guard, f"Bearer {token(alg='none')}") == "bad-algorithm"
    signed = token(alg="HS256").rpartition(".")[0]
    public = OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(signed.encode())
    assert await refused(guard, f"Bearer {signed}.{b64(mac.finalize())}") == "bad-algorithm"
    unsigned = token().rpartition(".")[0]
    assert await refused(guard, f"Bearer {unsigned}.") == "bad-token"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "token"])
async def test_without_a_bearer_token_nothing_passes(guard: PushGuard, google: Google, header: str | None) -> None:
    """And Google is not asked."""
    assert await refused(guard, header) == "missing-token"
    assert google.asked == 0


@pytest.mark.parametrize(
    "text", ["x", "a.b.c", "e30.e30.", "bnVsbA.e30.x", "W10.e30.x", "é.é.é", "." * 9_000, f"{b64(b'[' * 3_000)}.e30.x"]
)
async def test_what_is_no_token_is_refused(guard: PushGuard, text: str) -> None:
    """Whatever stands there, 401 and never a fault of ours."""
    assert await refused(guard, f"Bearer {text}") in {"bad-token", "bad-algorithm"}


async def test_a_token_without_a_key_id_is_refused(guard: PushGuard) -> None:
    """Trying every key would be guessing."""
    assert await refused(guard, f"Bearer {token(kid=None)}") == "bad-token"


async def test_a_new_key_is_fetched_once(guard: PushGuard, google: Google) -> None:
    """After Google rotated: one fetch more, and the old key's tokens pass as long as it is published."""
    await guard.admit(f"Bearer {token()}")
    google.keys.append(jwk(_OTHER, "two"))
    await guard.admit(f"Bearer {token(_OTHER, 'two')}")
    await guard.admit(f"Bearer {token()}")
    assert google.asked == 2


async def test_invented_key_ids_do_not_hammer_google(guard: PushGuard, google: Google) -> None:
    """A bounded number of fetches a minute, and true tokens still pass."""
    for number in range(40):
        assert await refused(guard, f"Bearer {token(kid=f'invented-{number}')}") == "unknown-key"
    await guard.admit(f"Bearer {token()}")
    assert google.asked == 10
    google.time += timedelta(minutes=2)
    google.keys.append(jwk(_OTHER, "two"))
    await guard.admit(f"Bearer {token(_OTHER, 'two')}")


async def test_a_withdrawn_key_stops_working(guard: PushGuard, google: Google) -> None:
    """Keys are kept for an hour at most."""
    await guard.admit(f"Bearer {token()}")
    google.keys = [jwk(_OTHER, "two")]
    google.time += KEPT + timedelta(seconds=1)
    assert await refused(guard, f"Bearer {token()}") == "unknown-key"


async def test_without_googles_keys_pubsub_comes_again(guard: PushGuard, google: Google) -> None:
    """503, never a 401: the token may be good."""
    google.away = True
    with pytest.raises(Retryable):
        await guard.admit(f"Bearer {token()}")
    google.away = False
    await guard.admit(f"Bearer {token()}")


@pytest.mark.parametrize("keys", [[{"kid": "one", "kty": "RSA", "n": "AQ", "e": "AQAB"}], [{"kty": "RSA"}]])
async def test_keys_that_cannot_be_read_are_no_keys(guard: PushGuard, google: Google, keys: list[Any]) -> None:
    google.keys = keys
    with pytest.raises(Retryable):
        await guard.admit(f"Bearer {token()}")


@pytest.mark.parametrize("missing", ["gmail_push_audience", "gmail_push_service_account"])
async def test_unconfigured_means_closed(google: Google, missing: str) -> None:
    """An empty setting must not match an empty claim."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(google.answer)) as http:
        settings = _SETTINGS.model_copy(update={missing: ""})
        closed = PushGuard(settings, PushKeys(http, _CERTS, google))
        claims = {"aud": ""} if missing == "gmail_push_audience" else {"email": ""}
        assert await refused(closed, f"Bearer {token(**claims)}") == "not-configured"


def push(data: object = None, **more: Any) -> bytes:
    """A push's body; `data` is a mapping to encode, or the encoded text itself."""
    news = {"emailAddress": "support@example.com", "historyId": 1234} if data is None else data
    text = news if isinstance(news, str) else base64.b64encode(json.dumps(news).encode()).decode()
    return json.dumps({"message": {"data": text, "messageId": "1"}, "subscription": "s", **more}).encode()


def test_a_push_is_read() -> None:
    """The history id comes as a number or as digits, the data as either base64, padded or not."""
    assert notification(push()) == Notification("support@example.com", "1234")
    news = json.dumps({"emailAddress": "support@example.com", "historyId": "1234", "x": "~~~???"}).encode()
    for text in (base64.urlsafe_b64encode(news), base64.b64encode(news), base64.urlsafe_b64encode(news).rstrip(b"=")):
        assert notification(push(text.decode())).history_id == "1234"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{}", "message"),
        (b'{"message": {}}', "message.data"),
        (push(""), "message.data"),
        (push("%%"), "message.data"),
        (push("A"), "message.data"),
        (push("é"), "message.data"),
        (push([]), "message.data"),
        (push({"emailAddress": "support@example.com"}), "message.data.historyId"),
        (push({"emailAddress": "support@example.com", "historyId": "x"}), "message.data.historyId"),
        (push({"emailAddress": "support@example.com", "historyId": -1}), "message.data.historyId"),
        (push({"historyId": 1}), "message.data.emailAddress"),
    ],
)
def test_a_malformed_push_is_refused_by_name(body: bytes, where: str) -> None:
    """400, naming the field and never repeating what it held."""
    with pytest.raises(Rejected) as caught:
        notification(body)
    assert (caught.value.status, caught.value.field) == (400, where)
    assert "support@" not in str(caught.value)


@given(st.binary(max_size=200) | st.text(max_size=60).map(push))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(Rejected):
        notification(body)


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("support@example.com", True),
        ("Support@Example.com", True),
        ("help@example.com", True),
        ("x@example.com", False),
    ],
)
def test_whose_mailbox_it_is(address: str, ours: bool) -> None:
    """Ours in any case, or an alias of it."""
    assert Notification(address, "1").is_ours(_SETTINGS) is ours
