"""What changed since, and being told of it: history.list, users.watch and the Pub/Sub push."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import google.auth.transport.requests
import httpx
import jwt
import pytest
from google.auth import exceptions
from google.oauth2 import id_token
from googleapiclient.errors import HttpError

from shared.local.simulators.gmail.app import create_app
from shared.local.simulators.gmail.config import GmailConfig

AUDIENCE = "https://hooks.example.com/gmail"
SENDER = "push@example.iam.gserviceaccount.com"
TOPIC = "projects/tideline/topics/gmail"
MAIL = b"From: ana@example.org\r\nTo: support@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
OUT = b"From: support@example.com\r\nTo: ana@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"


@pytest.fixture
def config(webhook: Any) -> GmailConfig:
    return GmailConfig(push_url=f"{webhook.url}/push", push_audience=AUDIENCE)


@pytest.fixture
def gmail(simulate: Any, config: GmailConfig) -> Any:
    """The simulator with a push endpoint."""
    return simulate(create_app(config))


def send(mailbox: Any) -> Any:
    return mailbox.messages().send(userId="me", body={"raw": base64.urlsafe_b64encode(OUT).decode()}).execute()


def token_of(received: Any) -> str:
    scheme, _, token = received.headers["authorization"].partition(" ")
    assert scheme == "Bearer"
    return token


def verified(url: str, received: Any) -> Any:
    """The claims, checked by Google's own library against the simulator's keys."""
    with google.auth.transport.requests.requests.Session() as session:
        request = google.auth.transport.requests.Request(session=session)
        return id_token.verify_token(token_of(received), request, audience=AUDIENCE, certs_url=f"{url}/certs")


def test_history_tells_each_message_added_since(gmail: Any, mailbox: Any) -> None:
    """From a cursor on, by type and label, page by page; the answer names the new cursor."""
    cursor = mailbox.getProfile(userId="me").execute()["historyId"]
    ids = [gmail.post("inbound", MAIL)["id"] for _ in range(3)]
    sent = send(mailbox)
    mailbox.messages().modify(userId="me", id=ids[0], body={"removeLabelIds": ["UNREAD"]}).execute()
    request = mailbox.history().list(
        userId="me", startHistoryId=cursor, historyTypes=["messageAdded"], labelId="INBOX", maxResults=2
    )
    added: list[str] = []
    while request is not None:
        page = request.execute()
        added += [entry["messagesAdded"][0]["message"]["id"] for entry in page["history"]]
        assert all("INBOX" in entry["messagesAdded"][0]["message"]["labelIds"] for entry in page["history"])
        request = mailbox.history().list_next(request, page)
    assert added == ids
    everything = mailbox.history().list(userId="me", startHistoryId=cursor).execute()
    assert everything["history"][-1]["labelsRemoved"][0]["labelIds"] == ["UNREAD"]
    assert everything["history"][-2]["messagesAdded"][0]["message"]["id"] == sent["id"]
    record_ids = [int(entry["id"]) for entry in everything["history"]]
    assert record_ids == sorted(set(record_ids))
    assert everything["historyId"] == everything["history"][-1]["id"]
    after = mailbox.history().list(userId="me", startHistoryId=everything["historyId"]).execute()
    assert after == {"historyId": everything["historyId"]}


def test_a_sent_draft_is_a_deletion_and_an_addition(mailbox: Any) -> None:
    cursor = mailbox.getProfile(userId="me").execute()["historyId"]
    message = {"raw": base64.urlsafe_b64encode(OUT).decode()}
    draft = mailbox.drafts().create(userId="me", body={"message": message}).execute()
    sent = mailbox.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    history = mailbox.history().list(userId="me", startHistoryId=cursor).execute()["history"]
    assert history[1]["messagesDeleted"][0]["message"]["id"] == draft["message"]["id"]
    assert history[2]["messagesAdded"][0]["message"]["id"] == sent["id"]


def test_a_cursor_that_is_too_old_is_404(gmail: Any, mailbox: Any) -> None:
    """Gmail's own sign for a full sync; a cursor that is no number is 400."""
    old = gmail.post("inbound", MAIL) and mailbox.getProfile(userId="me").execute()["historyId"]
    gmail.post("history/forget")
    for start, status, reason in ((old, 404, "notFound"), ("1", 404, "notFound"), ("x", 400, "invalidArgument")):
        with pytest.raises(HttpError) as raised:
            mailbox.history().list(userId="me", startHistoryId=start).execute()
        assert raised.value.status_code == status
        assert raised.value.error_details[0]["reason"] == reason
    current = mailbox.getProfile(userId="me").execute()["historyId"]
    assert mailbox.history().list(userId="me", startHistoryId=current).execute() == {"historyId": current}


