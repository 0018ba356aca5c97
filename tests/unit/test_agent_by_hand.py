"""What a page leaves to a person at support is handed over to one; how it is done is answered."""

from __future__ import annotations

import pytest

from shared.agent.by_hand import by_hand
from shared.agent.compose import Source

OWNER = Source(
    "Roles",
    "How do I make someone else the owner?",
    "https://help.example.com/roles",
    "The owner can hand over the workspace under Settings › Workspace. The new owner must already be an admin. If the"
    " owner has left the company, write to support: a person checks the request.",
)
REGION = Source(
    "Data",
    "Can we move our data?",
    "https://help.example.com/data",
    "A workspace cannot change its region. Our staff can move it: write to support, and a person agrees a date.",
)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (OWNER, "Please change the owner of our workspace to me, Bob left the company"),
        (OWNER, "our owner left the company, what now?"),
        (REGION, "Could you move our workspace to the other region?"),
    ],
)
def test_what_a_person_does_is_handed_over(source: Source, text: str) -> None:
    """Who writes to support is not told to write to support."""
    assert by_hand(source, text)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (OWNER, "How do I make someone else the owner?"),
        (REGION, "Can we change the region of our workspace?"),
        (Source("Export", "How?", "", "Open Settings and choose Export. It takes a minute."), "Please export my data"),
    ],
)
def test_how_it_is_done_is_answered(source: Source, text: str) -> None:
    """A question about a page's other sentences, or a page that leads to nobody."""
    assert not by_hand(source, text)
