"""Answers too long for WhatsApp: one message within 300 that offers the rest by e-mail, never cut inside a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.agent.contract import HistoryMessage
from shared.agent.longer import accepts, declines, shorter, with_offer, worth_offering
from shared.agent.turn import AgentDeps, run_turn
from shared.channels.limits import over_limit, utf16_units
from shared.channels.message import Channel
from shared.channels.whatsapp.texts import LANGUAGES, fixed, load_texts
from shared.conversations.long_answers import within
from tests.unit.test_agent_turn import AT, PAGE, URL, Shelf, offline, say, scripted, search, turn

__all__ = ["offline"]

OFFER = fixed("offer", "en")
_SENTENCES = [
    "Open Settings › Data › Export and choose a format.",
    "We e-mail you a link.",
    "Choose Start export.",
]
LONG = " ".join(_SENTENCES * 5) + f" {URL}"
_MORE = replace(
    PAGE,
    text=PAGE.text
    + "\n\nThe file holds all projects, tasks, comments and hours of your workspace, and the names of its members."
    " Files that are attached to tasks come in a folder of their own beside it. Comments keep their order and the day"
    " on which each was written, so that a project can be read from its beginning to its end in another program.",
)


# -- the words -------------------------------------------------------------------------------------------


def test_what_is_left_out_are_whole_sentences() -> None:
    """From the end, with the link kept behind what is said."""
    said = list(shorter(f"Hi Ada! One thing is so. Another thing is so. {URL}"))
    assert said == [
        f"Hi Ada! One thing is so. Another thing is so. {URL}",
        f"Hi Ada! One thing is so. {URL}",
    ]


def test_the_offer_fits_behind_what_is_said() -> None:
    """300 UTF-16 units in all, for whatever length of answer."""
    for count in range(1, 40):
        text = " ".join([*(f"Sentence number {place} says this." for place in range(count)), URL])
        offered = with_offer(text, "everything")
        assert over_limit(Channel.WHATSAPP, offered.text) is None
        if offered.whole:
            assert offered.text.endswith(OFFER)
            assert URL in offered.text
            before = offered.text.removesuffix(OFFER).strip().removesuffix(URL).strip()
            assert before.endswith(".")


def test_one_huge_sentence_is_not_cut_for_an_offer() -> None:
    """What fits without the offer is sent without it; what does not fit at all is not sent."""
    fits = "word " * 55 + "end."
    assert with_offer(fits, "all").whole == ""
    assert with_offer("word " * 90, "all").text == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_fixed_texts_fit_whatsapp(language: str) -> None:
    """Also with a company's long name."""
    for kind in ("stopped", "started", "help", "offer", "mailed", "sent_before", "address"):
        assert f"{kind}.{language}" in load_texts()
        assert utf16_units(fixed(kind, language, company="Tideline Software Ltd.")) <= 300


@pytest.mark.parametrize(
    "said",
    ["Yes", "yes please!", "JA", "Sí", "si, por favor", "Oui", "نعم", "ہاں", "جی ہاں", "By e-mail please", "Send it"],
)
def test_a_yes_is_a_yes_in_every_language(said: str) -> None:
    """Whatever signs stand around it; "By e-mail please" is one too."""
    assert accepts([said]) or accepts([said.lower().removesuffix(" please")])
    assert not declines([said])


@pytest.mark.parametrize("said", ["ok", "👍", "thanks", "yes but how do I share it?", "", "why", "y" * 500])
def test_thanks_and_questions_are_no_yes(said: str) -> None:
    """A mail nobody asked for is worse than one more question."""
    assert not accepts([said])


@pytest.mark.parametrize("said", ["No", "no thanks", "Nein, danke", "لا", "non merci"])
def test_a_no_is_a_no(said: str) -> None:
    """And needs no answer."""
    assert declines([said])


def test_a_few_words_more_are_not_offered() -> None:
    """Twenty-five words or nothing."""
    assert not worth_offering("one two", "one two three")
    assert worth_offering("one", "word " * 30)


