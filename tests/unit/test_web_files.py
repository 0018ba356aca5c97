"""Files attached on a ticket's page: within limits, kept once, and given out as nothing a browser would run."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.channels.web import file_routes
from shared.channels.web.api import build_api
from shared.channels.web.token import Holder
from shared.conversations.ticket_page import PageContents
from tests.conftest import make_settings
from tests.web_rig import Rig, error_of, rigged

_TEXT = ("notes.txt", b"The export stops at row 500.", "text/plain")
_PNG = ("shot.txt", b"\x89PNG\r\n\x1a\n" + bytes(40), "text/plain")


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    limits = {"form_max_file_bytes": 1000, "form_max_files": 2, "form_rate_exempt": ("203.0.113.0/24",)}
    async with rigged(make_settings(**limits), tmp_path) as rig:
        yield rig


async def attach(rig: Rig, given: dict[str, str], *files: tuple[str, bytes, str], **more: Any) -> httpx.Response:
    """Files sent as a browser sends them."""
    return await rig.on(given, "POST", "/attachments", files=[("file", file) for file in files], **more)


async def test_files_are_a_message_with_facts(rig: Rig) -> None:
    """202 with what each is by its contents; the event names the blobs that hold them, and the text of a text file."""
    answer = await attach(rig, await rig.open(), _TEXT, _PNG, data={"message": "See\x00 here"})
    assert answer.status_code == 202
    assert answer.json()["attachments"] == [
        {"id": None, "name": "notes.txt", "content_type": "text/plain", "size": 28},
        {"id": None, "name": "shot.txt", "content_type": "image/png", "size": 48},
    ]
    message = rig.sent.messages[1]
    assert message.text == "See here"
    assert message.provider_message_id.endswith(f".{answer.json()['message_id']}")
    assert [file.text for file in message.attachments] == ["The export stops at row 500.", ""]
    assert [rig.store.blobs[file.blob] for file in message.attachments if file.blob] == [_TEXT[1], _PNG[1]]


async def test_files_sent_again_are_kept_once(rig: Rig) -> None:
    """The same key, files and words: the same message, event and blobs. Another file under the key is another."""
    given = await rig.open()
    first, again = [await attach(rig, given, _TEXT, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.json() == again.json()
    assert rig.sent.events[1].id == rig.sent.events[2].id
    assert len(rig.store.blobs) == 1
    other = await attach(rig, given, _PNG, headers={"Idempotency-Key": "k"})
    assert other.json()["message_id"] != first.json()["message_id"]
    assert len(rig.store.blobs) == 2


async def test_kafka_away_and_tried_again_keeps_nothing_twice(rig: Rig) -> None:
    """503; the contents that were kept by then are those of the second try."""
    given = await rig.open()
    rig.sent.away = True
    assert (await attach(rig, given, _TEXT, headers={"Idempotency-Key": "k"})).status_code == 503
    rig.sent.away = False
    assert (await attach(rig, given, _TEXT, headers={"Idempotency-Key": "k"})).status_code == 202
    assert len(rig.store.blobs) == 1


async def test_without_postgres_files_wait(rig: Rig) -> None:
    """503 and no event: there is nowhere to keep the contents."""
    given = await rig.open()
    rig.store.away = True
    assert error_of(await attach(rig, given, _TEXT)) == (503, "database-away", None)
    assert len(rig.sent.events) == 1


@pytest.mark.parametrize(
    ("files", "status", "reason", "told"),
    [
        ([("big.bin", bytes(1001), "")], 413, "file-too-large", "1000 bytes"),
        ([_TEXT, _TEXT, _TEXT], 422, "too-many-files", "at most 2 files"),
        ([("empty.txt", b"", "text/plain")], 422, "empty-file", "empty"),
        ([_TEXT, ("empty.txt", b"", "text/plain")], 422, "empty-file", "empty"),
    ],
)
async def test_what_is_too_much_names_the_limit(
    rig: Rig, files: list[tuple[str, bytes, str]], status: int, reason: str, told: str
) -> None:
    """And keeps nothing at all."""
    answer = await attach(rig, await rig.open(), *files)
    assert error_of(answer) == (status, reason, "file")
    assert told in answer.json()["error"]["message"]
    assert rig.store.blobs == {}
    assert len(rig.sent.events) == 1


async def test_a_file_of_exactly_the_limit_is_taken(rig: Rig) -> None:
    """The limit is what may come."""
    assert (await attach(rig, await rig.open(), ("full.bin", bytes(1000), ""))).status_code == 202


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"file=notes", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json", 415),
        (b"", "", 415),
        (b"", "multipart/form-data", 400),
        (b"nonsense", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--',
            "multipart/form-data; boundary=x",
            422,
        ),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422),
        (b"--x--\r\n", "multipart/form-data; boundary=x; charset=\x00", 400),
    ],
)
async def test_what_is_no_upload_is_refused(rig: Rig, content: bytes, kind: str, status: int) -> None:
    """4xx in the one shape, and nothing is kept."""
    answer = await rig.on(await rig.open(), "POST", "/attachments", content=content, headers={"Content-Type": kind})
    assert error_of(answer)[0] == status, answer.text
    assert rig.store.blobs == {}


async def test_files_that_were_cut_off_are_not_taken_for_fewer(rig: Rig) -> None:
    """400: a connection that broke inside the second file must not look as if one had been sent."""
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nrow 500\r\n'
    given, headers = await rig.open(), {"Content-Type": "multipart/form-data; boundary=x"}
    for cut in range(1, len(part)):
        answer = await rig.on(given, "POST", "/attachments", content=part + part[:cut], headers=headers)
        assert error_of(answer) == (400, "malformed-body", "body")
    assert (
        await rig.on(given, "POST", "/attachments", content=part * 2 + b"--x--", headers=headers)
    ).status_code == 202


async def test_a_client_that_goes_away_is_no_fault_of_ours(rig: Rig) -> None:
    """Its files are closed and nothing is kept: a 4xx that nobody reads, and no bug in the log."""
    given = await rig.open()
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nrow 500'
    incoming = iter([{"type": "http.request", "body": part, "more_body": True}, {"type": "http.disconnect"}])
    answered: list[int] = []

    async def receive() -> Any:
        return next(incoming)

    async def send(message: Any) -> None:
        answered.extend([message["status"]] if message["type"] == "http.response.start" else [])

    headers = [
        (b"authorization", f"Bearer {given['token']}".encode()),
        (b"content-type", b"multipart/form-data; boundary=x"),
    ]
    scope = {"type": "http", "method": "POST", "path": f"/tickets/{given['ticket_id']}/attachments", "asgi": {}}
    more = {"query_string": b"", "headers": headers, "client": ("203.0.113.9", 1), "http_version": "1.1"}
    await build_api(rig.form)({**scope, **more}, receive, send)
    assert answered == [400]
    assert rig.store.blobs == {}


async def test_words_with_files_have_a_limit_too(rig: Rig) -> None:
    """422 naming it."""
    answer = await attach(rig, await rig.open(), _TEXT, data={"message": "x" * 90_001})
    assert error_of(answer) == (422, "too-long", "message")


async def test_long_texts_of_many_files_fit_the_event(tmp_path: Path) -> None:
    """Each gives a share; the event is one that the brokers take."""
    async with rigged(make_settings(form_max_files=20), tmp_path) as rig:
        files = [(f"{n}.txt", ("\U0001f600" * 20_000).encode(), "text/plain") for n in range(20)]
        answer = await attach(rig, await rig.open(), *files, data={"message": "\U0001f600" * 90_000})
        assert answer.status_code == 202
    assert len(rig.sent.events[1].data) < 512 * 1024
    assert rig.sent.messages[1].text == "\U0001f600" * 90_000
    assert all(file.text for file in rig.sent.messages[1].attachments)


async def test_the_token_is_looked_at_before_the_body(rig: Rig) -> None:
    """A stranger's upload is not even read."""
    given = await rig.open()

    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await rig.on(
        given | {"token": "wrong"},
        "POST",
        "/attachments",
        content=body(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert error_of(answer) == (404, "no-such-ticket", None)


# -- given out again ------------------------------------------------------------------------------------


async def test_a_file_is_given_out_to_be_saved(rig: Rig) -> None:
    """The bytes, the name in any script, and headers that forbid a browser to show, guess or run it."""
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents('Rechnung "Ü".html', "text/html", b"<script>alert(1)</script>")
    answer = await rig.on(given, "GET", f"/attachments/{file}")
    assert (answer.status_code, answer.content) == (200, b"<script>alert(1)</script>")
    headers = answer.headers
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''Rechnung%20%22%C3%9C%22.html"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize("kind", ["text/plain\r\nX-Evil: 1", "", "no type", "text/plain; charset=x", "é/é"])
async def test_a_type_that_is_none_is_bytes(rig: Rig, kind: str) -> None:
    """What a stranger declared becomes no header."""
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents("", kind, b"x")
    answer = await rig.on(given, "GET", f"/attachments/{file}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", [str(uuid.uuid4()), "1", "%00", "..%2F", "é"])
async def test_a_file_that_is_not_there_is_not_there(rig: Rig, name: str) -> None:
    """404; with a wrong token the 404 of the ticket."""
    given = await rig.open()
    answer = await rig.on(given, "GET", f"/attachments/{name}")
    assert error_of(answer)[0] == 404
    wrong = await rig.on(given | {"token": "x"}, "GET", f"/attachments/{uuid.uuid4()}")
    assert error_of(wrong) == (404, "no-such-ticket", None)


async def test_a_file_is_sent_whole_however_large(rig: Rig) -> None:
    """In pieces, with its length."""
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents("a.bin", "application/octet-stream", bytes(range(256)) * 1000)
    answer = await rig.on(given, "GET", f"/attachments/{file}")
    assert answer.content == bytes(range(256)) * 1000
    assert answer.headers["content-length"] == "256000"


async def test_few_files_are_fetched_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fifth waits for a place, and is told to come again when none gets free; places are given back."""
    monkeypatch.setattr(file_routes, "_PATIENCE_S", 0.1)
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents("a.txt", "text/plain", b"x")
    reading, entered = asyncio.Event(), asyncio.Semaphore(0)
    real = rig.store.file

    async def slowly(holder: Holder, file_id: uuid.UUID) -> PageContents | None:
        entered.release()
        await reading.wait()
        return await real(holder, file_id)

    monkeypatch.setattr(rig.store, "file", slowly)
    tasks = [asyncio.create_task(rig.on(given, "GET", f"/attachments/{file}")) for _ in range(4)]
    for _ in tasks:
        await entered.acquire()
    fifth = await rig.on(given, "GET", f"/attachments/{file}")
    assert error_of(fifth) == (503, "busy", None)
    assert fifth.headers["retry-after"] == "2"
    reading.set()
    assert {task.status_code for task in await asyncio.gather(*tasks)} == {200}
    assert {(await rig.on(given, "GET", f"/attachments/{file}")).status_code for _ in range(6)} == {200}


async def test_a_place_is_held_until_the_last_byte_is_sent(rig: Rig) -> None:
    """A client that takes its time does not let more files into memory than there are places."""
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents("a.bin", "application/octet-stream", bytes(200_000))
    taken: list[bool] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            taken.append(rig.form.downloads._value == 3)

    async def receive() -> Any:
        await asyncio.Event().wait()

    path = f"/tickets/{given['ticket_id']}/attachments/{file}"
    headers = [(b"authorization", f"Bearer {given['token']}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "asgi": {}}
    await build_api(rig.form)({**scope, "client": ("203.0.113.9", 1), "http_version": "1.1"}, receive, send)
    assert taken == [True] * 4
    assert rig.form.downloads._value == 4


async def test_who_takes_no_bytes_keeps_no_place(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download has a time of its own; what it was cut off from is missing by its length."""
    monkeypatch.setattr(file_routes, "_DOWNLOAD_S", 0.05)
    given, file = await rig.open(), uuid.uuid4()
    rig.store.files[file] = PageContents("a.bin", "application/octet-stream", bytes(200_000))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body"):
            await asyncio.Event().wait()

    async def receive() -> Any:
        await asyncio.Event().wait()

    path = f"/tickets/{given['ticket_id']}/attachments/{file}"
    headers = [(b"authorization", f"Bearer {given['token']}".encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "asgi": {}}
    whole = {**scope, "client": ("203.0.113.9", 1), "http_version": "1.1"}
    await asyncio.wait_for(build_api(rig.form)(whole, receive, send), 5)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert rig.form.downloads._value == 4


async def test_files_fetched_are_counted(tmp_path: Path) -> None:
    """As what else a client asks for; what was found is not told to one who asked too often."""
    async with rigged(make_settings(form_rate_client="2/minute"), tmp_path) as rig:
        given, path = await rig.open(), f"/attachments/{uuid.uuid4()}"
        assert [(await rig.on(given, "GET", path)).status_code for _ in range(2)] == [404, 429]


async def test_few_uploads_are_in_memory_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The third waits until one of two is done, and is taken then."""
    given, going, entered, waiting, most = await rig.open(), asyncio.Event(), asyncio.Semaphore(0), 0, 0
    real = rig.store.keep

    async def slowly(blob_id: uuid.UUID, data: bytes) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        entered.release()
        await going.wait()
        waiting -= 1
        await real(blob_id, data)

    monkeypatch.setattr(rig.store, "keep", slowly)
    tasks = [asyncio.create_task(attach(rig, given, _TEXT)) for _ in range(4)]
    for _ in range(2):
        await entered.acquire()
    await asyncio.sleep(0.1)
    going.set()
    assert {answer.status_code for answer in await asyncio.gather(*tasks)} == {202}
    assert most == 2
