"""Linking as the agent does it: what is read out of a message, and that the words are ours whatever a model says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from agents import Usage
from agents.testing import ScriptedModel, assistant_message, function_call

from shared.agent.link_reading import mentions_other_side, said_code, wanted_address
from shared.agent.linking import has_offer, is_offer, link_text, offer
from shared.agent.turn import open_agent, run_turn
from shared.channels.limits import utf16_units
from shared.channels.message import Channel, Trust
from shared.conversations.codes import LinkAct
from shared.conversations.notice_texts import notice_text
from tests.conftest import make_settings
from tests.unit.test_agent_tools import Links, Shelf
from tests.unit.test_agent_turn import turn

LANGUAGES = ("en", "de", "es", "fr", "ar", "ur")
ADDRESS = "ada@example.org"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"I wrote to you from {ADDRESS}, any news?", ADDRESS),
        (f"please link {ADDRESS} with my number", ADDRESS),
        (f"my email is {ADDRESS}", ADDRESS),
        (ADDRESS, ADDRESS),
        (f"it is {ADDRESS}, thanks", ADDRESS),
        (f"My email is {ADDRESS}. How do I change it in my profile?", None),
        (f"how do I invite {ADDRESS} to our workspace?", None),
        (f"is it {ADDRESS} or bob@example.net I wrote from?", None),
        ("please link my e-mail", None),
        (f"My client {ADDRESS} wrote to you yesterday. What did they want?", None),
        (f"How do I invite {ADDRESS}? I wrote to you yesterday about it as well.", None),
        ("how do I export my data", None),
    ],
)
def test_an_address_is_linked_only_where_that_is_asked(text: str, found: str | None) -> None:
    """An address that stands in an ordinary question is part of the question."""
    assert wanted_address(text, Channel.WHATSAPP, offered=False) == found


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEB])
def test_by_mail_and_on_the_page_a_number_is_linked(channel: Channel) -> None:
    """With its country code, however it is spaced; an address is what these channels prove themselves."""
    assert wanted_address("I texted you from +1 201 555 0123", channel, offered=False) == "+1 201 555 0123"
    assert wanted_address(f"I wrote to you from {ADDRESS}", channel, offered=False) is None
    letter = (
        "Hello,\nI wrote to you last week about my invoice, which is still wrong.\nAda Example\nTel. +1 201 555 0123"
    )
    assert wanted_address(letter, channel, offered=False) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("the code is 123 456", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("۱۲۳۴۵۶", "123456"),
        ("mein Code: 123-456.", "123456"),
        ("123456 or 234567", None),
        ("1234567", None),
        ("call +1 201 555 0123", None),
        ("invoice 123456.50", None),
        ("I have a question about order 123456 which I placed last week and which has not yet arrived here", None),
    ],
)
def test_a_code_is_six_digits_and_little_else(text: str, code: str | None) -> None:
    """In any script's digits; one code, not several; no number that means something else."""
    assert said_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "I emailed you yesterday",
        "ich habe Ihnen eine E-Mail geschrieben",
        "les escribí por correo",
        "je vous ai écrit par mail",
        "كتبت إليكم عبر البريد",
        "میں نے آپ کو ای میل لکھا تھا",
    ],
)
def test_who_says_they_mailed_us_is_understood(text: str) -> None:
    """In the languages of the form; ordinary questions about e-mail are none."""
    assert mentions_other_side(text, Channel.WHATSAPP)
    assert not mentions_other_side("how do I e-mail an invoice to a client?", Channel.WHATSAPP)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_and_fits_whatsapp(language: str) -> None:
    """All states, in all languages, within 300 UTF-16 units, and none in English by mistake."""
    english = {state: link_text(Channel.WHATSAPP, LinkAct(state), "Ada") for state in ("linked", "wrong")}
    for state in ("sent", "limit", "already", "linked", "wrong"):
        for kind in ("email", "phone"):
            text = link_text(Channel.WHATSAPP, LinkAct(state, kind=kind, language=language), "Ada")
            assert 0 < utf16_units(text) <= 300
            assert language == "en" or text not in english.values()
    for kind in ("email", "phone"):
        assert is_offer(offer(kind, language))
        assert has_offer(f"Hello,\n\n{offer(kind, language)}\n\nSupport")
    code = notice_text("code.whatsapp", language, code="123456", company="Tideline", channel="x" * 40)
    assert utf16_units(code) <= 300
    assert "123456" in code


async def test_a_live_model_asks_by_the_tool_and_the_words_are_ours() -> None:
    """It is not asked again after the tool, so nothing that it would say can leak or promise."""
    model = ScriptedModel(
        [[function_call("request_identity_link", {"address": ADDRESS}, call_id="1")]],
        default_usage=Usage(requests=1, input_tokens=10, output_tokens=3),
    )
    async with open_agent(make_settings(), Shelf(), links=Links()) as deps:
        result = await run_turn(replace(deps, model=model), turn(f"I wrote from {ADDRESS}", Channel.WHATSAPP))
    model.assert_complete()
    assert result.outcome == "replied"
    assert result.text.startswith("I have sent a code to the e-mail address you gave.")
    assert result.link == LinkAct("sent", address=ADDRESS, company="Tideline", team="Tideline Support")


async def test_a_model_that_claims_to_have_sent_a_code_is_stopped() -> None:
    """Only what the tool did may be said: our words without the tool do not pass the gate."""
    claim = link_text(Channel.WHATSAPP, LinkAct("sent"), "")
    model = ScriptedModel([[assistant_message(claim)], [assistant_message(claim)]], default_usage=Usage(requests=1))
    async with open_agent(make_settings(), Shelf(), links=Links()) as deps:
        result = await run_turn(replace(deps, model=model), turn("hello there, my import", Channel.WHATSAPP))
    assert (result.outcome, result.link) == ("escalated", None)


async def test_a_refused_request_leaves_the_turn_to_the_model() -> None:
    """Somebody who is not verified gets an ordinary answer, or a person; nothing is put down."""
    model = ScriptedModel(
        [
            [function_call("request_identity_link", {"address": "+1 201 555 0123"}, call_id="1")],
            [function_call("escalate", {"reason": "human", "summary": "wants to be linked"}, call_id="2")],
        ],
        default_usage=Usage(requests=1),
    )
    links = Links()
    async with open_agent(make_settings(), Shelf(), links=links) as deps:
        result = await run_turn(replace(deps, model=model), turn("link me", trust=Trust.CLAIMED))
    assert (result.outcome, result.link, links.asked) == ("escalated", None, [])
