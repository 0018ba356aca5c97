"""What the offline model writes: plain text out of passages, in each channel's form, and the words of a handoff."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.compose import Reader, Source, answer, courtesy
from shared.agent.contract import EarlierContact
from shared.agent.dress import dressed, first_name, greeting_name
from shared.agent.escalation import Reason
from shared.agent.frames import is_frame
from shared.agent.gate import GateContext, faults, spoken_words
from shared.agent.handoff import handoff
from shared.agent.language import language_of_reply
from shared.agent.plain import blocks
from shared.agent.promises import promises
from shared.agent.small_talk import SmallTalk
from shared.channels.limits import over_limit, utf16_units
from shared.channels.message import Channel
from shared.knowledge.passage import Passage

TEAM = "Tideline Support"
PASSWORD = Source(
    title="Signing in and passwords",
    heading="I forgot my password. How do I reset it?",
    url="https://help.example.com/signing-in-and-passwords",
    text="To reset your password, choose **Forgot password?** on the sign-in\npage. The link is valid for 60 minutes."
    "\n\n1. Go to [the sign-in page](https://app.example.com) and choose *Forgot password?*"
    "\n2. Open the e-mail\n   from us.\n\n"
    "An admin cannot see your password.",
    query="how do i reset my password",
)
EMAIL = Reader(Channel.EMAIL, "Priya Okafor", TEAM)
EARLIER = EarlierContact(Channel.EMAIL, datetime(2026, 5, 3, tzinfo=UTC), "Re: Export of hours")


def reader(channel: Channel) -> Reader:
    """The same customer on another channel."""
    return replace(EMAIL, channel=channel)


def test_markdown_becomes_plain_text_in_whole_blocks() -> None:
    """Marks go, wrapped lines are joined, lists stay lists, tables become lines."""
    paragraph, steps, last = blocks(PASSWORD.text)
    assert paragraph.lines == (
        "To reset your password, choose Forgot password? on the sign-in page.",
        "The link is valid for 60 minutes.",
    )
    assert str(steps) == (
        "1. Go to the sign-in page (https://app.example.com) and choose Forgot password?\n2. Open the e-mail from us."
    )
    assert not last.is_list
    table = "| | Starter | Team |\n|---|---|---|\n| Members | 2 | 100 |"
    assert [str(block) for block in blocks(table)] == ["- Members: Starter 2, Team 100"]


def test_an_email_is_a_letter_with_steps_and_source() -> None:
    """R1.2: formal, complete, with greeting, signature and the page it quotes."""
    text = answer([PASSWORD], EMAIL)
    assert text.startswith("Dear Priya Okafor,\n\nThank you for your message.")
    assert "1. Go to the sign-in page" in text
    assert "Further details: Signing in and passwords, https://help.example.com/signing-in-and-passwords" in text
    assert text.endswith("Kind regards,\nTideline Support")
    assert 30 <= spoken_words(text) <= 500
    assert "!" not in text


def test_whatsapp_is_one_thing_in_whole_sentences_with_its_link() -> None:
    """R1.3: at most 300 characters; the first sentence answers, the link stands at the end."""
    text = answer([PASSWORD], reader(Channel.WHATSAPP))
    assert text.startswith("Hi Priya! To reset your password")
    assert text.endswith(PASSWORD.url)
    assert utf16_units(text) <= 300
    assert TEAM not in text


def test_web_is_between_the_two() -> None:
    """Semi-formal: a greeting, the answer, the team."""
    text = answer([PASSWORD], reader(Channel.WEB))
    assert text.startswith("Hello Priya Okafor,")
    assert text.endswith(TEAM)


def test_a_list_that_does_not_fit_is_not_announced() -> None:
    """What remains is a whole answer: no colon before nothing."""
    steps = "\n".join(f"{number}. {'step ' * 30}" for number in range(1, 8))
    source = replace(PASSWORD, text=f"Choose Security. These steps follow:\n\n{steps}\n\nDone.")
    text = answer([source], EMAIL)
    assert "Choose Security.\n" in text
    assert "follow" not in text
    assert "These steps follow:" in answer([replace(source, text="These steps follow:\n\n1. One.")], EMAIL)


@pytest.mark.parametrize("channel", list(Channel))
def test_earlier_contact_is_acknowledged_with_matter_day_and_channel(channel: Channel) -> None:
    """R4.4: what about, when, by which channel; the prefix of an answer is no part of the matter."""
    text = answer([PASSWORD], replace(reader(channel), earlier=EARLIER))
    assert "e-mail" in text
    assert "3 May" in text
    assert "“Export of hours”" in text
    assert over_limit(channel, text) is None


def test_an_acknowledgement_that_does_not_fit_gives_way_to_the_answer() -> None:
    """On WhatsApp the answer is worth more than the subject."""
    long = replace(PASSWORD, text=f"{'Choose this and then that and then the other thing too ' * 4}.")
    text = answer([long], replace(reader(Channel.WHATSAPP), earlier=EARLIER))
    assert "3 May" in text
    assert utf16_units(text) <= 300


def test_what_does_not_fit_whatsapp_is_left_to_the_page() -> None:
    """Nothing is cut inside a sentence: one that is too long is left out, and the page named."""
    text = answer([replace(PASSWORD, text="word " * 90 + ".")], reader(Channel.WHATSAPP))
    assert text == f"Hi Priya! Our page “Signing in and passwords” explains it: {PASSWORD.url}"


@pytest.mark.parametrize("channel", list(Channel))
def test_what_only_a_person_may_say_is_not_quoted(channel: Channel) -> None:
    """A price in the first sentence leaves nothing to say; one further down is left out."""
    price = replace(PASSWORD, text="Team costs $9 per seat and month. Ask us.")
    assert answer([price], reader(channel)) == ""
    below = replace(PASSWORD, text="Choose a plan under Billing. Team costs $9 per seat and month.")
    text = answer([below], reader(channel))
    assert "Choose a plan" in text
    assert promises(text) == []


def test_several_questions_are_answered_under_their_headings() -> None:
    """Each question in order, each page once."""
    second = replace(PASSWORD, heading="How do I change my password?", text="Change it under Profile › Security.")
    text = answer([PASSWORD, second], EMAIL)
    assert text.index(PASSWORD.heading) < text.index(second.heading) < text.index("Further details")
    assert text.count("Further details") == 1


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=900),
    st.text(max_size=80),
    st.sampled_from(list(Channel)),
    st.booleans(),
)
def test_whatever_a_document_says_the_limits_hold(text: str, name: str, channel: Channel, brief: bool) -> None:
    """R1.3 by construction, for any document and any name that a stranger types."""
    written = answer([replace(PASSWORD, text=text)], Reader(channel, name, TEAM, EARLIER), brief=brief)
    assert over_limit(channel, written) is None
    assert not written or PASSWORD.url in written


@pytest.mark.parametrize(
    ("typed", "full", "first"),
    [
        ("Priya Okafor", "Priya Okafor", "Priya"),
        ("  José  Ñandú ", "José Ñandú", "José"),
        ("Mrs Popescu", "Mrs Popescu", "Popescu"),
        ("أحمد", "أحمد", "أحمد"),
        ("O'Brien-Smith Jr.", "O'Brien-Smith Jr.", "O'Brien-Smith"),
        ("<b>x</b>", "", ""),
        ("evil.example.com/login", "", ""),
        ("call +1 201 555 0100", "", ""),
        ("a" * 80, "", ""),
        ("line\nbreak", "", ""),
        ("", "", ""),
    ],
)
def test_names_come_from_strangers(typed: str, full: str, first: str) -> None:
    """A name is greeted with only if it is one; markup, links and numbers are not."""
    assert (greeting_name(typed), first_name(typed)) == (full, first)


def test_greeting_and_signature_are_added_once() -> None:
    """What a model wrote itself is not written twice; a closing line that names nobody is replaced."""
    whole = "Dear Priya,\n\nText.\n\nKind regards,\nTideline Support"
    assert dressed(Channel.EMAIL, whole, name="Priya", team=TEAM) == whole
    assert dressed(Channel.EMAIL, "Text.\n\nBest regards,", name="", team=TEAM) == (
        "Hello,\n\nText.\n\nKind regards,\nTideline Support"
    )
    assert dressed(Channel.WHATSAPP, " Text. ", name="Priya", team=TEAM) == "Text."
    assert dressed(Channel.EMAIL, "", name="Priya", team=TEAM) == ""


def test_a_customer_is_greeted_once_and_then_written_to_as_people_do() -> None:
    """Later answers of one thread begin with the answer on the page, and plainer in a mail; the signature stays."""
    web = answer([PASSWORD], replace(reader(Channel.WEB), greet=False, first=False))
    assert web.startswith("To reset your password, choose Forgot password?")
    assert web.endswith(TEAM)
    mail = answer([PASSWORD], replace(EMAIL, greet=False, first=False))
    assert mail.startswith("Hello Priya Okafor,\n\nTo reset your password")
    assert mail.endswith("Kind regards,\nTideline Support")
    late = answer([PASSWORD], replace(reader(Channel.WEB), greet=False, earlier=EARLIER))
    assert late.startswith("You wrote to us by e-mail on 3 May")


def test_a_greeting_that_a_model_repeats_is_left_out_on_the_page() -> None:
    """Only one that stands by itself: a sentence is never cut."""
    for said in ("Hello Priya Okafor,\n\nOpen it.", "Hi Priya!\nOpen it.", "Dear Priya,\n\nOpen it."):
        assert dressed(Channel.WEB, said, name="Priya Okafor", team=TEAM, greet=False) == f"Open it.\n\n{TEAM}"
    same = "Hello is the word to type there, then choose Save."
    assert dressed(Channel.WEB, same, name="Priya", team=TEAM, greet=False).startswith(same)
    assert dressed(Channel.WEB, "Hello Priya,", name="Priya", team=TEAM, greet=False).startswith("Hello Priya,")


@pytest.mark.parametrize("channel", list(Channel))
def test_a_later_handoff_or_courtesy_greets_no_more(channel: Channel) -> None:
    """As the answers, on every channel; an e-mail keeps its thirty words."""
    texts = [handoff(channel, Reason.REFUND, name="Priya Okafor", team=TEAM, greet=False)]
    texts += [courtesy(kind, replace(reader(channel), greet=False)) for kind in (SmallTalk.GREETING, SmallTalk.THANKS)]
    for text in texts:
        assert text.startswith("Hello Priya Okafor,") is (channel is Channel.EMAIL)
        assert not text.startswith(("Dear", "Hi "))
        assert channel is not Channel.EMAIL or spoken_words(text) >= 30


@pytest.mark.parametrize("kind", [SmallTalk.GREETING, SmallTalk.EMOJI, SmallTalk.THANKS, SmallTalk.PRAISE])
@pytest.mark.parametrize("channel", list(Channel))
def test_courtesies_fit_their_channel(kind: SmallTalk, channel: Channel) -> None:
    """A greeting is greeted, and an e-mail stays an e-mail of thirty words."""
    text = courtesy(kind, reader(channel))
    assert over_limit(channel, text) is None
    assert channel is not Channel.EMAIL or spoken_words(text) >= 30
    assert "http" not in text


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "nl", "pt", "it", "ar", "ur", "other"])
@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("channel", list(Channel))
def test_a_handoff_fits_links_nothing_and_promises_nothing(channel: Channel, reason: Reason, language: str) -> None:
    """Decision 10 of the discovery log, in every language we have words for; a sender who is held gets none."""
    text = handoff(channel, reason, name="Maximiliane Mustermann", team=TEAM, language=language)
    assert bool(text) is (reason is not Reason.HELD)
    assert over_limit(channel, text) is None
    assert promises(text) == []
    assert "http" not in text
    assert "{" not in text
    assert not text or channel is not Channel.EMAIL or spoken_words(text) >= 30


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "nl", "pt", "it", "ar", "ur"])
def test_a_handoff_is_signed_but_on_whatsapp(language: str) -> None:
    """The company profile: an e-mail and the page close with the team's name, WhatsApp with nothing."""
    for channel in Channel:
        text = handoff(channel, Reason.LEGAL, name="Ada Example", team=TEAM, language=language)
        assert text.endswith(TEAM) is (channel is not Channel.WHATSAPP), (channel, text)


