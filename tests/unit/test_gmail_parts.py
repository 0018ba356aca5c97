"""What stands in a mail's parts: wrapped, armoured, signed, enclosed, said twice; and nothing is run or unpacked."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

from shared.channels.gmail import armour, signed_data, tnef
from shared.channels.gmail.message import ParsedMail, parse

_HEAD = b"From: Ada <ada@example.org>\r\nSubject: A question\r\nMIME-Version: 1.0\r\n"


def _mail(*parts: bytes, kind: str = "mixed") -> ParsedMail:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return parse(_HEAD + f"Content-Type: multipart/{kind}; boundary=b\r\n\r\n".encode() + body)


def _text(text: str, kind: str = "text/plain", more: str = "") -> bytes:
    return f"Content-Type: {kind}; charset=utf-8{more}\r\n\r\n{text}".encode()


# -- TNEF ------------------------------------------------------------------------------------------


def _attribute(level: int, name: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _properties(*rows: tuple[int, int, bytes]) -> bytes:
    def row(kind: int, name: int, data: bytes) -> bytes:
        return struct.pack("<HHII", kind, name, 1, len(data)) + data + b"\0" * (-len(data) % 4)

    return struct.pack("<I", len(rows)) + b"".join(row(*each) for each in rows)


def _winmail(body: str, files: Sequence[tuple[str, bytes]]) -> bytes:
    made = tnef.SIGNATURE + b"\x01\x00" + _attribute(1, 0x9007, struct.pack("<II", 1252, 0))
    made += _attribute(1, 0x9003, _properties((0x1F, 0x1000, body.encode("utf-16-le") + b"\0\0")))
    for name, data in files:
        made += (
            _attribute(2, 0x9002, b"\0" * 14) + _attribute(2, 0x8010, b"SHORT~1.TXT\0") + _attribute(2, 0x800F, data)
        )
        made += _attribute(2, 0x9005, _properties((0x1F, 0x3707, name.encode("utf-16-le") + b"\0\0")))
    return made


def _wrapped(data: bytes) -> bytes:
    import base64

    head = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + base64.encodebytes(data)


def test_winmail_is_a_wrapping() -> None:
    """Its body speaks where nothing else does, and its files come along by their own names."""
    data = _winmail("How do I export — quickly?", [("Übersicht.txt", b"one\n"), ("b.bin", b"\0" * 7)])
    found = _mail(_wrapped(data))
    assert found.new_text == "How do I export — quickly?"
    assert [(file.name, file.size) for file in found.files] == [("Übersicht.txt", 4), ("b.bin", 7)]
    beside = _mail(_text("Written in plain."), _wrapped(data))
    assert beside.new_text == "Written in plain."


@pytest.mark.parametrize("cut", [0, 3, 6, 20, 60, 90])
def test_a_winmail_that_can_not_be_read_stays_a_file(cut: int) -> None:
    """Broken bytes are a file as they are, or what could be read of them."""
    found = _mail(_text("Hello"), _wrapped(_winmail("x", [("a.txt", b"y")])[:cut] or b"nothing"))
    assert found.new_text == "Hello"
    assert len(found.files) <= 1


def test_a_hostile_winmail_takes_no_time() -> None:
    """Four thousand million properties, values without end, a million empty attributes: refused by counting."""
    many = struct.pack("<I", 2**32 - 1)
    multiple = struct.pack("<I", 1) + struct.pack("<HHI", 0x1002, 0x1000, 2**32 - 1)
    start = time.perf_counter()
    for inner in (many, multiple, many + b"\0" * 100_000):
        tnef.unwrap(tnef.SIGNATURE + b"\0\0" + _attribute(1, 0x9003, inner))
    tnef.unwrap(tnef.SIGNATURE + b"\0\0" + _attribute(2, 0x9002, b"") * 500_000)
    assert time.perf_counter() - start < 1


# -- what programs on the way do ---------------------------------------------------------------------


def test_a_boundary_that_is_not_told_stands_in_the_body() -> None:
    """RFC 2046, section 5.1.1: each part begins with its delimiter."""
    parts = b"--b7\r\nContent-Type: text/plain\r\n\r\nHello there\r\n--b7\r\nContent-Type: text/plain; name=a.txt\r\n"
    found = parse(_HEAD + b"Content-Type: multipart/mixed\r\n\r\n" + parts + b"\r\nx\r\n--b7--\r\n")
    assert found.new_text == "Hello there"
    assert [file.name for file in found.files] == ["a.txt"]


def test_what_a_list_appended_below_base64_is_left_out() -> None:
    """The footer came after the encoding; what is encoded is the message."""
    body = b"R3LDvMOfZSBhdXMgS8O2bG4gdW5kIG1laHI=\r\n\r\n____________________\r\nAda's list, and its rules\r\n"
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert parse(_HEAD + head + body).new_text == "Grüße aus Köln und mehr"
    words = b"How are you\r\n\r\nand the export? It was never encoded.\r\n"
    assert parse(_HEAD + head + words).new_text == "How are you\n\nand the export? It was never encoded."


_ENCODED = (
    base64.encodebytes(("Grüße aus Köln und mehr. " * 2 + "Grüße").encode()).decode().rstrip().replace("\n", "\r\n")
)


@pytest.mark.parametrize("encoding", ["BASE64 ", "base64 (as ever)", '"base64"', "(why) base64", "base64;"])
def test_an_encoding_with_spaces_comments_or_quotes_is_undone(encoding: str) -> None:
    """RFC 2045, section 5: comments and white space may stand around the name."""
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    assert parse(_HEAD + head + _ENCODED.encode()).new_text == "Grüße aus Köln und mehr. " * 2 + "Grüße"
    quoted = head.replace(b"BASE64", b"quoted-printable").replace(b"base64", b"Quoted-Printable")
    assert parse(_HEAD + quoted + b"Gr=C3=BC=C3=9Fe").new_text == "Grüße"


@pytest.mark.parametrize(
    "body",
    [
        _ENCODED + "\r\n____________________\r\nAda's list, and its rules\r\n",
        _ENCODED[:50] + "!" + _ENCODED[50:],
    ],
)
def test_base64_with_a_footer_or_a_foreign_sign_is_undone(body: str) -> None:
    """RFC 2045, section 6.8: what is no letter of base64 is ignored; a footer without an empty line is one too."""
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert parse(_HEAD + head + body.encode()).new_text == "Grüße aus Köln und mehr. " * 2 + "Grüße"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"text/html\r\n\r\n<meta charset=windows-1251><p>" + "Привет".encode("cp1251"), "Привет"),
        (
            b'text/html\r\n\r\n<meta content="text/html; charset=Shift_JIS"><p>' + "こんにちは".encode("cp932"),
            "こんにちは",
        ),
        (b"text/html\r\n\r\n<meta charset=windows-1251><p>" + "Привет".encode(), "Привет"),
        (b"text/html; charset=utf-8\r\n\r\n<meta charset=windows-1251><p>" + "Grüße".encode(), "Grüße"),
        (b"text/plain\r\n\r\n" + "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        (b"text/plain; charset=utf-8\r\n\r\n" + "こんにちは".encode("iso-2022-jp"), "こんにちは"),
    ],
)
def test_a_text_that_tells_its_charset_itself(raw: bytes, shown: str) -> None:
    """HTML by its meta element, where the header names none and it is no UTF-8; Japanese by its escapes (RFC 1468)."""
    assert parse(_HEAD + b"Content-Type: " + raw).text.strip() == shown


def test_a_mark_of_byte_order_before_the_first_header_hides_no_sender() -> None:
    found = parse(b"\xef\xbb\xbf" + _HEAD + b"\r\nHello")
    assert (found.senders[0].address, found.new_text) == ("ada@example.org", "Hello")


def test_a_name_can_not_be_turned_round() -> None:
    """Overrides of direction make `fdp.exe` look like `exe.pdf` (Unicode TR 36, section 2.6)."""
    part = b"Content-Type: application/pdf; name*=utf-8''inv%E2%80%AEfdp.exe\r\n\r\nx"
    assert [file.name for file in _mail(_text("Hello"), part).files] == ["invfdp.exe"]


def test_the_extended_name_is_the_name() -> None:
    """RFC 6266, section 4.3: the other is for readers that know no RFC 2231."""
    names = b"filename=\"x.pdf\"; filename*=utf-8''%C3%9C.pdf"
    part = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; " + names + b"\r\n\r\nx"
    assert [file.name for file in _mail(_text("Hello"), part).files] == ["Ü.pdf"]


def test_html_without_a_tag_is_unescaped() -> None:
    assert _mail(_text("Fish &amp; chips\n&lt;now&gt;", "text/html")).new_text == "Fish & chips\n<now>"


# -- armour ----------------------------------------------------------------------------------------


def test_a_uuencoded_file_in_the_text_is_a_file() -> None:
    """As mailers before MIME sent files, and some scanners still do."""
    text = "See below.\n\nbegin 644 note.txt\n+:&5L;&\\@=V]R;&0 \n`\nend\n\nThanks"
    found = parse(_HEAD + b"\r\n" + text.encode())
    assert found.new_text.split() == ["See", "below.", "Thanks"]
    assert [(file.name, file.data) for file in found.files] == [("note.txt", b"hello world")]


@pytest.mark.parametrize("text", ["begin 644 the work\nat the\nend", "begin 644 x\nM\nend", "begin 644 x\n" + "M" * 60])
def test_a_text_that_begins_like_it_is_a_text(text: str) -> None:
    """Lines that do not decode stay."""
    assert armour.files_in(text) == (text, [])


def test_clear_signed_text_is_the_text() -> None:
    """OpenPGP's armour goes, its dash escapes too."""
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHow do I\n- - export\n- - import\n"
        "-----BEGIN PGP SIGNATURE-----\n\niHUEAR\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert parse(_HEAD + b"\r\n" + signed.encode()).new_text == "How do I\n- export\n- import"


