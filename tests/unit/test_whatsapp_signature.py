"""X-Twilio-Signature, signed here by the rule in Twilio's documentation and not by the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from shared.channels.whatsapp.callback import callback_url, delivery_status
from shared.channels.whatsapp.signature import WebhookGuard, WebhookRequest
from shared.errors import Permanent, Rejected
from tests.conftest import make_settings

_URL = "https://support.example.com/whatsapp"
_TOKEN = secrets.token_hex(16)
Pairs = list[tuple[str, str]]
_FORM: Pairs = [("MessageSid", "SM1"), ("From", "whatsapp:+12015550123"), ("Body", "Grüße & 1+1=2 😀"), ("Label", "")]


def sign(url: str, pairs: Pairs, token: str = _TOKEN, algorithm: str = "sha1") -> str:
    """URL, then each field's name and value, sorted by name and value, each pair once."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), algorithm).digest()).decode()


def request(pairs: Pairs = _FORM, *, signature: str | None, query: str = "", **headers: str) -> WebhookRequest:
    """A form post as it reaches us."""
    sent = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"} | headers
    if signature is not None:
        sent["X-Twilio-Signature"] = signature
    return WebhookRequest(query, Headers(sent), urlencode(pairs).encode())


def json_request(body: bytes, *, signature: str, query: str) -> WebhookRequest:
    """A JSON post; its body is signed by the hash in the query."""
    headers = Headers({"Content-Type": "application/json; charset=utf-8", "X-Twilio-Signature": signature})
    return WebhookRequest(query, headers, body)


def guard(url: str = _URL, *tokens: str) -> WebhookGuard:
    return WebhookGuard(url, tokens or (_TOKEN,))


def refused(check: WebhookGuard, each: WebhookRequest) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check.inbound(each)
    assert caught.value.status == 403
    return caught.value


def test_every_field_counts_blanks_and_repeats_among_them() -> None:
    """A field more, a field less, a blank dropped or a repeat dropped: each breaks the signature."""
    pairs = [*_FORM, ("Tag", "b"), ("Tag", "a"), ("Tag", "b")]
    signature = sign(_URL, pairs)
    assert guard().inbound(request(pairs, signature=signature)) == dict(_FORM) | {"Tag": "b"}
    for changed in (pairs[:-2], pairs[1:], [*pairs, ("X", "")], [p for p in pairs if p[0] != "Label"]):
        refused(guard(), request(changed, signature=signature))


