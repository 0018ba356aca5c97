"""WhatsApp through Twilio's own client, and Twilio's requests to our webhook."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from shared.local.simulators.twilio.app import create_app
from shared.local.simulators.twilio.config import TwilioConfig

OURS = "whatsapp:+12015550100"
ANA = "whatsapp:+12015550123"
PUBLIC = "https://hooks.example.com/whatsapp"
STATUS = "https://hooks.example.com/status?delivery=d-17&attempt=1"
SID = "AC" + "0" * 32


class Fields(dict[str, Any]):
    """Form fields as the validator wants them: repeats kept."""

    def getlist(self, name: str) -> list[str]:
        return self[name] if isinstance(self[name], list) else [self[name]]


def is_signed(received: Any, url: str) -> bool:
    fields = Fields()
    for name, value in received.form:
        fields[name] = [*fields.getlist(name), value] if name in fields else value
    return RequestValidator("local-token").validate(url, fields, received.headers["x-twilio-signature"])


def create(account: Any, **more: Any) -> Any:
    return account.messages.create(**({"to": ANA, "from_": OURS, "body": "Hi"} | more))


def reports(webhook: Any) -> list[dict[str, str]]:
    return [dict(received.form) for received in webhook.received if received.path == "/status"]


def test_an_inbound_message_is_posted_as_twilio_does(twilio: Any, webhook: Any) -> None:
    """WhatsApp's form fields, signed for the public URL that is not where we really are."""
    answer = twilio.post("inbound", {"from": "+12015550123", "body": "Where is it? ", "profile_name": "Ana"})
    assert set(answer) == {"sid", "status_code"}
    assert answer["status_code"] == 204
    [received] = webhook.received
    form = dict(received.form)
    assert received.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert is_signed(received, PUBLIC)
    assert not is_signed(received, f"{webhook.url}/whatsapp")
    sid = answer["sid"]
    assert sid.startswith("SM")
    assert len(sid) == 34
    assert json.loads(form.pop("ChannelMetadata"))["data"]["context"] == {"ProfileName": "Ana", "WaId": "12015550123"}
    assert form == {
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ProfileName": "Ana",
        "MessageType": "text",
        "SmsSid": sid,
        "WaId": "12015550123",
        "SmsStatus": "received",
        "Body": "Where is it? ",
        "To": OURS,
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "MessageSid": sid,
        "AccountSid": SID,
        "From": ANA,
        "ApiVersion": "2010-04-01",
    }


def test_params_add_replace_and_repeat_fields(twilio: Any, webhook: Any) -> None:
    """Blanks and repeats are signed too."""
    params = {"ButtonText": "Yes", "NumSegments": "2", "Extra": ["a", "b", "a"], "Blank": ""}
    twilio.post("inbound", {"from": ANA, "body": "x", "params": params})
    form = webhook.received[0].form
    assert [value for name, value in form if name == "Extra"] == ["a", "b", "a"]
    assert ("Blank", "") in form
    assert ("NumSegments", "2") in form
    assert is_signed(webhook.received[0], PUBLIC)


def test_media_can_be_fetched_from_the_url_in_the_form(twilio: Any, webhook: Any, account: Any) -> None:
    """Behind the account's credentials, by a redirect, as at Twilio."""
    media = [{"content_type": "image/png", "base64": base64.b64encode(b"\x89PNG").decode()}]
    sid = twilio.post("inbound", {"from": ANA, "body": "", "media": media})["sid"]
    form = dict(webhook.received[0].form)
    assert sid.startswith("MM")
    assert (form["NumMedia"], form["MediaContentType0"], form["MessageType"]) == ("1", "image/png", "image")
    assert form["MediaUrl0"].startswith(f"{twilio.url}/2010-04-01/Accounts/{SID}/Messages/{sid}/Media/ME")
    assert httpx.get(form["MediaUrl0"]).status_code == 401
    answer = httpx.get(form["MediaUrl0"], auth=(SID, "local-token"), follow_redirects=True)
    assert (answer.content, answer.headers["content-type"]) == (b"\x89PNG", "image/png")
    [listed] = account.messages(sid).media.list()
    assert listed.content_type == "image/png"
    assert form["MediaUrl0"].endswith(listed.sid)