@pytest.mark.parametrize("most", [1, 10, 30, 500])
def test_a_mail_keeps_its_limit_in_whole_sentences(most: int) -> None:
    """Ending at a sentence or a line."""
    text = "\n\n".join(["One sentence is here. Another one follows it.", "1. A step.\n2. A step more."] * 20)
    kept = within(text, most)
    assert len(kept.split()) <= most
    assert not kept or kept.endswith(".")
    assert text.startswith(kept)


# -- the turn --------------------------------------------------------------------------------------------


async def test_the_offline_model_offers_what_it_left_out(offline: AgentDeps) -> None:
    """A page with more to say than fits: the deciding sentence, the link, the offer, and all of it kept."""
    deps = replace(offline, search=Shelf(_MORE))
    result = await run_turn(deps, turn(channel=Channel.WHATSAPP))
    assert result.text.endswith(OFFER)
    assert URL in result.text
    assert over_limit(Channel.WHATSAPP, result.text) is None
    assert "Files that are attached to tasks" in result.whole
    assert "2. Choose Start export." in result.whole


async def test_a_short_page_offers_nothing(offline: AgentDeps) -> None:
    """There is no rest to send."""
    result = await run_turn(offline, turn(channel=Channel.WHATSAPP))
    assert (result.whole, OFFER in result.text) == ("", False)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEB])
async def test_other_channels_offer_nothing(offline: AgentDeps, channel: Channel) -> None:
    """They have the room."""
    result = await run_turn(replace(offline, search=Shelf(_MORE)), turn(channel=channel))
    assert (result.whole, OFFER in result.text) == ("", False)


async def test_a_live_model_that_stays_too_long_is_shortened_and_not_given_up(offline: AgentDeps) -> None:
    """One repair turn; then whole sentences of its own, the offer, and the long draft for the mail."""
    result, _ = await scripted(offline, search(), say(LONG), say(LONG), of=turn(channel=Channel.WHATSAPP))
    assert result.outcome == "replied"
    assert result.text.startswith("Open Settings › Data › Export and choose a format.")
    assert result.text.endswith(OFFER)
    assert over_limit(Channel.WHATSAPP, result.text) is None
    assert result.whole == LONG
    assert [check.reasons[0].partition(":")[0] for check in result.checks] == ["too-long", "too-long"]


async def test_a_live_model_that_repairs_itself_offers_its_first_draft(offline: AgentDeps) -> None:
    """What it had to leave out is what the customer may want."""
    short = f"Open Settings › Data › Export and choose a format. {URL}"
    result, _ = await scripted(offline, search(), say(LONG), say(short), of=turn(channel=Channel.WHATSAPP))
    assert result.text == f"{short} {OFFER}"
    assert result.whole == LONG


async def test_a_long_draft_with_another_fault_still_goes_to_a_person(offline: AgentDeps) -> None:
    """Shortening mends length, and nothing else."""
    bad = f"{LONG} You will get a full refund of 100 dollars at https://evil.example/x."
    result, _ = await scripted(offline, search(), say(bad), say(bad), of=turn(channel=Channel.WHATSAPP))
    assert result.outcome == "escalated"


# -- the customer's answer -------------------------------------------------------------------------------


def offered(text: str, *, mailable: bool, ours: str = f"So it is. {OFFER}"):  # type: ignore[no-untyped-def]
    said = HistoryMessage("agent", Channel.WHATSAPP, ours, "", AT, "here")
    return turn(text, Channel.WHATSAPP, history=(said,), offered=True, mailable=mailable)


async def test_yes_with_a_confirmed_address_has_it_mailed(offline: AgentDeps) -> None:
    """No model is asked."""
    result = await run_turn(offline, offered("Yes please", mailable=True))
    assert (result.outcome, result.takes_offer, result.model) == ("replied", True, "none")
    assert result.text == fixed("mailed", "en")


