"""A call's arguments as a decision record may keep them: which, not what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def fingerprint(arguments: Mapping[str, Any]) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of the arguments as canonical JSON."""
    raw = json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return hashlib.sha256(raw).hexdigest(), len(raw)
