"""Visitors whom the embedding site signs for: verified when the token is right in everything, refused otherwise."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.channels.message import Trust
from tests.conftest import make_settings
from tests.web_rig import BODY, Rig, error_of, rigged

_KEY = "a key of thirty-two characters or more"
_OLD = "the key before it that is still good"


class _In(int):
    """So many seconds from when the token is made: the suite is collected minutes before a test runs."""


def token(key: str = _KEY, algorithm: str = "HS256", **changes: Any) -> str:
    """As a site's server makes one; a change to None leaves the claim out, a time may be `_In` so many seconds."""
    now = int(time.time())
    claims = {"email": "Grace@Example.net", "name": "Grace", "iat": now, "exp": now + 600, "aud": "support-form"}
    given = {k: now + v if isinstance(v, _In) else v for k, v in (claims | changes).items() if v is not None}
    return jwt.encode(given, key, algorithm)


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    settings = make_settings(
        form_identity_key=SecretStr(f"{_KEY}, {_OLD}, {_KEY * 2}"), form_public_url="https://support.example.com/"
    )
    async with rigged(settings, tmp_path) as rig:
        yield rig


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"key": _OLD},
        {"aud": "https://support.example.com"},
        {"aud": ["https://support.example.com/", "other"]},
        {"iat": _In(10)},
        {"nbf": _In(10)},
        {"nbf": _In(-10)},
        {"sub": 5},
        {"sub": ["x"]},
    ],
)
async def test_who_is_signed_for_is_verified(rig: Rig, changes: dict[str, Any]) -> None:
    """The token's address and name, whatever was typed; also under the key before it and with a clock that is ahead."""
    given = await rig.open({"identity": token(**changes)})
    assert given["trust"] == "verified"
    (message,) = rig.sent.messages
    sender = message.sender
    assert (sender.address, sender.name) == ("grace@example.net", "Grace")
    assert (sender.trust, sender.trust_reason) == (Trust.VERIFIED, "signed-visitor")
    await rig.on(given, "POST", "/messages", json={"message": "More"})
    assert rig.sent.messages[1].sender.trust is Trust.VERIFIED


async def test_a_name_may_be_typed_where_the_site_knows_none(rig: Rig) -> None:
    """And none is asked for."""
    await rig.open({"identity": token(name=None)})
    answer = await rig.client.post(
        "/tickets",
        json={"subject": "Export", "category": "technical", "message": "How?", "identity": token(name=None)},
    )
    assert answer.status_code == 202
    assert [message.sender.name for message in rig.sent.messages] == ["Ada Example", ""]


def _unsigned() -> str:
    _, claims, _ = token().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{none}.{claims}."


def _claims_of_another() -> str:
    head, _, mac = token().split(".")
    claims = base64.urlsafe_b64encode(json.dumps({"email": "eve@example.org"}).encode()).rstrip(b"=").decode()
    return f"{head}.{claims}.{mac}"


@pytest.mark.parametrize(
    ("made", "status", "reason"),
    [
        (lambda: token(key="some other key of more than 32 characters"), 401, "identity-invalid"),
        (lambda: token(key=_KEY * 2, algorithm="HS512"), 401, "identity-invalid"),
        (_unsigned, 401, "identity-invalid"),
        (_claims_of_another, 401, "identity-invalid"),
        (lambda: "nonsense", 401, "identity-invalid"),
        (lambda: "a.b.c", 401, "identity-invalid"),
        (lambda: "\u00e9.\u00e9.\u00e9", 401, "identity-invalid"),
        (lambda: token(aud="https://elsewhere.example.com"), 401, "identity-audience"),
        (lambda: token(iat=_In(-3000), exp=_In(-100)), 401, "identity-expired"),
        (lambda: token(iat=_In(900), exp=_In(1000)), 401, "identity-expired"),
        (lambda: token(exp=_In(90_000)), 422, "identity-lifetime"),
        (lambda: token(email=None), 422, "identity-claims"),
        (lambda: token(exp=None), 422, "identity-claims"),
        (lambda: token(iat=None), 422, "identity-claims"),
        (lambda: token(aud=None), 422, "identity-claims"),
        (lambda: token(email="not an address"), 422, "identity-claims"),
        (lambda: token(email=7), 422, "identity-claims"),
        (lambda: token(name=["Grace"]), 422, "identity-claims"),
        (lambda: token(exp="soon"), 422, "identity-claims"),
        (lambda: token(exp=True, iat=False), 422, "identity-claims"),
    ],
)
async def test_a_wrong_token_is_refused_and_never_taken_for_a_typed_address(
    rig: Rig, made: Callable[[], str], status: int, reason: str
) -> None:
    """The reason and the field; nothing is published, and nothing of the token is repeated."""
    identity = made()
    answer = await rig.client.post(
        "/tickets",
        json={
            "name": "Ada",
            "email": "ada@example.org",
            "subject": "Export",
            "category": "general",
            "message": "How?",
            "identity": identity,
        },
    )
    assert error_of(answer) == (status, reason, "identity")
    assert rig.sent.events == []
    assert "example" not in answer.text
    assert identity not in answer.text


async def test_without_a_key_nobody_is_signed_for(tmp_path: Path) -> None:
    """422 saying which setting; a key that is too short signs nothing either."""
    for key, reason in (("", "identity-not-set-up"), ("short", "bad-key")):
        async with rigged(make_settings(form_identity_key=SecretStr(key)), tmp_path) as rig:
            answer = await rig.client.post(
                "/tickets",
                json={"subject": "Export", "category": "general", "message": "How?", "identity": "a.b.c"},
            )
            assert error_of(answer)[:2] == (422, reason)
            assert "FORM_IDENTITY_KEY" in answer.json()["error"]["message"]


async def test_signed_anew_is_the_same_ticket(rig: Rig) -> None:
    """A second try under the same key, with a token of a second later: one ticket, one event."""
    first = await rig.open({"identity": token()}, key="k")
    again = await rig.open({"identity": token(exp=_In(601))}, key="k")
    assert first == again
    assert rig.sent.events[0].id == rig.sent.events[1].id


async def test_who_types_the_same_gets_another_ticket(rig: Rig) -> None:
    """A stranger who knows key, address and words gets no token that opens the verified ticket."""
    signed = await rig.open({"identity": token(email="ada@example.org", name="Ada Example")}, key="k")
    typed = await rig.open(key="k")
    assert signed["ticket_id"] != typed["ticket_id"]
    assert typed["trust"] == "claimed"


@pytest.mark.parametrize(("nbf", "status"), [(500, 401), ("soon", 422), (True, 422), (float("inf"), 401)])
async def test_a_token_is_not_good_before_its_time(rig: Rig, nbf: Any, status: int) -> None:
    """`nbf` binds as `iat` does (RFC 7519, section 4.1.5), whatever kind of thing stands there."""
    begins = nbf if isinstance(nbf, str | bool) else time.time() + nbf
    answer = await rig.client.post("/tickets", json=BODY | {"identity": token(nbf=begins)})
    assert error_of(answer)[::2] == (status, "identity")