def test_history_is_kept_only_so_long(serve: Any, connect: Any) -> None:
    """The oldest records go, and cursors before them with them."""
    url = serve(create_app(GmailConfig(history_kept=2)))
    with connect(url) as mailbox:
        cursor = mailbox.getProfile(userId="me").execute()["historyId"]
        for _ in range(2):
            send(mailbox)
        assert len(mailbox.history().list(userId="me", startHistoryId=cursor).execute()["history"]) == 2
        send(mailbox)
        with pytest.raises(HttpError, match="404"):
            mailbox.history().list(userId="me", startHistoryId=cursor).execute()


def test_an_inbound_message_is_pushed_signed(gmail: Any, mailbox: Any, webhook: Any, eventually: Any) -> None:
    """Pub/Sub's envelope and a token that Google's library accepts; the historyId finds the message's record."""
    cursor = mailbox.getProfile(userId="me").execute()["historyId"]
    put = gmail.post("inbound", MAIL)
    [pushed] = eventually(lambda: webhook.received)
    assert pushed.path == "/push"
    envelope = json.loads(pushed.body)
    assert envelope["subscription"].startswith("projects/")
    assert envelope["message"]["messageId"].isdigit()
    assert envelope["message"]["publishTime"].endswith("Z")
    data = json.loads(base64.b64decode(envelope["message"]["data"]))
    assert data["emailAddress"] == "support@example.com"
    history = mailbox.history().list(userId="me", startHistoryId=cursor).execute()
    assert history["history"][0]["messagesAdded"][0]["message"]["id"] == put["id"]
    assert data["historyId"] == int(history["historyId"])
    claims = verified(gmail.url, pushed)
    assert (claims["email"], claims["email_verified"], claims["aud"]) == (SENDER, True, AUDIENCE)
    assert claims["iss"] == "https://accounts.google.com"


def test_inbound_does_not_wait_for_the_push_which_goes_on_until_it_is_acknowledged(
    gmail: Any, webhook: Any, eventually: Any
) -> None:
    """Anything but 102, 200, 201, 202 and 204 is repeated, with the same message id and growing pauses."""
    webhook.answers[:] = [(503, "", ""), (403, "", ""), (302, "", ""), (203, "", ""), (204, "", "")]
    start = time.monotonic()
    gmail.post("inbound", MAIL)
    assert time.monotonic() - start < 1
    eventually(lambda: len(webhook.received) == 5)
    eventually(lambda: gmail.get("push") == {"waiting": 0})
    assert len({json.loads(push.body)["message"]["messageId"] for push in webhook.received}) == 1
    assert time.monotonic() - start > 0.1 * (1 + 2 + 4 + 8) * 0.8


