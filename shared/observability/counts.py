"""What a transaction will have done, counted once it is committed: a rollback counts nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import Counter


@dataclass(slots=True)
class Counts:
    """The counts of one transaction, to be shown behind it."""

    _waiting: list[tuple[Counter, float]] = field(default_factory=list[tuple[Counter, float]])

    def add(self, counter: Counter, *labels: str, by: float = 1) -> None:
        """Count this, when the time comes."""
        self._waiting.append((counter.labels(*labels), by))

    def show(self) -> None:
        """The transaction is committed."""
        for child, by in self._waiting:
            child.inc(by)
        self._waiting.clear()
