"""The scenarios on a running system: `python -m tests.evals.scenarios` (`--help` lists what it takes).

Exit code 0 when everything is as expected, 1 when something is not, 2 when they could not be run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from shared.settings import Settings
from tests.evals.scenarios.report import Report
from tests.evals.scenarios.run import Target, Unfit, run, scripted_model, system
from tests.evals.scenarios.story import Scenario, WrongScenario, load


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evals.scenarios", description="play customers, judge answers"
    )
    parser.add_argument("only", nargs="*", help="parts of ids; without them all are played")
    parser.add_argument("-k", type=int, default=1, help="how often each is played (default 1)")
    parser.add_argument("--at-once", type=int, default=12, help="how many are played at once (default 12)")
    parser.add_argument("--home", type=Path, help="FTE_HOME of a system that is up; else one of its own is brought up")
    parser.add_argument("--live", action="store_true", help="let the model of OPENAI_API_KEY answer; it costs money")
    parser.add_argument("--no-scripted", action="store_true", help="leave out those with a scripted model")
    parser.add_argument("-o", choices=("table", "json"), default="table", dest="output")
    parser.add_argument("--say", action="store_true", help="print what was said as well")
    chosen = parser.parse_args(given)
    if chosen.k < 1 or chosen.at_once < 1:
        parser.error("-k and --at-once are at least 1")
    if chosen.live and chosen.home:
        parser.error("--live brings up a system of its own: leave --home out")
    return chosen


def live_environment(settings: Settings) -> dict[str, str]:
    """What makes a system answer with the live model. Raises Unfit when there is no key."""
    key = settings.openai_api_key.get_secret_value()
    if not key:
        raise Unfit(
            "--live needs a model: set OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint than OpenAI's,"
            " in the environment or in .env. Without --live the offline model answers."
        )
    given = {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": settings.openai_base_url, "AGENT_MODEL": settings.agent_model}
    return given | {"OPENAI_API": settings.openai_api}


async def play(chosen: argparse.Namespace, scenarios: Sequence[Scenario]) -> Report:
    """All of them, the scripted ones on a system whose model is the fake."""
    plain = [one for one in scenarios if not one.scripted]
    scripted = [one for one in scenarios if one.scripted and not chosen.no_scripted and not chosen.live]
    reports: list[Report] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fte-scenarios-")))
        # PostgreSQL's own user must pass.
        folder.chmod(0o711)
        if plain:
            async with AsyncExitStack() as up:
                target = (
                    Target(chosen.home.resolve(), {**os.environ, "FTE_HOME": str(chosen.home.resolve())})
                    if (chosen.home)
                    else await up.enter_async_context(
                        system(folder / "plain", live_environment(Settings()) if chosen.live else {})
                    )
                )
                reports.append(await run(target, plain, k=chosen.k, at_once=chosen.at_once))
        if scripted:
            url = await stack.enter_async_context(scripted_model(folder))
            more = {"OPENAI_API_KEY": "secret", "OPENAI_BASE_URL": f"{url}/v1"}
            async with system(folder / "scripted", more) as target:
                ours = Target(target.home, target.environment, url)
                reports.append(await run(ours, scripted, k=chosen.k))
    return Report([one for report in reports for one in report.tries], chosen.k, sum(r.seconds for r in reports))


def _printed(report: Report, chosen: argparse.Namespace) -> str:
    if chosen.output == "json":
        return json.dumps(report.as_json(), ensure_ascii=False, indent=2)
    lines = report.lines()
    if chosen.say:
        for one in report.tries:
            lines += ["", f"{one.scenario.id} ({one.seconds:.0f} s)"]
            lines += [f"  {mark} {text}" for said in one.said for mark, text in zip("><", said, strict=True)]
            lines += [f"  ! {fault}" for fault in one.faults]
            lines += [f"  ~ step {place}: {fault}" for place, faults in one.known.items() for fault in faults]
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> int:
    """See the module."""
    chosen = arguments(given)
    try:
        wanted = [one for one in load() if not chosen.only or any(part in one.id for part in chosen.only)]
        report = asyncio.run(play(chosen, wanted))
    except (WrongScenario, Unfit) as error:
        print(error, file=sys.stderr)
        return 2
    print(_printed(report, chosen))
    return 1 if report.regressions else 0


if __name__ == "__main__":
    sys.exit(main())
