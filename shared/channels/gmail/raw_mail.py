"""A mail as Gmail's API hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RawMail:
    """What Gmail's API gives of one message; `raw` is RFC 822."""

    id: str
    thread_id: str
    labels: frozenset[str]
    received_at: datetime
    raw: bytes
