"""The tables of `make eval` as the README shows them: `make readme` writes them anew; without `--write`, printed.

Computed as the commands compute them, the confusion matrix from its messages. What would take the whole system is what
the suite holds it to: every case passes (tests/integration/test_cases.py), every scenario is as expected, and one that
is known to fail fails (tests/acceptance/test_scenarios.py).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.agent.confusion import LABELS
from tests.evals.cases import load_cases
from tests.evals.run_cases import counted, escalation, escalation_matrix
from tests.evals.scenarios.play import Try
from tests.evals.scenarios.report import Report
from tests.evals.scenarios.story import Scenario, load

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
#: The tables by their first word, in the order of the README, indented as in its list.
_TABLES = re.compile(r"^   ```\n(   (?P<name>passed|escalation|channel) .*?)^   ```$", re.MULTILINE | re.DOTALL)


def tables() -> dict[str, str]:
    """Each table by its first word."""
    return {"passed": cases(), "escalation": matrix(), "channel": scenarios()}


def cases() -> str:
    """How many cases pass, in both ways and alike: all."""
    total = len(load_cases())
    return "\n".join(counted(total, total, total, total))


def matrix() -> str:
    """The head and a row a label of what the check before the model says of the held-out messages."""
    return "\n".join(escalation_matrix(escalation()).splitlines()[: 1 + len(LABELS)])


def scenarios() -> str:
    """The scenarios by channel, played as often as `make eval` plays them."""
    k = tries()
    return "\n".join(Report([_as_expected(one, number) for one in load() for number in range(1, k + 1)], k).table())


def tries() -> int:
    """How often `make eval` plays each scenario unless K says otherwise."""
    found = re.search(r"^K \?= (\d+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def _as_expected(scenario: Scenario, number: int) -> Try:
    marks = {place: ["as known"] for place, step in enumerate(scenario.steps, 1) if step.known}
    return Try(scenario, number, known=marks)


def shown(text: str) -> dict[str, str]:
    """The tables that a README shows."""
    return {found["name"]: _moved(found[1].splitlines(), -3) for found in _TABLES.finditer(text)}


def renewed(text: str, now: Mapping[str, str]) -> str:
    """The README with these tables."""
    return _TABLES.sub(lambda found: f"   ```\n{_moved(now[found['name']].splitlines(), 3)}\n   ```", text)


def _moved(lines: Sequence[str], by: int) -> str:
    return "\n".join(f"{' ' * by}{line}" if by > 0 else line[-by:] for line in lines)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.evals.readme", description="the README's tables")
    parser.add_argument("--write", action="store_true", help="write them into the README")
    if parser.parse_args().write:
        README.write_text(renewed(README.read_text(encoding="utf-8"), tables()), encoding="utf-8")
        return
    print("\n\n".join(f"```\n{table}\n```" for table in tables().values()))


if __name__ == "__main__":
    main()
