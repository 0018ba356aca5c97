"""Addresses in their look-up form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.channels.addresses import normalise_email, normalise_phone
from shared.errors import Rejected


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Maria@Example.COM", "maria@example.com"),
        ("  maria@example.com\n", "maria@example.com"),
        ("maria+invoices@example.com", "maria+invoices@example.com"),
        ("m.a.r.i.a@example.com", "m.a.r.i.a@example.com"),
        ('"maria"@example.com', "maria@example.com"),
        ('"maria k"@example.com', '"maria k"@example.com'),
        ("kunde@müller.example", "kunde@xn--mller-kva.example"),
        ("kunde@XN--MLLER-KVA.example", "kunde@xn--mller-kva.example"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("owner@cafe.test", "owner@cafe.test"),
    ],
)
def test_one_address_has_one_form(written: str, found: str) -> None:
    """Case, quotes, Unicode composition and IDNA spell one mailbox in one way; tags and dots stay."""
    assert normalise_email(written) == found


@pytest.mark.parametrize(
    "written",
    [
        "",
        "maria",
        "maria@",
        "@example.com",
        "a b@example.com",
        "maria@localhost",
        "a..b@example.com",
        "a@b@example.com",
        "Maria <maria@example.com>",
        "maria@example.com, other@example.com",
        "maria@exa\x00mple.com",
        "x" * 400 + "@a.example",
    ],
)
def test_what_is_no_address_is_refused_without_its_value(written: str) -> None:
    """The refusal names the field, never what stood in it."""
    with pytest.raises(Rejected) as refused:
        normalise_email(written)
    assert (refused.value.status, refused.value.field) == (422, "email")
    assert not written.strip() or written not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "region", "found"),
    [
        ("+12015550123", None, "+12015550123"),
        ("whatsapp:+12015550123", None, "+12015550123"),
        ("WhatsApp:+1 (201) 555-0123", None, "+12015550123"),
        ("0044 20 7946 0958", None, "+442079460958"),
        ("(201) 555-0123", "US", "+12015550123"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+١ ٢٠١ ٥٥٥ ٠١٢٣", None, "+12015550123"),
        ("tel:+1-201-555-0123", None, "+12015550123"),
    ],
)
def test_one_number_has_one_form(written: str, region: str | None, found: str) -> None:
    """Numbers reserved for documentation are possible numbers, and come out in E.164."""
    assert normalise_phone(written, region) == found


@pytest.mark.parametrize(
    "written", ["", "hello", "555", "+1", "201 555 0123", "+999123456789", "whatsapp:", "+1201555012345678"]
)
def test_what_is_no_number_is_refused_without_its_value(written: str) -> None:
    """A national number without a region is one of them: guessing a country would join strangers."""
    with pytest.raises(Rejected) as refused:
        normalise_phone(written)
    assert (refused.value.status, refused.value.field) == (422, "phone")


@given(st.text(max_size=80))
def test_normalising_is_idempotent_or_refuses(written: str) -> None:
    """Whatever was typed, the form that comes out is its own form; nothing but Rejected is raised."""
    for normalise in (normalise_email, normalise_phone):
        try:
            found = normalise(written)
        except Rejected:
            continue
        assert normalise(found) == found
