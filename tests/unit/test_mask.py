"""What proves an address or a number is shown to nobody who reads over a customer's shoulder."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from shared.privacy.mask import masked, masked_mail, masked_notice

TOKEN = "Zm9vYmFyLWJhei1xdXV4LWZvby1iYXItYmF6LXF1dXg"  # secret
LINK = f"https://form.example.com/verify?token={TOKEN}"
RATE = f"https://form.example.com/rate?token={TOKEN}"


def test_a_link_stays_readable_without_its_token() -> None:
    """The operator sees that a link was mailed; numbers that customers write stay."""
    assert masked(f"Follow {LINK} now, order 123456.") == (
        "Follow https://form.example.com/verify?token=[hidden] now, order 123456."
    )
    assert masked(LINK.replace("?", "%3F").replace("=", "%3D")).endswith("verify%3Ftoken%3D[hidden]")
    assert masked(f"Rate {RATE}.") == "Rate https://form.example.com/rate?token=[hidden]."


@pytest.mark.parametrize("text", ["042137\n\nIt works", "042137 is your code for Tideline."])
def test_a_code_is_hidden_in_our_notices(text: str) -> None:
    """Six digits that a person could say in the customer's place."""
    assert "042137" not in masked_notice(text)


@pytest.mark.parametrize("link", [LINK, RATE])
@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_a_raw_mail_that_quotes_our_link_loses_the_token_alone(encoding: str, link: str) -> None:
    """However its body is encoded, in text and HTML: a delivery report or a reply carries our mail back."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = "ada@example.org"
    mail.set_content(f"I get an error.\n\n> {link}\n", cte=encoding)
    mail.add_alternative(f'<p>I get an error</p><a href="{link}">link</a>', subtype="html", cte=encoding)
    hidden = masked_mail(mail.as_bytes())
    read = message_from_bytes(hidden, policy=policy.default)
    bodies = [part.get_content() for part in read.walk() if not part.is_multipart()]
    assert [TOKEN in body for body in bodies] == [False, False]
    assert ["an error" in body for body in bodies] == [True, True]
    assert [link.partition("token")[0] in body for body in bodies] == [True, True]
    assert base64.b64encode(TOKEN.encode())[:20] not in hidden
    assert TOKEN[:30].encode() not in hidden.replace(b"=\r\n", b"")


def test_any_other_mail_stays_as_it_came() -> None:
    """Byte for byte, also where it is no mail at all."""
    for raw in (b"From: ada", b"\x00\xff\r\n\r\n=", b"Subject: x\n\nhttps://example.com/verify?token=short\n"):
        assert masked_mail(raw) == raw
