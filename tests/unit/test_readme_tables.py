"""The tables of `make eval` in the README are those that it prints."""

from __future__ import annotations

import re

from tests.evals.readme import README, cases, matrix, renewed, scenarios, shown, tries
from tests.evals.run_cases import counted

SHOWN = shown(README.read_text(encoding="utf-8"))
RENEW = "the README is behind: `make readme`"


def test_the_cases_are_counted() -> None:
    """All of tests/evals/cases.yaml, under the names that are printed."""
    assert SHOWN["passed"] == cases(), RENEW


def test_the_confusion_matrix_is_that_of_the_held_out_messages() -> None:
    """Each figure: nothing of it is left to chance or to a machine."""
    assert SHOWN["escalation"] == matrix(), RENEW


def test_the_scenarios_are_counted_by_channel() -> None:
    """With the columns of as many tries as `make eval` plays, and what is known to fail."""
    assert SHOWN["channel"] == scenarios(), RENEW
    assert f"pass^{tries()}" in SHOWN["channel"]


def test_what_is_renewed_is_the_table_and_nothing_else() -> None:
    """A table that is behind is replaced, indented as it was; the rest of the page stays."""
    text = README.read_text(encoding="utf-8")
    behind = re.sub(r"in production( +)\d+ of \d+", r"in production\g<1>1 of 2", text)
    assert shown(behind) != SHOWN
    assert renewed(behind, SHOWN) == text


def test_what_is_counted_is_what_make_eval_prints() -> None:
    """The three lines, in the README's words."""
    assert counted(1, 2, 3, 4) == (
        "passed through the tools      1 of 4",
        "passed in production          2 of 4",
        "same outcome in both          3 of 4",
    )
