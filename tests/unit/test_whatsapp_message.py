"""Twilio's parameters become one message with one meaning."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.message import InboundMessage, Trust
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
    ],
)
def test_every_kind_is_told_in_words(name: str, text: str) -> None:
    """What is not text is described, so that whoever answers knows of it; all of it wants an answer."""
    message = read(name)
    assert (message.text, message.ignored) == (text, "")


@pytest.mark.parametrize(("name", "reason"), [("reaction", "reaction"), ("deleted", "deleted"), ("empty", "empty")])
def test_what_needs_no_answer_says_why(name: str, reason: str) -> None:
    """A thumb, a withdrawal and a message in which nothing can be seen end as ignored."""
    assert read(name).ignored == reason


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
