"""Any text a customer may write: reading it for an address or a code raises nothing and makes nothing up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.agent.link_reading import mentions_other_side, said_code, wanted_address
from shared.channels.language import language_of
from shared.channels.message import Channel
from shared.conversations.notice_texts import asking_channel

_PIECES = st.sampled_from(
    [
        "I wrote to you from ",
        "ada@example.org",
        "+1 201 555 0123",
        "123456",
        "the code is ",
        "?",
        " ",
        "\n",
        "@",
        "كتبت ",
    ]
)
_TEXTS = st.one_of(st.text(max_size=400), st.lists(st.one_of(_PIECES, st.text(max_size=12)), max_size=12).map("".join))


@given(_TEXTS, st.sampled_from(Channel), st.booleans())
def test_an_address_that_is_found_stands_in_the_text(text: str, channel: Channel, offered: bool) -> None:
    """Never one that was not written, on no channel."""
    found = wanted_address(text, channel, offered=offered)
    assert found is None or found in text
    mentions_other_side(text, channel)
    assert language_of([text])


@given(_TEXTS)
def test_a_code_that_is_found_is_six_digits(text: str) -> None:
    """ASCII digits, whatever script they were written in."""
    found = said_code(text)
    assert found is None or (len(found) == 6 and found.isascii() and found.isdigit())


@given(st.emails() | st.from_regex(r"\+[1-9]\d{7,14}", fullmatch=True), st.sampled_from(Channel))
def test_a_hint_is_less_than_the_address(address: str, channel: Channel) -> None:
    """Whoever gets a code recognises themselves, and learns no address of a stranger's."""
    assert address not in asking_channel(channel, address, "en")