@pytest.mark.parametrize(
    ("configured", "signed", "query"),
    [
        (_URL, _URL, ""),
        (_URL, "https://support.example.com:443/whatsapp", ""),
        ("https://support.example.com:8443/whatsapp", "https://support.example.com:8443/whatsapp", ""),
        ("https://support.example.com:8443/whatsapp", _URL, ""),
        ("http://127.0.0.1:8080/w", "http://127.0.0.1:8080/w", ""),
        (_URL, f"{_URL}?a=1&b=%20x", "a=1&b=%20x"),
        (f"{_URL}?tenant=1", f"{_URL}?tenant=1", "tenant=1"),
        (f"{_URL}?tenant=1", f"{_URL}?tenant=1", ""),
        (f"{_URL}#rc=3&rp=5xx,ct,rt", _URL, ""),
        ("https://support.example.com", "https://support.example.com/", ""),
        ("https://support.example.com/", "https://support.example.com", ""),
        ("https://someone:secret@support.example.com/whatsapp", _URL, ""),
        ("https://someone:secret@support.example.com:8443/whatsapp", _URL, ""),
        (
            "https://someone:secret@support.example.com:8443/whatsapp",
            "https://support.example.com:8443/whatsapp",
            "",
        ),
        (
            "https://someone:secret@support.example.com/whatsapp",
            "https://someone:secret@support.example.com:443/whatsapp",
            "",
        ),
        ("http://someone:secret@support.example.com/w", "http://someone:secret@support.example.com/w", ""),
        ("https://[2001:db8::1]:8443/w", "https://[2001:db8::1]/w", ""),
        ("https://[2001:db8::1]/w", "https://[2001:db8::1]:443/w", ""),
        ("http://support.example.com/w", "http://support.example.com:80/w", ""),
        ("https://support.example.com:443/w", "https://support.example.com/w", ""),
        ("https://Support.Example.com/WhatsApp", "https://Support.Example.com/WhatsApp", ""),
        ("https://Support.Example.com/WhatsApp", "https://support.example.com/WhatsApp", ""),
        ("https://SUPPORT.example.com:8443/w", "https://support.example.com:8443/w", ""),
        ("https://Someone:secret@Support.example.com/w", "https://Someone:secret@support.example.com/w", ""),
        ("https://bücher.example.com/w", "https://xn--bcher-kva.example.com/w", ""),
        ("https://Bücher.example.com/w", "https://xn--bcher-kva.example.com:443/w", ""),
        ("https://bücher.example.com/w", "https://bücher.example.com/w", ""),
        ("https://support.example.com/a%20b/%C3%BC", "https://support.example.com/a%20b/%C3%BC", ""),
        (f"{_URL}/", f"{_URL}/", ""),
        (f"{_URL}?a=x%20y&b=%2F", f"{_URL}?a=x%20y&b=%2F", "a=x+y&b=/"),
        (_URL, f"{_URL}?a=x+y&a=x%20y&b", "a=x+y&a=x%20y&b"),
        (_URL, f"{_URL}?q=%E2%82%AC&e=", "q=%E2%82%AC&e="),
    ],
)
def test_the_url_is_the_configured_one(configured: str, signed: str, query: str) -> None:
    """Ports, queries, overrides in the fragment and bare hosts are signed as Twilio may see them."""
    assert guard(configured).inbound(request(signature=sign(signed, _FORM), query=query))["MessageSid"] == "SM1"


@pytest.mark.parametrize(
    "other",
    [
        "https://evil.example.net/whatsapp",
        "http://support.example.com/whatsapp",
        f"{_URL}/x",
        f"{_URL}/",
        "https://support.example.com:8443/whatsapp",
        "https://support.example.com/WhatsApp",
        f"{_URL}?a=1",
        f"{_URL}#x",
        "https://other@support.example.com/whatsapp",
        "",
    ],
)
def test_another_url_is_not_ours(other: str) -> None:
    """A request signed for another place with our token is not for us."""
    refused(guard(), request(signature=sign(other, _FORM)))


def test_a_query_that_was_added_is_not_signed() -> None:
    """What came in the query is part of what is checked, so delivery and attempt can be believed."""
    refused(guard(), request(signature=sign(_URL, _FORM), query="delivery=another"))


def test_two_tokens_while_they_rotate() -> None:
    """Either signs; a third does not."""
    old, new = secrets.token_hex(16), secrets.token_hex(16)
    for token in (old, new):
        assert guard(_URL, new, old).inbound(request(signature=sign(_URL, _FORM, token)))
    refused(guard(_URL, new, old), request(signature=sign(_URL, _FORM)))


def test_a_shared_key_signs_with_sha256() -> None:
    """Twilio names the algorithm of a shared key in a header; one we do not know passes nothing."""
    names = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256"}
    assert guard().inbound(request(signature=sign(_URL, _FORM, algorithm="sha256"), **names))
    refused(guard(), request(signature=sign(_URL, _FORM), **names))
    unknown = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=NONE"}
    refused(guard(), request(signature=sign(_URL, _FORM), **unknown))


@pytest.mark.parametrize("signature", [None, "", "x", "é" * 28, "A" * 100_000])
def test_no_signature_is_no_entry(signature: str | None) -> None:
    """Missing, empty, malformed: 403, never an error of ours."""
    assert refused(guard(), request(signature=signature)).field == "X-Twilio-Signature"