def test_a_handoff_speaks_the_customers_language_where_it_can() -> None:
    """German gets German, Italian Italian; a language without words gets English."""
    assert handoff(Channel.EMAIL, Reason.LEGAL, name="", team=TEAM, language="de").startswith("Guten Tag")
    assert handoff(Channel.EMAIL, Reason.LEGAL, name="", team=TEAM, language="it").startswith("Buongiorno,")
    assert handoff(Channel.EMAIL, Reason.LEGAL, name="", team=TEAM, language="other").startswith("Hello,")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ar", "ur"])
def test_a_handoff_says_what_it_is_about_in_each_of_the_forms_languages(language: str) -> None:
    """Money, terms, law, trouble and the wish for a person are five answers, and none is that of a gap in the pages."""
    about = [Reason.REFUND, Reason.PRICING, Reason.LEGAL, Reason.ANGRY, Reason.HUMAN, Reason.NOT_FOUND]
    for channel in Channel:
        texts = {handoff(channel, reason, name="Ada", team=TEAM, language=language) for reason in about}
        assert len(texts) == len(about)
        assert all(language_of_reply(text) == language for text in texts), texts


GERMAN = Source(
    "Daten exportieren",
    "Wie exportiere ich?",
    "https://help.example.com/de/exporting-data",
    "Öffnen Sie Einstellungen › Daten › Export. Übrigens geht das in jedem Tarif.",
    "wie exportiere ich",
    "de-AT",
)
SPANISH = Source(
    "Exportar sus datos",
    "¿Cómo exporto?",
    "https://help.example.com/es/exporting-data",
    "Abra Ajustes › Datos › Exportar. El enlace vale 72 horas.",
    "cómo exporto",
    "es",
)


