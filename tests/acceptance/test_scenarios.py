"""Every scenario once, through the real processes with the offline model: a regression fails here."""

from __future__ import annotations

from tests.evals.scenarios.run import Target, run
from tests.evals.scenarios.story import load
from tests.system import System


async def test_every_customer_is_served_as_expected(system: System) -> None:
    """A mark that is no longer true fails as well. What was said: `python -m tests.evals.scenarios --say ID`."""
    scenarios = [one for one in load() if not one.scripted]
    report = await run(Target(system.home, system.environment), scenarios)
    assert "\n".join(report.regressions) == ""
    assert set(report.models()) <= {"offline", "none"}