@pytest.mark.parametrize("check", [WebhookGuard(_URL, ()), WebhookGuard("", (_TOKEN,))])
def test_without_token_or_url_nothing_passes(check: WebhookGuard) -> None:
    """Fail closed: also what an empty token would have signed."""
    assert not check.configured
    assert refused(check, request(signature=sign(_URL, _FORM, ""))).reason == "not-configured"


@pytest.mark.parametrize(
    "url",
    [
        "support.example.com/whatsapp",
        "ftp://support.example.com",
        "https://",
        "https://a:b/",
        "https://a.example/status",
    ],
)
def test_a_webhook_url_that_is_none_stops_the_start(url: str) -> None:
    """The setting is named, and the function does not start with a check that can never pass."""
    with pytest.raises(Permanent, match="TWILIO_WEBHOOK_URL"):
        guard(url)


def _json_query(body: bytes) -> str:
    return f"bodySHA256={hashlib.sha256(body).hexdigest()}"


def test_json_is_signed_by_its_hash() -> None:
    """The URL carries the hash and the signature covers the URL; numbers become text, objects are left out."""
    body = json.dumps({"MessageSid": "SM1", "Body": "Grüße", "NumMedia": 2, "Nested": {"a": 1}}).encode()
    query = _json_query(body)
    fields = guard().inbound(json_request(body, signature=sign(f"{_URL}?{query}", []), query=query))
    assert fields == {"MessageSid": "SM1", "Body": "Grüße", "NumMedia": "2"}


def test_the_hash_counts_in_capitals_too() -> None:
    """Hexadecimal is; the URL is signed in the letters it came in."""
    body = b'{"MessageSid":"SM1"}'
    query = f"bodySHA256={hashlib.sha256(body).hexdigest().upper()}"
    assert guard().inbound(json_request(body, signature=sign(f"{_URL}?{query}", []), query=query))
    refused(guard(), json_request(body, signature=sign(f"{_URL}?{query.lower()}", []), query=query))


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_a_form_under_another_type_is_read_as_the_form_that_was_signed(kind: str) -> None:
    """The type is not signed, so it decides nothing but which of the two rules counts."""
    assert guard().inbound(request(signature=sign(_URL, _FORM), **{"Content-Type": kind})) == dict(_FORM)
    refused(guard(), request([*_FORM, ("Extra", "")], signature=sign(_URL, _FORM), **{"Content-Type": kind}))


def test_signed_json_under_a_form_s_type_is_refused() -> None:
    """Its body would be a field that nobody signed."""
    body = b'{"MessageSid":"SM1"}'
    query = _json_query(body)
    for kind in ("application/x-www-form-urlencoded", "application/vnd.api+json"):
        headers = Headers({"Content-Type": kind, "X-Twilio-Signature": sign(f"{_URL}?{query}", [])})
        refused(guard(), WebhookRequest(query, headers, body))


def test_json_with_another_body_or_without_a_hash_is_refused() -> None:
    """A body swapped under its signature, and a body nothing signs."""
    body = b'{"MessageSid":"SM1"}'
    query = _json_query(body)
    refused(guard(), json_request(b'{"MessageSid":"SM2"}', signature=sign(f"{_URL}?{query}", []), query=query))
    refused(guard(), json_request(body, signature=sign(_URL, []), query=""))
    refused(guard(), json_request(b"\xff\xfe", signature=sign(f"{_URL}?{query}", []), query=query))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"[" * 5000, b"9" * 5000])
def test_json_that_is_no_object_is_a_bad_request(body: bytes) -> None:
    """Twilio's signature does not make it a message; the field is named."""
    query = _json_query(body)
    with pytest.raises(Rejected) as caught:
        guard().inbound(json_request(body, signature=sign(f"{_URL}?{query}", []), query=query))
    assert (caught.value.status, caught.value.field) == (400, "body")


