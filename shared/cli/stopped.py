"""What is stopped on this machine, for who writes to it: a message that waits for it is no riddle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.errors import FteError

#: What every message needs until it is answered, and each channel's entrance.
_NEEDED = ("kafka", "postgres", "agent-run", "send-reply")
_ENTRANCES = {"email": "gmail-push", "whatsapp": "whatsapp-webhook", "web": "form-submit"}


async def stopped_here(channel: str) -> list[str]:
    """The stopped parts that a message on `channel` needs; none where the supervisor does not tell."""
    from shared.local.system import run
    from shared.local.system.home import Home

    try:
        state = await run.call(Home.default(), "GET", "/state")
    except FteError:
        return []
    return stopped(state["parts"], channel)


def stopped(parts: Iterable[Mapping[str, Any]], channel: str) -> list[str]:
    """Of the supervisor's parts those that somebody stopped, and that a message on `channel` needs."""
    needed = {*_NEEDED, _ENTRANCES[channel]}
    return [str(part["name"]) for part in parts if part["state"] == "stopped" and part["name"] in needed]


def in_words(names: Sequence[str]) -> str:
    """What is stopped, and how it comes back."""
    commands = ", ".join(f"`fte start {name}`" for name in names)
    if len(names) == 1:
        return f"{names[0]} is stopped here: {commands} brings it back"
    return f"{' and '.join(names)} are stopped here: {commands} bring them back"
