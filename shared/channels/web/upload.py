"""Files sent with a form (multipart/form-data, RFC 7578): read within limits, looked at, named by their contents.

The request is spooled to disk above a megabyte; of the files one at a time is in memory. What is wrong is said
with the limit, before anything is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from shared.channels import files
from shared.channels.message import Attachment
from shared.channels.plain_text import clean, cut, is_blank
from shared.channels.web.ticket import MAX_MESSAGE_WITH_FILES
from shared.errors import Rejected
from shared.settings import Settings

#: Parts that are read at all; a request with more is no upload of a person.
_MAX_PARTS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: `message` is empty where no word did."""

    message: str
    files: tuple[UploadFile, ...]


class _Parser(MultiPartParser):
    """Starlette's, which takes a body that ends inside a file for one without that file."""

    ended = False

    def on_end(self) -> None:
        """The closing boundary came: nothing was cut off."""
        self.ended = True

    def close(self) -> None:
        """Close every file, also one that never ended."""
        for file in self._files_to_close_on_error:
            file.close()


@asynccontextmanager
async def received(request: Request, settings: Settings) -> AsyncGenerator[Upload]:
    """The upload; its files are gone afterwards. Raises Rejected: 400, 413, 415 or 422, naming what and how much."""
    parser = _parser(request)
    try:
        form = await _parsed(parser)
        upload = Upload(_message(form), tuple(part for _, part in form.multi_items() if isinstance(part, UploadFile)))
        _require_fit(upload.files, settings)
        yield upload
    finally:
        parser.close()


async def facts_of(uploaded: Sequence[UploadFile]) -> list[Attachment]:
    """The facts of each file; the texts of all of them together fit the event that will carry them."""
    found = [await _facts(file) for file in uploaded]
    share = files.MAX_TEXT // len(found)
    return [file.model_copy(update={"text": cut(file.text, share)}) for file in found]


async def contents_of(file: UploadFile) -> bytes:
    """All of one file, from its beginning."""
    await file.seek(0)
    return await file.read()


async def _facts(file: UploadFile) -> Attachment:
    data = await contents_of(file)
    return await asyncio.to_thread(files.facts, file.filename or "unnamed", file.content_type or "", data)


def _parser(request: Request) -> _Parser:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Rejected("send the files as multipart/form-data", status=415, reason="not-multipart", field="body")
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it tells a log what it met in a stranger's body
    return _Parser(request.headers, request.stream(), max_files=_MAX_PARTS, max_fields=_MAX_PARTS)


async def _parsed(parser: _Parser) -> FormData:
    try:
        form = await parser.parse()
    except ClientDisconnect:
        raise _refused("the request ended early", 400, "disconnected", "body") from None
    except (MultiPartException, ValueError):  # the second for a charset that Python cannot read names in
        message = f"the form cannot be read, or has more than {_MAX_PARTS} parts"
        raise _refused(message, 400, "malformed-body", "body") from None
    if not parser.ended:
        raise _refused("the form was cut off: its closing boundary is missing", 400, "malformed-body", "body")
    return form


def _message(form: FormData) -> str:
    said = form.get("message", "")
    text = clean(said) if isinstance(said, str) else ""
    if len(text) > MAX_MESSAGE_WITH_FILES:
        raise _refused(f"message: at most {MAX_MESSAGE_WITH_FILES} characters with files", 422, "too-long", "message")
    return "" if is_blank(text) else text


def _require_fit(uploaded: Sequence[UploadFile], settings: Settings) -> None:
    most, bytes_each = settings.form_max_files, settings.form_max_file_bytes
    if not uploaded:
        raise _refused("file: at least one file is needed", 422, "no-file", "file")
    if len(uploaded) > most:
        raise _refused(f"file: at most {most} files at once", 422, "too-many-files", "file")
    if any(not file.size for file in uploaded):
        raise _refused("file: a file is empty", 422, "empty-file", "file")
    if any((file.size or 0) > bytes_each for file in uploaded):
        raise _refused(f"file: a file may have at most {bytes_each} bytes", 413, "file-too-large", "file")


def _refused(message: str, status: int, reason: str, field: str) -> Rejected:
    return Rejected(message, status=status, reason=reason, field=field)
