"""A form's fields become a ticket with an id, a token and one message."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.channels.message import InboundMessage, Trust
from shared.channels.publish import inbound_event
from shared.channels.web.ticket import (
    MAX_MESSAGE,
    MessageRequest,
    RatingRequest,
    TicketRequest,
    added_message,
    message_id,
)
from shared.channels.web.token import Holder, keyed_id, open_token, seal_token

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_KEY = secrets.token_bytes(32)
_FIELDS = {
    "name": "Ada Example",
    "email": "Ada@Example.org",
    "subject": "Export",
    "category": "technical",
    "message": "How do I export my data?",
}


def ticket(**changes: Any) -> TicketRequest:
    return TicketRequest.model_validate(_FIELDS | changes)


def holder(**changes: Any) -> Holder:
    """Whoever typed ada@example.org."""
    return replace(Holder("TICKET", "ada@example.org", "Ada Example", Trust.CLAIMED), **changes)


def id_of(request: TicketRequest, idempotency_key: str = "k", key: bytes = _KEY, trust: Trust = Trust.CLAIMED) -> str:
    """The ticket's id of a request whose address was typed, unless it is said to be verified."""
    return request.ticket_id(key, idempotency_key, request.email, trust)


def test_a_request_becomes_a_claimed_message() -> None:
    """Whoever typed the address need not own it; the ticket is thread and id at once."""
    request = ticket(phone="+1 (201) 555-0123")
    message = request.message_of(holder(), _NOW)
    assert (message.sender.kind, message.sender.address, message.sender.name) == (
        "email",
        "ada@example.org",
        "Ada Example",
    )
    assert (message.sender.trust, message.sender.trust_reason) == (Trust.CLAIMED, "typed-address")
    assert message.provider_message_id == message.thread == "TICKET"
    assert (message.subject, message.text, message.received_at) == ("Export", "How do I export my data?", _NOW)
    assert message.form is not None
    assert (message.form.category, message.form.phone) == ("technical", "+12015550123")


@pytest.mark.parametrize(
    "text", ["🙏🏽", "مرحبا، كيف أغير لغة التطبيق؟", "x" * 100_000, "😀" * MAX_MESSAGE, '"\\\n' * 40_000]
)
def test_messages_of_any_kind_fit_an_event(text: str) -> None:
    """Emoji alone, right to left, 100 kB: nothing is cut, and the brokers will take it."""
    message = ticket(message=text).message_of(holder(), _NOW)
    event = inbound_event(_KEY, message)
    assert InboundMessage.model_validate_json(event.data).text == text


def test_control_characters_go_and_words_stay() -> None:
    """NUL does not reach a store; line feeds in a subject become spaces."""
    request = ticket(message="a\x00b\r\nc", subject="Ex\x00port\nnow", name=" Ada\t\x07 Example ")
    assert (request.message, request.subject, request.name) == ("ab\nc", "Export now", "Ada Example")


@pytest.mark.parametrize("phone", [None, "", "  "])
def test_a_phone_may_be_left_out(phone: str | None) -> None:
    """Pages send an empty field where nothing was typed."""
    assert ticket(phone=phone).phone is None


def test_unknown_fields_are_ignored() -> None:
    """A newer page may send more."""
    assert ticket(favourite="green") == ticket()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", ""),
        ("message", " \n\t\u200b\ufeff"),
        ("message", "\x00\x01"),
        ("message", "x" * (MAX_MESSAGE + 1)),
        ("message", None),
        ("message", ["x"]),
        ("message", "\ud800"),
        ("name", " "),
        ("name", "x" * 201),
        ("subject", "\u200b"),
        ("subject", "x" * 301),
        ("email", "ada"),
        ("email", "ada@localhost"),
        ("email", "Ada <ada@example.org>"),
        ("phone", "0800 HELP"),
        ("phone", "1" * 41),
        ("category", "Billing"),
        ("category", ""),
    ],
)
def test_what_is_wrong_names_its_field(field: str, value: object) -> None:
    """One field, the right one, and never its value."""
    with pytest.raises(ValidationError) as refused:
        ticket(**{field: value})
    (problem,) = refused.value.errors()
    assert problem["loc"][0] == field
    assert not isinstance(value, str) or len(value) < 3 or value not in problem["msg"]


@pytest.mark.parametrize("field", sorted(_FIELDS))
def test_every_field_but_the_phone_is_needed(field: str) -> None:
    """What is missing is named."""
    with pytest.raises(ValidationError) as refused:
        TicketRequest.model_validate({name: value for name, value in _FIELDS.items() if name != field})
    assert refused.value.errors()[0]["loc"] == (field,)


def test_the_same_request_is_the_same_ticket() -> None:
    """As it was meant, not as it was spelled: case of the address and blanks around a name do not count."""
    assert id_of(ticket()) == id_of(ticket(email="ada@example.org", name="Ada  Example"))
    assert len(id_of(ticket())) == 24


def test_a_later_try_is_the_same_ticket() -> None:
    """The page's clock has gone on, the challenge was solved again, and the site signed anew."""
    first = ticket(page={"opened_ms": 5000, "challenge": "one"}, identity="a.b.c")
    again = ticket(page={"opened_ms": 9000, "challenge": "two"}, identity="d.e.f")
    assert first.ticket_id(_KEY, "k", "ada@example.org", Trust.VERIFIED) == again.ticket_id(
        _KEY, "k", "ada@example.org", Trust.VERIFIED
    )


