"""Twilio's parameters become one message with one meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.message import InboundMessage, Trust, WhatsAppFacts
from shared.channels.whatsapp.message import MAX_TEXT, inbound_message
from shared.errors import Rejected

_PAYLOADS = Path(__file__).resolve().parents[1] / "payloads" / "twilio"
_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def read(name: str, **changes: str) -> InboundMessage:
    """A recorded payload as a message."""
    fields = dict(json.loads((_PAYLOADS / f"{name}.json").read_text()))
    return inbound_message(fields | changes, _NOW, "whatsapp:+12015550100")


def test_text_with_its_sender() -> None:
    """A plain message: who, where to answer, what, and why the sender is believed."""
    message = read("text")
    assert message.text == "Hi! How do I export my invoices?"
    assert message.provider_message_id == f"SM{1:032x}"
    assert message.thread == message.sender.address == "+12015550123"
    assert (message.sender.kind, message.sender.name) == ("phone", "Robin Example")
    assert (message.sender.trust, message.sender.trust_reason) == (Trust.VERIFIED, "signed-webhook")
    assert (message.received_at, message.ignored, message.attachments) == (_NOW, "", ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("right_to_left", "مرحبا، كيف أغير لغة التطبيق؟"),
        ("emoji", "🙏🏽"),
        ("image", "What does this error mean?"),
        ("two_files", "[sent without words: application/pdf, image/png]"),
        ("voice", "[sent without words: audio/ogg]"),
        ("contact", "[sent without words: a contact card]"),
        ("location", "[location: 52.516300, 13.377700 (Brandenburg Gate, Pariser Platz, Berlin)]"),
        ("button", "Yes, close it"),
        ("list_reply", "Billing and invoices"),
        ("reply", "No, the other one"),
        ("edited", "[an earlier message, edited]\nI meant the March invoice"),
        ("poll", "[a message of a kind that cannot be shown: poll]"),
        ("forwarded", "Is this from you?"),
        ("advertisement", "Tell me more"),
        ("messaging_service", "Hello"),
        ("edited_known", "[an earlier message, edited]\nI meant the March invoices"),
        ("document_with_caption", "invoice-march.pdf"),
        ("sticker", "[sent without words: image/webp]"),
        ("video", "This is what happens"),
        ("five_files", "[sent without words: image/jpeg, image/jpeg, image/jpeg, image/jpeg, image/jpeg]"),
        ("forwarded_often", "Send this to ten friends"),
        ("template_button", "Yes, tell me"),
        ("live_location", "[location: 52.516300, 13.377700]"),
        ("no_profile_name", "Hello"),
        ("reply_to_own", "and this one too"),
        ("start", "Start"),
        ("yes", "Yes please"),
    ],
)
def test_every_kind_is_told_in_words(name: str, text: str) -> None:
    """What is not text is described, so that whoever answers knows of it; all of it wants an answer."""
    message = read(name)
    assert (message.text, message.ignored) == (text, "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("reaction", "reaction"), ("deleted", "deleted"), ("deleted_known", "deleted"), ("empty", "empty"),
     ("stop", "opt-out"), ("stop_arabic", "opt-out"), ("opt_out_by_twilio", "opt-out"), ("help", "help")],
)  # fmt: skip
def test_what_needs_no_answer_says_why(name: str, reason: str) -> None:
    """A thumb, a withdrawal and a message in which nothing can be seen end as ignored."""
    assert read(name).ignored == reason


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("text", {}),
        ("stop", {"command": "stop"}),
        ("stop_arabic", {"command": "stop", "language": "ar"}),
        ("opt_out_by_twilio", {"command": "stop", "settled": True}),
        ("opt_in_by_twilio", {"command": "start", "settled": True}),
        ("help", {"command": "help", "language": "en"}),
        ("start", {"command": "start"}),
        ("edited", {}),
        ("edited_known", {"edits": f"SM{1:032x}"}),
        ("deleted_known", {"deletes": f"SM{1:032x}"}),
        ("forwarded", {"forwarded": "once"}),
        ("forwarded_often", {"forwarded": "often"}),
        ("reply", {"replies_to": f"MM{0x5A:032x}"}),
        ("reply_to_own", {"replies_to": f"SM{1:032x}"}),
        ("template_button", {"replies_to": f"MM{0x5A:032x}"}),
    ],
)
def test_what_a_message_says_besides_its_words(name: str, facts: dict[str, object]) -> None:
    """Commands, what it edits, takes back or replies to, and that it is forwarded."""
    assert read(name).whatsapp == WhatsAppFacts.model_validate(facts)


_FILE = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/x", "MediaContentType0": "image/png"}


@pytest.mark.parametrize("said", ["STOP", "stop "])
def test_what_twilio_took_for_stop_stops_with_a_file_too(said: str) -> None:
    """Twilio has blocked the number: to think otherwise here would send into nothing."""
    message = read("text", Body="STOP", OptOutType=said, **_FILE)
    assert message.whatsapp is not None
    assert (message.whatsapp.command, message.whatsapp.settled, message.ignored) == ("stop", True, "opt-out")


@pytest.mark.parametrize("more", [{}, {"OptOutType": "HELP"}, {"OptOutType": "START"}])
def test_a_file_under_any_other_command_is_a_message(more: dict[str, str]) -> None:
    """Else the file would be seen by nobody."""
    message = read("text", Body="stop", **_FILE, **more)
    assert message.whatsapp is not None
    assert (message.whatsapp.command, message.ignored) == ("", "")


@pytest.mark.parametrize("sid", ["", "x y", "SM1\n2", "é", "S" * 65])
def test_a_malformed_id_of_another_message_is_none(sid: str) -> None:
    """It costs nobody this message."""
    assert read("reply", OriginalRepliedMessageSid=sid).whatsapp == WhatsAppFacts()


def test_a_file_called_stop_stops_nobody() -> None:
    """A caption is no command, and neither is a correction or a reaction."""
    assert read("image", Body="STOP").ignored == ""
    assert read("edited", Body="STOP").ignored == ""
    reaction = read("reaction", Body="STOP")
    assert reaction.ignored == "reaction"
    assert reaction.whatsapp is not None
    assert reaction.whatsapp.command == ""


def test_files_are_facts_with_a_place() -> None:
    """More than one medium, each with its type and where Twilio keeps it; names are ours."""
    files = read("two_files").attachments
    assert [(each.name, each.content_type) for each in files] == [
        ("attachment-1", "application/pdf"),
        ("attachment-2", "image/png"),
    ]
    assert all(each.ref.startswith("https://api.twilio.com/") and each.size == 0 for each in files)


def test_malformed_media_are_still_files() -> None:
    """A type that is none and a URL that is none leave an attachment without them."""
    message = read("image", MediaContentType0="IMAGE/../x\r\n", MediaUrl0="file:///etc/passwd")
    assert (message.attachments[0].content_type, message.attachments[0].ref) == ("application/octet-stream", "")


@pytest.mark.parametrize("count", ["", "-1", "x", "9" * 50, "٣", "1.5"])
def test_a_media_count_that_is_none_is_zero(count: str) -> None:
    """NumMedia is Twilio's word; nonsense in it loses no message."""
    assert read("text", NumMedia=count).attachments == ()


