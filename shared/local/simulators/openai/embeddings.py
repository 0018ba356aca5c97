"""POST /v1/embeddings: deterministic vectors in which texts that share words are near each other."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from typing import Any, cast

from shared.local.simulators.openai.errors import OpenAIError

_WORD = re.compile(r"\w+")


def embeddings(asked: dict[str, Any], dimensions: int) -> dict[str, Any]:
    """The list object, in floats or base64 of little-endian float32, as `encoding_format` asks."""
    texts = _texts(asked.get("input"))
    size = int(asked.get("dimensions") or dimensions)
    packed = asked.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": _encoded(vector(t, size), packed)} for i, t in enumerate(texts)
    ]
    tokens = sum(len(text) // 4 + 1 for text in texts)
    spent = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": asked["model"], "usage": spent}


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector: each word adds to one coordinate that its hash names."""
    values = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        values[int.from_bytes(digest[:8]) % dimensions] += 1.0 if digest[8] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values] if length else [1.0, *values[1:]]


def _texts(given: object) -> list[str]:
    """One text, several, or token ids in place of a text."""
    if isinstance(given, str) and given:
        return [given]
    if not isinstance(given, list) or not given:
        raise OpenAIError(400, "'$.input' is invalid.", "input")
    items = cast("list[object]", given)
    if all(isinstance(item, int) for item in items):
        return [" ".join(map(str, items))]
    return [item if isinstance(item, str) else " ".join(map(str, cast("list[int]", item))) for item in items]


def _encoded(values: list[float], packed: bool) -> str | list[float]:
    if not packed:
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
