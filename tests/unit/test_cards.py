"""Numbers of payment cards are masked, and what only looks like one is not. All are published test numbers."""

from __future__ import annotations

import pytest

from shared.channels.cards import mask_cards, without_cards
from shared.channels.message import Attachment
from tests.builders import email


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("My card 4111111111111111 was charged twice", "My card •••• 1111 was charged twice"),
        ("4111 1111 1111 1111", "•••• 1111"),
        ("4111-1111-1111-1111, 12/27", "•••• 1111, 12/27"),
        ("4111.1111.1111.1111", "•••• 1111"),
        ("4111\u00a01111 – 1111 1111", "•••• 1111"),
        ("card:5555555555554444.", "card:•••• 4444."),
        ("Amex 3782 822463 10005", "Amex •••• 0005"),
        ("Diners 3056 930902 5904", "Diners •••• 5904"),
        ("Visa of 13: 4222222222222", "Visa of 13: •••• 2222"),
        ("4111 1111 1111 1111 123", "•••• 1111 123"),
        ("order 123456 4111 1111 1111 1111 or 5555 5555 5555 4444", "order 123456 •••• 1111 or •••• 4444"),
        ("call +12015550123 4111 1111 1111 1111", "call +12015550123 •••• 1111"),
        ("卡号4111111111111111。", "卡号•••• 1111。"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "•••• 1111"),
    ],
)
def test_a_card_s_number_keeps_its_last_four_digits(text: str, masked: str) -> None:
    """In one block or in groups, beside other numbers, in any script's digits; once more changes nothing."""
    assert mask_cards(text) == masked
    assert mask_cards(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111111111111112",  # no check digit
        "Order INV4111111111111111",
        "Shipment 1732780800000 and 0000000000000000",
        "Invoice 9876 5432 1098 7654",
        "+12015550123, (201) 555-0123, 0012015550123",
        "+1 201 555 0123 and +1 201 555 0123",
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432 and FR14 2004 1010 0505 0001 3M02 606",
        "2026-11-28 10:15, 192.168.100.200, version 4.11.1",
        "411111111111111141111111111111114111111111111111",
    ],
)
def test_what_is_no_card_stays(text: str) -> None:
    """Orders, telephones, IBANs, dates, and numbers that fail the check."""
    assert mask_cards(text) == text


@pytest.mark.parametrize(("groups", "masked"), [("123", "123"), ("4111 1111 1111 1111", "•••• 1111")])
def test_a_table_of_numbers_is_read_to_its_end(groups: str, masked: str) -> None:
    """Thousands of groups in one run: each is looked at with the few that a card may have, and none is too deep."""
    assert mask_cards(" ".join([groups] * 5000)) == " ".join([masked] * 5000)


def test_all_text_of_a_message_is_masked() -> None:
    """Subject, words, what it quotes, and the text of a file; the rest is as it was."""
    number = "4111 1111 1111 1111"
    file = Attachment(name="a.txt", content_type="text/plain", size=3, text=number)
    message = email(number, subject=number).model_copy(update={"quoted": number, "attachments": (file,)})
    passed = without_cards(message)
    assert "4111" not in passed.model_dump_json()
    assert (passed.text, passed.subject, passed.quoted, passed.attachments[0].text) == ("•••• 1111",) * 4
    assert passed.attachments[0].name == "a.txt"
