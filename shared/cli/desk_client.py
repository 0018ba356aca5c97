"""Speaking to the desk (dlq-review): on this machine as `.fte/endpoints.json` says, or wherever FTE_DESK_URL is.

Runs by itself: it needs neither the functions' dependencies nor a system on this machine.
"""

from __future__ import annotations

import getpass
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shared.errors import Permanent, Retryable

_TIMEOUT_S = 30.0
#: What to do next, by the desk's reason.
_NEXT = {
    "unknown-ticket": "`kn-fte tickets list` shows them",
    "unknown-attachment": "`kn-fte tickets show` names the files of a ticket",
    "unknown-message": "`kn-fte tickets show` names the raw mails of a ticket",
    "unknown-customer": "`kn-fte customers list` shows them",
    "unconfirmed-address": "`kn-fte tickets list` shows its ticket, `kn-fte customers list --address` who wrote it",
    "unknown-merge": "`kn-fte customers show WHO` shows the merges",
    "only-identifier": "nobody shares it; `kn-fte customers show WHO` shows them, `kn-fte customers merge` joins two",
    "came-by-merge": "`kn-fte customers unmerge MERGE`",
    "merged-customer": "`kn-fte customers unmerge` parts them",
    "unknown-dead-letter": "`kn-fte dead-letters list` shows them",
    "unknown-document": "`kn-fte knowledge list` shows them",
    "bad-operator-token": "FTE_OPERATOR_TOKEN must be the one the desk was started with",
}


@dataclass(frozen=True, slots=True)
class DeskClient:
    """The desk's base URL and the operator's token."""

    url: str
    token: str

    @classmethod
    def find(cls) -> DeskClient:
        """From FTE_DESK_URL and FTE_OPERATOR_TOKEN, else from the system on this machine.

        Without a URL it is this machine's system, with the token that one was started with.
        Raises Permanent that says how to name a desk.
        """
        url, token = os.environ.get("FTE_DESK_URL", ""), os.environ.get("FTE_OPERATOR_TOKEN", "")
        if url and token:
            return cls(url.rstrip("/"), token)
        found = local_endpoints()
        if found is None:
            raise Permanent(
                "no desk here: run `make up`, or set FTE_DESK_URL and FTE_OPERATOR_TOKEN for the cluster's",
                reason="no-desk",
            )
        return cls(url.rstrip("/") or found["functions"]["dlq-review"], found["operator_token"])

    @classmethod
    def here(cls) -> DeskClient:
        """The desk of the system on this machine, whatever the environment names. Raises Permanent without one."""
        found = local_endpoints()
        if found is None:
            raise Permanent("nothing is up here: start it with `make up`", reason="not-up")
        return cls(found["functions"]["dlq-review"], found["operator_token"])

    async def get(self, path: str, **query: Any) -> Any:
        """GET; None values are left out of the query."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self._call("GET", path, params=given)

    async def post(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """POST a JSON body."""
        return await self._call("POST", path, json=body or {}, params=query)

    @staticmethod
    def operator() -> str:
        """Who is at the keyboard: FTE_OPERATOR, else the login's name; empty where neither is known."""
        with suppress(OSError, KeyError):
            return os.environ.get("FTE_OPERATOR") or getpass.getuser()
        return ""

    async def download(self, path: str) -> bytes:
        """GET the contents of a file."""
        response = await self._request("GET", path, headers=self._headers())
        if response.status_code >= 400:
            raise Permanent(_message(response), reason="refused")
        return response.content

    async def health(self) -> dict[str, Any]:
        """`/health`, whether it serves or not; it wants no token. Raises Retryable when nothing answers."""
        response = await self._request("GET", "/health")
        try:
            found: Any = response.json()
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {"status": f"it answered {response.status_code}"}

    def _headers(self) -> dict[str, str]:
        # Header fields are ASCII (RFC 9110, section 5.5).
        name = self.operator().encode("ascii", "replace").decode()
        return {"Authorization": f"Bearer {self.token}", "FTE-Operator": name}

    async def _call(self, method: str, path: str, **more: Any) -> Any:
        response = await self._request(method, path, headers=self._headers(), **more)
        if response.status_code >= 400:
            raise Permanent(_message(response), reason="refused")
        return response.json()

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
                return await client.request(method, self.url + path, **more)
        except httpx.HTTPError as error:
            raise Retryable(f"the desk at {self.url} does not answer: {type(error).__name__}") from None


def local_endpoints() -> dict[str, Any] | None:
    """`.fte/endpoints.json`: in FTE_HOME, this folder or one above it, or beside the project."""
    folders = [Path(os.environ["FTE_HOME"])] if os.environ.get("FTE_HOME") else []
    if not folders:
        here = Path.cwd()
        folders = [folder / ".fte" for folder in (here, *here.parents, Path(__file__).resolve().parents[2])]
    for folder in folders:
        try:
            return json.loads((folder / "endpoints.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            continue
    return None


def _message(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        then = _NEXT.get(error.get("reason"))
        return f"{error['message']}: {then}" if then else str(error["message"])
    except (ValueError, KeyError, TypeError):
        return f"the desk answered {response.status_code}"
