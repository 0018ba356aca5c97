"""A visitor whom the embedding site knows: a token signed by its server says who they are.

A JSON Web Token (RFC 7519), HS256 and nothing else, under FORM_IDENTITY_KEY. Claims: `email`, `iat`, `exp`
(at most FORM_IDENTITY_MAX_S after `iat`), `aud` (the form's public URL or `support-form`), and `name` and
`nbf` if known. Others, `sub` among them, are not read.
A token that is wrong in any way refuses the request: who is signed in is never taken for a stranger in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from shared.channels.addresses import normalise_email
from shared.channels.plain_text import one_line
from shared.clock import Clock
from shared.errors import Permanent, Rejected
from shared.settings import Settings

AUDIENCE = "support-form"
_MIN_KEY = 32
_LEEWAY_S = 30
_CLAIMS = ["email", "iat", "exp", "aud"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A normalised address and a name, which may be empty."""

    address: str
    name: str


def visitor_of(settings: Settings, clock: Clock, token: str) -> Visitor:
    """Who a signed token names.

    Raises Rejected: 401 for a signature, an audience or a time that is wrong, 422 for claims that are, or while
    no key is set up. Raises Permanent for a key that is too short to sign with (RFC 7518, section 3.2).
    """
    claims = _verified(_keys(settings), _audiences(settings), token)
    _require_time(claims, clock.now().timestamp(), settings.form_identity_max_s)
    email, name = claims["email"], claims.get("name") or ""
    if not isinstance(email, str) or not isinstance(name, str):
        raise _refused("its email and name must be text", 422, "identity-claims")
    try:
        return Visitor(normalise_email(email), one_line(name, 200))
    except Rejected:
        raise _refused("its email is not an e-mail address", 422, "identity-claims") from None


def _verified(keys: list[str], audiences: list[str], token: str) -> dict[str, Any]:
    # Times are judged below, by the clock that is passed in.
    options: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    options["verify_sub"] = False  # nothing is read of it, and sites put their users' numbers into it
    for key in keys:
        try:
            return jwt.decode(token, key, algorithms=["HS256"], audience=audiences, options=options)
        except jwt.InvalidSignatureError:
            continue
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"it lacks the claim {error.claim}", 422, "identity-claims") from None
        except jwt.InvalidAudienceError:
            raise _refused("its audience is not this form", 401, "identity-audience") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            break
    raise _refused("its signature or form is wrong", 401, "identity-invalid")


def _require_time(claims: dict[str, Any], now: float, longest_s: int) -> None:
    issued, expires = claims["iat"], claims["exp"]
    begins = claims.get("nbf", issued)
    if not all(isinstance(at, int | float) and not isinstance(at, bool) for at in (issued, expires, begins)):
        raise _refused("its iat, exp and nbf must be numbers", 422, "identity-claims")
    if expires - issued > longest_s:
        raise _refused(f"it is good for longer than {longest_s} seconds", 422, "identity-lifetime")
    if not max(issued, begins) - _LEEWAY_S <= now <= expires + _LEEWAY_S:
        raise _refused("it has expired, or is not good yet: reload the page", 401, "identity-expired")


def _keys(settings: Settings) -> list[str]:
    keys = [key.strip() for key in settings.form_identity_key.get_secret_value().split(",") if key.strip()]
    if not keys:
        raise _refused("this form knows no signed visitors: FORM_IDENTITY_KEY is not set", 422, "identity-not-set-up")
    if any(len(key) < _MIN_KEY for key in keys):
        raise Permanent(f"FORM_IDENTITY_KEY needs {_MIN_KEY} characters or more", reason="bad-key")
    return keys


def _audiences(settings: Settings) -> list[str]:
    url = settings.form_public_url.rstrip("/")
    return [AUDIENCE, *([url, f"{url}/"] if url else [])]


def _refused(why: str, status: int, reason: str) -> Rejected:
    return Rejected(f"the signed identity is refused: {why}", status=status, reason=reason, field="identity")
