"""What a part says of itself in its parameters, RFC 2231 or RFC 2047 encoded, or bare."""

from __future__ import annotations

from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from shared.channels.gmail.headers import decoded
from shared.channels.plain_text import bare_name


def file_name(part: Message[Any, Any]) -> str:
    """The name a part was given, RFC 2231 or RFC 2047 encoded or bare; without folders, at most 255 characters."""
    try:
        name = _extended_name(part) or part.get_filename("") or ""
    except Exception:  # noqa: BLE001  the library trips over malformed RFC 2231 parameters
        name = ""
    return bare_name(decoded(name))


def _extended_name(part: Message[Any, Any]) -> str:
    """`filename*` tells the name where `filename` stands beside it for older readers (RFC 6266, section 4.3)."""
    params = part.get_params([], "content-disposition")
    return next((collapse_rfc2231_value(v) for k, v in params if k.lower() == "filename" and isinstance(v, tuple)), "")


def parameter(part: Message[Any, Any], name: str) -> str:
    """A parameter of Content-Type in lower case, or an empty text."""
    try:
        return str(part.get_param(name) or "").lower()
    except Exception:  # noqa: BLE001  a malformed parameter is no parameter
        return ""