@pytest.mark.parametrize(
    "found",
    [
        parse(_HEAD + b"\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n"),
        _mail(
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
            b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----",
            kind="encrypted; protocol=application/pgp-encrypted",
        ),
        parse(_HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nMIAG"),
    ],
    ids=["pgp in the text", "pgp/mime", "s/mime"],
)
def test_an_encrypted_mail_says_so(found: ParsedMail) -> None:
    """Nobody is told it was empty, and a person can ask for it in clear."""
    assert found.new_text == armour.ENCRYPTED


def _signed(data: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ada.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def test_an_opaque_signature_speaks_by_what_it_signs() -> None:
    """RFC 8551: signed-data carries the message inside."""
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHow do I export?"
    mail = EmailMessage()
    mail["From"] = "ada@example.org"
    mail.set_content(_signed(inner), maintype="application", subtype="pkcs7-mime")
    mail.set_param("smime-type", "signed-data")
    assert parse(mail.as_bytes()).new_text == "How do I export?"
    assert signed_data.content(_signed(inner)[:200]) is None
    pieces = bytes.fromhex("3080 0609 2a864886f70d010702 a080 3080 020101 3100 3080 0609 2a864886f70d010701 a080 2480")
    pieces += b"\x04\x02ab\x04\x01c" + b"\0" * 14
    assert signed_data.content(pieces) == b"abc"


def test_a_detached_signature_is_a_file_beside_the_text() -> None:
    """multipart/signed (RFC 1847): the first part speaks."""
    signature = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP SIGNATURE-----"
    found = _mail(_text("Hello"), signature, kind="signed; micalg=pgp-sha256")
    assert (found.new_text, [file.name for file in found.files]) == ("Hello", ["signature.asc"])


# -- multipart -------------------------------------------------------------------------------------


def test_amp_is_a_third_form_and_no_file() -> None:
    """text/x-amp-html says again what HTML says."""
    found = _mail(
        _text("plain"),
        _text("<!doctype html><html amp4email>", "text/x-amp-html"),
        _text("<p>html", "text/html"),
        kind="alternative",
    )
    assert (found.new_text, found.files) == ("plain", ())


def test_an_apple_double_is_its_data_fork() -> None:
    """RFC 1740: the resource fork is nothing that a person reads."""
    fork = b"Content-Type: application/applefile; name=photo.png\r\n\r\n\0\5\x16\7"
    photo = b"Content-Type: image/png; name=photo.png\r\nContent-Disposition: attachment\r\n\r\n\x89PNG\r\n\x1a\n"
    double = (
        b"Content-Type: multipart/appledouble; boundary=c\r\n\r\n--c\r\n" + fork + b"\r\n--c\r\n" + photo + b"\r\n--c--"
    )
    found = _mail(_text("Look"), double)
    assert [(file.name, file.content_type) for file in found.files] == [("photo.png", "image/png")]


def test_an_enclosed_mail_is_a_file_and_speaks_where_nothing_else_does() -> None:
    """Forwarded as an attachment, with words and without; what it encloses itself is not unpacked."""
    inner = b"Content-Type: message/rfc822\r\n\r\nFrom: shop@example.net\r\nSubject: Invoice\r\n\r\nYou owe us 5."
    alone = _mail(inner)
    assert alone.new_text == "You owe us 5."
    assert [(file.name, file.content_type) for file in alone.files] == [("Invoice.eml", "message/rfc822")]
    assert _mail(_text("Is this from you?"), inner).new_text == "Is this from you?"


def test_mails_within_mails_take_neither_time_nor_memory() -> None:
    """Each level would be the whole again: a few are read, the rest is bytes of the first."""
    start = time.perf_counter()
    found = parse(
        _HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 140 + b"From: a@example.net\r\n\r\n" + b"deep\n" * 200_000
    )
    assert time.perf_counter() - start < 10
    assert (len(found.files), found.new_text) == (1, "")


def test_the_only_text_speaks_though_it_has_a_name() -> None:
    """Some mailers name even the message; a file is what stands beside one."""
    named = _text("How do I export?", more="; name=message.txt")
    assert _mail(named).new_text == "How do I export?"
    assert _mail(_text("See the file."), named).new_text == "See the file."
    attached = _text("a log", more="; name=a.txt\r\nContent-Disposition: attachment")
    assert _mail(attached).new_text == ""


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>One</p><ul><li>two</li><li>three</li></ul>", "One\n\n  * two\n  * three"),
        ("<ol><li>first<li>second</ol>", "1. first\n 2. second"),
        ("<table><tr><td>Plan</td><td>Team</td></tr></table>", "Plan  Team"),
        ('<a href="https://example.com/a">here</a>', "here <https://example.com/a>"),
        ('<a href="https://www.example.com/">www.example.com</a>', "www.example.com"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<div style="display:none;max-height:0">Preview of the week</div><p>Hello</p>', "Hello"),
        ('<span style="font-size:0px">tracking</span><p hidden>x</p>Hello', "Hello"),
        ('<table><tr><td style="font-size:0px"><div style="font-size:14px">shown</div></td></tr></table>', "shown"),
        ('<div style="display: none">all there is</div>', "all there is"),
        ('Great <img alt="😀" src="cid:1"><img alt="logo" src="cid:2">', "Great 😀"),
        ("a<br>b<br><br>c&nbsp;d &amp; e", "a\nb\n\nc d & e"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<center>Hello</center>", "Hello"),
        ("<blockquote>Hello</blockquote>", "> Hello"),
        ("<style>p{}</style><script>x()</script><!-- y --><p>Hi</p>", "Hi"),
    ],
)
def test_html_alone_is_readable(html: str, shown: str) -> None:
    """Lists, tables, links, emoji; without what nobody sees, unless that is all."""
    found = parse(_HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())
    assert "\n".join(line.rstrip() for line in found.text.strip("\n").split("\n")).strip() == shown.strip()


_REPLIED = (
    "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nSUMMARY:Call\r\nDESCRIPTION:How do we export\\, really?\r\n"
    "END:VEVENT\r\nEND:VCALENDAR"
)


def test_a_mail_that_is_nothing_but_an_invitation_shows_what_it_says() -> None:
    """Not the calendar's own lines."""
    mail = parse(_HEAD + _text(_REPLIED, "text/calendar", "; method=REQUEST"))
    assert mail.new_text == "Call\nHow do we export, really?"
    assert mail.calendar_method == "request"
    assert [file.declared for file in mail.files] == ["text/calendar"]


def test_a_calendar_reply_says_so_in_its_text_as_well() -> None:
    """Some programs leave the parameter out."""
    mail = _mail(_text("Ann has accepted."), _text(_REPLIED, "text/calendar"), kind="alternative")
    assert mail.calendar_method == "reply"


@pytest.mark.parametrize("charset", ["idna", "a\0b"])
def test_a_calendar_in_a_charset_that_decodes_nothing_does_not_raise(charset: str) -> None:
    """The library raises for it; the method is what the parameter says."""
    odd = f"Content-Type: text/calendar; method=REPLY; charset={charset}\r\n\r\n".encode() + b"caf\xc3\xa9"
    assert _mail(_text("Please help"), odd).calendar_method == "reply"
