"""The whole system, up for acceptance and browser tests: its own home, its own ports, real processes."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`fte up --detach`, used by every test, and `fte down` after the last."""
    home = Path(os.environ.get("FTE_TEST_HOME") or tmp_path_factory.mktemp("fte"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "GMAIL_"))}
    environment |= {"FTE_HOME": str(home), "FORM_IDENTITY_KEY": secrets.token_urlsafe(36)}
    fte = [sys.executable, "-m", "shared.cli.fte"]
    up = subprocess.run(
        [*fte, "up", "--detach"], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert up.returncode == 0, up.stderr
    yield System(home, environment)
    down = subprocess.run([*fte, "down"], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert down.returncode == 0, down.stderr