def test_a_form_of_too_many_fields_is_a_bad_request() -> None:
    """The work before the check is bounded."""
    with pytest.raises(Rejected) as caught:
        guard().inbound(request([("a", "b")] * 501, signature="x"))
    assert caught.value.status == 400


def test_a_status_callback_is_signed_over_its_own_url() -> None:
    """The message's URL does not open the status path, nor the other way round."""
    status = f"{_URL}/status?delivery=d1&attempt=2"
    query = "delivery=d1&attempt=2"
    assert guard().status(request(signature=sign(status, _FORM), query=query))
    with pytest.raises(Rejected):
        guard().status(request(signature=sign(f"{_URL}?{query}", _FORM), query=query))
    refused(guard(), request(signature=sign(status, _FORM), query=query))


# -- the documented algorithm, case by case --------------------------------------------------------------


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("a", ""), ("B", ""), ("_", ""), ("a", "x")],
        [("Body", "")],
        [("Body", " leading and trailing ")],
        [("Body", "a+b c%20d & e=f;g")],
        [("Body", "line one\nline two\r\nline three\ttab")],
        [("Body", "\u0645\u0631\u062d\u0628\u0627 \u200f\u202etext")],
        [("Body", "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 \u00e9")],
        [("\u00fcml\u00e4ut", "1"), ("Zebra", "2"), ("apple", "3")],
        [("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("Tag", "")],
        [("Body", "x" * 60_000)],
        [("MessagingServiceSid", "MG" + "0" * 32), ("Body", "1"), ("OptOutType", "STOP")],
        [(f"Field{number:03d}", str(number)) for number in range(400)],
        [("=", "&"), ("&", "="), ("%", "%25")],
    ],
)
def test_any_fields_are_signed_as_documented(pairs: Pairs) -> None:
    """Sorted by name in the order of code points, capitals first; values sorted and each once; nothing is trimmed."""
    whole = [("MessageSid", "SM1"), *pairs]
    assert guard().inbound(request(whole, signature=sign(_URL, whole)))["MessageSid"] == "SM1"


def test_twilio_s_own_example() -> None:
    """The URL, fields, token and signature of the documentation and of every SDK's test: a known answer."""
    url, query = "https://mycompany.com/myapp.php", "foo=1&bar=2"
    caller = "+1" + "4158675309"
    pairs: Pairs = [
        ("CallSid", "CA" + "1234567890" + "ABCDE"),
        ("Digits", "1234"),
        ("From", caller),
        ("To", "+1" + "8005551212"),
        ("Caller", caller),
    ]
    told = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert sign(f"{url}?{query}", pairs, "12345") == told
    assert WebhookGuard(url, ("12345",)).inbound(request(pairs, signature=told, query=query))["Digits"] == "1234"


@pytest.mark.parametrize("body", [b"", b"&", b"&&&", b"=", b"%", b"%zz=%", b"\xff\xfe=1", b"a" * 5000, b"\x00=\x00"])
def test_odd_bodies_are_read_as_forms_are(body: bytes) -> None:
    """Signed or refused with 403: what cannot be decoded is never a fault of ours."""
    from urllib.parse import parse_qsl

    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": sign(_URL, pairs)})
    assert guard().inbound(WebhookRequest("", headers, body)) == dict(pairs)
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "x"})
    refused(guard(), WebhookRequest("", headers, body))


@pytest.mark.parametrize(
    "change", [str.lower, str.upper, lambda s: s.rstrip("="), lambda s: s + "\n", lambda s: " " + s[1:]]
)
def test_a_signature_is_compared_to_the_letter(change: Callable[[str], str]) -> None:
    """Nearly right is wrong."""
    right = sign(_URL, _FORM)
    assert change(right) != right
    refused(guard(), request(signature=change(right)))