def test_a_repeated_sid_is_sent_again_and_not_stored_twice(twilio: Any, webhook: Any, account: Any) -> None:
    body = {"from": ANA, "body": "once", "message_sid": "SM" + "a" * 32}
    assert twilio.post("inbound", body)["sid"] == twilio.post("inbound", body)["sid"] == "SM" + "a" * 32
    assert len(webhook.received) == 2
    [stored] = account.messages.list(from_=ANA)
    assert (stored.direction, stored.status, stored.body) == ("inbound", "received", "once")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_inbound_answers_200_whatever_the_webhook_says(twilio: Any, webhook: Any, account: Any, status: int) -> None:
    """No retry for an answer; the message is in the list all the same."""
    webhook.answers[:] = [(status, "", "")]
    answer = twilio.post("inbound", {"from": ANA, "body": "x"})
    assert answer["status_code"] == status
    assert len(webhook.received) == 1
    assert account.messages(answer["sid"]).fetch().direction == "inbound"


def test_a_webhook_that_is_down_is_reported_as_502(spawn: Any) -> None:
    twilio, _ = spawn("twilio", "--webhook-url", "http://127.0.0.1:9/whatsapp")
    answer = twilio.post("inbound", {"from": ANA, "body": "x"})
    assert answer["status_code"] == 502
    assert answer["error"]
    assert answer["sid"]


def test_a_webhook_that_answers_in_text_sends_that_text(twilio: Any, webhook: Any, eventually: Any) -> None:
    """Twilio sends text/plain and TwiML to the customer; an empty TwiML, JSON or an error sends nothing."""
    webhook.answers[:] = [
        (200, "text/plain; charset=utf-8", "OK"),
        (200, "text/xml", "<Response><Message>one</Message><Message><Body>two</Body></Message></Response>"),
        (200, "text/xml", "<Response/>"),
        (200, "application/json", '{"ok": true}'),
        (500, "text/plain", "Internal Server Error"),
        (204, "", ""),
    ]
    for _ in range(6):
        twilio.post("inbound", {"from": ANA, "body": "x"})
    assert [entry["body"] for entry in twilio.get("sent")] == ["OK", "one", "two"]


def test_inbound_names_what_is_wrong_with_a_body(twilio: Any) -> None:
    for wrong in ({}, {"from": "ana"}, {"from": ANA, "media": [{"content_type": "a/b", "base64": "!"}]}):
        assert httpx.post(f"{twilio.url}/_control/inbound", json=wrong).status_code == 400


def test_a_sent_message_goes_through_its_statuses(twilio: Any, webhook: Any, account: Any, eventually: Any) -> None:
    """Callbacks queued, sent, delivered, signed for the very StatusCallback URL, query included."""
    twilio.post("inbound", {"from": ANA, "body": "x"})
    message = create(account, status_callback=STATUS)
    assert (message.status, message.direction, message.date_sent) == ("queued", "outbound-api", None)
    assert (message.num_segments, message.num_media, message.error_code) == ("1", "0", None)
    eventually(lambda: account.messages(message.sid).fetch().status == "delivered")
    assert account.messages(message.sid).fetch().date_sent
    eventually(lambda: len(reports(webhook)) == 3)
    received = [one for one in webhook.received if one.path == "/status"]
    assert all(one.query == "delivery=d-17&attempt=1" and is_signed(one, STATUS) for one in received)
    assert [form["MessageStatus"] for form in reports(webhook)] == ["queued", "sent", "delivered"]
    assert {form["MessageSid"] for form in reports(webhook)} == {message.sid}
    [sent] = twilio.get("sent")
    assert datetime.fromisoformat(sent.pop("at")).tzinfo
    assert sent == {"sid": message.sid, "to": ANA, "body": "Hi", "status_callback": STATUS}


def test_outside_the_window_free_text_fails_later_and_a_template_does_not(
    twilio: Any, webhook: Any, account: Any, eventually: Any
) -> None:
    """63016 comes by status and callback, never in the answer; what failed was not sent to anyone."""
    never = create(account, status_callback=STATUS)
    assert never.status == "queued"
    failed = eventually(lambda: (m := account.messages(never.sid).fetch()).status == "failed" and m)
    assert failed.error_code == 63016
    eventually(lambda: len(reports(webhook)) == 2)
    assert reports(webhook)[-1]["ErrorCode"] == "63016"
    twilio.post("inbound", {"from": ANA, "body": "x"})
    inside = create(account, body="inside")
    twilio.post("window", {"from": ANA, "age_h": 24.1})
    create(account, body="too late")
    template = create(account, body=None, content_sid="HX" + "b" * 32, content_variables='{"1": "Ana"}')
    sent = twilio.get("sent")
    assert [entry["sid"] for entry in sent] == [inside.sid, template.sid]
    assert sent[1]["content_sid"] == "HX" + "b" * 32