def test_an_endpoint_that_is_down_keeps_the_notification_waiting(simulate: Any) -> None:
    """A refused connection is a failure like any other, and inbound answers as ever."""
    closed = GmailConfig(push_url="http://127.0.0.1:9/push")
    down = simulate(create_app(closed))
    assert down.post("inbound", MAIL)["id"]
    assert down.post("push") == {"statuses": [0]}
    assert down.get("push") == {"waiting": 1}


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("signature", exceptions.GoogleAuthError | jwt.InvalidSignatureError),
        ("audience", exceptions.GoogleAuthError | jwt.InvalidAudienceError),
        ("expired", exceptions.GoogleAuthError | jwt.ExpiredSignatureError),
    ],
)
def test_bad_tokens_are_bad(gmail: Any, webhook: Any, bad: str, error: Any) -> None:
    """Each is refused by Google's library."""
    gmail.post("push", {"bad_token": bad})
    with pytest.raises(error.__args__):
        verified(gmail.url, webhook.received[-1])


def test_tokens_with_false_claims_are_validly_signed(gmail: Any, webhook: Any) -> None:
    """So only who looks at the claims can refuse them; and one push has no token at all."""
    gmail.post("push", {"bad_token": "email"})
    assert verified(gmail.url, webhook.received[-1])["email"] != SENDER
    gmail.post("push", {"bad_token": "unverified"})
    assert verified(gmail.url, webhook.received[-1])["email_verified"] is False
    gmail.post("push", {"bad_token": "issuer"})
    assert verified(gmail.url, webhook.received[-1])["iss"] != "https://accounts.google.com"
    gmail.post("push", {"bad_token": "missing"})
    assert "authorization" not in webhook.received[-1].headers


def test_the_last_notification_is_pushed_again_on_demand(gmail: Any, webhook: Any, eventually: Any) -> None:
    """Word for word, as often as asked; the answer tells what our endpoint said."""
    gmail.post("inbound", MAIL)
    eventually(lambda: webhook.received)
    webhook.answers[:] = [(503, "", ""), (204, "", "")]
    assert gmail.post("push", {"repeat": 2}) == {"statuses": [503, 204]}
    assert len({push.body for push in webhook.received}) == 1


def test_keys_can_be_rotated(gmail: Any, webhook: Any) -> None:
    """A new kid signs; the old one stays published, so tokens under way still verify."""
    gmail.post("push")
    gmail.post("push", {"rotate_key": True})
    before, after = webhook.received
    kids = [jwt.get_unverified_header(token_of(push))["kid"] for push in (before, after)]
    published = httpx.get(f"{gmail.url}/certs").json()["keys"]
    assert kids[0] != kids[1]
    assert {key["kid"] for key in published} == set(kids)
    assert verified(gmail.url, before)
    assert verified(gmail.url, after)


def test_watch_notifies_at_once_and_for_seven_days(gmail: Any, mailbox: Any, webhook: Any, eventually: Any) -> None:
    """Its labels filter what is pushed; stop and a lapse end it, a new call renews it."""
    body = {"topicName": TOPIC, "labelIds": ["INBOX"], "labelFilterBehavior": "include"}
    answer = mailbox.watch(userId="me", body=body).execute()
    days = (int(answer["expiration"]) / 1000 - time.time()) / 86_400
    assert 6.99 < days <= 7
    assert answer["historyId"] == mailbox.getProfile(userId="me").execute()["historyId"]
    eventually(lambda: len(webhook.received) == 1)
    send(mailbox)
    gmail.post("inbound", MAIL)
    eventually(lambda: len(webhook.received) == 2)
    gmail.post("watch/lapse")
    gmail.post("inbound", MAIL)
    mailbox.watch(userId="me", body=body).execute()
    eventually(lambda: len(webhook.received) == 3)
    assert mailbox.stop(userId="me").execute() == ""
    gmail.post("inbound", MAIL)
    assert gmail.get("push") == {"waiting": 0}
    assert len(webhook.received) == 3


def test_watch_refuses_a_topic_that_is_not_a_full_name(mailbox: Any) -> None:
    with pytest.raises(HttpError, match="Invalid topicName"):
        mailbox.watch(userId="me", body={"topicName": "gmail"}).execute()
