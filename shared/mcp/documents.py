"""The help centre's documents as MCP resources: listed, read, and read as an older version said it.

`knowledge://documents/ID` is the version that is searched, `…/versions` the list of all, `…/versions/N` one of them:
an answer cites a version, and whoever reviews it reads what was true then.
"""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from shared.errors import Rejected
from shared.knowledge.document import INTERNAL

ROOT = "knowledge://documents/"
MARKDOWN = "text/markdown"
_JSON = "application/json"
#: Documents on one page of the list.
PAGE = 100
# Ids as shared.knowledge.document.Document has them.
_URI = re.compile(r"^knowledge://documents/([a-z0-9][a-z0-9-]{0,119})(?:(/versions)(?:/([1-9]\d{0,6}))?)?$")
_TEMPLATES = (
    ("{id}", "document", "A document as it is searched now", MARKDOWN),
    ("{id}/versions", "versions", "The versions of a document, the newest first", _JSON),
    ("{id}/versions/{version}", "document_version", "A document as one of its versions said it", MARKDOWN),
)


class DocumentsPort(Protocol):
    """The documents behind the resources; shared.knowledge.library.Library is one."""

    async def documents(self) -> list[dict[str, Any]]:
        """The active documents, by id."""
        ...

    async def document(self, document_id: str, version: int | None = None) -> dict[str, Any]:
        """A document with its versions and the passages of one. Raises Rejected (404)."""
        ...


async def listed(documents: DocumentsPort, params: PaginatedRequestParams | None) -> ListResourcesResult:
    """One page of the documents that are searched; the cursor is the id that the page before ended with."""
    after = (params.cursor if params else None) or ""
    rest = [one for one in await documents.documents() if one["id"] > after and one["audience"] != INTERNAL]
    cursor = rest[PAGE - 1]["id"] if len(rest) > PAGE else None
    return ListResourcesResult(resources=[_resource(one) for one in rest[:PAGE]], next_cursor=cursor)


def templates() -> ListResourceTemplatesResult:
    """How a document, its versions and one version are addressed."""
    return ListResourceTemplatesResult(
        resource_templates=[
            ResourceTemplate(uri_template=f"{ROOT}{path}", name=name, description=description, mime_type=kind)
            for path, name, description, kind in _TEMPLATES
        ]
    )


async def opened(documents: DocumentsPort, params: ReadResourceRequestParams) -> ReadResourceResult:
    """What stands at an address. Raises MCPError (invalid params) where there is nothing."""
    match = _URI.match(params.uri)
    if match is None:
        raise MCPError(INVALID_PARAMS, f"no such resource: they begin with {ROOT}")
    version = int(match[3]) if match[3] else None
    try:
        found = await documents.document(match[1], version)
    except Rejected as error:
        raise MCPError(INVALID_PARAMS, f"no such resource: {error}") from None
    if found["audience"] == INTERNAL:
        raise MCPError(INVALID_PARAMS, "no such resource: this document is for colleagues only")
    only_versions = match[2] and version is None
    text = json.dumps(found["versions"]) if only_versions else _markdown(found)
    kind = _JSON if only_versions else MARKDOWN
    return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=kind, text=text)])


def _resource(one: dict[str, Any]) -> Resource:
    facts = ", ".join(str(one[name]) for name in ("language", "product", "audience") if one.get(name))
    return Resource(
        uri=f"{ROOT}{one['id']}",
        name=one["id"],
        title=one["title"],
        description=f"version {one['version']}; {facts}",
        mime_type=MARKDOWN,
    )


def _markdown(found: dict[str, Any]) -> str:
    """The document from its passages, each under its heading; a heading that goes on is not said twice."""
    source = f"\n\nSource: {found['url']}" if found["url"] else ""
    parts = [f"# {found['title']}\n\nVersion {found['version']}{source}"]
    last = found["title"]
    for passage in found["passages"]:
        path = passage["heading_path"]
        if path not in ("", last):
            parts.append(f"## {path.rsplit(' > ', 1)[-1]}")
            last = path
        parts.append(passage["content"])
    return "\n\n".join(parts)
