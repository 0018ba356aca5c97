"""Who is believed: Authentication-Results read by RFC 8601, and every way around it that ends in less trust."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.gmail.authentication import MalformedError, Result, judge, parse_results
from shared.channels.gmail.message import parse
from shared.channels.message import Trust

_PASS = "mx.google.com; dmarc=pass (p=REJECT) header.from=example.org"


def _trust(*fields: str, sender: str = "From: Ada <ada@example.org>") -> Trust:
    head = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    mail = parse(f"{head}{sender}\r\n\r\nhi".encode())
    return judge(mail.headers, mail.senders, mail.sound_from, "mx.google.com").trust


@pytest.mark.parametrize(
    "field",
    [
        _PASS,
        "MX.Google.com; DMARC=PASS header.from=EXAMPLE.org",
        "mx.google.com 1; dmarc=pass header.from=example.org",
        '"mx.google.com" 1; dmarc=pass header.from=example.org',
        "(ours) mx.google.com (really); dmarc=pass header.from=example.org",
        "mx.google.com; dkim=fail header.i=@x.example; spf=none smtp.mailfrom=a@x.example;\r\n dmarc=pass"
        " (p=NONE sp=NONE dis=NONE) header.from=example.org",
        "mx.google.com; dmarc (comment) = (more) pass header.from=example.org",
        'mx.google.com; spf=pass smtp.mailfrom="a b"@example.org; dmarc=pass header.from="example.org"',
        "mx.google.com; spf=pass smtp.mailfrom=b+1=u=example.net@bounce.example; dmarc=pass header.from=example.org",
        "mx.google.com; dkim=pass header.d=example.org",
        "mx.google.com; dkim=pass header.i=@example.org header.s=s1 header.b=Ab/c+1==",
        "mx.google.com; dmarc=none; dkim=fail header.d=example.org; dkim=pass header.i=ada@example.org",
        "mx.google.com; dkim=pass header.d=example.org header.i=ada@mail.example.org",
        "mx.google.com; dmarc/1=pass header.from=example.org",
        "mx.google.com (a) 1 (b); dmarc (c) / 1 (d) = (e) pass header (f) . (g) from (h) = (i) example.org",
    ],
)
def test_verified(field: str) -> None:
    """dmarc=pass for the From domain, or an aligned dkim=pass where no DMARC record is."""
    assert _trust(field) is Trust.VERIFIED


@pytest.mark.parametrize(
    ("signer", "sender", "trust"),
    [
        ("example.org", "mail.example.org", Trust.VERIFIED),
        ("mail.example.org", "example.org", Trust.VERIFIED),
        ("a.example.co.uk", "b.example.co.uk", Trust.VERIFIED),
        ("org", "example.org", Trust.CLAIMED),
        ("co.uk", "example.co.uk", Trust.CLAIMED),
        ("evil.co.uk", "example.co.uk", Trust.CLAIMED),
        ("evil.github.io", "example.github.io", Trust.CLAIMED),
        ("github.io", "example.github.io", Trust.CLAIMED),
        ("example.org.evil.net", "example.org", Trust.CLAIMED),
    ],
)
def test_alignment_is_relaxed_within_an_organization(signer: str, sender: str, trust: Trust) -> None:
    """RFC 7489: parent and child speak for each other; tenants of one public suffix do not."""
    assert _trust(f"mx.google.com; dkim=pass header.d={signer}", sender=f"From: ada@{sender}") is trust


@pytest.mark.parametrize(
    ("said", "sender", "trust"),
    [
        ("xn--bcher-kva.example", "bücher.example", Trust.VERIFIED),
        ("bücher.example", "xn--bcher-kva.example", Trust.VERIFIED),
        ("xn--strae-oqa.example", "straße.example", Trust.VERIFIED),
        ("strasse.example", "straße.example", Trust.CLAIMED),
        ("example.org", "exаmple.org", Trust.CLAIMED),
        ("example.org", "example．org", Trust.VERIFIED),
    ],
)
def test_a_domain_beyond_ascii_is_compared_as_it_is_looked_up(said: str, sender: str, trust: Trust) -> None:
    """IDNA 2008 on both sides; a letter that only looks the same is another domain."""
    assert _trust(f"mx.google.com; dmarc=pass header.from={said}", sender=f"From: ada@{sender}") is trust


def test_arc_is_not_believed() -> None:
    """What a relay says it saw (RFC 8617) is its word, not our receiver's."""
    arc = "ARC-Authentication-Results: i=1; mx.google.com; dmarc=pass header.from=example.org\r\n"
    assert _trust(sender=f"{arc}From: ada@example.org") is Trust.CLAIMED
    assert _trust("mx.google.com; arc=pass (i=1 dmarc=pass fromdomain=example.org)") is Trust.CLAIMED
    passed = "mx.google.com; arc=pass (i=1); dmarc=fail header.from=example.org"
    assert _trust(passed) is Trust.HELD


