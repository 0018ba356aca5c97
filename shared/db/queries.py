"""SQL lives in sql/queries/*.sql, named, readable in psql.

A file holds statements, each under a line `-- name: the_name`; `load("inbox")["the_name"]` is its
text. Loading happens once a file; a name that is missing fails when the module that uses it is
imported by a test, not in production at midnight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from shared.db.location import SQL_DIR

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load(name: str) -> Mapping[str, str]:
    """All statements of sql/queries/`name`.sql by their names."""
    return MappingProxyType(parse(Path(SQL_DIR, "queries", f"{name}.sql").read_text(encoding="utf-8")))


def parse(text: str) -> dict[str, str]:
    """Split a file at its name lines. Raises ValueError when two statements share a name."""
    parts = _NAME.split(text)
    names, bodies = parts[1::2], [body.strip() for body in parts[2::2]]
    if len(set(names)) != len(names):
        raise ValueError(f"a name stands twice: {sorted({name for name in names if names.count(name) > 1})}")
    return dict(zip(names, bodies, strict=True))
