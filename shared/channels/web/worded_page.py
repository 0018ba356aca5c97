"""Pages in words for people who followed a link in a mail of ours: one heading, one paragraph, one thing to do.

The words are data: lines of `language name: text`. Nothing on such a page runs, or asks anybody for anything.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from shared.channels.language import without_region
from shared.channels.web.form import NO_STORE
from shared.errors import FteError

HEADERS = NO_STORE | {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
_STYLE = (
    ":root{color-scheme:light dark}body{font:1.05rem/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;"
    "padding:0 1.5rem}h1{font-size:1.4rem}button{font:inherit;padding:.6rem 1.2rem;cursor:pointer}"
    "fieldset{border:0;margin:0 0 1.2rem;padding:0}label{display:block;padding:.2rem 0}"
    "textarea{font:inherit;width:100%}"
)
_RIGHT_TO_LEFT = {"ar", "ur"}

Words = Mapping[tuple[str, str], str]


def worded(words: Words, language: str, what: str, status: int, way_on: str) -> Response:
    """The page `what` in a language that there are words in; `way_on` is HTML: what to do."""
    title, text = (word(words, language, f"{what}.{part}") for part in ("title", "text"))
    direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"
    body = (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{text}</p><div>{way_on}</div></main></body></html>"
    )
    return Response(body, status, HEADERS, "text/html; charset=utf-8")


def what_failed(error: FteError) -> str:
    """The page that tells of an error: expired, busy or unknown."""
    return {410: "expired", 429: "busy", 503: "busy"}.get(error.status, "unknown")


def wait_after(answer: Response, error: FteError) -> Response:
    """The answer, with when to try again where that helps."""
    wait = getattr(error, "retry_after_s", None) or (2 if error.status == 503 else None)
    answer.headers.update({"Retry-After": str(wait)} if wait else {})
    return answer


def word(words: Words, language: str, name: str) -> str:
    """One text, escaped."""
    return html.escape(words[language, name])


def asked_language(words: Words, request: Request) -> str:
    """The first of the browser's languages that we have words in; English without one (RFC 9110, section 12.5.4)."""
    known = {language for language, _ in words}
    accepted = request.headers.get("accept-language", "")
    ranked = sorted((_ranked(part) for part in accepted.split(",")), key=lambda one: -one[0])
    return next((name for weight, name in ranked if weight > 0 and name in known), "en")


async def fields_of(request: Request) -> Mapping[str, str]:
    """The fields of a form (application/x-www-form-urlencoded), each once; none where there are none."""
    try:
        fields = parse_qs((await request.body()).decode("ascii"), max_num_fields=10)
    except (ClientDisconnect, ValueError):
        return {}
    return {name: values[0] for name, values in fields.items()}


@cache
def words_of(file: Path) -> Words:
    """By language and name; read once."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        head, _, text = line.partition(": ")
        language, name = head.split()
        found[language, name] = text
    return found


def _ranked(part: str) -> tuple[float, str]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), without_region(name)
    except ValueError:
        return 0.0, ""
