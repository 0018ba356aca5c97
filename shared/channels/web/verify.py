"""The link of the verification mail: whoever opens it and confirms gets the ticket's page with a token of their own.

Opening it changes nothing, since scanners and previews open links before people do; the page's one button does.
The token that the form gave stays claimed for ever, since whoever typed an address need not own it; what is
said under the verified one never shows under the claimed one. A link that leads nowhere gets a page in words.
"""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from shared.channels.language import without_region
from shared.channels.message import Trust
from shared.channels.web.form import NO_STORE, FormNeeded
from shared.channels.web.token import Holder, seal_token
from shared.errors import FteError, Rejected, Retryable
from shared.observability.logs import logger

routes = APIRouter()

PATH = "/verify"

_WORDS = Path(__file__).with_name("link_words.txt")
_HEADERS = NO_STORE | {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_STYLE = (
    ":root{color-scheme:light dark}body{font:1.05rem/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;"
    "padding:0 1.5rem}h1{font-size:1.4rem}button{font:inherit;padding:.6rem 1.2rem;cursor:pointer}"
)
_RIGHT_TO_LEFT = {"ar", "ur"}


@routes.get(PATH, include_in_schema=False)
async def show_link(request: Request, form: FormNeeded, token: str = "") -> Response:
    """A page with a button that confirms; nothing is proven by it."""
    try:
        await form.door.admit(request)
        await form.links.look(token)
    except (Rejected, Retryable) as error:
        return _refusal(request, error, _link(request, _what(error)))
    return _page(request, "confirm", 200, _button(request, "confirm", token))


@routes.post(PATH, include_in_schema=False)
async def follow_link(request: Request, form: FormNeeded) -> Response:
    """303 to the hosted page with a verified token in the fragment, which no server and no log sees."""
    token = ""
    try:
        # Before the body is read; Admission leaves this path to us, since people read the answer.
        await form.door.admit(request)
        token = await _token_in(request)
        redeemed = await form.links.redeem(token)
    except (Rejected, Retryable) as error:
        what = _what(error)
        return _refusal(request, error, _button(request, what, token) if what == "busy" else _link(request, what))
    holder = Holder(redeemed.ticket_id, redeemed.address, redeemed.name, Trust.VERIFIED)
    fragment = urlencode({"ticket": holder.ticket, "token": seal_token(form.keys[0], holder)})
    logger().info("link_followed", channel="web")
    base = form.settings.form_public_url.rstrip("/")
    return Response(status_code=303, headers=NO_STORE | {"Location": f"{base}/#{fragment}"})


async def _token_in(request: Request) -> str:
    """`token` of a form (application/x-www-form-urlencoded); nothing where there is none."""
    try:
        fields = parse_qs((await request.body()).decode("ascii"), max_num_fields=10)
    except (ClientDisconnect, ValueError):
        return ""
    return fields.get("token", [""])[0]


def _what(error: FteError) -> str:
    return {410: "expired", 429: "busy", 503: "busy"}.get(error.status, "unknown")


def _refusal(request: Request, error: FteError, way_on: str) -> Response:
    """What to do about it."""
    logger().warning("link_refused", reason=error.reason, status=error.status)
    answer = _page(request, _what(error), error.status, way_on)
    wait = getattr(error, "retry_after_s", None) or (2 if error.status == 503 else None)
    answer.headers.update({"Retry-After": str(wait)} if wait else {})
    return answer


def _link(request: Request, what: str) -> str:
    # Trying again is the way on while we are busy; else the form is, which may stand below a path.
    href = "" if what == "busy" else "./"
    return f'<a href="{href}">{_word(request, what, "link")}</a>'


def _button(request: Request, what: str, token: str) -> str:
    secret = html.escape(token, quote=True)
    return (
        f'<form method="post" action="verify"><input type="hidden" name="token" value="{secret}">'
        f"<button>{_word(request, what, 'link')}</button></form>"
    )


def _page(request: Request, what: str, status: int, way_on: str) -> Response:
    """In the language that the browser asks for; `way_on` is what to click."""
    language = _language(request.headers.get("accept-language", ""))
    title, text = (_word(request, what, part) for part in ("title", "text"))
    direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{text}</p><div>{way_on}</div></main></body></html>"
    )
    return Response(body, status, _HEADERS, "text/html; charset=utf-8")


def _word(request: Request, what: str, part: str) -> str:
    return html.escape(_words()[_language(request.headers.get("accept-language", "")), f"{what}.{part}"])


def _language(accepted: str) -> str:
    """The first of the browser's languages that we have words in; English without one (RFC 9110, section 12.5.4)."""
    known = {language for language, _ in _words()}
    ranked = sorted((_ranked(part) for part in accepted.split(",")), key=lambda one: -one[0])
    return next((name for weight, name in ranked if weight > 0 and name in known), "en")


def _ranked(part: str) -> tuple[float, str]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), without_region(name)
    except ValueError:
        return 0.0, ""


@cache
def _words() -> dict[tuple[str, str], str]:
    """By language and name; lines of `language name: text`."""
    lines = (line for line in _WORDS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        head, _, text = line.partition(": ")
        language, name = head.split()
        found[language, name] = text
    return found
