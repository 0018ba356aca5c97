"""Where each Knative service answers on this machine: a JSON file of service name to base URL, read again on change."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urljoin

from shared.local.dispatch.manifest import Sink
from shared.observability.logs import logger

_LOOK_EVERY_S = 0.5


class Routes:
    """The file's current content. Run `watch` beside whoever resolves."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._bases: dict[str, str] = {}
        self._changed = asyncio.Condition()

    async def watch(self) -> None:
        """Read the file whenever it changes, until cancelled; a file that is absent or half written is waited for."""
        while True:
            await self.refresh()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def refresh(self) -> None:
        """Read the file if it has changed since."""
        found = await asyncio.to_thread(self._read)
        if found is None:
            return
        async with self._changed:
            self._bases = found
            self._changed.notify_all()
        logger().info("routes_read", services=sorted(found))

    async def resolve(self, sink: Sink) -> str:
        """The URL of a sink; waits while its service has no route: in a cluster such a source is not ready."""
        if sink.service is None:
            return sink.uri
        if sink.service not in self._bases:
            logger().warning("no_route_yet", service=sink.service)
            async with self._changed:
                await self._changed.wait_for(lambda: sink.service in self._bases)
        # As Knative's resolver does: a relative reference against the service's address (RFC 3986, section 5).
        return urljoin(self._bases[sink.service].rstrip("/") + "/", sink.uri)

    def _read(self) -> dict[str, str] | None:
        try:
            stat = self._file.stat()
            if (stat.st_mtime_ns, stat.st_ino) == self._seen:
                return None
            found = {str(name): str(base) for name, base in json.loads(self._file.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return None
        self._seen = (stat.st_mtime_ns, stat.st_ino)
        return found
