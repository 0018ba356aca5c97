"""A ticket's files: attached, and fetched again. Both need PostgreSQL, which keeps the contents."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.channels.message import Attachment
from shared.channels.publish import publish_inbound
from shared.channels.web.form import (
    NO_STORE,
    FilesAdded,
    FileShown,
    Form,
    FormNeeded,
    HolderNeeded,
    IdempotencyKey,
)
from shared.channels.web.ticket import added_message, message_id
from shared.channels.web.token import keyed_uuid
from shared.channels.web.upload import Upload, contents_of, facts_of, received
from shared.errors import Rejected, Retryable
from shared.observability.logs import logger

routes = APIRouter()

#: A browser shows nothing of a file that a stranger sent, guesses no type, and runs nothing in it.
_DOWNLOAD = NO_STORE | {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PATIENCE_S = 5.0
#: The largest file (16 MB) over a line of 1 Mbit/s takes about as long.
_DOWNLOAD_S = 130.0
_PIECE = 65_536
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "message": {"type": "string", "maxLength": 90_000},
                    },
                }
            }
        },
    }
}


@routes.post("/tickets/{ticket_id}/attachments", status_code=202, openapi_extra=_BODY)
async def attach_files(
    request: Request,
    form: FormNeeded,
    holder: HolderNeeded,
    response: Response,
    idempotency_key: IdempotencyKey = "",
) -> FilesAdded:
    """Accept files as a message of their own, with or without words."""
    response.headers.update(NO_STORE)
    async with received(request, form.settings) as upload, form.uploads:
        found = await facts_of(upload.files)
        key = form.keys[0]
        message = message_id(key, holder, idempotency_key or secrets.token_hex(16), upload.message, found)
        await form.door.admit_ticket(request, holder.ticket, message)
        kept = await _keep(form, upload, found, message)
        await publish_inbound(
            form.producer, form.settings, added_message(holder, message, upload.message, form.clock.now(), kept)
        )
    logger().info("message_accepted", channel="web", trust=holder.trust, files=len(kept))
    return FilesAdded(
        message_id=message,
        attachments=[FileShown(name=file.name, content_type=file.content_type, size=file.size) for file in kept],
    )


async def _one_of_few(request: Request, form: FormNeeded, _holder: HolderNeeded) -> AsyncGenerator[None]:
    """For who holds a token: one of few places, until the last byte is sent, since each holds a file in memory."""
    await form.door.admit(request)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await form.downloads.acquire()
    except TimeoutError:
        raise Retryable("too many files are being fetched: try again", reason="busy") from None
    try:
        yield
    finally:
        form.downloads.release()


@routes.get(
    "/tickets/{ticket_id}/attachments/{attachment_id}",
    response_class=Response,
    dependencies=[Depends(_one_of_few)],
    responses={200: {"content": {"application/octet-stream": {}}, "description": "the file's bytes"}},
)
async def fetch_file(
    form: FormNeeded,
    holder: HolderNeeded,
    attachment_id: Annotated[str, Path(description="of a message's attachments")],
) -> Response:
    """A file that the page shows, to be saved."""
    try:
        file = await form.tickets.file(holder, UUID(attachment_id))
    except ValueError:
        file = None
    if file is None:
        raise Rejected("there is no such file on this ticket's page", status=404, reason="no-such-file")
    kind = file.content_type if _TYPE.fullmatch(file.content_type) else "application/octet-stream"
    disposition = f"attachment; filename*=UTF-8''{quote(file.name or 'unnamed', safe='')}"
    headers = _DOWNLOAD | {"Content-Type": kind, "Content-Disposition": disposition}
    return _Download(_pieces(file.data), headers=headers | {"Content-Length": str(len(file.data))})


class _Download(StreamingResponse):
    """Ends when its time is over, so that who takes no bytes keeps no place; the length tells that some are missing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(_DOWNLOAD_S):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            logger().warning("download_cut_off", seconds=_DOWNLOAD_S)


async def _pieces(data: bytes) -> AsyncGenerator[bytes]:
    # Sent as fast as the client takes it: at once, it would stay in memory after its place is given to another.
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


async def _keep(form: Form, upload: Upload, found: list[Attachment], message: str) -> list[Attachment]:
    """Keep the contents, each under an id that a second try makes again, so that it keeps nothing twice."""
    kept: list[Attachment] = []
    for ordinal, (file, facts) in enumerate(zip(upload.files, found, strict=True)):
        blob = keyed_uuid(form.keys[0], "file", message.encode(), str(ordinal).encode())
        await form.tickets.keep(blob, await contents_of(file))
        kept.append(facts.model_copy(update={"blob": blob}))
    return kept