def test_two_signatures_are_none() -> None:
    """A second header may have been put before or behind the real one: nothing certain is said."""
    raw = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"x-twilio-signature", sign(_URL, _FORM).encode()),
        (b"x-twilio-signature", b"x"),
    ]
    refused(guard(), WebhookRequest("", Headers(raw=raw), urlencode(_FORM).encode()))


def test_a_form_under_a_json_signature_says_nothing() -> None:
    """A signed JSON request sent on as an empty form carries no field, and with any field it is not signed."""
    body = b'{"MessageSid":"SM1"}'
    query = _json_query(body)
    signature = sign(f"{_URL}?{query}", [])
    assert guard().inbound(request([], signature=signature, query=query)) == {}
    refused(guard(), request([("MessageSid", "SM2")], signature=signature, query=query))


@pytest.mark.parametrize(
    "query",
    ["bodySHA256=", "bodySHA256=00", "bodysha256={}", "bodySHA256={}&bodySHA256=00", "bodySHA256=00&bodySHA256={}", ""],
)
def test_the_hash_must_be_there_once_and_right(query: str) -> None:
    """Which of two hashes counts would be the attacker's choice."""
    body = b'{"MessageSid":"SM1"}'
    asked = query.format(hashlib.sha256(body).hexdigest())
    url = f"{_URL}?{asked}" if asked else _URL
    refused(guard(), json_request(body, signature=sign(url, []), query=asked))


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", " application/json "])
def test_json_by_any_spelling_of_its_type(kind: str) -> None:
    """RFC 9110: types ignore case; parameters follow."""
    body = b'{"MessageSid":"SM1","Body":"\xc3\xbc"}'
    query = f"x=1&{_json_query(body)}"
    headers = Headers({"Content-Type": kind, "X-Twilio-Signature": sign(f"{_URL}?{query}", [])})
    assert guard().inbound(WebhookRequest(query, headers, body))["Body"] == "\u00fc"


def test_blank_settings_are_no_settings() -> None:
    """A token of spaces, an empty part of two, a URL of spaces."""
    for token, url in ((" , ", _URL), (",", _URL), ("t", "  ")):
        settings = make_settings(twilio_auth_token=SecretStr(token), twilio_webhook_url=url)
        assert not WebhookGuard.from_settings(settings).configured
    rotating = make_settings(twilio_auth_token=SecretStr(f" {_TOKEN} , other ,"), twilio_webhook_url=f" {_URL} ")
    assert WebhookGuard.from_settings(rotating).inbound(request(signature=sign(_URL, _FORM)))


@pytest.mark.parametrize("attempt", ["0", "-1", "x", "", "99999999999"])
def test_a_callback_s_attempt_is_a_number_of_ours(attempt: str) -> None:
    """Signed, and still refused by name."""
    query = f"delivery=d1&attempt={attempt}"
    fields = guard().status(request(signature=sign(f"{_URL}/status?{query}", _FORM), query=query))
    with pytest.raises(Rejected) as caught:
        delivery_status(query, {**fields, "MessageStatus": "sent"}, datetime.now(UTC))
    assert (caught.value.status, caught.value.field) == (422, "attempt")


@pytest.mark.parametrize(
    ("configured", "status"),
    [
        (f"{_URL}?tenant=1", f"{_URL}/status?tenant=1&delivery=d1&attempt=2"),
        ("https://support.example.com:8443/w/", "https://support.example.com/w/status?delivery=d1&attempt=2"),
        ("https://support.example.com", "https://support.example.com/status?delivery=d1&attempt=2"),
    ],
)
def test_callbacks_are_signed_over_the_url_we_gave(configured: str, status: str) -> None:
    """The very URL that went to Twilio with the message, whatever the webhook's looks like."""
    check = guard(configured)
    given = callback_url(configured, "d1", 2)
    query = given.partition("?")[2]
    assert check.status(request(signature=sign(given, _FORM), query=query))
    assert check.status(request(signature=sign(status, _FORM), query=query))
