"""Instructions: known by their version, the same for every turn up to its facts, with an example of each tone."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.agent.contract import TurnInput, TurnMessage
from shared.agent.prompt import CONTEXT_MARK, load_instructions, system_prompt
from shared.channels.message import Channel, Trust
from tests.conftest import make_settings
from tests.evals.scenarios.checks import Delivered, always

FOLDER = Path(__file__).parents[2] / "shared" / "agent" / "instructions"
#: Version and text (its CRC-32) of what runs now.
KNOWN = {
    "common": ("version: 5", 522432579),
    "email": ("version: 1", 933725702),
    "web": ("version: 1", 2516242691),
    "whatsapp": ("version: 2", 3841469281),
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_another_text_has_another_version(path: Path) -> None:
    """Raise `version:` with each change of the text, then write both here."""
    version, _, text = path.read_text(encoding="utf-8").partition("\n")
    assert KNOWN[path.stem] == (version, zlib.crc32(text.encode()))


def told(channel: Channel, name: str, text: str) -> str:
    """What a model is told in a turn of this customer."""
    message = TurnMessage(text, "A subject", datetime(2026, 6, 1, tzinfo=UTC), ())
    turn = TurnInput(
        channel=channel,
        trust=Trust.VERIFIED,
        customer_id="c",
        customer_name=name,
        conversation_id="here",
        ticket_id="t",
        messages=(message,),
    )
    return system_prompt(load_instructions()[channel], turn, make_settings())


@pytest.mark.parametrize("channel", list(Channel))
def test_what_is_the_same_for_all_turns_stands_first(channel: Channel) -> None:
    """An endpoint keeps a prompt's beginning: the rules of all channels, of this one, and then the turn's facts."""
    ada, grace = told(channel, "Ada", "How do I export?"), told(channel, "Grace", "Wie exportiere ich meine Daten?")
    rules, facts = ada.split(CONTEXT_MARK)
    assert grace.startswith(rules)
    assert ("Ada" in facts, "Grace" in ada, "Ada" in rules) == (True, False, False)
    common = rules[: rules.index("\nChannel: ")]
    assert all(told(one, "Ada", "How do I export?").startswith(common) for one in Channel)
    assert len(common) > len(rules) / 2


@pytest.mark.parametrize("channel", list(Channel))
def test_a_step_that_was_tried_is_not_told_again(channel: Channel) -> None:
    """Incubation's tickets web-03 and web-07: being told once more what did not help is what makes people angry."""
    assert "already tried" in " ".join(load_instructions()[channel].text.split())


@pytest.mark.parametrize("channel", list(Channel))
def test_each_channel_shows_its_tone_by_an_example(channel: Channel) -> None:
    """What a model is shown must be what the company profile wants: it is imitated more surely than a rule is kept."""
    _, _, example = load_instructions()[channel].text.partition("\nExample:\n")
    text = example.replace("{team}", make_settings().support_team_name).strip()
    assert always(Delivered(channel, "Priya", text)) == []
    assert "https://help.example.com/" in text
