"""Addresses in their look-up form: what `customer_identifiers` is asked with.

Each function's image carries only the parser its channel needs, so the two are imported where they
are used.
"""

from __future__ import annotations

from shared.errors import Rejected

_WHATSAPP = "whatsapp:"


def normalise_email(text: str) -> str:
    """The look-up form of one e-mail address (RFC 5321 section 4.1.2, RFC 6531), without display name.

    The domain becomes lower-case ASCII (IDNA A-labels, RFC 5891); the local part is NFC, unquoted
    where quotes are not needed, and lower-case too: RFC 5321 lets a receiver tell cases apart, but
    none that matters does, and people type their own address in any case. Tags (`+tag`) and dots
    stay: only their receiver knows what they mean. DNS is not asked.

    Raises Rejected (422, field `email`) for anything that is not one address, including the domains
    that RFC 6761 and RFC 6762 keep from global mail (`localhost`, `.local`, `.invalid`).
    """
    from email_validator import validate_email  # not in whatsapp-webhook's image

    try:
        # test_environment admits `.test` (RFC 6761, section 6.2), which rehearsals use.
        found = validate_email(text.strip(), check_deliverability=False, allow_quoted_local=True, test_environment=True)
    except ValueError:
        raise Rejected("this is not an e-mail address", status=422, reason="bad-email", field="email") from None
    return f"{found.local_part.lower()}@{found.ascii_domain}"


def normalise_phone(text: str, default_region: str | None = None) -> str:
    """One telephone number in E.164 (`+12015550123`); `whatsapp:` in front, as Twilio has it, is dropped.

    `default_region` (ISO 3166-1 alpha-2) reads national numbers. `00` in front is the international
    prefix of ITU-T E.164 unless a region says otherwise. A number need only be *possible*, not
    assigned: the ranges reserved for documentation count. An extension is dropped.

    Raises Rejected (422, field `phone`).
    """
    import phonenumbers  # not in gmail-push's image

    bare = _without_channel(text)
    if default_region is None and bare.startswith("00"):
        bare = "+" + bare[2:]
    try:
        number = phonenumbers.parse(bare, default_region)
    except phonenumbers.NumberParseException:
        raise _not_a_number() from None
    if not phonenumbers.is_possible_number(number):
        raise _not_a_number()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _without_channel(text: str) -> str:
    bare = text.strip()
    return bare[len(_WHATSAPP) :].strip() if bare[: len(_WHATSAPP)].lower() == _WHATSAPP else bare


def _not_a_number() -> Rejected:
    message = "this is not a telephone number with its country code, such as +1 201 555 0123"
    return Rejected(message, status=422, reason="bad-phone", field="phone")