@pytest.mark.parametrize(
    "fields",
    [
        ("mx.google.com; dmarc=fail (p=NONE) header.from=example.org",),
        ("mx.google.com; dmarc=fail header.from=example.org", _PASS),
        ("mx.google.com; dkim=pass header.d=example.org; dmarc=fail header.from=example.org",),
        ("relay.example.net; dmarc=pass header.from=example.org", "mx.google.com; dmarc=fail header.from=example.org"),
        ("mx.google.com; dmarc=fail (unclosed header.from=example.org",),
        ("mx.google.com; dmarc=pass header.from=example.org; dmarc=fail header.from=example.org",),
    ],
)
def test_held(fields: tuple[str, ...]) -> None:
    """dmarc=fail waits for a person, whatever else is said."""
    assert _trust(*fields) is Trust.HELD


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("mx.google.com; none",),
        ("mx.google.com",),
        ("mx.google.com; spf=pass smtp.mailfrom=ada@example.org",),
        ("mx.google.com; dmarc=temperror; dkim=pass header.d=example.org",),
        ("mx.google.com; dmarc=permerror; dkim=pass header.d=example.org",),
        ("mx.google.com; dmarc=pass header.from=example.net",),
        ("mx.google.com; dkim=pass header.d=example.net",),
        ("mx.google.com; dkim=pass header.d=notexample.org",),
        ("mx.google.com; dkim=pass header.d=example.org header.d=example.net",),
        ("mx.google.com; dkim=fail header.d=example.org",),
        ("mx.google.com; dkim=pass header.d=example.org(.example.net",),
        ('mx.google.com; dkim=pass header.d="example.org',),
        ("mx.google.com.example.net; dmarc=pass header.from=example.org",),
        ("evil.example.net; dmarc=pass header.from=example.org",),
        ("evil.example.net; x=y (mx.google.com; dmarc=pass header.from=example.org)",),
        ("mx.google.com; spf=softfail smtp.mailfrom=ada@example.org", _PASS),
        ("evil.example.net; none", _PASS),
        ("mx.google.com; reason=x; dmarc",),
        ("mx.google.com; dmarc=pass",),
        ("mx.google.com; dmarc=pass policy.from=example.org",),
        ("mx.google.com; dmarc=pass header.from=",),
        ("mx.google.com; dmarc=pass header.from=example.net header.from=example.org",),
        ("mx.google.com; dmarc=pass header.from=example.org header.from=example.net",),
        ("mx.google.com; dmarc=pass header.from=example.org header.from=example.org",),
        ("mx.google.com; dmarc=pass header.from=@example.org",),
        ("mx.google.com; dkim=pass header.d=example.net header.i=@example.org",),
        ("mx.google.com; dkim=pass header.d=example.org header.i=@example.net",),
        ("mx.google.com; dkim=pass header.d=example.org header.i=@notexample.org",),
        ("mx.google.com; dkim=pass header.d=example.org header.d=example.net header.i=@example.org",),
        ("mx.google.com; dkim=pass header.d= header.i=@example.org",),
        ("mx.google.com; dkim=pass header.i=@example.net/@example.org",),
        ("mx.google.com; dkim=pass header.d=example.net/.example.org",),
        ("mx.google.com 2; dmarc=pass header.from=example.org",),
        ("mx.google.com evil; dmarc=pass header.from=example.org",),
        ("mx.google . com; dmarc=pass header.from=example.org",),
        ("mx.google.com; dmarc=pass header.from=example . org",),
        ("mx.google.com; dmarc/9=pass header.from=example.org",),
        ("mx.google.com; spf/2=pass smtp.mailfrom=a@example.org; dmarc=pass header.from=example.org",),
    ],
)
def test_claimed(fields: tuple[str, ...]) -> None:
    """No result, another's result, a lower field, or one that is hard to read verifies nobody."""
    assert _trust(*fields) is Trust.CLAIMED


