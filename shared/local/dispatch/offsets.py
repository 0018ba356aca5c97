"""How far a partition may be committed: up to its lowest record that is not finished, never beyond."""

from __future__ import annotations

from shared.events.records import Partition, Record


class Offsets:
    """The records under way of every partition assigned to one consumer."""

    def __init__(self) -> None:
        self._open: dict[tuple[Partition, int], set[int]] = {}
        self._next: dict[tuple[Partition, int], int] = {}

    def received(self, record: Record) -> None:
        """A record has been read; offsets within one assignment only rise, though some may be missing."""
        assignment = (record.partition, record.generation)
        self._open.setdefault(assignment, set()).add(record.offset)
        self._next[assignment] = record.offset + 1

    def finished(self, record: Record) -> int | None:
        """The offset the partition may be committed to (the next to read), None when the record holds back nothing.

        A record of a former assignment answers None: others read it again.
        """
        assignment = (record.partition, record.generation)
        under_way = self._open.get(assignment)
        if under_way is None or record.offset not in under_way:
            return None
        was_lowest = record.offset == min(under_way)
        under_way.remove(record.offset)
        return min(under_way, default=self._next[assignment]) if was_lowest else None

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """Forget everything about these partitions."""
        for assignment in [each for each in self._open if each[0] in partitions]:
            del self._open[assignment], self._next[assignment]
