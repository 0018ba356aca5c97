"""form-submit's HTTP API: tickets and their files, the link of the verification mail, and the form itself."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Scope

from shared.channels.web import file_routes, rate, ticket_routes, verify
from shared.channels.web.answers import install_answers
from shared.channels.web.door import Admission
from shared.channels.web.form import Form, FormNeeded
from shared.channels.web.site import Site
from shared.channels.web.ticket import MAX_MESSAGE, MAX_MESSAGE_WITH_FILES
from shared.settings import Settings

LANGUAGES = ("en", "de", "es", "fr", "ar", "ur")

_SITE = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"}
_PAGE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # The page's own <meta> narrows the styles further; frames can be forbidden here alone.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

routes = APIRouter()


class ChallengeShown(BaseModel):
    """The challenge that a page must show, and its public key."""

    kind: Literal["turnstile", "hcaptcha", "recaptcha"]
    site_key: str


class Config(BaseModel):
    """What a page needs to know before it is filled in: characters, files, bytes and milliseconds."""

    max_message: int
    max_message_with_files: int
    max_files: int
    max_file_bytes: int
    max_upload_bytes: int
    min_ms: int
    challenge: ChallengeShown | None
    mails_link: bool
    languages: list[str]


def build_api(form: Form) -> FastAPI:
    """The app. Its description is at /openapi.json; no page of it asks a third party for anything."""
    api = FastAPI(
        title="Support form",
        version="1.1.0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The doorway traces; FastAPI's own spans would carry the query, and so the token.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    api.state.form = form
    # The last that is added is the outermost: a site may read why its visitor was refused.
    api.add_middleware(Admission, door=form.door, but=frozenset({verify.PATH, rate.PATH}))
    api.add_middleware(
        CORSMiddleware,
        allow_origins=list(form.settings.form_allowed_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        expose_headers=["Retry-After", "Content-Disposition"],
        max_age=3600,
    )
    install_answers(api, "form-submit")
    for router in (ticket_routes.routes, file_routes.routes, verify.routes, rate.routes, routes):
        api.include_router(router)
    return api


def request_limit(settings: Settings, scope: Scope) -> int:
    """Files may be larger than everything else."""
    attaches = scope["method"] == "POST" and scope["path"].endswith("/attachments")
    return settings.form_max_upload_bytes if attaches else settings.max_request_bytes


@routes.get("/config")
async def config(form: FormNeeded, response: Response) -> Config:
    """Limits, the challenge if one is set up, and the languages of the form."""
    response.headers["Cache-Control"] = "public, max-age=300"
    settings = form.settings
    kind, asked = settings.form_challenge_kind, settings.form_challenge_url
    return Config(
        max_message=MAX_MESSAGE,
        max_message_with_files=MAX_MESSAGE_WITH_FILES,
        max_files=settings.form_max_files,
        max_file_bytes=settings.form_max_file_bytes,
        max_upload_bytes=settings.form_max_upload_bytes,
        min_ms=settings.form_min_ms,
        challenge=ChallengeShown(kind=kind, site_key=settings.form_challenge_site_key) if kind and asked else None,
        mails_link=bool(settings.form_public_url),
        languages=list(LANGUAGES),
    )


@routes.api_route("/widget.js", methods=["GET", "HEAD"], include_in_schema=False)
async def widget(request: Request, form: FormNeeded) -> Response:
    """The script that any page may embed; a new build is noticed within five minutes."""
    return await _file(request, form.site, "widget.js", _SITE | {"Cache-Control": "public, max-age=300"})


@routes.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request, form: FormNeeded) -> Response:
    """A page that is nothing but the form."""
    return await _file(request, form.site, "index.html", _PAGE | {"Cache-Control": "no-cache"})


async def _file(request: Request, site: Site, name: str, headers: dict[str, str]) -> Response:
    file = await site.file(name)
    headers = headers | {"ETag": file.etag}
    known = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
