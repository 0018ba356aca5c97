"""What a simulator remembers: rows in memory, appended to a file of JSON lines so that a restart finds them again.

A change is made in memory and noted at once, in order; `flush()` writes what was noted before the
request is answered. A line torn by a kill is dropped at the next start, like the request it belonged to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """One remembered thing; changed by putting a changed copy."""

    model_config = ConfigDict(frozen=True)

    id: str


R = TypeVar("R", bound=Row)


class _Part(Protocol):
    def apply(self, key: str | None, row: dict[str, Any] | None) -> None: ...

    def snapshot(self) -> Iterator[str]: ...


class Journal:
    """The file behind a simulator's tables; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "journal.jsonl" if folder else None
        self._noted: list[str] = []
        self._parts: dict[str, _Part] = {}
        self._writing = asyncio.Lock()

    def join(self, name: str, part: _Part) -> None:
        self._parts[name] = part

    def note(self, line: str) -> None:
        if self._path is not None:
            self._noted.append(line)

    async def open(self) -> None:
        """Read what an earlier process left, and rewrite it without what was replaced since."""
        if self._path is not None:
            await asyncio.to_thread(self._load, self._path)

    async def flush(self) -> None:
        """Write everything noted so far; returns when the operating system has it."""
        async with self._writing:
            lines, self._noted = self._noted, []
            if lines and self._path is not None:
                await asyncio.to_thread(_append, self._path, lines)

    def _load(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        for record in _records(path):
            self._parts[record["table"]].apply(record["key"], record["row"])
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(line + "\n" for part in self._parts.values() for line in part.snapshot()))
        fresh.chmod(0o600)
        fresh.replace(path)


class Table(Generic[R]):
    """Rows of one kind by id, in the order they were first put."""

    def __init__(self, journal: Journal, name: str, model: type[R]) -> None:
        self._journal = journal
        self._name = name
        self._model = model
        self._rows: dict[str, R] = {}
        journal.join(name, self)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> R | None:
        return self._rows.get(key)

    def newest_first(self) -> Iterator[R]:
        return reversed(list(self._rows.values()))

    def put(self, row: R) -> R:
        self._rows[row.id] = row
        self._journal.note(_line(self._name, row.id, row))
        return row

    def drop(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            self._journal.note(_line(self._name, key, None))

    def clear(self) -> None:
        self._rows.clear()
        self._journal.note(_line(self._name, None, None))

    def apply(self, key: str | None, row: dict[str, Any] | None) -> None:
        """One line of the journal, read back: a row put, a row dropped, or all of them."""
        if key is None:
            self._rows.clear()
        elif row is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = self._model.model_validate(row)

    def snapshot(self) -> Iterator[str]:
        return (_line(self._name, row.id, row) for row in self._rows.values())


def _line(table: str, key: str | None, row: Row | None) -> str:
    return json.dumps({"table": table, "key": key, "row": row.model_dump(mode="json") if row else None})


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return  # torn by a kill in the middle of a write
            yield json.loads(line)


def _append(path: Path, lines: list[str]) -> None:
    with path.open("a") as journal:
        journal.write("\n".join(lines) + "\n")