def test_read_receipts(simulate: Any, webhook: Any, connect_twilio: Any, eventually: Any) -> None:
    config = TwilioConfig(auth_token="local-token", webhook_url=f"{webhook.url}/whatsapp", read_receipts=True)
    other = simulate(create_app(config))
    other.post("inbound", {"from": ANA, "body": "x"})
    create(connect_twilio(other.url, "local-token"), status_callback=f"{webhook.url}/status")
    eventually(lambda: [form["MessageStatus"] for form in reports(webhook)][-1:] == ["read"])


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"to": "whatsapp:12"}, 400, 21211),
        ({"to": "nonsense"}, 400, 21211),
        ({"to": "+12015550123"}, 400, 21910),
        ({"from_": "whatsapp:+12015550199"}, 400, 63007),
        ({"from_": None}, 400, 21603),
        ({"body": None}, 400, 21619),
        ({"body": "x" * 1601}, 400, 21617),
        ({"body": None, "content_sid": "HX1"}, 400, 21655),
        ({"content_variables": "not json"}, 400, 21656),
    ],
)
def test_sending_refuses_what_twilio_refuses(account: Any, more: dict[str, Any], status: int, code: int) -> None:
    """Status, code and a link to the error, as Twilio's client raises them; nothing is stored."""
    with pytest.raises(TwilioRestException) as raised:
        create(account, **more)
    assert (raised.value.status, raised.value.code) == (status, code)
    assert account.messages.list() == []


def test_a_number_that_opted_out_is_refused(twilio: Any, account: Any) -> None:
    twilio.post("opt-out", {"from": ANA})
    with pytest.raises(TwilioRestException, match="unsubscribed"):
        create(account)
    twilio.post("opt-out", {"from": ANA, "opted_out": False})
    assert create(account).sid


def test_wrong_credentials_are_20003(twilio: Any, connect_twilio: Any) -> None:
    with pytest.raises(TwilioRestException) as raised:
        create(connect_twilio(twilio.url, "wrong"))
    assert (raised.value.status, raised.value.code) == (401, 20003)
    body = httpx.get(f"{twilio.url}/2010-04-01/Accounts/{SID}/Messages.json").json()
    assert body == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_an_unknown_message_is_20404(account: Any) -> None:
    with pytest.raises(TwilioRestException) as raised:
        account.messages("SM" + "f" * 32).fetch()
    assert (raised.value.status, raised.value.code) == (404, 20404)


def test_messages_are_listed_by_party_and_date_page_by_page(twilio: Any, account: Any) -> None:
    """Twilio's own client walks the pages; DateSent takes a day or an instant, from both sides."""
    for number in range(5):
        twilio.post("inbound", {"from": ANA, "body": f"n{number}"})
    twilio.post("inbound", {"from": "+12015550124", "body": "other"})
    create(account)
    assert [m.body for m in account.messages.list(from_=ANA, page_size=2)] == ["n4", "n3", "n2", "n1", "n0"]
    assert [m.body for m in account.messages.list(to=ANA)] == ["Hi"]
    assert len(account.messages.list(to=OURS, from_=ANA, limit=3)) == 3
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert len(account.messages.list(date_sent_after=now - hour)) == 7
    assert account.messages.list(date_sent_after=now + hour) == []
    assert len(account.messages.list(date_sent_before=now + hour, from_=ANA)) == 5
    assert account.messages.list(date_sent_before=now - hour) == []
    today = httpx.get(
        f"{twilio.url}/2010-04-01/Accounts/{SID}/Messages.json",
        params={"DateSent": now.date().isoformat(), "PageSize": 4},
        auth=(SID, "local-token"),
    ).json()
    assert (len(today["messages"]), today["page"], today["page_size"]) == (4, 0, 4)
    assert today["next_page_uri"].startswith(f"/2010-04-01/Accounts/{SID}/Messages.json?")


def test_reset_forgets_messages_and_windows(twilio: Any, account: Any) -> None:
    twilio.post("inbound", {"from": ANA, "body": "x"})
    create(account)
    twilio.post("reset")
    assert twilio.get("sent") == []
    assert account.messages.list() == []
    create(account)
    assert twilio.get("sent") == []
