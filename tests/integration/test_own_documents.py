"""A document without front matter and without an address is answered from, and cited by its title."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.channels.message import Channel, Trust
from shared.db.pool import Database
from shared.settings import Settings
from tests.evals.cases import Case
from tests.evals.run_cases import agents, run_case

_OCTOPUS = """# Octopus view

## How do I switch on the octopus view?

Open Settings › Views and choose Octopus. The octopus view shows all projects around one centre.

## Who may see the octopus view?

Admins and planners see it; guests do not.
"""


@pytest.mark.parametrize("channel", list(Channel))
async def test_a_document_without_an_address_is_answered_from(
    db: Database, settings: Settings, tmp_path: Path, channel: Channel
) -> None:
    (tmp_path / "octopus.md").write_text(_OCTOPUS, encoding="utf-8")
    case = Case("own", channel, Trust.VERIFIED, "View", (("How do I switch on the octopus view?",),), {}, {})
    async with agents(db, settings, tmp_path) as both:
        got = (await run_case(case, both.by_production)).got
    assert (got.outcome, got.reason) == ("replied", "")
    assert "choose Octopus" in got.text
    assert "“Octopus view”" in got.text
    assert got.documents == {"octopus"}
