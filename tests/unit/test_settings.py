"""Settings as operators write them."""

from __future__ import annotations

import pytest

from shared.settings import Settings


@pytest.mark.parametrize("name", ["TWILIO_WEBHOOK_URL", "FORM_PUBLIC_URL"])
def test_white_space_around_a_public_address_is_no_part_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line end from a file of secrets would break every signature, and every link that is mailed."""
    monkeypatch.setenv(name, " https://support.example.com/x \r\n")
    assert getattr(Settings(), name.lower()) == "https://support.example.com/x"