@pytest.mark.parametrize(
    ("source", "channel", "parts"),
    [
        (GERMAN, Channel.EMAIL, ["Guten Tag Priya Okafor,", "Vielen Dank", "1.6.2026", "Mit freundlichen Grüßen"]),
        (GERMAN, Channel.WEB, ["Guten Tag Priya Okafor,", "Weitere Einzelheiten: Daten exportieren"]),
        (GERMAN, Channel.WHATSAPP, ["Hallo Priya!", "schrieben am 1.6.2026", GERMAN.url]),
        (
            SPANISH,
            Channel.EMAIL,
            ["Buenos días, Priya Okafor:", "Usted nos escribió", "1/6/2026", "Un cordial saludo,"],
        ),
        (SPANISH, Channel.WEB, ["Hola, Priya Okafor:", "Más detalles: Exportar sus datos"]),
        (SPANISH, Channel.WHATSAPP, ["¡Hola, Priya!", "Nos escribió", SPANISH.url]),
    ],
)
def test_a_page_in_another_language_is_quoted_in_that_language(
    source: Source, channel: Channel, parts: list[str]
) -> None:
    """Greeting, acknowledgement, source and signature are in the language of the page, and pass the gate."""
    earlier = EarlierContact(Channel.EMAIL, datetime(2026, 6, 1, 9, 0, tzinfo=UTC), "Export")
    text = answer([source], replace(reader(channel), earlier=earlier))
    assert [part for part in parts if part not in text] == []
    assert not re.search(r"\b(?:Thank|Dear|Hello|page|wrote|regards)\b", text)
    page = Passage("exporting-data", 1, source.title, source.url, source.heading, source.text, 0.9, source.language)
    context = GateContext(channel, (page,), known="1 Export", names=f"Priya Okafor {TEAM}")
    assert [one for one in faults(text, context) if not one.startswith("too-short")] == []


def test_pages_in_two_languages_make_one_answer_in_one() -> None:
    """The first page decides."""
    text = answer([GERMAN, PASSWORD], EMAIL)
    assert "Reset" not in text
    assert text.startswith("Guten Tag")


def test_our_own_words_need_no_page_and_what_is_put_into_them_does() -> None:
    """A name or a subject that nobody gave is no frame of ours."""
    assert is_frame("Weitere Einzelheiten:", "")
    assert is_frame("Sie haben uns am 1.6.2026 per E-Mail geschrieben, zum Thema „Export“.", "Export")
    assert not is_frame("Sie haben uns am 1.6.2026 per E-Mail geschrieben, zum Thema „Gratis“.", "Export")
    assert not is_frame("Guten Tag Erwin Fremd,", "Priya Okafor")
    assert not is_frame("Alles ist kostenlos.", "kostenlos")