def test_a_shared_key_is_not_a_shared_ticket() -> None:
    """Strangers with one idempotency key, another text, another key of ours: other tickets."""
    ids = {
        id_of(ticket()),
        id_of(ticket(), "l"),
        id_of(ticket(email="eve@example.org")),
        id_of(ticket(message="Something else")),
        id_of(ticket(phone="+12015550123")),
        id_of(ticket(), key=secrets.token_bytes(32)),
    }
    assert len(ids) == 6


def test_who_only_types_an_address_never_gets_the_ticket_of_who_proved_it() -> None:
    """The same key, address and words: a claimed token for a verified ticket cannot come to be."""
    assert id_of(ticket()) != id_of(ticket(), trust=Trust.VERIFIED)


def test_parts_do_not_run_into_each_other() -> None:
    """Where one part ends and the next begins is part of the id, and so is what it is an id of."""
    assert keyed_id(_KEY, "ticket", b"ab", b"c") != keyed_id(_KEY, "ticket", b"a", b"bc")
    assert keyed_id(_KEY, "ticket", b"ab") != keyed_id(_KEY, "message", b"ab")


def test_a_token_says_whose_it_is_and_opens_its_own_ticket_alone() -> None:
    """The same each time it is made; also while keys rotate."""
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    token = seal_token(old, holder(name="Ada Übermut"))
    assert token == seal_token(old, holder(name="Ada Übermut"))
    assert open_token((new, old), "TICKET", token) == holder(name="Ada Übermut")
    assert open_token((new,), "TICKET", token) is None
    assert open_token((new, old), "TICKET2", token) is None
    assert "ada" not in token.lower()


def test_a_token_that_was_touched_opens_nothing() -> None:
    """Every character counts, whatever is put in its place, and nothing is raised."""
    token = seal_token(_KEY, holder())
    touched = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    others = [
        "",
        "TICKET",
        token[:-1],
        token + "=",
        token + "A",
        "é\ud800",
        "x" * 5000,
        token.replace("-", "+"),
        "AAAA",
    ]
    others = [other for other in others if other != token]
    assert [wrong for wrong in touched + others if open_token((_KEY,), "TICKET", wrong)] == []


@pytest.mark.parametrize("name", ["", "x" * 200, "\U0001f44b" * 200])
def test_the_longest_name_and_address_fit_a_token(name: str) -> None:
    """What the form takes, the token holds."""
    longest = holder(name=name, address="a" * 242 + "@example.org")
    assert open_token((_KEY,), "TICKET", seal_token(_KEY, longest)) == longest


def test_a_later_message_is_its_holders() -> None:
    """Address, name and trust are the token's; the thread is the ticket, the id one of its own."""
    message = added_message(holder(trust=Trust.VERIFIED), "M1", "And now?", _NOW)
    assert (message.provider_message_id, message.thread) == ("TICKET.M1", "TICKET")
    assert (message.sender.trust, message.sender.trust_reason) == (Trust.VERIFIED, "page-token")
    assert (message.subject, message.form) == ("", None)


def test_the_same_words_under_another_key_or_token_are_another_message() -> None:
    """The same key, words and holder are one message; anything else is not."""
    ids = {
        message_id(_KEY, holder(), "k", "And now?"),
        message_id(_KEY, holder(), "l", "And now?"),
        message_id(_KEY, holder(), "k", "And then?"),
        message_id(_KEY, holder(trust=Trust.VERIFIED), "k", "And now?"),
        message_id(_KEY, holder(ticket="OTHER"), "k", "And now?"),
    }
    assert len(ids) == 5
    assert message_id(_KEY, holder(), "k", "And now?") in ids


def test_a_signed_visitor_need_not_type_who_they_are() -> None:
    """With a token neither name nor address is asked for, and a wrong address is not looked at."""
    bare = {name: value for name, value in _FIELDS.items() if name not in ("name", "email")}
    assert TicketRequest.model_validate(bare | {"identity": "a.b.c"}).email == ""
    assert ticket(identity="a.b.c", email="nonsense").email == ""
    for name in ("", "  ", None):
        assert ticket(identity="a.b.c", name=name, email="").name == ""
    with pytest.raises(ValidationError):
        TicketRequest.model_validate(bare | {"identity": ""})


@pytest.mark.parametrize("score", [0, 6, -1, 4.5, "5", True, None])
def test_a_score_is_a_whole_number_from_one_to_five(score: object) -> None:
    """Nothing is read as a number that is none."""
    with pytest.raises(ValidationError):
        RatingRequest.model_validate({"score": score})


def test_a_later_message_needs_words() -> None:
    """As the first does; control characters go."""
    assert MessageRequest.model_validate({"message": "a\x00b"}).message == "ab"
    with pytest.raises(ValidationError):
        MessageRequest.model_validate({"message": "\u200b"})


@settings(max_examples=1000)
@given(st.dictionaries(st.sampled_from([*_FIELDS, "phone"]), st.text(max_size=40) | st.none() | st.integers()))
def test_any_fields_are_a_ticket_or_a_refusal(changes: dict[str, Any]) -> None:
    """Nothing but a ValidationError is raised, and every message survives its event."""
    try:
        request = ticket(**changes)
    except ValidationError:
        return
    message = request.message_of(holder(address=request.email, name=request.name), _NOW)
    assert InboundMessage.model_validate_json(inbound_event(_KEY, message).data) == message
