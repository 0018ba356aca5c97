"""`kn-fte tickets show --why`: what each reply rests on, in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cli.columns import Screen, field_lines, long_time, one_line

Row = Mapping[str, Any]
_INDENT = "  "
_TEXT = 300


def why_lines(ticket: Row, screen: Screen) -> list[tuple[str, str]]:
    """(style, line) for each decision of the ticket's conversation, oldest first."""
    if not ticket["decisions"]:
        return [("", "the agent decided nothing here")]
    lines: list[tuple[str, str]] = []
    for decision in ticket["decisions"]:
        reason = f" ({one_line(decision['reason'])})" if decision["reason"] else ""
        lines += [("", "")] if lines else []
        lines.append(("bold", f"{long_time(decision['decided_at'], screen)} {decision['outcome']}{reason}"))
        lines += [("", line) for line in field_lines(_fields(decision), _INDENT)]
    return lines


def _fields(decision: Row) -> dict[str, str]:
    record: Any = decision["record"]
    known: Row = record if isinstance(record, dict) else {}
    fields = {
        "asked": _short(decision.get("asked")),
        "said": _short(decision.get("reply")),
        "model": one_line(decision["model"]),
        "instructions": one_line(decision["instructions"]),
        "passages": "\n".join(map(_passage, known.get("passages") or ())) or "none",
        "tools": "\n".join(map(_call, known.get("tool_calls") or ())) or "none",
        "checks": "\n".join(map(_check, known.get("checks") or ())) or "none",
        "evidence": ", ".join(map(one_line, known.get("evidence") or ())),
        "mood": "-" if decision["sentiment"] is None else f"{decision['sentiment']:+.2f}",
        "tokens": f"{decision['tokens_in']} in, {decision['tokens_out']} out",
        "cost": _cost(decision.get("cost_usd")),
    }
    fields |= {} if isinstance(record, dict) else {"record": one_line(str(record))}
    return {label: text for label, text in fields.items() if text}


def _short(text: str | None) -> str:
    line = one_line(text) if text else ""
    return line if len(line) <= _TEXT else f"{line[:_TEXT]}…"


def _passage(row: Row) -> str:
    where = f"{one_line(row['document_id'])}@{row['version']}  {one_line(row['heading_path'])}"
    return f"{where}  ({row['score']:.2f})" if row.get("score") is not None else where


def _call(row: Row) -> str:
    return f"{one_line(row['name'])} {'ok' if row['ok'] else 'failed'}"


def _check(row: Row) -> str:
    return f"draft {row['attempt']}: {'; '.join(map(one_line, row['reasons'])) or 'passed'}"


def _cost(cost: float | None) -> str:
    return "unknown: MODEL_PRICES has no price for this model" if cost is None else f"${cost:.6f}"
