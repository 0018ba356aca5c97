"""Every scenario once, through the real processes: with the offline model, and with one that keeps to a script."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.evals.scenarios.run import Target, run, scripted_model
from tests.evals.scenarios.run import system as system_of_its_own
from tests.evals.scenarios.story import load
from tests.system import System


async def test_every_customer_is_served_as_expected(system: System) -> None:
    """A mark that is no longer true fails as well. What was said: `python -m tests.evals.scenarios --say ID`."""
    scenarios = [one for one in load() if not one.scripted]
    report = await run(Target(system.home, system.environment), scenarios)
    assert "\n".join(report.regressions) == ""
    assert set(report.models()) <= {"offline", "none"}


async def test_every_customer_of_a_scripted_model_is_served_as_expected(memory_kafka: str) -> None:
    """A system of its own, since its model is the fake; Kafka in memory spares it the start of another."""
    scenarios = [one for one in load() if one.scripted]
    with tempfile.TemporaryDirectory(prefix="fte-scripted-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL's own user must pass.
        async with scripted_model(folder) as url:
            more = {
                "OPENAI_API_KEY": "local", "OPENAI_BASE_URL": f"{url}/v1", "KAFKA_BOOTSTRAP_SERVERS": memory_kafka,
            }  # fmt: skip
            async with system_of_its_own(folder / "fte", more) as target:
                report = await run(Target(target.home, target.environment, url), scenarios)
    assert "\n".join(report.regressions) == ""
    # The model is named by its setting; where it was away the offline one spoke.
    assert set(report.models()) > {"offline"}
    assert len(report.tries) == len(scenarios) >= 9
