"""Instructions: known by their version, the same for every turn up to its facts, with an example of each tone."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.agent.contract import TurnInput, TurnMessage
from shared.agent.gate import GateContext, faults
from shared.agent.prompt import CONTEXT_MARK, load_instructions, system_prompt
from shared.channels.message import Channel, Trust
from shared.knowledge.passage import Passage
from tests.conftest import make_settings
from tests.evals.scenarios.checks import Delivered, always

FOLDER = Path(__file__).parents[2] / "shared" / "agent" / "instructions"
#: The page that the examples cite.
DOCUMENT = (FOLDER.parents[2] / "context" / "products" / "exporting-data.md").read_text(encoding="utf-8")
PAGE = Passage(
    "exporting-data",
    1,
    "Exporting your data",
    "https://help.example.com/exporting-data",
    "Exporting your data",
    DOCUMENT.split("---\n", 2)[2],
    0.9,
)
#: Version and text (its CRC-32) of what runs now.
KNOWN = {
    "common": ("version: 5", 522432579),
    "email": ("version: 2", 3201041500),
    "web": ("version: 2", 3473777021),
    "whatsapp": ("version: 3", 882507684),
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


KINDS = ("an answer", "a follow-up", "no passage answers")


def examples(channel: Channel) -> dict[str, tuple[str, str]]:
    """Of each kind what the customer wrote and what is shown, in order."""
    given = load_instructions()[channel].text.replace("{team}", make_settings().support_team_name)
    parts = re.findall(r'^Example: ([^"\n]+?),? (?:to )?"(.+)"\n((?:(?!^Example: ).*\n?)*)', given, re.MULTILINE)
    return {re.split(r" in the same| to$", kind)[0]: (asked, shown.strip()) for kind, asked, shown in parts}


@pytest.mark.parametrize("channel", list(Channel))
def test_each_channel_shows_an_answer_a_follow_up_and_a_handoff(channel: Channel) -> None:
    """One example each: what is shown is imitated more surely than a rule is kept."""
    assert tuple(examples(channel)) == KINDS


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("kind", KINDS[:2])
def test_each_channel_shows_its_tone_by_examples(channel: Channel, kind: str) -> None:
    """What a model is shown must be what the company profile wants, and what the gate lets pass with the page cited."""
    asked, text = examples(channel)[kind]
    assert always(Delivered(channel, "Priya", text), first=kind == "an answer") == []
    assert faults(text, GateContext(channel, (PAGE,), known=asked, names="Priya Okafor Tideline Support")) == []
    assert PAGE.url in text


@pytest.mark.parametrize("channel", list(Channel))
def test_what_no_passage_answers_is_handed_over_and_not_written_about(channel: Channel) -> None:
    """The words to the customer are ours; the summary says what was wanted and what was searched for."""
    _, shown = examples(channel)["no passage answers"]
    plain = " ".join(shown.split())
    assert re.match(r'Call escalate with the reason not_found and the summary "[^"]+Searched for [^"]+" ', plain)
    assert "Write nothing to the customer" in plain
    assert "https://" not in plain


@pytest.mark.parametrize("channel", list(Channel))
def test_no_example_is_taken_for_a_rule_that_leaked(channel: Channel) -> None:
    """The gate holds the rules against a draft, up to the first example: an answer may look like one."""
    rules_alone, *rest = load_instructions()[channel].text.split("\nExample:", 1)
    assert rest
    assert "Example" not in rules_alone
