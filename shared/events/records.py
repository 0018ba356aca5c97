"""What a consumer reads, and how much of it at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read. `timestamp_ms` is 0 when it has none; repeated header names are kept."""

    partition: Partition
    offset: int
    generation: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """These partitions are no longer ours: what is under way in them will be read again by another."""

    partitions: frozenset[Partition]


@dataclass(frozen=True, slots=True)
class Flow:
    """How much is read ahead: at most `batch` records at once, and none while `bound` or more are under way.

    With `per_partition`, none of a partition while any of it is under way, which keeps its order.
    """

    bound: int = 50
    batch: int = 50
    per_partition: bool = False
