"""What a source has done since the process started, for `/stats`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class SourceCounts:
    """`in_flight` counts backoffs too; `lost` is what failed where no dead letter sink is named.

    `dead_letter_error` is why dead letters wait for their sink, None while none does: `last_error` would not keep it,
    as a broker that is away is told of many times a second.
    """

    in_flight: int = 0
    delivered: int = 0
    retried: int = 0
    dead_lettered: int = 0
    lost: int = 0
    last_error: str | None = None
    dead_letter_error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class PingCounts:
    """`next` is the coming tick in ISO 8601."""

    fired: int = 0
    failed: int = 0
    next: str | None = None
    last_error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
