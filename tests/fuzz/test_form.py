"""Anything sent to the form ends in a 2xx with one event or a 4xx without one: never a 5xx, never two.

Through the real app of form-submit with its doorway; Kafka and PostgreSQL are in memory and there.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from functions.form_submit.main import Deps, form_submit
from shared.channels.message import InboundMessage
from shared.channels.web.api import build_api
from shared.channels.web.challenge import Challenge
from shared.channels.web.door import Door
from shared.channels.web.form import Form
from shared.channels.web.site import Site
from shared.clock import SystemClock
from shared.conversations.ticket_page import PageContents, PageFile, PageMessage, TicketView
from shared.events.envelope import MAX_EVENT_BYTES
from shared.runtime.serve import serve
from shared.settings import Settings
from tests.conftest import make_settings
from tests.web_rig import BODY, NoLinks, NoSurveys, Publications, Store

FILE = uuid.UUID(int=7)
_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_IDENTITY_KEY = "a key of thirty-two characters or more"
_SETTINGS = make_settings(form_identity_key=SecretStr(_IDENTITY_KEY), form_rate_exempt=("0.0.0.0/0", "::/0"))
_sent, _store = Publications(), Store()
#: Answers by status: what is generated must reach both ends.
seen: Counter[int] = Counter()


@asynccontextmanager
async def open_deps(settings: Settings) -> AsyncGenerator[Deps]:
    """As the function's, with memory where its stores are."""
    async with Challenge.opened(_SETTINGS) as challenge:
        form = Form(
            _SETTINGS,
            _sent,
            _store,
            Site(Path(settings.form_dist_dir)),
            SystemClock(),
            Door(_SETTINGS),
            challenge,
            NoLinks(),
            NoSurveys(),
        )
        yield Deps(_SETTINGS, cast(Any, _sent), cast(Any, None), build_api(form))


assert form_submit  # found by its name in the module of open_deps


@dataclass(frozen=True)
class Asked:
    """The app, asked from synchronous examples."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    ticket: str
    token: str

    def __call__(
        self, method: str, path: str, headers: dict[str, bytes] | None = None, body: bytes = b""
    ) -> httpx.Response:
        """One request, after which the promise of this page is checked."""
        _sent.events.clear()
        url = httpx.URL("http://form").copy_with(raw_path=path.encode("ascii"))
        raw = [(name.encode(), value) for name, value in (headers or {}).items()]
        answer = self.loop.run_until_complete(self.client.request(method, url, headers=raw, content=body))
        seen[answer.status_code] += 1
        self.check(method, path, answer)
        return answer

    def check(self, method: str, path: str, answer: httpx.Response) -> None:
        """A 2xx with one event where something was sent, a 4xx with none; each event is one that agent-run reads."""
        assert answer.status_code < 500, answer.text
        published = [InboundMessage.model_validate_json(event.data) for event in _sent.events]
        assert len(published) == (answer.status_code == 202), (method, path, answer.status_code)
        assert all(len(event.data) <= MAX_EVENT_BYTES for event in _sent.events)
        in_words = "/verify" in path or path.partition("?")[0] == "/rate"
        if answer.status_code >= 400 and not in_words and method != "HEAD":
            assert set(answer.json()["error"]) == {"reason", "field", "message"}

    def on(self, what: str) -> str:
        """A path of the ticket that is open."""
        return f"/tickets/{self.ticket}{what}"

    @property
    def bearer(self) -> dict[str, bytes]:
        """The ticket's token as a header."""
        return {"authorization": b"Bearer " + self.token.encode()}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    dist = tmp_path_factory.mktemp("dist")
    for name in ("index.html", "widget.js"):
        (dist / name).write_text("x")
    patch = pytest.MonkeyPatch()
    patch.setenv("FORM_DIST_DIR", str(dist))
    patch.setenv("LOG_LEVEL", "ERROR")
    app = serve("form_submit", open_deps)
    loop = asyncio.new_event_loop()
    lifespan = app.router.lifespan_context(app)
    loop.run_until_complete(lifespan.__aenter__())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    client = httpx.AsyncClient(transport=transport)
    opened = loop.run_until_complete(client.post("http://form/tickets", json=BODY)).json()
    files = (PageFile(FILE, "a.txt", "text/plain", 1),)
    _store.page = TicketView("answered", (PageMessage("T", "customer", "Hi", _AT, files),))
    _store.files[FILE] = PageContents("a.txt", "text/plain", b"x")
    yield Asked(loop, client, opened["ticket_id"], opened["token"])
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(lifespan.__aexit__(None, None, None))
    loop.close()
    patch.undo()


# -- what may be sent -----------------------------------------------------------------------------------

_JSON = {"content-type": b"application/json"}
_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_PAGE = st.fixed_dictionaries(
    {}, optional={"trap": st.just("") | _VALUE, "opened_ms": st.integers(0, 10**9) | _VALUE, "challenge": _VALUE}
)
_NAMES = [*BODY, "phone", "identity", "page", "score", "comment"]
#: Mostly what a form sends, with a few fields that are something else, or are missing.
_FORM = st.builds(
    lambda changed, missing: {k: v for k, v in (BODY | changed).items() if k not in missing},
    st.dictionaries(st.sampled_from(_NAMES), _VALUE | _PAGE, max_size=3),
    st.sets(st.sampled_from(_NAMES), max_size=1),
)
_KEY = st.binary(max_size=210).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127))


def _encoded(value: object) -> bytes:
    return json.dumps(value).encode()