def test_a_user_name_in_place_of_a_number() -> None:
    """A business-scoped user id is an address as it stands: answers go back to exactly it."""
    message = read("user_name")
    assert message.thread == message.sender.address == "US.13491208655302741918"


def test_a_number_no_plan_knows_is_still_a_person() -> None:
    """WhatsApp keeps forms that numbering plans do not list: the number is kept as Twilio wrote it."""
    message = read("text", From="whatsapp:+9992015550123")
    assert message.thread == message.sender.address == "+9992015550123"


def test_our_own_number_is_not_a_customer() -> None:
    """An echo of ours must not be answered: that would be a loop."""
    assert read("text", From="whatsapp:+12015550100").ignored == "own-message"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"From": ""}, "From"),
        ({"From": "+12015550123"}, "From"),
        ({"From": "whatsapp:12015550123"}, "From"),
        ({"From": "messenger:1234567890"}, "From"),
        ({"MessageSid": "", "SmsMessageSid": "", "SmsSid": ""}, "MessageSid"),
        ({"MessageSid": "SM 1\x00"}, "MessageSid"),
        ({"MessageStatus": "delivered"}, "MessageStatus"),
    ],
)
def test_what_is_no_whatsapp_message_is_refused_by_name(changes: dict[str, str], field: str) -> None:
    """Text messages too: a caller id can be forged, a WhatsApp account cannot."""
    with pytest.raises(Rejected) as refused:
        read("text", **changes)
    assert (refused.value.status, refused.value.field) == (422, field)


def test_control_characters_go_and_words_stay() -> None:
    """NUL and its kin leave, line ends become line feeds, marks of right-to-left text stay."""
    message = read("text", Body="a\x00b\x1b[31m\r\nc\u200fd\u2028e\ud800", ProfileName="Ro\x00bin\nExample")
    assert message.text == "ab[31m\nc\u200fd\ne"
    assert message.sender.name == "Robin Example"


def test_a_huge_text_is_cut_between_words_and_says_so() -> None:
    """What is cut is said to be cut, and never in the middle of a word."""
    text = read("text", Body="word " * 50_000).text
    assert len(text) <= MAX_TEXT
    assert text.endswith("word\n[The message was cut here: it was too long.]")


_NAMES = st.sampled_from(
    ["Body", "From", "MessageSid", "NumMedia", "MediaUrl0", "MediaContentType0", "ProfileName", "MessageType",
     "Latitude", "Longitude", "Label", "ButtonText", "ListTitle", "MessageStatus", "To"]
)  # fmt: skip


@settings(max_examples=1000)
@given(st.dictionaries(_NAMES | st.text(max_size=10), st.text(max_size=200) | st.just("whatsapp:+12015550123")))
def test_any_parameters_are_a_message_or_a_refusal(fields: dict[str, str]) -> None:
    """No parameters raise anything but Rejected; every message survives its event's JSON."""
    whole = {"From": "whatsapp:+12015550123", "MessageSid": "SM1"} | fields
    try:
        message = inbound_message(whole, _NOW)
    except Rejected:
        return
    assert InboundMessage.model_validate_json(message.model_dump_json()) == message
