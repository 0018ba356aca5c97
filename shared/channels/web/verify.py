"""The link of the verification mail: whoever opens it and confirms gets the ticket's page with a token of their own.

Opening it changes nothing, since scanners and previews open links before people do; the page's one button does.
The token that the form gave stays claimed for ever, since whoever typed an address need not own it; what is
said under the verified one never shows under the claimed one. A link that leads nowhere gets a page in words.
"""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from shared.channels.message import Trust
from shared.channels.web.form import NO_STORE, FormNeeded
from shared.channels.web.token import Holder, seal_token
from shared.channels.web.worded_page import asked_language, fields_of, wait_after, what_failed, word, worded, words_of
from shared.errors import FteError, Rejected, Retryable
from shared.observability.logs import logger

routes = APIRouter()

PATH = "/verify"

_WORDS = Path(__file__).with_name("link_words.txt")


@routes.get(PATH, include_in_schema=False)
async def show_link(request: Request, form: FormNeeded, token: str = "") -> Response:
    """A page with a button that confirms; nothing is proven by it."""
    try:
        await form.door.admit(request)
        await form.links.look(token)
    except (Rejected, Retryable) as error:
        return _refusal(request, error, _link(request, what_failed(error)))
    return _page(request, "confirm", 200, _button(request, "confirm", token))


@routes.post(PATH, include_in_schema=False)
async def follow_link(request: Request, form: FormNeeded) -> Response:
    """303 to the hosted page with a verified token in the fragment, which no server and no log sees."""
    token = ""
    try:
        # Before the body is read; Admission leaves this path to us, since people read the answer.
        await form.door.admit(request)
        token = (await fields_of(request)).get("token", "")
        redeemed = await form.links.redeem(token)
    except (Rejected, Retryable) as error:
        what = what_failed(error)
        return _refusal(request, error, _button(request, what, token) if what == "busy" else _link(request, what))
    holder = Holder(redeemed.ticket_id, redeemed.address, redeemed.name, Trust.VERIFIED)
    fragment = urlencode({"ticket": holder.ticket, "token": seal_token(form.keys[0], holder)})
    logger().info("link_followed", channel="web")
    base = form.settings.form_public_url.rstrip("/")
    return Response(status_code=303, headers=NO_STORE | {"Location": f"{base}/#{fragment}"})


def _refusal(request: Request, error: FteError, way_on: str) -> Response:
    """What to do about it."""
    logger().warning("link_refused", reason=error.reason, status=error.status)
    return wait_after(_page(request, what_failed(error), error.status, way_on), error)


def _link(request: Request, what: str) -> str:
    # Trying again is the way on while we are busy; else the form is, which may stand below a path.
    href = "" if what == "busy" else "./"
    return f'<a href="{href}">{_word(request, f"{what}.link")}</a>'


def _button(request: Request, what: str, token: str) -> str:
    secret = html.escape(token, quote=True)
    return (
        f'<form method="post" action="verify"><input type="hidden" name="token" value="{secret}">'
        f"<button>{_word(request, f'{what}.link')}</button></form>"
    )


def _page(request: Request, what: str, status: int, way_on: str) -> Response:
    words = words_of(_WORDS)
    return worded(words, asked_language(words, request), what, status, way_on)


def _word(request: Request, name: str) -> str:
    words = words_of(_WORDS)
    return word(words, asked_language(words, request), name)
