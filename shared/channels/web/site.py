"""The built web form, as files to serve: the page `index.html` and the script `widget.js`."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Retryable
from shared.settings import Settings

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[3] / "webform" / "dist"

_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class SiteFile:
    """One file; `etag` is a strong validator of its bytes (RFC 9110, section 8.8.3)."""

    body: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of the built form."""

    folder: Path

    @classmethod
    def from_settings(cls, settings: Settings) -> Site:
        """FORM_DIST_DIR, or webform/dist beside the project."""
        return cls(Path(settings.form_dist_dir) if settings.form_dist_dir else _BESIDE_THE_PROJECT)

    async def file(self, name: str) -> SiteFile:
        """Read one file. Raises Retryable (503) while the form is not built."""
        # Read each time: the page cache holds it, and a new build shows at once.
        return await asyncio.to_thread(_read, self.folder / name)


def _read(path: Path) -> SiteFile:
    try:
        body = path.read_bytes()
    except OSError:
        raise Retryable("the web form is not built: run `make webform`", reason="form-not-built") from None
    return SiteFile(body, _TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
