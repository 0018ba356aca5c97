"""What came out: pass^1 and pass^k, what failed, whom the escalation reached, tokens and cost.

pass^k is the chance that all of k tries pass. Of n tries of a scenario of which c passed it is estimated without
bias as C(c, k) / C(n, k); a channel's is the mean over its scenarios (Yao et al., tau-bench, 2024).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

from tests.evals.scenarios.play import Try

_COST = ("cost", "cost_usd")
_ORDER = ("refund", "pricing", "legal", "angry", "human", "not_found", "language", "none")


def pass_hat(passed: int, tries: int, k: int) -> float:
    """The chance that k tries pass, of `tries` of which `passed` did. k is at most `tries`."""
    return comb(passed, k) / comb(tries, k)


@dataclass(frozen=True, slots=True)
class Report:
    """All tries of all scenarios, each `k` times."""

    tries: Sequence[Try]
    k: int
    seconds: float = 0.0

    @property
    def regressions(self) -> list[str]:
        """Why the run fails, a line each; empty when it does not."""
        lines = [f"{_title(one)}: {fault}" for one in self.tries for fault in one.faults]
        return lines + [
            f"{name}: step {place}: passes: take its mark away" for name, place, failed, _ in self._marks if not failed
        ]

    @property
    def known(self) -> list[str]:
        """What is known to fail and did."""
        return [f"{name}: step {place}: {why}" for name, place, failed, why in self._marks if failed]

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "k": self.k,
            "channels": self.channels(),
            "regressions": self.regressions,
            "known": self.known,
            "escalation": {expected: dict(got) for expected, got in self.matrix().items()},
            "models": dict(self.models()),
            "tokens": self.tokens(),
            "cost": self.cost(),
            "seconds": round(self.seconds, 1),
            "tries": [_told(one) for one in self.tries],
        }

    def channels(self) -> dict[str, dict[str, float]]:
        """By channel, and over all: scenarios, how many are known to fail, pass^1 and pass^k over the others.

        `with known` is pass^1 over all of them, where what fails as known has failed.
        """
        groups: dict[str, list[list[Try]]] = defaultdict(list)
        for tries in self._by_scenario.values():
            groups[tries[0].scenario.channel].append(tries)
        groups["all"] = list(self._by_scenario.values())
        return {name: self._figures(scenarios) for name, scenarios in groups.items()}

    def matrix(self) -> dict[str, Counter[str]]:
        """Expected matter × what happened, over the steps that expect an answer or a person."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for one in self.tries:
            for expected, got in one.matters:
                found[expected][got] += 1
        return {name: found[name] for name in _ordered(found)}

    def models(self) -> Counter[str]:
        """Decisions by the model that made them; `none` decided without one."""
        return Counter(str(record["model"]) for one in self.tries for record in one.decisions)

    def tokens(self) -> dict[str, int]:
        """Of all decisions."""
        records = [record for one in self.tries for record in one.decisions]
        return {side: sum(record[f"tokens_{side}"] or 0 for record in records) for side in ("in", "out")}

    def cost(self) -> float | None:
        """In the price list's currency: of all decisions; None when tokens were used whose price nobody gave."""
        total = 0.0
        for record in (record for one in self.tries for record in one.decisions):
            price = next((record[name] for name in _COST if record.get(name) is not None), None)
            if price is None and (record["tokens_in"] or record["tokens_out"]):
                return None
            total += float(price or 0)
        return total

    def lines(self) -> list[str]:
        """For a person."""
        spent, cost = self.tokens(), self.cost()
        conversations = len(self.tries) or 1
        models = ", ".join(f"{name} {count}" for name, count in self.models().most_common())
        return [
            *self.table(),
            "",
            *self._matrix_lines(),
            "",
            f"decided by                    {models}",
            f"tokens in, out                {spent['in']}, {spent['out']}"
            f" ({(spent['in'] + spent['out']) // conversations} a conversation)",
            f"cost                          {'unknown' if cost is None else f'{cost:.4f}'}",
            f"took                          {self.seconds:.0f} s",
            *_section("known to fail", self.known),
            *_section("failed", self.regressions),
        ]

    @property
    def _marks(self) -> list[tuple[str, int, bool, str]]:
        """Scenario, step, whether it failed in any try that came so far, and why it is known to."""
        found: list[tuple[str, int, bool, str]] = []
        for name, tries in self._by_scenario.items():
            for place, step in enumerate(tries[0].scenario.steps, 1):
                played = [one.known[place] for one in tries if place in one.known]
                if step.known and played:
                    found.append((name, place, any(played), step.known))
        return found

    @property
    def _by_scenario(self) -> dict[str, list[Try]]:
        found: dict[str, list[Try]] = defaultdict(list)
        for one in self.tries:
            found[one.scenario.id].append(one)
        return found

    def _figures(self, scenarios: Sequence[Sequence[Try]]) -> dict[str, float]:
        judged = [tries for tries in scenarios if not tries[0].scenario.known]
        counts = [(sum(one.passed for one in tries), len(tries)) for tries in judged]
        hats = {k: sum(pass_hat(c, n, k) for c, n in counts) / (len(counts) or 1) for k in (1, self.k)}
        return {
            "scenarios": len(scenarios),
            "known": len(scenarios) - len(judged),
            "pass^1": round(hats[1], 4),
            f"pass^{self.k}": round(hats[self.k], 4),
            "with known": round(
                sum(sum(one.flawless for one in tries) / len(tries) for tries in scenarios) / (len(scenarios) or 1), 4
            ),
        }

    def table(self) -> list[str]:
        """Scenarios and what passed, a row a channel and one of all."""
        most = f"pass^{self.k}"
        names = ["pass^1", *([most] if self.k > 1 else []), "with known"]
        head = f"{'channel':10}{'scenarios':>10}{'known':>7}" + "".join(f"{name:>12}" for name in names)
        rows = [
            f"{channel:10}{row['scenarios']:10.0f}{row['known']:7.0f}" + "".join(f"{row[name]:12.1%}" for name in names)
            for channel, row in self.channels().items()
        ]
        return [head, *rows]

    def _matrix_lines(self) -> list[str]:
        rows = self.matrix()
        heads = _ordered({got for row in rows.values() for got in row})
        width = max([9, *(len(head) + 2 for head in heads)])
        lines = [f"{'expected':14}" + "".join(f"{head:>{width}}" for head in heads)]
        return lines + [f"{name:14}" + "".join(f"{row[head]:{width}}" for head in heads) for name, row in rows.items()]


def _title(one: Try) -> str:
    return f"{one.scenario.id} (try {one.number})" if one.number > 1 else one.scenario.id


def _ordered(names: Mapping[str, Any] | set[str]) -> list[str]:
    return [name for name in _ORDER if name in names] + sorted(set(names) - set(_ORDER))


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _told(one: Try) -> dict[str, Any]:
    return {
        "id": one.scenario.id,
        "try": one.number,
        "passed": one.passed,
        "known": [f"step {place}: {fault}" for place, faults in one.known.items() for fault in faults],
        "faults": one.faults,
        "said": [{"customer": asked, "answer": answer} for asked, answer in one.said],
        "seconds": round(one.seconds, 1),
    }
