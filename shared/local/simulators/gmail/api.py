"""The Gmail API, v1: the paths, parameters and answers of its discovery document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.local.simulators.gmail.errors import invalid, not_found
from shared.local.simulators.gmail.mailbox import SYSTEM_LABELS
from shared.local.simulators.gmail.paging import page
from shared.local.simulators.gmail.payload import attachment, labelled, resource, snippet, summary
from shared.local.simulators.gmail.rows import DraftRow, HistoryRow, MessageRow
from shared.local.simulators.gmail.search import looks_aside, query
from shared.local.simulators.gmail.site import Site
from shared.local.simulators.gmail.uploads import json_object, submission

Answer = dict[str, Any] | None
Endpoint = Callable[[Site, Request], Awaitable[Answer]]

USER = "/gmail/v1/users/{user}"


async def get_profile(site: Site, request: Request) -> Answer:
    messages = list(site.mailbox.messages)
    return {
        "emailAddress": site.config.mailbox,
        "messagesTotal": len(messages),
        "threadsTotal": len({message.thread_id for message in messages}),
        "historyId": str(site.mailbox.history_id),
    }


async def list_messages(site: Site, request: Request) -> Answer:
    found = _search(site, request)
    chosen, more = page(request, found, lambda message: message.id)
    return {**_some("messages", [summary(message) for message in chosen]), **more, "resultSizeEstimate": len(found)}


async def get_message(site: Site, request: Request) -> Answer:
    return _shown(request, site.mailbox.message(request.path_params["id"]))


async def get_attachment(site: Site, request: Request) -> Answer:
    return attachment(site.mailbox.message(request.path_params["message"]), request.path_params["id"])


async def send_message(site: Site, request: Request) -> Answer:
    sent = await submission(request)
    return labelled(site.mailbox.send(sent.required(), sent.thread_id))


async def modify_message(site: Site, request: Request) -> Answer:
    asked = await json_object(request)
    add, remove = asked.get("addLabelIds") or (), asked.get("removeLabelIds") or ()
    return labelled(site.mailbox.relabel(request.path_params["id"], add, remove))


async def list_threads(site: Site, request: Request) -> Answer:
    newest: dict[str, MessageRow] = {}
    for message in _search(site, request):
        newest.setdefault(message.thread_id, message)
    chosen, more = page(request, list(newest.values()), lambda message: message.thread_id)
    threads = [{"id": m.thread_id, "snippet": snippet(m.bytes), "historyId": str(m.history_id)} for m in chosen]
    return {**_some("threads", threads), **more, "resultSizeEstimate": len(newest)}


async def get_thread(site: Site, request: Request) -> Answer:
    messages = site.mailbox.thread(request.path_params["id"])
    latest = max(message.history_id for message in messages)
    shown = [_shown(request, message) for message in messages]
    return {"id": messages[0].thread_id, "historyId": str(latest), "messages": shown}


async def list_labels(site: Site, request: Request) -> Answer:
    return {"labels": [{"id": label, "name": label, "type": "system"} for label in SYSTEM_LABELS]}


async def create_draft(site: Site, request: Request) -> Answer:
    asked = await submission(request)
    return _draft(site, site.mailbox.create_draft(asked.required(), asked.thread_id))


async def list_drafts(site: Site, request: Request) -> Answer:
    matches = query(request.query_params.get("q", ""), site.clock.now())
    found = [draft for draft in site.mailbox.drafts.newest_first() if matches(site.mailbox.message(draft.message_id))]
    chosen, more = page(request, found, lambda draft: draft.id)
    drafts = [{"id": d.id, "message": summary(site.mailbox.message(d.message_id))} for d in chosen]
    return {**_some("drafts", drafts), **more, "resultSizeEstimate": len(found)}


async def get_draft(site: Site, request: Request) -> Answer:
    draft = site.mailbox.draft(request.path_params["id"])
    return {"id": draft.id, "message": _shown(request, site.mailbox.message(draft.message_id))}


async def replace_draft(site: Site, request: Request) -> Answer:
    asked = await submission(request)
    return _draft(site, site.mailbox.replace_draft(request.path_params["id"], asked.required(), asked.thread_id))


async def send_draft(site: Site, request: Request) -> Answer:
    asked = await submission(request)
    if not asked.draft_id:
        raise invalid("Missing draft id")
    return labelled(site.mailbox.send_draft(asked.draft_id, asked.raw))


async def delete_draft(site: Site, request: Request) -> Answer:
    site.mailbox.delete_draft(request.path_params["id"])
    return None


async def list_history(site: Site, request: Request) -> Answer:
    start = request.query_params.get("startHistoryId", "")
    if not start.isdigit():
        raise invalid("Missing/invalid parameter: startHistoryId")
    if int(start) < site.mailbox.history_floor:
        raise not_found()
    kinds = request.query_params.getlist("historyTypes")
    label = request.query_params.get("labelId", "")
    found = [
        row
        for row in site.mailbox.history
        if int(row.id) > int(start) and (not kinds or row.change in kinds) and (not label or label in row.labels)
    ]
    chosen, more = page(request, found, lambda row: row.id)
    history = [_history(row) for row in chosen]
    return {**_some("history", history), **more, "historyId": str(site.mailbox.history_id)}


async def watch(site: Site, request: Request) -> Answer:
    row = site.watches.start(await json_object(request))
    # A successful watch publishes at once (developers.google.com/workspace/gmail/api/guides/push).
    site.subscription.publish(site.mailbox.history_id)
    return {"historyId": str(site.mailbox.history_id), "expiration": str(row.expiration)}


async def stop(site: Site, request: Request) -> Answer:
    site.watches.stop()
    return None


_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/profile", get_profile),
    ("GET", "/messages", list_messages),
    ("POST", "/messages/send", send_message),
    ("GET", "/messages/{id}", get_message),
    ("POST", "/messages/{id}/modify", modify_message),
    ("GET", "/messages/{message}/attachments/{id}", get_attachment),
    ("GET", "/threads", list_threads),
    ("GET", "/threads/{id}", get_thread),
    ("GET", "/labels", list_labels),
    ("GET", "/drafts", list_drafts),
    ("POST", "/drafts", create_draft),
    ("POST", "/drafts/send", send_draft),
    ("GET", "/drafts/{id}", get_draft),
    ("PUT", "/drafts/{id}", replace_draft),
    ("DELETE", "/drafts/{id}", delete_draft),
    ("GET", "/history", list_history),
    ("POST", "/watch", watch),
    ("POST", "/stop", stop),
)
_UPLOADS = (send_message, create_draft, send_draft, replace_draft)


def api_routes(site: Site) -> list[Route]:
    """Every path above, and those that take uploads below /upload too."""
    plain = [Route(USER + path, _served(site, end), methods=[method]) for method, path, end in _ENDPOINTS]
    uploads = [
        Route("/upload" + USER + path, _served(site, end), methods=[method])
        for method, path, end in _ENDPOINTS
        if end in _UPLOADS
    ]
    return plain + uploads


def _served(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        site.accounts.admit(request)
        answer = await endpoint(site, request)
        await site.journal.flush()
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return serve


def _search(site: Site, request: Request) -> list[MessageRow]:
    asked = request.query_params
    matches = query(asked.get("q", ""), site.clock.now())
    labels = set(asked.getlist("labelIds"))
    aside = asked.get("includeSpamTrash") == "true" or looks_aside(asked.get("q", ""))
    hidden: set[str] = set() if aside or labels & {"SPAM", "TRASH"} else {"SPAM", "TRASH"}
    return [
        message
        for message in site.mailbox.messages.newest_first()
        if labels <= set(message.labels) and not hidden & set(message.labels) and matches(message)
    ]


def _shown(request: Request, message: MessageRow) -> dict[str, Any]:
    form = request.query_params.get("format", "full").lower()
    return resource(message, form, request.query_params.getlist("metadataHeaders"))


def _draft(site: Site, draft: DraftRow) -> dict[str, Any]:
    return {"id": draft.id, "message": labelled(site.mailbox.message(draft.message_id))}


def _history(row: HistoryRow) -> dict[str, Any]:
    message = {"id": row.message_id, "threadId": row.thread_id}
    entry: dict[str, Any] = {"message": {**message, "labelIds": list(row.labels)}}
    if row.changed_labels:
        entry["labelIds"] = list(row.changed_labels)
    names = {"messageAdded": "messagesAdded", "messageDeleted": "messagesDeleted", "labelAdded": "labelsAdded"}
    return {"id": row.id, "messages": [message], names.get(row.change, "labelsRemoved"): [entry]}


def _some(name: str, items: Sequence[object]) -> dict[str, Any]:
    """An empty list is left out of an answer, as protocol buffers do."""
    return {name: list(items)} if items else {}