@pytest.mark.parametrize(
    "sender",
    [
        "From: ada@example.org\r\nFrom: evil@example.net",
        "From: ada@example.org, evil@example.net",
        "From: ada@example.org <evil@example.net>",
        "From: <@example.org:evil@example.net>",
        "From: friends: ada@example.org;",
        "From: ada@example.org\x00@example.net",
        "From: undisclosed",
        "From: =?utf-8?q?ada=40example=2Eorg?=",
        "From: <=?utf-8?q?ada?=@example.org>",
        "From: =?utf-8?q?ada=40example=2Eorg=2C?= <evil@example.net>",
        "From: ada@example.org\r\nfrom : evil@example.net",
        "From: Ada <ada@example.org\r\n >, <evil@example.net>",
        "From: ada@example.org;evil@example.net",
        'From: "ada@example.org" <evil@example.net>',
        "Sender: ada@example.org",
    ],
)
def test_more_or_less_than_one_plain_sender_is_never_verified(sender: str) -> None:
    """RFC 5322 allows what no client shows: such a From is claimed even with dmarc=pass."""
    assert _trust(_PASS, sender=sender) is Trust.CLAIMED


@pytest.mark.parametrize("end", ["\r", "\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\n\r"])
@pytest.mark.parametrize("name", ["Subject: x", "Received: from x", "X-Any:"])
def test_a_bare_line_end_inside_a_header_begins_no_field(name: str, end: str) -> None:
    """A server that passes such a byte on saw one header: what stands behind it was never checked by ours."""
    raw = f"{name}{end}Authentication-Results: {_PASS}\r\nFrom: ada@example.org\r\n\r\nhi".encode()
    mail = parse(raw)
    assert judge(mail.headers, mail.senders, mail.sound_from, "mx.google.com").trust is Trust.CLAIMED


def test_a_mail_with_bare_line_feeds_alone_is_read() -> None:
    """As files are on Unix: every line ends so, none hides in another."""
    mail = parse(f"Authentication-Results: {_PASS}\nFrom: ada@example.org\nSubject: A\n b\n\nhi\n".encode())
    assert judge(mail.headers, mail.senders, mail.sound_from, "mx.google.com").trust is Trust.VERIFIED
    assert (mail.subject, mail.text) == ("A b", "hi\n")


def test_the_field_is_parsed_as_written() -> None:
    """Methods, versions, reasons, properties; comments dropped, quotes undone, VERP kept."""
    server, results = parse_results('mx.example (x (y)) ; dkim/1=pass reason="a; b" header.d="ex\\ample.org"; none')
    assert server == "mx.example"
    assert results == [Result("dkim", "pass", (("header.d", "example.org"),))]
    with pytest.raises(MalformedError):
        parse_results("mx.example; a==b")


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='mx.google;dmarc=passfil()"\\ header.from=example.org\t,@1/', max_size=120))
def test_nothing_that_is_written_there_raises(field: str) -> None:
    """Any field ends in one of the three."""
    assert _trust(field.replace("\r", "").replace("\n", "")) in set(Trust)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_what_a_sender_writes_into_a_value_verifies_nobody(text: str) -> None:
    """A mail server quotes what it was given: whatever stands inside quotes or a comment is no result."""
    inside = "".join(character for character in text if character.isprintable() and character not in '"\\()')
    for field in (f'mx.google.com; spf=pass smtp.mailfrom="{inside}"', f"mx.google.com; spf=none ({inside})"):
        assert _trust(field) is Trust.CLAIMED