async def test_yes_without_an_address_asks_for_one(offline: AgentDeps) -> None:
    """In the language of the offer; the wish is kept."""
    ours = f"Öffnen Sie die Einstellungen und wählen Sie das Format. {fixed('offer', 'de')}"
    result = await run_turn(offline, offered("JA", mailable=False, ours=ours))
    assert result.takes_offer
    assert result.text == fixed("address", "de")


async def test_no_ends_it(offline: AgentDeps) -> None:
    """Ignored, with its reason."""
    result = await run_turn(offline, offered("no thanks", mailable=True))
    assert (result.outcome, result.reason, result.text) == ("ignored", "declined", "")


async def test_a_question_instead_is_answered(offline: AgentDeps) -> None:
    """As any question is."""
    result = await run_turn(offline, offered("how do i export my data", mailable=True))
    assert (result.outcome, result.takes_offer) == ("replied", False)


@pytest.mark.parametrize("mailable", [True, False])
async def test_yes_to_a_lapsed_offer_means_it_all_the_same(offline: AgentDeps, mailable: bool) -> None:
    """We said something else since, and asked nothing: a yes can mean nothing but the offer."""
    of = replace(offered("YES", mailable=mailable, ours="Choose a colour."), offered=False, past_offer="lapsed")
    result = await run_turn(offline, of)
    assert (result.text, result.takes_past_offer) == (fixed("mailed" if mailable else "address", "en"), True)
    assert not result.takes_offer


async def test_yes_to_what_was_mailed_is_told_so_once(offline: AgentDeps) -> None:
    """Where it went and what to do; a yes to that is an acknowledgement, so that it ends."""
    of = replace(offered("JA", mailable=True, ours=fixed("mailed", "de")), offered=False, past_offer="sent")
    result = await run_turn(offline, of)
    assert (result.text, result.takes_past_offer) == (fixed("sent_before", "de"), False)
    of = replace(offered("ja", mailable=True, ours=result.text), offered=False, past_offer="sent")
    assert (await run_turn(offline, of)).text != result.text


async def test_yes_while_the_address_is_awaited_asks_for_it_again(offline: AgentDeps) -> None:
    """The wish is kept already."""
    of = replace(offered("yes", mailable=False, ours=fixed("address", "en")), offered=False, past_offer="wanted")
    result = await run_turn(offline, of)
    assert (result.text, result.takes_offer, result.takes_past_offer) == (fixed("address", "en"), False, False)


async def test_yes_to_a_question_of_ours_is_the_agent_s(offline: AgentDeps) -> None:
    """Not the offer's, and not passed over as thanks are."""
    of = replace(offered("yes", mailable=True, ours="Do you mean the export?"), offered=False, past_offer="lapsed")
    result = await run_turn(offline, of)
    assert not result.takes_past_offer
    assert result.outcome in ("replied", "escalated")


async def test_yes_to_a_person_is_not_the_offer_s(offline: AgentDeps) -> None:
    """A person spoke after the offer: what they said is meant."""
    of = offered("yes", mailable=True)
    said = replace(of.history[0], author="human", text="I have sent you the form.")
    result = await run_turn(offline, replace(of, history=(*of.history, said), offered=False, past_offer="lapsed"))
    assert not result.takes_past_offer


async def test_yes_without_an_offer_is_no_yes(offline: AgentDeps) -> None:
    """Nothing is mailed for a word."""
    result = await run_turn(offline, turn("yes", Channel.WHATSAPP))
    assert not result.takes_offer


@pytest.mark.parametrize("said", ["yes", "Ok", "Hi!", "👍", "thanks"])
async def test_a_word_that_a_template_asked_for_is_not_answered_itself(offline: AgentDeps, said: str) -> None:
    """The reply that waited goes out; a question beside it is a question."""
    result = await run_turn(offline, turn(said, Channel.WHATSAPP, called_back=True))
    assert (result.outcome, result.reason) == ("ignored", "called-back")
    asked = await run_turn(offline, turn("how do i export my data", Channel.WHATSAPP, called_back=True))
    assert asked.outcome == "replied"
