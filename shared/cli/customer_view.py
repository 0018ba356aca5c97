"""A customer as an operator reads it: how they are reached, where they wrote, and whom they were joined with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.cli.columns import Screen, cell, field_lines, long_time, one_line, table_lines

Row = Mapping[str, Any]

_TABLES = {
    "identifiers": ("value", "kind", "trust", "created_at", "seen_at"),
    "conversations": ("id", "state", "trust", "last_channel", "last_activity_at"),
    "merges": ("id", "cause", "winner", "loser", "merged_at", "undone_at"),
}


_WAS = {
    "unknown": "added: nobody had written from it",
    "theirs": "theirs already",
    "another": "was another customer's, who is merged into this one",
}


def link_question(look: Row) -> str | None:
    """What to ask before a link; None where both are known."""
    unknown = [one_line(side["value"]) for side in look["identifiers"] if side["was"] == "unknown"]
    if not unknown:
        return None
    return f"Nobody has written from {' or '.join(unknown)} so far. Link all the same?"


def link_lines(linked: Row, screen: Screen) -> list[str]:
    """Whose both are now, whose each was, and how to undo it."""
    sides = linked["identifiers"]
    fields = {"customer": one_line(linked["customer_id"])}
    fields |= {cell("", side["value"], screen): _WAS[side["was"]] for side in sides}
    added = " ".join(one_line(side["value"]) for side in sides if side["was"] == "unknown")
    undo = [f"kn-fte customers unmerge {linked['merge_id']}"] if linked["merge_id"] is not None else []
    # All there is of a customer who was made for them stays.
    if added and any(side["was"] != "unknown" for side in sides):
        undo.append(f"kn-fte customers unlink {added}")
    return field_lines({**fields, "undo": "\n".join(undo)} if undo else fields)


def customer_lines(customer: Row, screen: Screen) -> list[tuple[str, str]]:
    """(style, line) from top to bottom; a style is empty or one of rich's."""
    fields = {"customer": one_line(customer["id"]), "name": cell("", customer["name"], screen)}
    if customer.get("merged_from"):
        fields["asked for"] = f"{one_line(customer['merged_from'])}, who was merged into this one"
    fields["since"] = long_time(customer["created_at"], screen)
    if customer.get("erased_at"):
        fields["erased"] = long_time(customer["erased_at"], screen)
    lines = [("", line) for line in field_lines(fields)]
    for title, columns in _TABLES.items():
        lines += _table(title, customer[title], columns, screen)
    return lines


def _table(title: str, rows: Sequence[Row], columns: Sequence[str], screen: Screen) -> list[tuple[str, str]]:
    if not rows:
        return []
    head, *body = table_lines(rows, columns, screen)
    return [("", ""), ("bold", title), ("dim", head), *(("", line) for line in body)]