_HEADER = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="file"; filename="a.txt"',
        b'Content-Disposition: form-data; name="file"; filename=""',
        b'Content-Disposition: form-data; name="message"',
        b"Content-Disposition: form-data; name*=utf-8''file; filename*=utf-8''%ff%00",
        b'Content-Disposition: form-data; name="file"; filename="..\\..\\\xc3\xa9\r\n"',
        b"Content-Disposition: attachment",
        b"Content-Type: text/plain; charset=utf-16",
        b"Content-Type: application/pdf",
        b"Content-Type: \xff\x00",
        b"Content-Transfer-Encoding: base64",
    ]
) | st.binary(max_size=30)
_PART = st.builds(
    lambda headers, body: b"--x\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + body + b"\r\n",
    st.lists(_HEADER, min_size=1, max_size=3),
    st.sampled_from([b"", b"row 500", b"%PDF-1.4\n%", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n"]) | st.binary(max_size=60),
)
_MULTIPART = st.builds(
    lambda parts, end: b"".join(parts) + end, st.lists(_PART, max_size=4), st.sampled_from([b"--x--\r\n", b"", b"--x"])
)
_GOOD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nrow 500\r\n--x--\r\n'
_TORN = st.builds(lambda at, junk: _GOOD[:at] + junk + _GOOD[at:], st.integers(0, len(_GOOD)), st.binary(max_size=10))
_KIND = st.sampled_from(
    [
        b"multipart/form-data; boundary=x",
        b"multipart/form-data; boundary=x; charset=undefined",
        b"multipart/form-data; boundary=x; charset=zlib",
        b'multipart/form-data; boundary=""',
        b"multipart/form-data",
        b"application/json",
    ]
)
_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#%"), max_size=20)
_SEGMENT = (
    st.sampled_from(
        [
            "tickets",
            "messages",
            "attachments",
            "rating",
            "verify",
            "rate",
            "config",
            "widget",
            "..",
            "%00",
            "%2F",
            "%ff",
            str(FILE),
            "TICKET",
        ]
    )
    | _WORD
)
_PATH = st.lists(_SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(parts))
_QUERY = st.sampled_from(["", "?token=", "?token=x&token=y", "?token=%00%ff", "?"]) | _WORD.map("?token={}".format)
_METHOD = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])


# -- what then holds ------------------------------------------------------------------------------------


@given(_FORM | _VALUE, _KEY)
def test_any_form_is_one_event_or_a_refusal(ask: Asked, value: object, key: bytes) -> None:
    """Any JSON, under any idempotency key."""
    ask("POST", "/tickets", _JSON | {"idempotency-key": key}, _encoded(value))


@given(st.binary(max_size=200), st.sampled_from([b"application/json", b"text/plain", b"", b"\xff"]))
def test_any_bytes_as_a_form_are_a_refusal(ask: Asked, body: bytes, kind: bytes) -> None:
    """No bytes of that length happen to be a ticket."""
    assert ask("POST", "/tickets", {"content-type": kind}, body).status_code >= 400


@given(st.binary(max_size=200) | _WORD.map(lambda word: f"token={word}&score=4".encode()))
def test_any_bytes_as_an_answer_to_a_mailed_question_are_a_refusal(ask: Asked, body: bytes) -> None:
    """No bytes happen to be a link of ours."""
    kind = {"content-type": b"application/x-www-form-urlencoded"}
    assert ask("POST", "/rate", kind, body).status_code in (404, 429)


@given(_FORM | _VALUE, _KEY, st.sampled_from(["/messages", "/rating"]))
def test_anything_added_is_one_event_or_a_refusal(ask: Asked, value: object, key: bytes, what: str) -> None:
    """On a ticket that is open, with its token."""
    ask("POST", ask.on(what), ask.bearer | _JSON | {"idempotency-key": key}, _encoded(value))


@given(_MULTIPART | _TORN | st.binary(max_size=200), _KIND, _KEY)
def test_any_upload_is_one_event_or_a_refusal(ask: Asked, body: bytes, kind: bytes, key: bytes) -> None:
    """Whatever the parts are, and sent again it is the same event."""
    headers = ask.bearer | {"content-type": kind, "idempotency-key": key}
    first = ask("POST", ask.on("/attachments"), headers, body)
    again = ask("POST", ask.on("/attachments"), headers, body)
    assert first.status_code == again.status_code
    if key.strip():
        assert first.json() == again.json()


@given(_METHOD, _PATH, _QUERY, st.binary(max_size=40), st.binary(max_size=40))
def test_any_request_is_answered(ask: Asked, method: str, path: str, query: str, bearer: bytes, proxy: bytes) -> None:
    """Any method, path, query, token and forwarded address."""
    headers = {"authorization": b"Bearer " + bearer, "x-forwarded-for": proxy, "accept-language": proxy}
    with suppress(httpx.InvalidURL):  # nothing that a client could send
        ask(method, path + query, headers)


@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from(["", "/attachments/" + str(FILE)]))
def test_a_token_with_another_byte_opens_nothing(ask: Asked, at: int, byte: int, what: str) -> None:
    """The page and its files, by header: the token that was given, or 404."""
    token = bytearray(ask.token.encode())
    token[at % len(token)] = byte
    answer = ask("GET", ask.on(what), {"authorization": b"Bearer " + bytes(token)})
    assert (answer.status_code == 200) == (bytes(token) == ask.token.encode())


def test_what_was_sent_was_taken_and_refused() -> None:
    """The properties above are not empty: forms, messages and uploads were accepted, and each refusal was met."""
    if not seen:
        pytest.skip("it looks back at the properties above, and none of them ran")
    accepted = seen[202] + seen[204]
    assert accepted > sum(seen.values()) / 50
    assert {400, 404, 405, 415, 422} <= set(seen)
