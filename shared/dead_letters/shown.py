"""Rows as the desk shows them: sealed columns opened, ids and times as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.privacy.vault import Erased, Keyset


def plain(row: Any, keys: Keyset, labels: Mapping[str, str], *, body: str = "body") -> dict[str, Any]:
    """A row as JSON values: sealed columns opened under their names without `_enc`."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name in labels:
            shown[body if name == "body_enc" else name.removesuffix("_enc")] = unsealed(keys, labels[name], value)
        elif not name.endswith("_enc"):
            shown[name] = json_value(name, value)
    return shown


def unsealed(keys: Keyset, label: str, value: bytes | None) -> Any:
    """A sealed value opened; `[erased]` when its customer is."""
    if value is None:
        return None
    try:
        text = keys.unseal(label, value)
    except Erased:
        return "[erased]"
    if label == "route.address":
        return json.loads(text)["address"]
    return json.loads(text) if label == "decision.record" else text


def json_value(name: str, value: Any) -> Any:
    """A column's value as JSON has it."""
    if isinstance(value, UUID):
        return str(value)
    if name == "metadata" and isinstance(value, str):
        return json.loads(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
