"""Twilio's REST API, 2010-04-01: messages and their media."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from shared.local.simulators.twilio.errors import not_authenticated, not_found
from shared.local.simulators.twilio.listing import list_page
from shared.local.simulators.twilio.resource import account_path, media_resource, message_resource
from shared.local.simulators.twilio.rows import MediaRow, MessageRow
from shared.local.simulators.twilio.site import Site

Endpoint = Callable[[Site, Request], Awaitable[Response]]


async def create_message(site: Site, request: Request) -> Response:
    form = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    message = site.account.send(dict(form))
    site.reports.follow(message)
    return JSONResponse(message_resource(site.config.account_sid, message), status_code=201)


async def list_messages(site: Site, request: Request) -> Response:
    return JSONResponse(list_page(site.config.account_sid, list(site.account.messages.newest_first()), request))


async def fetch_message(site: Site, request: Request) -> Response:
    return JSONResponse(message_resource(site.config.account_sid, _message(site, request)))


async def list_media(site: Site, request: Request) -> Response:
    message = _message(site, request)
    found = [m for m in site.account.media if m.message_sid == message.id]
    uri = request.url.path
    return JSONResponse(
        {
            "media_list": [media_resource(site.config.account_sid, media) for media in found],
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": max(len(found) - 1, 0),
            "uri": uri,
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
        }
    )


async def fetch_media(site: Site, request: Request) -> Response:
    """The resource with `.json`; without it a redirect to the bytes, as Twilio's to its storage."""
    sid: str = request.path_params["media"]
    media = _media(site, request, sid.removesuffix(".json"))
    if sid.endswith(".json"):
        return JSONResponse(media_resource(site.config.account_sid, media))
    return RedirectResponse(f"/media/{site.config.account_sid}/{media.id}", status_code=307)


async def media_bytes(site: Site, request: Request) -> Response:
    if (media := site.account.media.get(request.path_params["media"])) is None:
        raise not_found(request.url.path)
    return Response(base64.b64decode(media.data), headers={"Content-Type": media.content_type})


def api_routes(site: Site) -> list[Route]:
    base = account_path("{account}")
    return [
        Route(f"{base}/Messages.json", _served(site, create_message), methods=["POST"]),
        Route(f"{base}/Messages.json", _served(site, list_messages), methods=["GET"]),
        Route(f"{base}/Messages/{{sid}}/Media.json", _served(site, list_media), methods=["GET"]),
        Route(f"{base}/Messages/{{sid}}/Media/{{media}}", _served(site, fetch_media), methods=["GET"]),
        Route(f"{base}/Messages/{{sid}}.json", _served(site, fetch_message), methods=["GET"]),
        Route("/media/{account}/{media}", _open(site, media_bytes), methods=["GET"]),
    ]


def _served(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        _admit(site, request)
        answer = await endpoint(site, request)
        await site.account.save()
        return answer

    return serve


def _open(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return await endpoint(site, request)

    return serve


def _admit(site: Site, request: Request) -> None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    expected = f"{site.config.account_sid}:{site.config.auth_token}"
    try:
        given = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        given = ""
    same = scheme.lower() == "basic" and secrets.compare_digest(given.encode(), expected.encode())
    if not same or request.path_params["account"] != site.config.account_sid:
        raise not_authenticated()


def _message(site: Site, request: Request) -> MessageRow:
    if (message := site.account.messages.get(request.path_params["sid"])) is None:
        raise not_found(request.url.path)
    return message


def _media(site: Site, request: Request, sid: str) -> MediaRow:
    media = site.account.media.get(sid)
    if media is None or media.message_sid != request.path_params["sid"]:
        raise not_found(request.url.path)
    return media
