"""A form's fields become a ticket with an id, a token and one message."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.channels.message import InboundMessage, Trust
from shared.channels.publish import inbound_event
from shared.channels.web.ticket import MAX_MESSAGE, TicketRequest
from shared.channels.web.token import opens, ticket_id, ticket_token

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


def test_a_request_becomes_a_claimed_message() -> None:
    """Whoever typed the address need not own it; the ticket is thread and id at once."""
    request = ticket(phone="+1 (201) 555-0123")
    message = request.message_of("TICKET", _NOW)
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
    message = ticket(message=text).message_of("TICKET", _NOW)
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
    assert ticket().ticket_id(_KEY, "k") == ticket(email="ada@example.org", name="Ada  Example").ticket_id(_KEY, "k")
    assert len(ticket().ticket_id(_KEY, "k")) == 24


def test_a_shared_key_is_not_a_shared_ticket() -> None:
    """Strangers with one idempotency key, another text, another key of ours: other tickets."""
    ids = {
        ticket().ticket_id(_KEY, "k"),
        ticket().ticket_id(_KEY, "l"),
        ticket(email="eve@example.org").ticket_id(_KEY, "k"),
        ticket(message="Something else").ticket_id(_KEY, "k"),
        ticket(phone="+12015550123").ticket_id(_KEY, "k"),
        ticket().ticket_id(secrets.token_bytes(32), "k"),
    }
    assert len(ids) == 6


def test_parts_do_not_run_into_each_other() -> None:
    """Where one part ends and the next begins is part of the id."""
    assert ticket_id(_KEY, "ab", "c", b"") != ticket_id(_KEY, "a", "bc", b"")


def test_a_token_opens_its_own_ticket_alone() -> None:
    """Also while keys rotate; a ticket's id is no token."""
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    token = ticket_token(old, "TICKET")
    assert opens((new, old), "TICKET", token)
    assert not opens((new,), "TICKET", token)
    assert not opens((new, old), "TICKET2", token)
    assert not any(opens((old,), "TICKET", wrong) for wrong in ("", "TICKET", token[:-1], token + "=", "é\ud800"))


@settings(max_examples=1000)
@given(st.dictionaries(st.sampled_from([*_FIELDS, "phone"]), st.text(max_size=40) | st.none() | st.integers()))
def test_any_fields_are_a_ticket_or_a_refusal(changes: dict[str, Any]) -> None:
    """Nothing but a ValidationError is raised, and every message survives its event."""
    try:
        request = ticket(**changes)
    except ValidationError:
        return
    message = request.message_of(request.ticket_id(_KEY, "k"), _NOW)
    assert InboundMessage.model_validate_json(inbound_event(_KEY, message).data) == message
