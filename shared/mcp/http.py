"""The MCP server over streamable HTTP at /mcp, for clients that do not start it themselves.

Loopback unless told otherwise. A web page in a browser on this machine must not reach it by a name of its own (DNS
rebinding): Host and Origin are checked against a list. Beyond loopback a token is demanded besides.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import socket
from typing import Any

import uvicorn
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Permanent

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
#: Bytes of one request: the longest arguments of a tool are a few thousand.
_MAX_BODY = 256 * 1024
#: Sessions at once, and seconds after which one that is silent ends.
_MAX_SESSIONS = 50
_IDLE_S = 1800.0
_END_S = 2


@dataclass(frozen=True, slots=True)
class Door:
    """Where to serve. `names` are further names that clients call us by, `token` what they must show (may be empty)."""

    host: str
    port: int
    token: str = ""
    names: Sequence[str] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """Where a client finds it; from elsewhere by the first of the names, where it has one."""
        host = (
            self.names[0] if self.names and not self.is_local else f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{host}:{self.port}{PATH}"


def door(address: str, token: str, names: Sequence[str] = ()) -> Door:
    """`HOST:PORT`, `[IPv6]:PORT` or `:PORT` (loopback). Raises Permanent for anything else, or an open door without a
    token or a name."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise Permanent("--http takes HOST:PORT, such as 127.0.0.1:8765", reason="bad-address")
    made = Door(host.strip("[]") or "127.0.0.1", int(port), token, names)
    if not made.is_local and not token:
        raise Permanent("set MCP_TOKEN: beyond this machine nobody is let in without it", reason="missing-token")
    if made.host in ("0.0.0.0", "::") and not names:  # noqa: S104  what is refused, not what is bound
        raise Permanent("name the host that clients call: --allow-host NAME", reason="missing-name")
    return made


def http_app(server: Server[Any], where: Door) -> ASGIApp:
    """The ASGI app; its lifespan runs the sessions."""
    names = [*_LOOPBACK, *where.names] if where.is_local else [where.host, *where.names]
    hosts = [host for name in names for host in (name, f"{name}:*")]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=_MAX_BODY,
        session_idle_timeout=_IDLE_S,
        max_sessions=_MAX_SESSIONS,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=hosts,
            allowed_origins=[f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")],
        ),
        host=where.host,
    )
    if where.token:
        app.user_middleware.insert(0, Middleware(_TokenRequired, token=where.token))
    return app


class _TokenRequired:
    """401 without `Authorization: Bearer TOKEN`, before anything else is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(_authorization(scope), self._wanted):
            refused = PlainTextResponse("a token is needed", 401, headers={"www-authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _authorization(scope: Scope) -> bytes:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    return given[0] if len(given) == 1 else b""


async def serve_http(server: Server[Any], where: Door, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called once the port is ours."""
    config = uvicorn.Config(
        http_app(server, where),
        host=where.host,
        port=where.port,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_END_S,
    )
    await _Announced(config, ready).serve()


class _Announced(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
