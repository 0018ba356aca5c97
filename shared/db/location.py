"""Where sql/ is: beside shared/, in a clone as in an image."""

from __future__ import annotations

from pathlib import Path

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"
